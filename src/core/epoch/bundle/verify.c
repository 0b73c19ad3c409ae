/* verify.c: digests, then the epoch once more (BUN-3). */
#include <string.h>

#include "core/epoch/bundle/bundle_internal.h"

/* The paths that differ, and room to build one. */
typedef struct diff {
    tl_arena *arena;
    tl_str *paths;
    size_t count;
    char path[256];
    tl_err err;
} diff;

static void note(diff *d, const char *path)
{
    if (d->count < TL_BUNDLE_DIFFERS_MAX && d->err == TL_OK) {
        d->err = tl_str_copy(&d->paths[d->count], d->arena, tl_str_from_cstr(path), NULL);
        d->count++;
    }
}

static const tl_subnet *find_subnet(const tl_json *parameters, const tl_subnet *const *subnets,
                                    size_t count, tl_errctx *ctx)
{
    const tl_json *versions = tl_json_get(parameters, "versions");
    tl_str name = {NULL, 0};
    if (tl_json_want_str(&name, versions, "subnet", ctx) != TL_OK) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (tl_str_eq_cstr(name, subnets[i]->name)) {
            return subnets[i];
        }
    }
    (void)tl_fail_field(ctx, TL_ERR_UNKNOWN, "parameters.versions.subnet",
                        "\"%.*s\" is no subnet of this program",
                        TL_STR_ARG(tl_str_slice(name, 0, 40)));
    return NULL;
}

/* Where two trees part, as paths; at most TL_BUNDLE_DIFFERS_MAX of them. Depth is that of our own results. */
static void compare(diff *d, size_t path_len, const tl_json *said, const tl_json *found);

static void compare_item(diff *d, size_t path_len, uint32_t index, const tl_json *said,
                         const tl_json *found)
{
    (void)tl_str_print(d->path + path_len, sizeof d->path - path_len, "[%u]", index);
    compare(d, strlen(d->path), said, found);
    d->path[path_len] = '\0';
}

static void compare_member(diff *d, size_t path_len, tl_str key, const tl_json *said,
                           const tl_json *found)
{
    (void)tl_str_print(d->path + path_len, sizeof d->path - path_len, ".%.*s", TL_STR_ARG(key));
    compare(d, strlen(d->path), said, found);
    d->path[path_len] = '\0';
}

static void compare(diff *d, size_t path_len, const tl_json *said, const tl_json *found)
{
    if (d->count >= TL_BUNDLE_DIFFERS_MAX) {
        return;
    }
    if (said == NULL || found == NULL || said->kind != found->kind) {
        note(d, d->path);
        return;
    }
    switch (said->kind) {
    case TL_JSON_NULL:
        return;
    case TL_JSON_BOOL:
        if (said->boolean != found->boolean) {
            note(d, d->path);
        }
        return;
    case TL_JSON_NUMBER:
    case TL_JSON_STRING:
        if (!tl_str_eq(said->text, found->text)) {
            note(d, d->path);
        }
        return;
    case TL_JSON_ARRAY:
        if (said->count != found->count) {
            note(d, d->path);
        }
        for (uint32_t i = 0; i < said->count && i < found->count; i++) {
            compare_item(d, path_len, i, &said->items[i], &found->items[i]);
        }
        return;
    case TL_JSON_OBJECT:
        for (uint32_t i = 0; i < found->count; i++) {
            const tl_str key = found->members[i].key;
            compare_member(d, path_len, key, tl_json_get_str(said, key), &found->members[i].value);
        }
        for (uint32_t i = 0; i < said->count; i++) {
            const tl_str key = said->members[i].key;
            if (tl_json_get_str(found, key) == NULL) {
                compare_member(d, path_len, key, &said->members[i].value, NULL);
            }
        }
        return;
    }
}

static tl_err compare_results(diff *d, const tl_bundle *bundle, tl_str replayed, tl_errctx *ctx)
{
    if (tl_str_eq(bundle->text[TL_BUNDLE_RESULTS], replayed)) {
        return TL_OK;
    }
    const tl_json *found = NULL;
    TL_TRY(tl_json_parse(&found, d->arena, replayed, NULL, ctx));
    const size_t before = d->count;
    (void)tl_str_print(d->path, sizeof d->path, "results");
    compare(d, strlen(d->path), bundle->tree[TL_BUNDLE_RESULTS], found);
    if (d->count == before) {
        note(d, "results");
    }
    return TL_OK;
}

static void compare_digests(diff *d, tl_hash32 *whole, const tl_bundle *bundle)
{
    tl_hash32 digest[TL_BUNDLE_SECTIONS];
    static const char *const paths[TL_BUNDLE_SECTIONS] = {"digests.evidence", "digests.inputs",
                                                          "digests.parameters", "digests.results"};
    for (size_t i = 0; i < TL_BUNDLE_SECTIONS; i++) {
        tl__bundle_hash_section(&digest[i], i, bundle->text[i]);
        if (tl_hash32_cmp(&digest[i], &bundle->digest[i]) != 0) {
            note(d, paths[i]);
        }
    }
    tl__bundle_hash_whole(whole, digest);
    if (tl_hash32_cmp(whole, &bundle->whole) != 0) {
        note(d, "digests.bundle");
    }
}

/* The epoch once more, on the engine's road or the subnet's own; *json: the results. */
static tl_err replay(tl_str *json, tl_bundle_report *report, tl_arena *arena,
                     const tl_subnet *subnet, const tl_bundle *bundle)
{
    const tl_json *inputs = bundle->tree[TL_BUNDLE_INPUTS];
    const tl_json *evidence = bundle->tree[TL_BUNDLE_EVIDENCE];
    const tl_json *parameters = bundle->tree[TL_BUNDLE_PARAMETERS];
    if (subnet->road != NULL) {
        return subnet->road(json, arena, inputs, evidence, parameters, &report->replay);
    }
    const tl_err err =
        tl_road_run(&report->result, arena, subnet, inputs, evidence, parameters, &report->replay);
    *json = report->result.json;
    return err;
}

tl_err tl_bundle_verify(tl_bundle_report *out, tl_arena *arena, const tl_bundle *bundle,
                        const tl_subnet *const *subnets, size_t subnet_count, tl_errctx *ctx)
{
    tl_bundle_report report = {.replay = TL_ERRCTX_INIT};
    diff d = {.arena = arena, .paths = TL_NEW(arena, tl_str, TL_BUNDLE_DIFFERS_MAX)};
    if (d.paths == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    compare_digests(&d, &report.digest, bundle);
    const tl_subnet *subnet =
        find_subnet(bundle->tree[TL_BUNDLE_PARAMETERS], subnets, subnet_count, &report.replay);
    tl_err err = report.replay.code;
    tl_str json = {NULL, 0};
    if (subnet != NULL) {
        err = replay(&json, &report, arena, subnet, bundle);
        if (err == TL_ERR_NOMEM || err == TL_ERR_LIMIT) {
            return tl_fail(ctx, err, "%s", report.replay.message);
        }
    }
    if (err == TL_OK) {
        TL_TRY(compare_results(&d, bundle, json, ctx));
    }
    if (d.err != TL_OK) {
        return tl_arena_fail(arena, ctx);
    }
    report.differs = d.paths;
    report.differ_count = d.count;
    report.is_ok = d.count == 0 && err == TL_OK;
    *out = report;
    return TL_OK;
}
