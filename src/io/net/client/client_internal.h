/* client_internal: what the room's sources share: libcurl's functions, hosts, attempts, calls. */
#ifndef TALLY_IO_NET_CLIENT_INTERNAL_H
#define TALLY_IO_NET_CLIENT_INTERNAL_H

#include <curl/curl.h>

#include "base/map/map.h"
#include "base/vec/vec.h"
#include "io/net/client/client.h"

/* --- libcurl (curl.c) --- */

#define TL__CURL_MAP(X)                                                                            \
    X(global_init)                                                                                 \
    X(version_info)                                                                                \
    X(easy_init)                                                                                   \
    X(easy_reset)                                                                                  \
    X(easy_cleanup)                                                                                \
    X(easy_setopt)                                                                                 \
    X(easy_getinfo)                                                                                \
    X(easy_strerror)                                                                               \
    X(multi_init)                                                                                  \
    X(multi_cleanup)                                                                               \
    X(multi_setopt)                                                                                \
    X(multi_assign)                                                                                \
    X(multi_add_handle)                                                                            \
    X(multi_remove_handle)                                                                         \
    X(multi_socket_action)                                                                         \
    X(multi_info_read)

typedef struct tl__curl {
#define TL__CURL_MEMBER(name) __typeof__(&curl_##name) name;
    TL__CURL_MAP(TL__CURL_MEMBER)
#undef TL__CURL_MEMBER
} tl__curl;

/* tl__curl_load: the library's functions. It stays loaded until the process ends, whoever asked first. */
TL_MUST_USE tl_err tl__curl_load(tl__curl *out, tl_errctx *ctx);

/* tl__curl_fault: which of our faults an end of libcurl's is. has_bytes: did anything of an answer come? */
tl_client_fault tl__curl_fault(CURLcode code, bool has_bytes);

/* --- hosts: one a host and port, malloc'd, so that calls may point at them (host.c) --- */

typedef struct tl__host {
    tl_breaker breaker;
    tl_pace pace;
    uint32_t flight;  /* attempts on the wire */
    uint32_t holders; /* calls that point here: it is not forgotten */
    int64_t used_ns;
} tl__host;

/* --- attempts: one request on the wire (attempt.c) --- */

typedef enum tl__attempt_state {
    TL__ATTEMPT_NONE,   /* the slot is free */
    TL__ATTEMPT_WAIT,   /* until due_ns: back-off, pace, or the time of a hedge */
    TL__ATTEMPT_QUEUE,  /* in line for room */
    TL__ATTEMPT_FLIGHT, /* libcurl has it */
    TL__ATTEMPT_OVER    /* judged bad, kept until the other one ends */
} tl__attempt_state;

typedef struct tl__attempt {
    tl__attempt_state state;
    struct tl_client_call *call;
    struct tl__attempt *next; /* of the queue or the waiting list */
    int64_t due_ns;
    int64_t started_ns;
    uint32_t index;
    bool is_hedge;
    tl_client_request request; /* as it was prepared */
    CURL *easy;
    /* the answer so far */
    tl_client_fault fault; /* ours, where we stopped libcurl */
    uint16_t status;
    uint8_t http_major;
    bool is_sent;
    bool is_head_done;
    bool was_reused;
    size_t head_len;
    tl_vec headers; /* tl_http_header, in the call's arena */
    uint8_t *body;  /* malloc'd */
    size_t body_len;
    size_t body_cap;
    int64_t elapsed_ns;
    char error[CURL_ERROR_SIZE];
} tl__attempt;

enum { TL__CALL_FIRST, TL__CALL_HEDGE, TL__CALL_SLOTS };

struct tl_client_call {
    tl_client *client;
    tl_arena *arena;
    tl_client_spec spec;
    tl_client_answer answer;
    tl__host *host;
    tl__attempt *streaming; /* the one whose chunks are handed out */
    tl__attempt slots[TL__CALL_SLOTS];
    uint8_t *body; /* of the answer that was taken */
    uint32_t started;
    uint32_t retries;
    bool is_done;
    bool is_cancelled;
    bool is_ended;                 /* in the list of those to be told */
    struct tl_client_call *before; /* of the client's list of calls */
    struct tl_client_call *after;
    struct tl_client_call *next_ended;
};

struct tl_client {
    tl__curl curl;
    tl_client_options options;
    CURLM *multi;
    int epoll;
    int64_t curl_due_ns; /* machine's steady time; INT64_MAX: none */
    tl_clock machine;
    tl_arena *host_arena; /* of the map's entries */
    tl_map hosts;
    CURL **spare; /* easy handles to use again */
    size_t spare_count;
    uint32_t flight;
    tl__attempt *queue_first;
    tl__attempt *queue_last;
    tl__attempt *waiting; /* in no order */
    tl_client_call *calls;
    tl_client_call *ended_first; /* not told yet */
    tl_client_call *ended_last;
    size_t count;
    bool has_cancelled;
    bool is_in_curl; /* libcurl is on the stack: it must not be called again */
};

/* tl__client_now: the clock of the policies. */
int64_t tl__client_now(const tl_client *client);

/* host.c */
TL_MUST_USE tl_err tl__host_slot(tl__host **out, tl_client *client, tl_str host, uint16_t port,
                                 tl_errctx *ctx);
tl__host *tl__host_find(const tl_client *client, tl_str host, uint16_t port);
void tl__hosts_free(tl_client *client);

/* request.c: is it fit to be sent? */
TL_MUST_USE tl_err tl__request_check(const tl_client_request *request, tl_errctx *ctx);

/* attempt.c: hand it to libcurl; take it back, whether it has ended or not. */
TL_MUST_USE tl_err tl__attempt_launch(tl__attempt *attempt, tl_errctx *ctx);
void tl__attempt_land(tl__attempt *attempt);
void tl__attempt_clear(tl__attempt *attempt); /* the slot is free again */

/* call.c */
void tl__call_ended(tl__attempt *attempt, CURLcode code); /* libcurl has finished it */
void tl__call_due(tl__attempt *attempt);                  /* its waiting time is over */
bool tl__call_turn(tl__attempt *attempt); /* is there room? then it goes out or fails: true */
void tl__call_cancel(tl_client_call *call);
void tl__call_tell(tl_client_call *call); /* the call may be gone afterwards */

/* client.c */
void tl__client_enqueue(tl_client *client, tl__attempt *attempt);
void tl__client_wait(tl_client *client, tl__attempt *attempt, int64_t due_ns);
void tl__client_drop(tl_client *client, tl__attempt *attempt);   /* out of queue and waiting list */
void tl__client_tell(tl_client *client, tl_client_call *call);   /* at the end of the step */
void tl__client_untell(tl_client *client, tl_client_call *call); /* it is freed */

#endif
