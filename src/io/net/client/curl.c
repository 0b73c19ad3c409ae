/* libcurl, loaded when it is first needed: its functions by name, its errors in our words. */
#include <dlfcn.h>
#include <string.h>

#include "io/net/client/client_internal.h"

enum { VERSION_MIN = 0x075500 }; /* 7.85: protocols by name, global init from any thread */

static void *find_library(void)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (library != NULL) {
            return library;
        }
    }
    return NULL;
}

tl_err tl__curl_load(tl__curl *out, tl_errctx *ctx)
{
    void *library = find_library();
    if (library == NULL) {
        (void)tl_fail(ctx, TL_ERR_IO, "cannot load libcurl.so.4");
        tl_errctx_hint(ctx, "install libcurl4");
        return TL_ERR_IO;
    }
    tl__curl curl;
    void *symbol = NULL;
#define FIND(name)                                                                                 \
    symbol = dlsym(library, "curl_" #name);                                                        \
    if (symbol == NULL) {                                                                          \
        return tl_fail(ctx, TL_ERR_IO, "libcurl has no curl_%s", #name);                           \
    }                                                                                              \
    memcpy(&curl.name, &symbol, sizeof symbol);
    TL__CURL_MAP(FIND)
#undef FIND
    const curl_version_info_data *version = curl.version_info(CURLVERSION_NOW);
    if (version->version_num < VERSION_MIN) {
        return tl_fail(ctx, TL_ERR_IO, "libcurl is %s, at least 7.85.0 is needed",
                       version->version);
    }
    if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return tl_fail(ctx, TL_ERR_IO, "libcurl does not start");
    }
    *out = curl;
    return TL_OK;
}

tl_client_fault tl__curl_fault(CURLcode code, bool has_bytes)
{
    static const struct {
        CURLcode code;
        tl_client_fault fault;
    } table[] = {
        {CURLE_OK, TL_CLIENT_NONE},
        {CURLE_COULDNT_RESOLVE_HOST, TL_CLIENT_CONNECT},
        {CURLE_COULDNT_CONNECT, TL_CLIENT_CONNECT},
        {CURLE_INTERFACE_FAILED, TL_CLIENT_CONNECT},
        {CURLE_OPERATION_TIMEDOUT, TL_CLIENT_TIMEOUT},
        {CURLE_GOT_NOTHING, TL_CLIENT_GONE},
        {CURLE_PARTIAL_FILE, TL_CLIENT_CUT},
        {CURLE_BAD_CONTENT_ENCODING, TL_CLIENT_CUT},
        {CURLE_HTTP2_STREAM, TL_CLIENT_CUT},
        {CURLE_HTTP2, TL_CLIENT_CUT},
        {CURLE_WEIRD_SERVER_REPLY, TL_CLIENT_HEAD},
        {CURLE_UNSUPPORTED_PROTOCOL, TL_CLIENT_HEAD},
        {CURLE_SSL_CONNECT_ERROR, TL_CLIENT_TLS},
        {CURLE_PEER_FAILED_VERIFICATION, TL_CLIENT_TLS},
        {CURLE_SSL_CACERT_BADFILE, TL_CLIENT_TLS},
        {CURLE_SSL_CERTPROBLEM, TL_CLIENT_TLS},
        {CURLE_SSL_CIPHER, TL_CLIENT_TLS},
        {CURLE_SSL_ISSUER_ERROR, TL_CLIENT_TLS},
        {CURLE_SSL_INVALIDCERTSTATUS, TL_CLIENT_TLS},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].code == code) {
            return table[i].fault;
        }
    }
    if (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR) {
        return has_bytes ? TL_CLIENT_CUT : TL_CLIENT_GONE;
    }
    return TL_CLIENT_LOCAL;
}
