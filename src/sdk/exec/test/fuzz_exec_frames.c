/* Attacks the frames with anything, cut into pieces by the first byte: what is given must be what stands there, within the
 * limits, whatever the pieces; each head goes through both of its readers. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sdk/exec/exec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define BODY_MAX 4096

static size_t take_all(tl_exec_reader *reader, tl_arena *arena, const uint8_t *bytes, size_t at)
{
    tl_exec_frame frame;
    bool has_one = true;
    while (tl_exec_reader_next(reader, &frame, &has_one, NULL) == TL_OK && has_one) {
        TL_ASSERT(frame.head.len <= TL_EXEC_HEAD_MAX && frame.body.len <= BODY_MAX); /* EXEC-2 */
        TL_ASSERT(memcmp(frame.head.ptr, bytes + at + 8, frame.head.len) == 0);
        TL_ASSERT(frame.body.len == 0 ||
                  memcmp(frame.body.ptr, bytes + at + 8 + frame.head.len, frame.body.len) == 0);
        at += 8 + frame.head.len + frame.body.len;
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        tl_exec_hello hello;
        tl_exec_reply reply;
        if (tl_exec_hello_parse(&hello, arena, frame.head, NULL) == TL_OK) {
            TL_ASSERT(hello.in_flight >= 1 && hello.in_flight <= TL_EXEC_IN_FLIGHT_MAX);
        }
        if (tl_exec_reply_parse(&reply, arena, frame.head, NULL) == TL_OK) {
            TL_ASSERT(reply.status >= 200 && reply.status <= 599);
        }
        tl_arena_rewind(arena, mark);
    }
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0) {
        return 0;
    }
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, (size_t)16 << 20, NULL, NULL) != TL_OK) {
        return 0;
    }
    const size_t piece = (size_t)data[0] + 1;
    const uint8_t *bytes = data + 1;
    tl_exec_reader reader;
    tl_exec_reader_init(&reader, BODY_MAX);
    size_t given = 0;
    for (size_t at = 0; at < len - 1; at += piece) {
        const size_t rest = len - 1 - at;
        const tl_bytes part = {bytes + at, rest < piece ? rest : piece};
        if (tl_exec_reader_feed(&reader, part, NULL) != TL_OK) {
            break;
        }
        given = take_all(&reader, arena, bytes, given);
        TL_ASSERT(given <= at + part.len);
    }
    tl_exec_reader_deinit(&reader);
    tl_arena_free(arena);
    return 0;
}
