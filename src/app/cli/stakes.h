/* Who is registered and has how much stake, from a file, until there is a chain to ask:
 *
 *      [{"uid": 0, "hotkey": "5F…", "coldkey": "5C…", "stake_rao": 1000000000, "validator_permit": true}, …]
 *
 * hotkey and stake_rao are asked for; without a uid it is the row's place, without a coldkey the hotkey, without a permit
 * none. Further members of an object are ignored.
 * It is read again when it changes; a new one that cannot be read leaves the old figures. Whoever is not in it has none. Threads:
 * look-ups from any; open, refresh and close belong to one. */
#ifndef TALLY_APP_CLI_STAKES_H
#define TALLY_APP_CLI_STAKES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error/error.h"
#include "core/crypto/key/key.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_APP_STAKES_MAX      65536
#define TL_APP_STAKES_FILE_MAX ((size_t)64 << 20)

typedef struct tl_app_stakes tl_app_stakes;

/* Errors: the file's; TL_ERR_DUPLICATE and those of JSON name the row. */
TL_MUST_USE tl_err tl_app_stakes_open(tl_app_stakes **out, const char *path, tl_errctx *ctx);
void tl_app_stakes_close(tl_app_stakes *stakes); /* NULL is fine */

/* tl_app_stakes_refresh: read the file again if it has changed; true when it was read. */
TL_MUST_USE tl_err tl_app_stakes_refresh(tl_app_stakes *stakes, bool *was_read, tl_errctx *ctx);

/* tl_app_stake: one row. */
typedef struct tl_app_stake {
    tl_hotkey hotkey;
    tl_hotkey coldkey;
    uint32_t uid; /* below TL_APP_STAKES_MAX */
    int64_t stake_rao;
    bool has_permit;
} tl_app_stake;

/* tl_app_stakes_find: false, out untouched, for a hotkey that is not there. */
bool tl_app_stakes_find(tl_app_stakes *stakes, tl_app_stake *out, const tl_hotkey *hotkey);

/* tl_app_stakes_list: the rows by hotkey bytes, at most cap of them; returns how many there are. */
size_t tl_app_stakes_list(tl_app_stakes *stakes, tl_app_stake *out, size_t cap);

/* tl_app_stakes_of: in rao; 0 for a hotkey that is not there. self is the tl_app_stakes. */
int64_t tl_app_stakes_of(void *self, const tl_hotkey *hotkey);

#ifdef __cplusplus
}
#endif

#endif
