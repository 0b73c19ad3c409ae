#include "core/consensus/yuma/test/workload.h"

#include "core/crypto/hash/hash.h"
#include "core/num/rng/rng.h"

const yuma_shape YUMA_SHAPES[YUMA_SHAPE_COUNT] = {
    {"check",
     32,
     8,
     16,
     256,
     122,
     {"198b0eadcd6b0efd633ca183bbe6c570b8921cb7ec3c3e2461d5df2fbff19685",
      "108775f9a1b3957d9694921f8500b761363f070bfe7f80d0ad17c67bf5df7866",
      "3042895f378646bf951d35a746de76c0a68d52e184375ad127fe8441bfed9a9d"}},
    {"yuma_256",
     256,
     64,
     205,
     256,
     14938,
     {"601e250c9f8e67f2b803bd0bb96ddf2483159e8248177d38f18a406b115a4363",
      "1c0500387b52cd2e2eb169d5743a120bfbcf1b1a6c9d61af586586e96621d1b2",
      "22cd105a4a2f3f0a55c709f1118547678476ce9d2dcf546263f08609a90b7ed8"}},
    {"yuma_4096",
     4096,
     256,
     16,
     256,
     567239,
     {"81293b2ecf12ab9ffcc5190e2592fb4cf9e4ec31c7a9b8bd0e3bed9022b28aba",
      "fd9cbfba4e46956d9bdc0b1930fddf9045b2c2c621577f9d5aa7bd4706ce0d1b",
      "e1343f0949fca16d4d8791948d3e37d653aba6c9f214d1e771f8a389737ffc49"}},
};

/* All n-sized arrays of the input. */
typedef struct columns {
    tl_i64f64 *stake;
    bool *permit;
    uint64_t *registered;
    uint64_t *updated;
    uint32_t *starts;
    uint32_t *no_bonds;
} columns;

static tl_err columns_new(columns *c, tl_arena *arena, size_t n, tl_errctx *ctx)
{
    *c = (columns){TL_NEW(arena, tl_i64f64, n),    TL_NEW(arena, bool, n),
                   TL_NEW(arena, uint64_t, n),     TL_NEW(arena, uint64_t, n),
                   TL_NEW(arena, uint32_t, n + 1), TL_NEW(arena, uint32_t, n + 1)};
    const bool has_all = c->stake != NULL && c->permit != NULL && c->registered != NULL &&
                         c->updated != NULL && c->starts != NULL && c->no_bonds != NULL;
    return has_all ? TL_OK : tl_arena_fail(arena, ctx);
}

tl_err yuma_workload_new(yuma_workload *out, tl_arena *arena, const yuma_shape *shape,
                         yuma_form form, tl_errctx *ctx)
{
    columns c;
    TL_TRY(columns_new(&c, arena, shape->n, ctx));
    tl_yuma_entry *entries = TL_NEW(arena, tl_yuma_entry, (size_t)shape->n * shape->validators);
    if (entries == NULL) {
        return tl_arena_fail(arena, ctx);
    }
    uint64_t seed = 1;
    for (uint32_t i = 0; i < shape->n; i++) {
        const bool is_validator = i < shape->validators;
        c.stake[i] = is_validator
                         ? tl_i64f64_from_u64(1000000000 + tl_splitmix64(&seed) % 1000000000000000)
                         : 0;
        c.permit[i] = is_validator;
        c.updated[i] = 900;
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < shape->n; i++) {
        c.starts[i] = at;
        if (i >= shape->validators) {
            continue;
        }
        const uint64_t span = shape->density_max - shape->density_min + 1;
        const uint64_t density = shape->density_min + tl_splitmix64(&seed) % span;
        for (uint32_t j = 0; j < shape->n; j++) {
            const uint64_t x = tl_splitmix64(&seed);
            if ((x & 255) < density) {
                entries[at++] = (tl_yuma_entry){(uint16_t)j, (uint16_t)(x >> 48)};
            }
        }
    }
    c.starts[shape->n] = at;
    TL_ASSERT(at == shape->entries);
    *out = (yuma_workload){.arena = arena, .params = tl_yuma_params_default()};
    out->params.max_allowed_validators = (uint16_t)shape->validators;
    out->params.yuma3 = form != YUMA_CLASSIC;
    out->params.liquid_alpha = form == YUMA_LIQUID;
    out->input = (tl_yuma_input){
        .n = shape->n,
        .now_block = 1000,
        .rao_emission = 1000000000,
        .stake = c.stake,
        .validator_permit = c.permit,
        .block_at_registration = c.registered,
        .last_update_block = c.updated,
        .weights = {c.starts, entries},
        .bonds = {c.no_bonds, entries},
    };
    return TL_OK;
}

tl_err yuma_workload_run(yuma_workload *workload, tl_arena *arena, tl_yuma_output *out,
                         tl_errctx *ctx)
{
    workload->input.params = &workload->params;
    TL_TRY(tl_yuma_epoch(arena, out, &workload->input, ctx));
    workload->input.bonds = out->bonds;
    workload->input.validator_permit = out->validator_permit;
    workload->input.last_step_block = workload->input.now_block;
    workload->input.now_block += workload->params.tempo_blocks;
    workload->epoch++;
    return TL_OK;
}

static void put_u16(tl_sha256_state *sha, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    tl_sha256_update(sha, bytes, sizeof bytes);
}

static void put_u64(tl_sha256_state *sha, uint64_t value)
{
    for (unsigned part = 0; part < 4; part++) {
        put_u16(sha, (uint16_t)(value >> (16 * part)));
    }
}

static void put_u16s(tl_sha256_state *sha, const uint16_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_u16(sha, values[i]);
    }
}

void yuma_workload_digest(tl_hash32 *digest, const tl_yuma_output *out)
{
    tl_sha256_state sha;
    tl_sha256_init(&sha);
    put_u16s(&sha, out->consensus, out->n);
    put_u16s(&sha, out->incentive, out->n);
    put_u16s(&sha, out->dividends, out->n);
    put_u16s(&sha, out->validator_trust, out->n);
    for (size_t i = 0; i < out->n; i++) {
        put_u64(&sha, out->emission[i]);
    }
    for (size_t i = 0; i < out->n; i++) {
        put_u16(&sha, (uint16_t)(out->bonds.starts[i + 1] - out->bonds.starts[i]));
        for (uint32_t k = out->bonds.starts[i]; k < out->bonds.starts[i + 1]; k++) {
            put_u16(&sha, out->bonds.entries[k].uid);
            put_u16(&sha, out->bonds.entries[k].value);
        }
    }
    tl_sha256_final(&sha, digest);
}
