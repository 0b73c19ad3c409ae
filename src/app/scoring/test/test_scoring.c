/* Attacks what lets a validator take another's work: a document of other inputs, objects that are not what their hash says,
 * an order that matters, a document that is not the one that was written. */
#include "core/listings/shard/test/shards.h"

#include "app/scoring/scoring.h"

enum { MINERS = 3, HOUSES = 100 };

typedef struct crowd {
    world w;
    tl_bytes bytes[MINERS];
    tl_scoring_object objects[MINERS];
    tl_scoring_entry entries[MINERS];
    tl_scoring_job job;
} crowd;

static row rows[HOUSES];

static const char *const hotkeys[MINERS] = {"miner-a", "miner-b", "miner-c"};

static void gather(crowd *c)
{
    set_up(&c->w);
    for (size_t i = 0; i < MINERS; i++) {
        honest_rows(rows, (uint32_t)(i * HOUSES), HOUSES);
        c->bytes[i] = object_of(c->w.arena, rows, 0, HOUSES);
        tl_sha256(&c->objects[i].sha256, c->bytes[i].ptr, c->bytes[i].len);
        c->objects[i].bytes = c->bytes[i].len;
        c->entries[i] = (tl_scoring_entry){.hotkey = tl_str_from_cstr(hotkeys[i]),
                                           .coldkey = tl_str_from_cstr(hotkeys[i]),
                                           .received_ms = START_MS + 7200000 + (int64_t)i,
                                           .objects = &c->objects[i],
                                           .object_count = 1};
        tl_sha256(&c->entries[i].content_hash, hotkeys[i], strlen(hotkeys[i]));
    }
    c->w.place.expected = EXPECTED;
    c->job = (tl_scoring_job){.params = &c->w.params,
                              .epoch_id = TL_STR("2025-10-03T00-00-00"),
                              .start_ms = START_MS,
                              .deadline_ms = DEADLINE_MS,
                              .beacon = TL_STR(BEACON),
                              .place = &c->w.place,
                              .entries = c->entries,
                              .entry_count = MINERS};
}

/* Objects by their hash, wherever their entry stands. */
static tl_err fetch(void *self, tl_bytes *out, size_t entry, size_t object, tl_arena *arena,
                    tl_errctx *ctx)
{
    const crowd *c = self;
    (void)arena;
    for (size_t i = 0; i < MINERS; i++) {
        if (tl_hash32_cmp(&c->job.entries[entry].objects[object].sha256, &c->objects[i].sha256) ==
            0) {
            *out = c->bytes[i];
            return TL_OK;
        }
    }
    return tl_fail(ctx, TL_ERR_NOT_FOUND, "no such object");
}

static tl_str document_of(crowd *c, tl_scoring_result *result, tl_hash32 *inputs)
{
    tl_str document = {NULL, 0};
    tl_errctx ctx = TL_ERRCTX_INIT;
    assert_int_equal(tl_scoring_digest(inputs, &c->job, &ctx), TL_OK);
    assert_int_equal(tl_scoring_run(result, c->w.arena, &c->job, fetch, c, &ctx), TL_OK);
    assert_int_equal(tl_scoring_write(&document, c->w.arena, inputs, result, &ctx), TL_OK);
    return document;
}

static void what_was_written_is_read_and_written_again(void **state)
{
    crowd c;
    tl_scoring_result made;
    tl_scoring_result read;
    tl_hash32 inputs;
    tl_str again = {NULL, 0};
    (void)state;
    gather(&c);
    const tl_str document = document_of(&c, &made, &inputs);
    assert_int_equal(made.count, MINERS);
    assert_int_equal(made.listings, MINERS * HOUSES);
    assert_int_equal(tl_scoring_read(&read, c.w.arena, &inputs, document, NULL), TL_OK);
    assert_int_equal(tl_scoring_write(&again, c.w.arena, &inputs, &read, NULL), TL_OK);
    assert_true(tl_str_eq(document, again));
    tear_down(&c.w);
}

static void the_order_of_entries_changes_no_byte(void **state)
{
    crowd c;
    tl_scoring_result result;
    tl_hash32 inputs;
    tl_hash32 turned;
    (void)state;
    gather(&c);
    const tl_str first = document_of(&c, &result, &inputs);
    const tl_scoring_entry moved[MINERS] = {c.entries[2], c.entries[0], c.entries[1]};
    c.job.entries = moved;
    const tl_str second = document_of(&c, &result, &turned);
    assert_true(tl_str_eq(first, second));
    tear_down(&c.w);
}

/* SCORE-1: each thing that matters, changed. */
static void a_document_of_other_inputs_is_not_taken(void **state)
{
    (void)state;
    for (unsigned change = 0; change < 8; change++) {
        crowd c;
        tl_scoring_result result;
        tl_hash32 inputs;
        tl_hash32 other;
        gather(&c);
        const tl_str document = document_of(&c, &result, &inputs);
        switch (change) {
        case 0:
            c.job.beacon = TL_STR("00");
            break;
        case 1:
            c.job.deadline_ms++;
            break;
        case 2:
            c.w.params.sample_max++;
            break;
        case 3:
            c.w.place.expected++;
            break;
        case 4:
            c.w.place.city = TL_STR("Tacoma");
            break;
        case 5:
            c.entries[1].received_ms++;
            break;
        case 6:
            c.objects[2].sha256.b[0] ^= 1;
            break;
        default:
            c.job.entry_count--;
            break;
        }
        assert_int_equal(tl_scoring_digest(&other, &c.job, NULL), TL_OK);
        assert_int_equal(tl_scoring_read(&result, c.w.arena, &other, document, NULL), TL_ERR_STATE);
        tear_down(&c.w);
    }
}

/* SCORE-2 */
static tl_err fetch_bent(void *self, tl_bytes *out, size_t entry, size_t object, tl_arena *arena,
                         tl_errctx *ctx)
{
    tl_str copy = {NULL, 0};
    TL_TRY(fetch(self, out, entry, object, arena, ctx));
    TL_TRY(tl_str_copy(&copy, arena, (tl_str){(const char *)out->ptr, out->len}, ctx));
    ((char *)(uintptr_t)copy.ptr)[copy.len / 2] ^= 1;
    *out = tl_str_bytes(copy);
    return TL_OK;
}

static void an_object_that_is_not_what_its_hash_says_is_not_judged(void **state)
{
    crowd c;
    tl_scoring_result result;
    (void)state;
    gather(&c);
    assert_int_equal(tl_scoring_run(&result, c.w.arena, &c.job, fetch_bent, &c, NULL),
                     TL_ERR_CORRUPT);
    c.objects[1].bytes++;
    assert_int_equal(tl_scoring_run(&result, c.w.arena, &c.job, fetch, &c, NULL), TL_ERR_CORRUPT);
    tear_down(&c.w);
}

static void a_honeypot_is_found_by_its_identity(void **state)
{
    crowd c;
    tl_scoring_result result;
    tl_shard_hits hits;
    tl_hash32 inputs;
    (void)state;
    gather(&c);
    (void)document_of(&c, &result, &inputs);
    const uint64_t trap = tl_shard_identity(TL_STR("zpid:107"));
    size_t found = 0;
    for (size_t i = 0; i < result.count; i++) {
        assert_int_equal(tl_scoring_hits(&hits, c.w.arena, &result, i, &trap, 1, NULL), TL_OK);
        found += hits.count;
        assert_true(hits.count == 0 || (i == 1 && hits.indices[0] == 7));
        assert_int_equal(tl_scoring_hits(&hits, c.w.arena, &result, i, NULL, 0, NULL), TL_OK);
        assert_int_equal(hits.count, 0);
    }
    assert_int_equal(found, 1);
    tear_down(&c.w);
}

static void a_damaged_document_is_an_error(void **state)
{
    crowd c;
    tl_scoring_result result;
    tl_hash32 inputs;
    (void)state;
    gather(&c);
    const tl_str document = document_of(&c, &result, &inputs);
    for (size_t len = 0; len < document.len; len += 97) {
        assert_int_not_equal(
            tl_scoring_read(&result, c.w.arena, &inputs, tl_str_slice(document, 0, len), NULL),
            TL_OK);
    }
    tear_down(&c.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_and_written_again),
        cmocka_unit_test(the_order_of_entries_changes_no_byte),
        cmocka_unit_test(a_document_of_other_inputs_is_not_taken),
        cmocka_unit_test(an_object_that_is_not_what_its_hash_says_is_not_judged),
        cmocka_unit_test(a_honeypot_is_found_by_its_identity),
        cmocka_unit_test(a_damaged_document_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
