/* One process: started, read from, written to, killed, seen off. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/exec/exec_internal.h"

static void say(tl__process *p, tl_log_level level, const char *message, const char *detail)
{
    const tl_log_field fields[] = {
        TL_LOG_NUMBER("process", (int64_t)p->index),
        TL_LOG_TEXT("detail", tl_str_from_cstr(detail)),
    };
    tl_log_say(p->exec->settings.log, level, message, fields, 2);
}

static void on_handle_closed(uv_handle_t *handle)
{
    tl__process *p = handle->data;
    TL_ASSERT(p->open_handles > 0);
    if (--p->open_handles == 0) {
        p->state = TL__PROCESS_DOWN;
    }
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_handle_closed);
    }
}

/* The process is no more, or shall not be: nothing of it is read again. Its exit is waited for by libuv's handle. */
static void end(tl__process *p, const char *why)
{
    if (p->state == TL__PROCESS_ENDING) {
        return;
    }
    if (p->state == TL__PROCESS_READY) {
        (void)atomic_fetch_sub(&p->exec->ready, 1);
    }
    p->state = TL__PROCESS_ENDING;
    say(p, p->exec->is_ending ? TL_LOG_DEBUG : TL_LOG_WARN, "a program is gone", why);
    tl_exec_reader_deinit(&p->reader);
    close_handle((uv_handle_t *)&p->in);
    close_handle((uv_handle_t *)&p->out);
    tl__exec_on_down(p, why);
}

void tl__process_kill(tl__process *p, const char *why)
{
    if (p->state == TL__PROCESS_STARTING || p->state == TL__PROCESS_READY ||
        (p->state == TL__PROCESS_ENDING && p->exec->is_killing)) {
        if (p->exit_ns == 0 && p->process.pid > 0) {
            (void)kill(-p->process.pid, SIGKILL); /* it leads a group of its own */
        }
        end(p, why);
    }
}

void tl__process_close_input(tl__process *p)
{
    if (p->state == TL__PROCESS_STARTING || p->state == TL__PROCESS_READY) {
        close_handle((uv_handle_t *)&p->in);
    }
}

/* A process is over when it has exited and all that it wrote is read: an answer may be its last act. */
static void end_if_over(tl__process *p)
{
    if (p->exit_ns != 0 && p->eof_ns != 0) {
        end(p, p->exit_text);
    }
}

static void on_exit_seen(uv_process_t *process, int64_t status, int signal_number)
{
    tl__process *p = process->data;
    (void)tl_str_print(p->exit_text, sizeof p->exit_text,
                       signal_number != 0 ? "killed by signal %d" : "exit code %d",
                       signal_number != 0 ? signal_number : (int)status);
    p->exit_ns = tl__exec_now_ns();
    close_handle((uv_handle_t *)&p->process);
    end_if_over(p);
}

/* Somebody else may hold the other end of its pipes, so their end is not waited for long; neither is an exit. */
void tl__process_step(tl__process *p, int64_t now_ns)
{
    const int64_t before_ns = now_ns - (int64_t)TL__EXEC_LINGER_MS * 1000000;
    if (p->exit_ns != 0 && p->exit_ns < before_ns && p->state != TL__PROCESS_DOWN) {
        end(p, p->exit_text);
        close_handle((uv_handle_t *)&p->err);
    } else if (p->eof_ns != 0 && p->eof_ns < before_ns) {
        tl__process_kill(p, "it closed its output");
    }
}

/* What the frames that are there say; a broken one ends the process (EXEC-3). */
static void take_frames(tl__process *p)
{
    tl_errctx why = TL_ERRCTX_INIT;
    tl_exec_frame frame;
    bool has_one = true;
    while (has_one && (p->state == TL__PROCESS_STARTING || p->state == TL__PROCESS_READY)) {
        if (tl_exec_reader_next(&p->reader, &frame, &has_one, &why) != TL_OK) {
            tl__process_kill(p, why.message);
            return;
        }
        if (has_one && p->state == TL__PROCESS_STARTING) {
            tl__exec_on_hello(p, &frame);
        } else if (has_one) {
            tl__exec_on_reply(p, &frame);
        }
    }
}

static void give_chunk(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    (void)wanted;
    tl__process *p = handle->data;
    *out = uv_buf_init(p->chunk, sizeof p->chunk);
}

static void on_output(uv_stream_t *stream, ssize_t len, const uv_buf_t *chunk)
{
    tl__process *p = stream->data;
    if (len < 0) {
        p->eof_ns = tl__exec_now_ns();
        (void)uv_read_stop(stream);
        end_if_over(p);
        return;
    }
    tl_errctx why = TL_ERRCTX_INIT;
    if (tl_exec_reader_feed(&p->reader, (tl_bytes){(const uint8_t *)chunk->base, (size_t)len},
                            &why) != TL_OK) {
        tl__process_kill(p, why.message);
        return;
    }
    take_frames(p);
}

static void flush_line(tl__process *p)
{
    if (p->line_len > 0) {
        const tl_log_field fields[] = {
            TL_LOG_NUMBER("process", (int64_t)p->index),
            TL_LOG_TEXT("line", ((tl_str){p->line, p->line_len})),
        };
        tl_log_say(p->exec->settings.log, TL_LOG_INFO, "a program says", fields, 2);
    }
    p->line_len = 0;
}

static void on_stderr(uv_stream_t *stream, ssize_t len, const uv_buf_t *chunk)
{
    tl__process *p = stream->data;
    for (ssize_t i = 0; i < len; i++) {
        const char c = chunk->base[i];
        if (c == '\n' || p->line_len == sizeof p->line) {
            flush_line(p);
        }
        if (c != '\n' && c != '\r') {
            p->line[p->line_len++] = c;
        }
    }
    if (len < 0) {
        flush_line(p);
        close_handle((uv_handle_t *)stream);
    }
}

static void init_pipes(tl__process *p, uv_stdio_container_t stdio[3])
{
    uv_pipe_t *const pipes[3] = {&p->in, &p->out, &p->err};
    for (size_t i = 0; i < 3; i++) {
        (void)uv_pipe_init(&p->exec->loop, pipes[i], 0);
        pipes[i]->data = p;
        stdio[i].flags = UV_CREATE_PIPE | (i == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE);
        stdio[i].data.stream = (uv_stream_t *)pipes[i];
    }
}

void tl__process_start(tl__process *p)
{
    TL_ASSERT(p->state == TL__PROCESS_DOWN && p->open_handles == 0);
    uv_stdio_container_t stdio[3];
    init_pipes(p, stdio);
    const uv_process_options_t options = {.exit_cb = on_exit_seen,
                                          .file = p->exec->words[0],
                                          .args = p->exec->words,
                                          .flags = UV_PROCESS_DETACHED,
                                          .stdio_count = 3,
                                          .stdio = stdio};
    p->process.data = p;
    p->open_handles = 4;
    p->line_len = 0;
    p->eof_ns = 0;
    p->exit_ns = 0;
    p->process.pid = 0;
    p->started_ns = tl__exec_now_ns();
    p->state = TL__PROCESS_STARTING;
    tl_exec_reader_init(&p->reader, p->exec->settings.body_len_max);
    const int rc = uv_spawn(&p->exec->loop, &p->process, &options);
    if (rc != 0) {
        end(p, uv_strerror(rc));
        close_handle((uv_handle_t *)&p->process);
        close_handle((uv_handle_t *)&p->err);
        return;
    }
    (void)uv_read_start((uv_stream_t *)&p->out, give_chunk, on_output);
    (void)uv_read_start((uv_stream_t *)&p->err, give_chunk, on_stderr);
}

/* A frame on its way into a process's input. */
typedef struct sending {
    uv_write_t write;
    tl__process *process;
    char *frame;
} sending;

static void on_written(uv_write_t *write, int status)
{
    sending *s = write->data;
    if (status < 0 && status != UV_ECANCELED) {
        tl__process_kill(s->process, "it does not read its input");
    }
    free(s->frame);
    free(s);
}

static void send_frame(tl__process *p, char *frame, size_t len)
{
    sending *s = calloc(1, sizeof *s);
    if (s == NULL || uv_is_closing((uv_handle_t *)&p->in)) {
        free(frame);
        free(s);
        tl__process_kill(p, s == NULL ? "no memory for a frame" : "its input is closed");
        return;
    }
    *s = (sending){.process = p, .frame = frame};
    s->write.data = s;
    const uv_buf_t buffer = {.base = frame, .len = len};
    const int rc = uv_write(&s->write, (uv_stream_t *)&p->in, &buffer, 1, on_written);
    if (rc != 0) {
        free(frame);
        free(s);
        tl__process_kill(p, uv_strerror(rc));
    }
}

void tl__process_hand(tl__process *p, tl__exec_ask *ask)
{
    TL_ASSERT(p->state == TL__PROCESS_READY && p->ask_count < p->room); /* EXEC-2 */
    char *frame = ask->frame;
    ask->frame = NULL;
    ask->next = p->asks;
    p->asks = ask;
    p->ask_count++;
    (void)atomic_fetch_add(&p->exec->in_flight, 1);
    send_frame(p, frame, ask->frame_len);
}

void tl__process_cancel(tl__process *p, uint64_t id)
{
    tl_arena *scratch = p->exec->scratch;
    const tl_arena_mark mark = tl_arena_get_mark(scratch);
    char head[64];
    const size_t head_len = tl_str_print(head, sizeof head, "{\"id\":%llu,\"kind\":\"cancel\"}",
                                         (unsigned long long)id);
    tl_sb sb;
    tl_str frame;
    tl_sb_init(&sb, scratch);
    tl_exec_frame_put(&sb, (tl_str){head, head_len}, (tl_bytes){NULL, 0});
    char *copy = tl_sb_finish(&frame, &sb, NULL) == TL_OK ? malloc(frame.len) : NULL;
    if (copy != NULL) {
        memcpy(copy, frame.ptr, frame.len);
        send_frame(p, copy, frame.len);
    }
    tl_arena_rewind(scratch, mark);
}
