/* cast.c: who plays, under which keys, and in which order they report. */
#include <string.h>

#include "app/listdemo/listdemo_internal.h"

#define STAKE_RAO INT64_C(100000000000000) /* of a validator: 100,000 TAO */

typedef struct role_row {
    const char *word;
    uint32_t count;
    const char *what;
} role_row;

static const role_row roles[] = {
#define ROLE_ROW(name, word, count, what) [TL_LISTDEMO_##name] = {(word), (count), (what)},
    TL_LISTDEMO_ROLE_MAP(ROLE_ROW)
#undef ROLE_ROW
};

const char *tl_listdemo_role_name(tl_listdemo_role role)
{
    return roles[role].word;
}

const char *tl_listdemo_role_text(tl_listdemo_role role)
{
    return roles[role].what;
}

static tl_err key_of(tl_keypair **out, const char *kind, uint32_t number, const char *tail,
                     tl_errctx *ctx)
{
    char uri[48];
    const size_t len = tl_str_print(uri, sizeof uri, "//Demo/%s/%u%s", kind, number, tail);
    return tl_keypair_from_uri(out, tl_scheme_sr25519(), (tl_str){uri, len}, ctx);
}

static tl_err make_member(tl__member *m, uint32_t index, tl_listdemo_role role, uint32_t number,
                          tl_errctx *ctx)
{
    tl_keypair *cold = NULL;
    const bool is_validator = role == TL_LISTDEMO_VALIDATOR;
    const char *kind = is_validator ? "Validator" : "Miner";
    const uint32_t own = is_validator ? number : index + 1;
    *m = (tl__member){.role = role, .number = number, .operator_id = index};
    (void)tl_str_print(m->name, sizeof m->name, "%s %u", roles[role].word, number);
    TL_TRY(key_of(&m->key, kind, own, "", ctx));
    TL_TRY(key_of(&cold, kind, own, "/cold", ctx));
    m->hotkey = *tl_keypair_public(m->key);
    (void)tl_ss58_encode(m->ss58, &m->hotkey, TL_SS58_PREFIX_GENERIC);
    m->row = (tl_api_member){.uid = index,
                             .coldkey = *tl_keypair_public(cold),
                             .stake_rao = is_validator ? STAKE_RAO : 0,
                             .has_permit = is_validator};
    tl_keypair_free(cold);
    if (role == TL_LISTDEMO_SYBIL) {
        m->operator_id = index - (number - 1);
    }
    return TL_OK;
}

/* A shuffle of those whose order is luck; who copies needs something to copy, so it comes behind, and who is late last. */
void tl__cast_deal(tl__member *cast, uint64_t seed, int64_t start_ms)
{
    uint32_t order[TL_LISTDEMO_MINERS];
    uint32_t count = 0;
    tl_xoshiro rng;
    tl_xoshiro_seed(&rng, seed ^ (uint64_t)start_ms);
    for (uint32_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
        if (cast[i].role != TL_LISTDEMO_COPYING && cast[i].role != TL_LISTDEMO_LATE) {
            order[count++] = i;
        }
    }
    for (uint32_t i = count; i > 1; i--) {
        const uint32_t k = (uint32_t)tl_xoshiro_below(&rng, i);
        const uint32_t swapped = order[i - 1];
        order[i - 1] = order[k];
        order[k] = swapped;
    }
    for (uint32_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
        if (cast[i].role == TL_LISTDEMO_COPYING) {
            order[count++] = i;
        }
    }
    for (uint32_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
        if (cast[i].role == TL_LISTDEMO_LATE) {
            order[count++] = i;
        }
    }
    for (uint32_t rank = 0; rank < count; rank++) {
        cast[order[rank]].rank = rank;
    }
}

tl_err tl__cast_make(tl__member *out, tl_errctx *ctx)
{
    uint32_t index = 0;
    for (size_t role = 0; role < TL_LISTDEMO_ROLE_COUNT; role++) {
        for (uint32_t number = 1; number <= roles[role].count; number++) {
            TL_ASSERT(index < TL_LISTDEMO_MEMBERS);
            TL_TRY(make_member(&out[index], index, (tl_listdemo_role)role, number, ctx));
            index++;
        }
    }
    TL_ASSERT(index == TL_LISTDEMO_MEMBERS);
    TL_ASSERT(out[TL_LISTDEMO_MINERS].role == TL_LISTDEMO_VALIDATOR);
    return TL_OK;
}

void tl__cast_free(tl__member *cast)
{
    for (uint32_t i = 0; i < TL_LISTDEMO_MEMBERS; i++) {
        tl_keypair_free(cast[i].key);
        cast[i].key = NULL;
    }
}

uint32_t tl__cast_of(const tl__member *cast, const tl_hotkey *hotkey)
{
    uint32_t i = 0;
    while (i < TL_LISTDEMO_MEMBERS && !tl_hotkey_eq(&cast[i].hotkey, hotkey)) {
        i++;
    }
    return i;
}

bool tl__cast_find(void *self, tl_api_member *out, const tl_hotkey *hotkey)
{
    const tl__play *play = (const tl__play *)self;
    const uint32_t i = tl__cast_of(play->cast, hotkey);
    if (i < TL_LISTDEMO_MEMBERS) {
        *out = play->cast[i].row;
    }
    return i < TL_LISTDEMO_MEMBERS;
}

size_t tl__cast_peers(void *self, tl_keeper_peer *out, size_t cap)
{
    const tl__play *play = (const tl__play *)self;
    size_t count = 0;
    for (; count < TL_LISTDEMO_MEMBERS && count < cap; count++) {
        size_t at = count; /* in order of hotkey bytes */
        for (; at > 0 && tl_hotkey_cmp(&out[at - 1].hotkey, &play->cast[count].hotkey) > 0; at--) {
            out[at] = out[at - 1];
        }
        out[at] = (tl_keeper_peer){play->cast[count].hotkey, play->cast[count].row};
    }
    return TL_LISTDEMO_MEMBERS;
}
