/* What the service says of itself. */
#include "app/coordinator/coordinator_internal.h"
#include "tally/version.h"

tl_err tl__coordinator_show_info(tl_api_call *call, tl_errctx *ctx)
{
    const tl_coordinator *c = tl__coordinator_of(call);
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_text(&w, "hotkey", tl_str_from_cstr(c->ss58));
    tl__coordinator_put_number(&w, "netuid", c->s.netuid);
    tl__coordinator_put_text(&w, "subnet", tl_str_from_cstr(c->s.subnet));
    tl__coordinator_put_text(&w, "profile", c->s.is_compat ? TL_STR("compat") : TL_STR("tally"));
    tl__coordinator_put_text(&w, "version", TL_STR(TALLY_VERSION));
    tl__coordinator_put_number(&w, "epochSeconds", c->s.epoch_seconds);
    tl__coordinator_put_number(&w, "validatorStakeRao", c->s.validator_stake_rao);
    tl__coordinator_put_time(&w, "time", tl__coordinator_now_ms(c));
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

/* Keys of objects, and what a submission is made of. */
tl_err tl__coordinator_show_structure(tl_api_call *call, tl_errctx *ctx)
{
    (void)ctx;
    tl_api_answer(call, 200,
                  TL_STR("{\"folder\":\"data/hotkey={hotkey}/\","
                         "\"submission\":\"data/hotkey={hotkey}/epoch={epochId}/\","
                         "\"object\":\"data/hotkey={hotkey}/epoch={epochId}/zipcode={zipcode}/"
                         "data_{n}.json\","
                         "\"metadata\":\"data/hotkey={hotkey}/epoch={epochId}/metadata.json\","
                         "\"metadataMembers\":[\"epochId\",\"hotkey\",\"objects\"],"
                         "\"objectMembers\":[\"key\",\"zipcode\",\"sha256\",\"bytes\",\"rows\"],"
                         "\"minBytes\":1,\"maxBytes\":67108864,\"maxObjects\":4096,"
                         "\"validatorResults\":\"validators/{hotkey}/{epochId}/\"}"));
    return TL_OK;
}

/* The strings of the original (listings spec section 2), which are taken in the compat profile alone. */
tl_err tl__coordinator_show_commitments(tl_api_call *call, tl_errctx *ctx)
{
    const tl_coordinator *c = tl__coordinator_of(call);
    static const struct {
        const char *use;
        const char *text;
    } formats[] = {
        {"assignments", "zipcode:assignment:current:{timestamp}"},
        {"status", "zipcode:status:{epochId}:{timestamp}"},
        {"statusOfDocument", "miner:status:{hotkey}:{epochId}:{timestamp}"},
        {"validationData", "zipcode:validation:{epochId}:{timestamp}"},
        {"minerStorage", "s3:data:access:{coldkey}:{hotkey}:{timestamp}"},
        {"validatorUpload", "s3:validator:upload:{timestamp}"},
        {"validatorRead", "s3:validator:access:{timestamp}"},
        {"validatorMiner", "s3:validator:miner:{minerHotkey}:{timestamp}"},
    };
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_text(&w, "protocol", TL_STR("btauth/1"));
    tl__coordinator_put_bool(&w, "takesCommitments", c->s.is_compat);
    tl_json_put_key(&w, "formats");
    tl_json_put_object(&w);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        tl__coordinator_put_text(&w, formats[i].use, tl_str_from_cstr(formats[i].text));
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}

static const char *by_word(tl_api_by by)
{
    return by == TL_API_BY_HOTKEY ? "hotkey" : by == TL_API_BY_ADDRESS ? "address" : "all";
}

/* Read off the table of routes: what is told is what holds. */
tl_err tl__coordinator_show_rates(tl_api_call *call, tl_errctx *ctx)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    const tl_coordinator *c = tl__coordinator_of(call);
    tl_sb sb;
    tl_json_writer w;
    tl_sb_init(&sb, tl_api_call_arena(call));
    tl_json_writer_init(&w, &sb, 0, false);
    tl_json_put_object(&w);
    tl__coordinator_put_bool(&w, "limited", !c->s.is_unlimited);
    tl_json_put_key(&w, "factor");
    tl_json_put_f64(&w, c->s.limits_factor > 0 ? c->s.limits_factor : 1.0);
    tl_json_put_key(&w, "limits");
    tl_json_put_array(&w);
    for (size_t i = 0; i < tl__coordinator_route_count; i++) {
        const tl_api_route *route = &tl__coordinator_routes[i];
        for (size_t k = 0; k < TL_API_ROUTE_LIMITS_MAX && route->limits[k].count > 0; k++) {
            const tl_api_limit *limit = &route->limits[k];
            tl_json_put_object(&w);
            tl__coordinator_put_text(&w, "method", tl_str_from_cstr(methods[route->method]));
            tl__coordinator_put_text(&w, "path", tl_str_from_cstr(route->path));
            tl__coordinator_put_text(&w, "by", tl_str_from_cstr(by_word(limit->by)));
            tl__coordinator_put_number(&w, "count", limit->count);
            tl__coordinator_put_number(&w, "countValidator",
                                       limit->count_validator > 0 ? limit->count_validator
                                                                  : limit->count);
            tl__coordinator_put_number(&w, "windowSeconds", limit->window_s);
            tl_json_put_end(&w);
        }
    }
    tl_json_put_end(&w);
    tl_json_put_end(&w);
    return tl_api_answer_sb(call, 200, &sb, ctx);
}
