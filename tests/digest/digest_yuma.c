/* Area yuma: the chain's epoch on the check workload of chain spec 1.11, in its three forms. The spec gives the SHA-256
 * of what the original program stores; each form must reproduce it before its bytes count here. */
#include "core/codec/hex/hex.h"
#include "core/consensus/yuma/yuma.h"

#include "digest.h"

#define NEURON_COUNT    32
#define VALIDATOR_COUNT 8
#define TMIN            16
#define TMAX            256

typedef struct world {
    tl_i64f64 stake[NEURON_COUNT];
    bool permit[NEURON_COUNT];
    uint64_t registered[NEURON_COUNT];
    uint64_t updated[NEURON_COUNT];
    uint32_t starts[NEURON_COUNT + 1];
    tl_yuma_entry entries[NEURON_COUNT * VALIDATOR_COUNT];
} world;

static void make_world(world *w, digest *d)
{
    d->random = 1; /* the workload's seed; its generator is the digest's own */
    for (size_t i = 0; i < NEURON_COUNT; i++) {
        const bool is_validator = i < VALIDATOR_COUNT;
        w->stake[i] = tl_i64f64_from_u64(
            is_validator ? 1000000000U + digest_below(d, UINT64_C(1000000000000000)) : 0);
        w->permit[i] = is_validator;
        w->updated[i] = 900;
    }
    uint32_t count = 0;
    for (size_t i = 0; i < NEURON_COUNT; i++) {
        w->starts[i] = count;
        if (i >= VALIDATOR_COUNT) {
            continue;
        }
        const uint64_t threshold = TMIN + digest_below(d, TMAX - TMIN + 1);
        for (size_t j = 0; j < NEURON_COUNT; j++) {
            const uint64_t x = digest_random(d);
            if ((x & 255) < threshold) {
                w->entries[count++] = (tl_yuma_entry){(uint16_t)j, (uint16_t)(x >> 48)};
            }
        }
    }
    w->starts[NEURON_COUNT] = count;
    TL_ASSERT(count == 122); /* the spec's table */
}

static void put_u16(tl_sha256_state *sha, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    tl_sha256_update(sha, bytes, sizeof bytes);
}

/* The digest as the spec orders it. */
static void hash_output(tl_hash32 *out, const tl_yuma_output *y)
{
    tl_sha256_state sha;
    tl_sha256_init(&sha);
    const uint16_t *const columns[] = {y->consensus, y->incentive, y->dividends,
                                       y->validator_trust};
    for (size_t c = 0; c < 4; c++) {
        for (size_t i = 0; i < y->n; i++) {
            put_u16(&sha, columns[c][i]);
        }
    }
    for (size_t i = 0; i < y->n; i++) {
        for (unsigned k = 0; k < 4; k++) {
            put_u16(&sha, (uint16_t)(y->emission[i] >> (16 * k)));
        }
    }
    for (size_t i = 0; i < y->n; i++) {
        put_u16(&sha, (uint16_t)(y->bonds.starts[i + 1] - y->bonds.starts[i]));
        for (uint32_t k = y->bonds.starts[i]; k < y->bonds.starts[i + 1]; k++) {
            put_u16(&sha, y->bonds.entries[k].uid);
            put_u16(&sha, y->bonds.entries[k].value);
        }
    }
    tl_sha256_final(&sha, out);
}

static void run_form(digest *d, const world *w, bool yuma3, bool liquid, const char *want)
{
    static const uint32_t no_bonds[NEURON_COUNT + 1] = {0};
    static const uint64_t blocks[3] = {1000, 1360, 1720};
    tl_errctx ctx = TL_ERRCTX_INIT;
    tl_yuma_params params = tl_yuma_params_default();
    params.max_allowed_validators = VALIDATOR_COUNT;
    params.yuma3 = yuma3;
    params.liquid_alpha = liquid;
    tl_yuma_input input = {.params = &params,
                           .n = NEURON_COUNT,
                           .rao_emission = 1000000000,
                           .stake = w->stake,
                           .validator_permit = w->permit,
                           .block_at_registration = w->registered,
                           .last_update_block = w->updated,
                           .weights = {w->starts, w->entries},
                           .bonds = {no_bonds, w->entries}};
    tl_yuma_output output;
    for (size_t epoch = 0; epoch < 3; epoch++) {
        input.now_block = blocks[epoch];
        input.last_step_block = epoch != 0 ? blocks[epoch - 1] : 0;
        DIGEST_OK(tl_yuma_epoch(d->arena, &output, &input, &ctx), &ctx);
        for (size_t i = 0; i < NEURON_COUNT; i++) {
            digest_i64(d, output.consensus_raw[i]);
            digest_i64(d, output.incentive_raw[i]);
            digest_i64(d, output.dividends_raw[i]);
            digest_i64(d, output.validator_trust_raw[i]);
            digest_i64(d, output.ranks_raw[i]);
            digest_u64(d, output.emission[i]);
        }
        input.validator_permit = output.validator_permit;
        input.bonds = output.bonds;
    }
    tl_hash32 stored;
    tl_hash32 published;
    hash_output(&stored, &output);
    DIGEST_OK(tl_hex_decode(published.b, sizeof published.b, tl_str_from_cstr(want), &ctx), &ctx);
    digest_ok(tl_hash32_cmp(&stored, &published) == 0 ? TL_OK : TL_ERR_CHECK, &ctx, want);
    digest_bytes(d, stored.b, sizeof stored.b);
}

void digest_area_yuma(digest *d)
{
    world *w = DIGEST_NEW(d, world, 1);
    make_world(w, d);
    run_form(d, w, false, false,
             "198b0eadcd6b0efd633ca183bbe6c570b8921cb7ec3c3e2461d5df2fbff19685");
    run_form(d, w, true, false, "108775f9a1b3957d9694921f8500b761363f070bfe7f80d0ad17c67bf5df7866");
    run_form(d, w, true, true, "3042895f378646bf951d35a746de76c0a68d52e184375ad127fe8441bfed9a9d");
}
