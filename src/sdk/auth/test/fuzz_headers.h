/* What the three targets share. An input: a byte of switches, "METHOD TARGET", header lines "name: value", an empty line, the
 * body. It is judged in both modes by one family; what passes by default must pass in compatibility mode with the same
 * message (but for v10, whose timeout is clamped by default). */
#ifndef TALLY_SDK_AUTH_TEST_FUZZ_HEADERS_H
#define TALLY_SDK_AUTH_TEST_FUZZ_HEADERS_H

#include <string.h>

#include "core/crypto/hash/hash.h"
#include "sdk/auth/auth.h"

enum { FUZZ_HEADERS_MAX = 64 };

typedef struct fuzz_case {
    tl_auth_request request;
    tl_http_header headers[FUZZ_HEADERS_MAX];
    tl_hash32 body;
    bool waives_receiver;
    int64_t now_ns;
} fuzz_case;

static void fuzz_read(fuzz_case *c, const uint8_t *data, size_t len, int64_t now_ns)
{
    tl_str rest = {(const char *)data + 1, len - 1};
    tl_str line = {NULL, 0};
    memset(c, 0, sizeof *c);
    c->waives_receiver = (data[0] & 1) != 0;
    c->now_ns = now_ns + ((int64_t)(data[0] >> 1) - 64) * INT64_C(250000000);
    (void)tl_str_split(&line, &rest, '\n');
    c->request.target = line;
    (void)tl_str_split(&c->request.method, &c->request.target, ' ');
    size_t n = 0;
    while (n < FUZZ_HEADERS_MAX && tl_str_split(&line, &rest, '\n') && line.len > 0) {
        const size_t colon = tl_str_find(line, ':');
        const size_t value = colon + 1 < line.len && line.ptr[colon + 1] == ' ' ? 2 : 1;
        c->headers[n++] = (tl_http_header){tl_str_slice(line, 0, colon),
                                           tl_str_slice(line, colon + value, line.len)};
    }
    c->request.headers = (tl_http_headers){c->headers, n};
    tl_sha256(&c->body, rest.ptr, rest.len);
}

/* One mode; true when it passes, with the message. */
static bool fuzz_judge(tl_bytes *message, tl_arena *arena, const fuzz_case *c,
                       const tl_auth_family *family, const char *self, bool is_compat)
{
    tl_auth_rules rules;
    tl_auth_rules_init(&rules, tl_str_from_cstr(self));
    rules.is_compat = is_compat;
    rules.is_receiver_waived = c->waives_receiver;
    tl_auth_claim claim;
    tl_auth_verdict verdict;
    if (tl_auth_check_head(&claim, &verdict, arena, family, &c->request, &rules, c->now_ns, NULL) !=
        TL_OK) {
        return false;
    }
    if (verdict.kind == TL_AUTH_OK) {
        TL_ASSERT(claim.signature.len == claim.scheme->signature_len_max);        /* AUTH-2 */
        TL_ASSERT(is_compat || claim.mark.keep_until_ns >= claim.mark.signed_ns); /* AUTH-4 */
        TL_ASSERT(tl_auth_message(message, arena, &claim, &c->body, NULL) == TL_OK);
        TL_ASSERT(tl_auth_verify(&verdict, arena, &claim, *message, NULL) == TL_OK);
    }
    TL_ASSERT((verdict.kind == TL_AUTH_OK || verdict.kind == TL_AUTH_UNPARSED) ==
              (verdict.message.len == 0));
    TL_ASSERT(verdict.message.len <= (family->hashes_body ? 128U : TL_AUTH_MESSAGE_MAX));
    for (size_t i = 0; i < verdict.message.len; i++) { /* it may become a header */
        TL_ASSERT(verdict.message.ptr[i] >= 0x20 && verdict.message.ptr[i] <= 0x7e);
    }
    return verdict.kind == TL_AUTH_OK;
}

static int fuzz_family(tl_auth_family_id id, const char *self, int64_t now_ns, const uint8_t *data,
                       size_t len)
{
    tl_arena *arena = NULL;
    if (len == 0 || tl_arena_new(&arena, NULL, (size_t)64 << 20, NULL, NULL) != TL_OK) {
        return 0;
    }
    static fuzz_case c;
    fuzz_read(&c, data, len, now_ns);
    const tl_auth_family *family = tl_auth_family_at(id);
    tl_bytes strict = {NULL, 0};
    tl_bytes compat = {NULL, 0};
    const bool passes = fuzz_judge(&strict, arena, &c, family, self, false);
    const bool passes_compat = fuzz_judge(&compat, arena, &c, family, self, true);
    TL_ASSERT(!passes || passes_compat || id == TL_AUTH_V10);
    TL_ASSERT(!passes || !passes_compat || tl_bytes_cmp(strict, compat) == 0);
    bool is_ambiguous;
    (void)tl_auth_detect(&is_ambiguous, c.request.headers);
    tl_hotkey key;
    (void)tl_auth_claimed(&key, family, c.request.headers);
    tl_arena_free(arena);
    return 0;
}

#endif
