/* Attacks STROBE and Merlin with the published runs (golden/strobe.json), with every cut of a message into pieces, with
 * lengths around the block, and a byte-by-byte reference of the spec's table. */
#include "core/crypto/strobe/test/golden.h"

#include "core/crypto/hash/hash.h"
#include "core/crypto/strobe/strobe.h"

static void the_permutation_of_zeros_is_as_published(void **state)
{
    (void)state;
    golden g = golden_open("strobe/test/golden/strobe.json");
    const tl_json *row = &golden_rows(&g, "keccak_f1600")->items[0];
    assert_int_equal(golden_i64(row, "in_zero_bytes"), 200);
    uint64_t lane[25] = {0};
    tl_keccak_f1600(lane);
    uint8_t bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(lane[i / 8] >> (8 * (i % 8)));
    }
    assert_memory_equal(bytes, golden_bytes(&g, row, "out", 200), 200);
    golden_close(&g);
}

static void assert_state(const golden *g, const tl_strobe *got, const tl_json *row)
{
    assert_memory_equal(got->state, golden_bytes(g, row, "state", 200), 200);
    assert_int_equal(got->pos, golden_i64(row, "pos"));
    assert_int_equal(got->pos_begin, golden_i64(row, "pos_begin"));
    assert_int_equal(got->cur_flags, golden_i64(row, "cur_flags"));
}

/* One operation of a run: [name, hex, more], or ["prf", length, hex]. */
static void play(const golden *g, tl_strobe *strobe, const tl_json *op)
{
    assert_int_equal(op->kind, TL_JSON_ARRAY);
    const tl_str name = op->items[0].text;
    if (tl_str_eq_cstr(name, "prf")) {
        const tl_bytes want = golden_unhex(g, op->items[2].text);
        uint8_t out[64];
        assert_true(want.len > 0 && want.len <= sizeof out);
        tl_strobe_prf(strobe, out, want.len);
        assert_memory_equal(out, want.ptr, want.len);
        return;
    }
    const tl_bytes data = golden_unhex(g, op->items[1].text);
    const bool more = op->items[2].boolean;
    if (tl_str_eq_cstr(name, "meta_ad")) {
        tl_strobe_meta_ad(strobe, data.ptr, data.len, more);
    } else if (tl_str_eq_cstr(name, "ad")) {
        tl_strobe_ad(strobe, data.ptr, data.len, more);
    } else {
        assert_true(tl_str_eq_cstr(name, "key") && !more);
        tl_strobe_key(strobe, data.ptr, data.len);
    }
}

static void the_conformance_runs_come_out(void **state)
{
    (void)state;
    golden g = golden_open("strobe/test/golden/strobe.json");
    const tl_json *rows = golden_rows(&g, "strobe128");
    for (size_t i = 0; i < rows->count; i++) {
        tl_strobe strobe;
        tl_strobe_init(&strobe, golden_str(&rows->items[i], "protocol"));
        const tl_json *ops = tl_json_get(&rows->items[i], "ops");
        if (ops == NULL) {
            assert_state(&g, &strobe, &rows->items[i]);
            continue;
        }
        for (size_t k = 0; k < ops->count; k++) {
            play(&g, &strobe, &ops->items[k]);
        }
    }
    golden_close(&g);
}

static void merlin_gives_the_published_challenges(void **state)
{
    (void)state;
    golden g = golden_open("strobe/test/golden/strobe.json");
    const tl_json *rows = golden_rows(&g, "merlin");
    assert_int_equal(rows->count, 2);
    const tl_json *simple = &rows->items[0];
    const tl_json *append = &tl_json_get(simple, "append")->items[0];
    uint8_t out[32];
    tl_merlin t;
    tl_merlin_init(&t, golden_str(simple, "label"));
    tl_merlin_append(&t, append->items[0].text, append->items[1].text.ptr,
                     append->items[1].text.len);
    tl_merlin_challenge(&t, TL_STR("challenge"), out, sizeof out);
    assert_memory_equal(out, golden_bytes(&g, simple, "out", 32), 32);

    static uint8_t big[1024];
    memset(big, 0x63, sizeof big);
    tl_merlin_init(&t, golden_str(&rows->items[1], "label"));
    tl_merlin_append(&t, TL_STR("step1"), "some data", 9);
    for (size_t i = 0; i < 32; i++) {
        tl_merlin_challenge(&t, TL_STR("challenge"), out, sizeof out);
        tl_merlin_append(&t, TL_STR("bigdata"), big, sizeof big);
        tl_merlin_append(&t, TL_STR("challengedata"), out, sizeof out);
    }
    assert_memory_equal(out, golden_bytes(&g, &rows->items[1], "last_challenge", 32), 32);
    golden_close(&g);
}

/* --- a reference: the table of wire spec section 5.1, one byte at a time --- */

typedef struct slow {
    uint8_t st[200];
    unsigned pos, begin;
} slow;

static void slow_permute(slow *s)
{
    uint64_t lane[25] = {0};
    for (size_t i = 0; i < 200; i++) {
        lane[i / 8] |= (uint64_t)s->st[i] << (8 * (i % 8));
    }
    tl_keccak_f1600(lane);
    for (size_t i = 0; i < 200; i++) {
        s->st[i] = (uint8_t)(lane[i / 8] >> (8 * (i % 8)));
    }
}

static void slow_run(slow *s)
{
    s->st[s->pos] ^= (uint8_t)s->begin;
    s->st[s->pos + 1] ^= 0x04;
    s->st[167] ^= 0x80;
    slow_permute(s);
    s->pos = 0;
    s->begin = 0;
}

enum slow_way { SLOW_XOR, SLOW_STORE, SLOW_READ };

static void slow_bytes(slow *s, enum slow_way way, uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (way == SLOW_XOR) {
            s->st[s->pos] ^= data[i];
        } else if (way == SLOW_STORE) {
            s->st[s->pos] = data[i];
        } else {
            data[i] = s->st[s->pos];
            s->st[s->pos] = 0;
        }
        s->pos++;
        if (s->pos == 166) {
            slow_run(s);
        }
    }
}

static void slow_begin(slow *s, uint8_t flags)
{
    uint8_t frame[2] = {(uint8_t)s->begin, flags};
    s->begin = s->pos + 1;
    slow_bytes(s, SLOW_XOR, frame, 2);
    if ((flags & 4) != 0 && s->pos != 0) {
        slow_run(s);
    }
}

static void slow_start(slow *s, const tl_strobe *same)
{
    memcpy(s->st, same->state, 200);
    s->pos = same->pos;
    s->begin = same->pos_begin;
}

static void assert_slow(const slow *s, const tl_strobe *fast)
{
    assert_memory_equal(fast->state, s->st, 200);
    assert_int_equal(fast->pos, s->pos);
    assert_int_equal(fast->pos_begin, s->begin);
    assert_true(fast->pos < TL_STROBE_RATE_LEN); /* STROBE-1 */
}

static void any_length_at_any_place_is_as_byte_by_byte(void **state)
{
    (void)state;
    static uint8_t data[400], got[400], want[400];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 31 + 7);
    }
    for (size_t at = 0; at < 170; at++) {
        for (size_t len = 0; len <= 340; len += len < 12 || (len > 150 && len < 180) ? 1 : 9) {
            tl_strobe fast;
            slow s;
            tl_strobe_init(&fast, TL_STR("test"));
            tl_strobe_ad(&fast, data, at, false);
            slow_start(&s, &fast);
            tl_strobe_ad(&fast, data, len, false);
            slow_begin(&s, 2);
            slow_bytes(&s, SLOW_XOR, data, len);
            assert_slow(&s, &fast);
            tl_strobe_key(&fast, data, len);
            slow_begin(&s, 6);
            slow_bytes(&s, SLOW_STORE, data, len);
            assert_slow(&s, &fast);
            tl_strobe_prf(&fast, got, len);
            slow_begin(&s, 7);
            slow_bytes(&s, SLOW_READ, want, len);
            assert_slow(&s, &fast);
            assert_memory_equal(got, want, len);
        }
    }
}

static void pieces_are_the_whole(void **state)
{
    (void)state;
    static uint8_t data[360];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7 + 1);
    }
    tl_strobe whole;
    tl_strobe_init(&whole, TL_STR("pieces"));
    tl_strobe_ad(&whole, data, sizeof data, false);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        tl_strobe two;
        tl_strobe_init(&two, TL_STR("pieces"));
        tl_strobe_ad(&two, data, cut, false);
        tl_strobe_ad(&two, data + cut, sizeof data - cut, true);
        assert_memory_equal(two.state, whole.state, sizeof whole.state);
        assert_int_equal(two.pos, whole.pos);
    }
}

static void the_prepared_signing_context_is_what_its_calls_make(void **state)
{
    (void)state; /* STROBE-3 */
    tl_merlin made, prepared;
    tl_merlin_init(&made, TL_STR("SigningContext"));
    tl_merlin_append(&made, TL_STR(""), "substrate", 9);
    tl_merlin_signing_start(&prepared);
    assert_memory_equal(prepared.strobe.state, made.strobe.state, sizeof made.strobe.state);
    assert_int_equal(prepared.strobe.pos, made.strobe.pos);
    assert_int_equal(prepared.strobe.pos_begin, made.strobe.pos_begin);
    assert_int_equal(prepared.strobe.cur_flags, made.strobe.cur_flags);
}

static void a_witness_depends_on_all_and_leaves_the_transcript(void **state)
{
    (void)state;
    static const uint8_t zero[TL_MERLIN_ENTROPY_LEN] = {0}, one[TL_MERLIN_ENTROPY_LEN] = {1};
    const tl_bytes seeds[2] = {{(const uint8_t *)"nonce", 5}, {(const uint8_t *)"secret", 6}};
    tl_merlin t, before;
    tl_merlin_init(&t, TL_STR("witness"));
    before = t;
    uint8_t out[6][64];
    tl_merlin_witness(&t, TL_STR("a"), seeds, 2, zero, out[0], 64);
    tl_merlin_witness(&t, TL_STR("b"), seeds, 2, zero, out[1], 64);
    tl_merlin_witness(&t, TL_STR("a"), seeds, 1, zero, out[2], 64);
    tl_merlin_witness(&t, TL_STR("a"), seeds + 1, 1, zero, out[3], 64);
    tl_merlin_witness(&t, TL_STR("a"), seeds, 2, one, out[4], 64);
    assert_memory_equal(&t.strobe.state, &before.strobe.state, sizeof t.strobe.state);
    tl_merlin_append(&t, TL_STR("x"), NULL, 0);
    tl_merlin_witness(&t, TL_STR("a"), seeds, 2, zero, out[5], 64);
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(out[i], out[k], 64);
        }
    }
    uint8_t again[64];
    tl_merlin_witness(&before, TL_STR("a"), seeds, 2, zero, again, 64);
    assert_memory_equal(again, out[0], 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_permutation_of_zeros_is_as_published),
        cmocka_unit_test(the_conformance_runs_come_out),
        cmocka_unit_test(merlin_gives_the_published_challenges),
        cmocka_unit_test(any_length_at_any_place_is_as_byte_by_byte),
        cmocka_unit_test(pieces_are_the_whole),
        cmocka_unit_test(the_prepared_signing_context_is_what_its_calls_make),
        cmocka_unit_test(a_witness_depends_on_all_and_leaves_the_transcript),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
