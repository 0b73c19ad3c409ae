/* signer: signs what it is told, so that the attacker in Python can sign as a malicious participant would.
 * A line in: SCHEME SECRET-URI HEX-OF-MESSAGE. A line out: SS58 HEX-OF-PUBLIC-KEY HEX-OF-SIGNATURE. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto/keypair/keypair.h"

enum { LINE_MAX_LEN = 1 << 20, KEYS_MAX = 64 };

typedef struct kept {
    char name[128];
    tl_keypair *pair;
} kept;

static kept keys[KEYS_MAX];

/* A pair that was asked for before is not derived again. */
static const tl_keypair *find(const char *scheme, const char *uri)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%s %s", scheme, uri);
    for (size_t i = 0; i < KEYS_MAX; i++) {
        if (keys[i].pair != NULL && strcmp(keys[i].name, name) == 0) {
            return keys[i].pair;
        }
        if (keys[i].pair == NULL) {
            const tl_scheme *row = tl_scheme_by_name(tl_str_from_cstr(scheme));
            if (row == NULL ||
                tl_keypair_from_uri(&keys[i].pair, row, tl_str_from_cstr(uri), NULL) != TL_OK) {
                return NULL;
            }
            memcpy(keys[i].name, name, sizeof name);
            return keys[i].pair;
        }
    }
    return NULL;
}

static void put_hex(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        (void)printf("%02x", bytes[i]);
    }
}

static size_t unhex(uint8_t *out, const char *text)
{
    size_t len = 0;
    unsigned byte;
    while (sscanf(text + 2 * len, "%2x", &byte) == 1) {
        out[len++] = (uint8_t)byte;
    }
    return len;
}

int main(void)
{
    static char line[LINE_MAX_LEN];
    static uint8_t message[LINE_MAX_LEN / 2];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        char *rest = line;
        const char *scheme = strsep(&rest, " ");
        const char *uri = strsep(&rest, " ");
        const tl_keypair *pair = uri != NULL ? find(scheme, uri) : NULL;
        uint8_t signature[256];
        size_t len;
        const size_t message_len = rest != NULL ? unhex(message, rest) : 0;
        if (pair == NULL ||
            tl_keypair_sign(signature, sizeof signature, &len, pair,
                            (tl_bytes){message, message_len}, NULL, NULL) != TL_OK) {
            return 1;
        }
        char ss58[TL_SS58_CAP];
        (void)tl_ss58_encode(ss58, tl_keypair_public(pair), TL_SS58_PREFIX_GENERIC);
        (void)printf("%s ", ss58);
        put_hex(tl_keypair_public(pair)->b, sizeof tl_keypair_public(pair)->b);
        (void)printf(" ");
        put_hex(signature, len);
        (void)printf("\n");
        (void)fflush(stdout);
    }
    return 0;
}
