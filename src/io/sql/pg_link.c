/* The connection to a PostgreSQL server: made, lost, made anew; sending and waiting with a limit of time. */
#include "io/sql/postgres_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION_MIN = 120000, IDLE_MS = 60000 };

static tl__pg *link_of(const tl_sql *sql)
{
    return sql->link;
}

/* --- errors --- */

typedef struct state_code {
    const char *prefix; /* of the SQLSTATE; the first that fits */
    tl_err err;
} state_code;

static const state_code codes[] = {
    {"40", TL_ERR_LOCKED},    /* serialisation failure, deadlock */
    {"55P03", TL_ERR_LOCKED}, /* lock_timeout */
    {"23505", TL_ERR_DUPLICATE},
    {"23", TL_ERR_STATE},    /* the other constraints */
    {"P0001", TL_ERR_STATE}, /* RAISE in a trigger of ours */
    {"22021", TL_ERR_ENCODING},
    {"22P05", TL_ERR_ENCODING},
    {"22003", TL_ERR_RANGE},
    {"25006", TL_ERR_REFUSED}, /* writing in what only reads */
    {"28", TL_ERR_REFUSED},
    {"42501", TL_ERR_REFUSED},
    {"3D000", TL_ERR_NOT_FOUND},
    {"53200", TL_ERR_NOMEM},
    {"54", TL_ERR_LIMIT},
    {"42", TL_ERR_CORRUPT}, /* no such table or column: not a database of ours */
    {"22", TL_ERR_CORRUPT},
    {"XX", TL_ERR_CORRUPT},
    {"0A", TL_ERR_CORRUPT},
};

static tl_err code_of(const char *state)
{
    for (size_t i = 0; state != NULL && i < sizeof codes / sizeof *codes; i++) {
        if (strncmp(state, codes[i].prefix, strlen(codes[i].prefix)) == 0) {
            return codes[i].err;
        }
    }
    return TL_ERR_IO; /* connections, a full disk, a time limit, a shutdown */
}

/* The library's words as part of one line. */
static void one_line(char out[256], const char *text)
{
    size_t n = 0;
    for (; text != NULL && *text != '\0' && n < 255; text++) {
        out[n++] = *text == '\n' || *text == '\r' || *text == '\t' ? ' ' : *text;
    }
    while (n > 0 && out[n - 1] == ' ') {
        n--;
    }
    out[n] = '\0';
}

static tl_err fail_result(tl_sql *sql, const PGresult *result, const char *what, tl_errctx *ctx)
{
    const tl__pg *pg = link_of(sql);
    const char *state = pg->pq->resultErrorField(result, PG_DIAG_SQLSTATE);
    char why[256];
    one_line(why, pg->pq->resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    if (why[0] == '\0') {
        one_line(why, pg->pq->errorMessage(pg->conn));
    }
    if (state != NULL && strcmp(state, "57014") == 0) {
        return tl_fail_field(ctx, TL_ERR_IO, sql->name,
                             "cannot %s in \"%s\": it took more than %u ms", what, sql->name,
                             sql->options.statement_ms);
    }
    return tl_fail_field(ctx, code_of(state), sql->name, "cannot %s in \"%s\": %s", what, sql->name,
                         why);
}

tl_err tl__pg_lost(tl_sql *sql, const char *what, tl_errctx *ctx)
{
    return tl_fail_field(ctx, TL_ERR_IO, sql->name, "cannot %s in \"%s\": the connection is lost",
                         what, sql->name);
}

/* --- connections --- */

void tl__pg_forget(tl__pg *pg)
{
    for (size_t i = 0; i < pg->count; i++) {
        free(pg->cache[i].text);
    }
    pg->count = 0;
    pg->chosen = NULL;
}

void tl__pg_lose(tl_sql *sql)
{
    tl__pg *pg = link_of(sql);
    if (pg->conn != NULL) {
        pg->pq->finish(pg->conn);
        pg->conn = NULL;
    }
    tl__pg_forget(pg);
    sql->is_lost = true;
}

static void hear_nothing(void *self, const char *message)
{
    (void)self;
    (void)message;
}

static tl_err set_up(tl_sql *sql, tl_errctx *ctx)
{
    tl__pg *pg = link_of(sql);
    if (pg->pq->serverVersion(pg->conn) < VERSION_MIN) {
        return tl_fail_field(ctx, TL_ERR_VERSION, sql->name,
                             "\"%s\" is PostgreSQL %d, at least 12 is needed", sql->name,
                             pg->pq->serverVersion(pg->conn) / 10000);
    }
    char text[640];
    /* SQL-1: who turned synchronous_commit off gets it back; who asks for more than on keeps it. */
    (void)tl_str_print(text, sizeof text,
                       "SET statement_timeout = %u; SET lock_timeout = %u;"
                       " SET idle_in_transaction_session_timeout = %d;"
                       " SET default_transaction_isolation = 'read committed';"
                       " SET default_transaction_read_only = %s;"
                       " SELECT set_config('synchronous_commit', 'on', false)"
                       " WHERE current_setting('synchronous_commit') IN ('off', 'local')",
                       sql->options.statement_ms, sql->options.busy_ms, IDLE_MS,
                       sql->options.is_read_only ? "on" : "off");
    return tl__pg_simple(sql, "open", text, NULL, ctx);
}

tl_err tl__pg_connect(tl_sql *sql, tl_errctx *ctx)
{
    tl__pg *pg = link_of(sql);
    tl__pg_lose(sql);
    char seconds[16];
    (void)tl_str_print(seconds, sizeof seconds, "%u", (sql->options.connect_ms + 999) / 1000);
    /* what stands behind dbname wins over the URL */
    const char *const names[] = {"connect_timeout", "fallback_application_name", "dbname",
                                 "client_encoding", NULL};
    const char *const values[] = {seconds, "tally", sql->options.url, "UTF8", NULL};
    pg->conn = pg->pq->connectdbParams(names, values, 1);
    if (pg->conn == NULL) {
        return tl_fail(ctx, TL_ERR_NOMEM, "no memory for a connection");
    }
    if (pg->pq->status(pg->conn) != CONNECTION_OK) {
        char why[256];
        one_line(why, pg->pq->errorMessage(pg->conn));
        const bool is_refused = strstr(why, "authentication failed") != NULL ||
                                strstr(why, "no password supplied") != NULL;
        const tl_err err = tl_fail_field(ctx, is_refused ? TL_ERR_REFUSED : TL_ERR_IO, sql->name,
                                         "cannot connect to \"%s\": %s", sql->name, why);
        tl__pg_lose(sql);
        return err;
    }
    sql->is_lost = false;
    (void)pg->pq->setNoticeProcessor(pg->conn, hear_nothing, NULL);
    (void)pg->pq->setnonblocking(pg->conn, 1);
    const tl_err err = set_up(sql, ctx);
    if (err != TL_OK) {
        tl__pg_lose(sql);
    }
    return err;
}

/* --- send and wait --- */

/* Wait until the socket may be read (or written, where something is left to send). */
static bool wait_socket(tl__pg *pg, bool is_sending, int64_t until_ms)
{
    for (;;) {
        const int64_t left = until_ms - tl__sql_now_ms();
        if (left <= 0) {
            return false;
        }
        struct pollfd p = {.fd = pg->pq->socket(pg->conn),
                           .events = (short)(is_sending ? POLLIN | POLLOUT : POLLIN)};
        const int rc = poll(&p, 1, left < 60000 ? (int)left : 60000);
        if (rc > 0 || (rc < 0 && errno != EINTR)) {
            return rc > 0;
        }
    }
}

/* The whole question goes out and the first answer comes in, or the connection is given up. */
static tl_err wait_answer(tl_sql *sql, const char *what, int64_t until_ms, tl_errctx *ctx)
{
    tl__pg *pg = link_of(sql);
    int unsent = pg->pq->flush(pg->conn);
    while (unsent > 0 || (unsent == 0 && pg->pq->isBusy(pg->conn) != 0)) {
        if (!wait_socket(pg, unsent > 0, until_ms)) {
            tl__pg_lose(sql); /* SQL-3: in doubt, and so it stays */
            return tl_fail_field(ctx, TL_ERR_IO, sql->name,
                                 "cannot %s in \"%s\": no answer within %u ms", what, sql->name,
                                 sql->options.statement_ms + TL__PG_GRACE_MS);
        }
        if (pg->pq->consumeInput(pg->conn) == 0) {
            break; /* PQgetResult tells why */
        }
        unsent = unsent > 0 ? pg->pq->flush(pg->conn) : 0;
    }
    return TL_OK;
}

static bool is_good(const tl__pg *pg, const PGresult *result)
{
    const ExecStatusType status = pg->pq->resultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

tl_err tl__pg_result(tl_sql *sql, PGresult **out, const char *what, tl_errctx *ctx)
{
    tl__pg *pg = link_of(sql);
    const int64_t until_ms = tl__sql_now_ms() + sql->options.statement_ms + TL__PG_GRACE_MS;
    PGresult *last = NULL;
    tl_err err = TL_OK;
    for (;;) {
        const tl_err waited = wait_answer(sql, what, until_ms, err == TL_OK ? ctx : NULL);
        if (waited != TL_OK) {
            err = err == TL_OK ? waited : err;
            break;
        }
        PGresult *result = pg->pq->getResult(pg->conn);
        if (result == NULL) {
            break;
        }
        if (!is_good(pg, result) && err == TL_OK) {
            err = fail_result(sql, result, what, ctx);
        }
        pg->pq->clear(last);
        last = result;
    }
    if (pg->conn != NULL && pg->pq->status(pg->conn) != CONNECTION_OK) {
        tl__pg_lose(sql);
        /* 57P01 and its like came with words of their own; without any the last answer is missing */
        err = err != TL_OK ? err : tl__pg_lost(sql, what, ctx);
    }
    if (err == TL_OK && last == NULL) {
        err = tl__pg_lost(sql, what, ctx);
    }
    if (err != TL_OK) {
        pg->pq->clear(last);
        return err;
    }
    *out = last;
    return TL_OK;
}

tl_err tl__pg_simple(tl_sql *sql, const char *what, const char *text, char status[16],
                     tl_errctx *ctx)
{
    tl__pg *pg = link_of(sql);
    if (pg->conn == NULL) {
        return tl__pg_lost(sql, what, ctx);
    }
    if (pg->pq->sendQuery(pg->conn, text) == 0) {
        tl__pg_lose(sql);
        return tl__pg_lost(sql, what, ctx);
    }
    PGresult *result = NULL;
    TL_TRY(tl__pg_result(sql, &result, what, ctx));
    if (status != NULL) {
        (void)tl_str_print(status, 16, "%s", pg->pq->cmdStatus(result));
    }
    pg->pq->clear(result);
    return TL_OK;
}
