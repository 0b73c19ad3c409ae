#include "app/assemble/assemble.h"
#include "core/crypto/hash/hash.h"
#include "core/num/stats/stats.h"

static tl_str or_else(tl_str text, tl_str fallback)
{
    return text.len > 0 ? text : fallback;
}

static int validator_cmp(const void *a, const void *b, void *self)
{
    (void)self;
    return tl_hotkey_cmp(&((const tl_validator_view *)a)->hotkey,
                         &((const tl_validator_view *)b)->hotkey);
}

static tl_err put_validators(tl_json_writer *w, const tl_assemble_inputs_spec *spec,
                             tl_arena *arena, tl_errctx *ctx)
{
    tl_validator_view *sorted = TL_NEW(arena, tl_validator_view, spec->validator_count);
    if (sorted == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < spec->validator_count; i++) {
        sorted[i] = spec->validators[i];
    }
    TL_TRY(tl_sort(sorted, spec->validator_count, sizeof *sorted, validator_cmp, NULL, arena, ctx));
    tl_json_put_array(w);
    for (size_t i = 0; i < spec->validator_count; i++) {
        char address[TL_SS58_CAP];
        (void)tl_ss58_encode(address, &sorted[i].hotkey, TL_SS58_PREFIX_GENERIC);
        tl_json_put_object(w);
        tl_json_put_key(w, "hotkey");
        tl_json_put_cstr(w, address);
        tl_json_put_key(w, "stake_rao");
        tl_json_put_i64(w, tl_rao_to_i64(sorted[i].stake));
        tl_json_put_end(w);
    }
    tl_json_put_end(w);
    return TL_OK;
}

tl_err tl_assemble_inputs(tl_str *out, tl_arena *arena, const tl_subnet *subnet,
                          const tl_assemble_inputs_spec *spec, tl_errctx *ctx)
{
    tl_submission *sorted = TL_NEW(arena, tl_submission, spec->submission_count);
    if (sorted == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    for (size_t i = 0; i < spec->submission_count; i++) {
        sorted[i] = spec->submissions[i];
    }
    TL_TRY(
        tl_road_submissions_sort(sorted, spec->submission_count, subnet, arena, ctx)); /* ASM-1 */
    tl_sb sb;
    tl_sb_init(&sb, arena);
    tl_json_writer w;
    tl_json_writer_init(&w, &sb, 0, true);
    tl_json_put_object(&w);
    tl_json_put_key(&w, "balances_rao");
    tl_json_put_raw(&w, or_else(spec->balances, TL_STR("null")));
    tl_json_put_key(&w, "bonds");
    tl_json_put_raw(&w, or_else(spec->bonds, TL_STR("[]")));
    tl_json_put_key(&w, "epoch_id");
    tl_json_put_str(&w, spec->epoch_id);
    tl_json_put_key(&w, "height");
    tl_json_put_u64(&w, spec->height);
    tl_json_put_key(&w, "records");
    tl_json_put_raw(&w, or_else(spec->records, TL_STR("[]")));
    tl_json_put_key(&w, "signals");
    tl_json_put_array(&w);
    for (size_t i = 0; i < spec->submission_count; i++) {
        tl_road_submission_put(&w, subnet, &sorted[i]);
    }
    tl_json_put_end(&w);
    tl_json_put_key(&w, "stakes_rao");
    tl_json_put_raw(&w, or_else(spec->stakes, TL_STR("null")));
    tl_json_put_key(&w, "validators");
    TL_TRY(put_validators(&w, spec, arena, ctx));
    tl_json_put_key(&w, "was_extended");
    tl_json_put_bool(&w, spec->was_extended);
    tl_json_put_end(&w);
    tl_json_writer_done(&w);
    return tl_sb_finish(out, &sb, ctx);
}

tl_err tl_assemble_publish(tl_assembled *out, tl_arena *arena, const tl_subnet *subnet,
                           tl_str inputs, tl_str evidence, tl_str parameters, tl_errctx *ctx)
{
    const tl_json *trees[3];
    const tl_str texts[3] = {inputs, evidence, parameters};
    for (size_t i = 0; i < 3; i++) {
        TL_TRY(tl_json_parse(&trees[i], arena, texts[i], NULL, ctx));
    }
    tl_assembled a = {0};
    TL_TRY(tl_road_run(&a.result, arena, subnet, trees[0], trees[1], trees[2], ctx));
    const tl_str sections[TL_BUNDLE_SECTIONS] = {
        [TL_BUNDLE_EVIDENCE] = evidence,
        [TL_BUNDLE_INPUTS] = inputs,
        [TL_BUNDLE_PARAMETERS] = parameters,
        [TL_BUNDLE_RESULTS] = a.result.json,
    };
    TL_TRY(tl_bundle_publish(&a.bundle, &a.digest, arena, sections, ctx));
    *out = a;
    return TL_OK;
}

void tl_assemble_default_validators(tl_validator_view out[TL_ASSEMBLE_VALIDATORS])
{
    static const int64_t stake_tao[TL_ASSEMBLE_VALIDATORS] = {400000, 250000, 150000, 120000,
                                                              80000};
    for (size_t i = 0; i < TL_ASSEMBLE_VALIDATORS; i++) {
        char name[32];
        const size_t len = tl_str_print(name, sizeof name, "tally/validator/%zu", i + 1);
        tl_hash32 key;
        tl_sha256(&key, name, len);
        out[i] = (tl_validator_view){.stake = tl_rao_from_i64(stake_tao[i] * TL_RAO_PER_TAO),
                                     .has_feed = true};
        for (size_t k = 0; k < sizeof key.b; k++) {
            out[i].hotkey.b[k] = key.b[k];
        }
    }
}
