/* See fixture.h. */
#include "io/store/test/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/sys/sys.h"

int tl_test_store_set_up(void **state)
{
    static tl_test_store f;
    f = (tl_test_store){0};
    assert_int_equal(tl_arena_new(&f.arena, NULL, 0, NULL, NULL), TL_OK);
    /* in memory where there is such a place: hundreds of syncs, and no power is lost here */
    const bool has_shm = access("/dev/shm", W_OK) == 0;
    const char *prefix = has_shm ? "/dev/shm/tally-test-store" : "/tmp/tally-test-store";
    assert_int_equal(tl_sys_make_fresh_dir(&f.dir, f.arena, prefix, NULL), TL_OK);
    assert_int_equal(tl_store_open(&f.store, f.dir, TL_STORE_WRITE, NULL), TL_OK);
    *state = &f;
    return 0;
}

int tl_test_store_tear_down(void **state)
{
    tl_test_store *f = *state;
    assert_int_equal(tl_store_close(f->store, NULL), TL_OK);
    const char *const *names = NULL;
    size_t count = 0;
    assert_int_equal(tl_sys_list_dir(&names, &count, f->arena, f->dir, NULL), TL_OK);
    for (size_t i = 0; i < count; i++) {
        const char *path = NULL;
        assert_int_equal(tl_sys_join(&path, f->arena, f->dir, names[i], NULL), TL_OK);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
    tl_arena_free(f->arena);
    return 0;
}

void tl_test_reopen(tl_test_store *f, tl_store_mode mode)
{
    assert_int_equal(tl_store_close(f->store, NULL), TL_OK);
    f->store = NULL;
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_store_open(&f->store, f->dir, mode, &why) != TL_OK) {
        fail_msg("%s", why.message);
    }
}

tl_store_submission tl_test_submission(uint8_t number, const char *body)
{
    tl_store_submission sub = {
        .epoch_id = TL_STR("e7"), .height = 1000u + number, .has_commitment = true};
    memset(sub.key.b, number, sizeof sub.key.b);
    memset(sub.hotkey.b, number ^ 0xff, sizeof sub.hotkey.b);
    memset(sub.commitment.b, number ^ 0x55, sizeof sub.commitment.b);
    sub.body = tl_str_bytes(tl_str_from_cstr(body));
    sub.is_accepted = true;
    return sub;
}
