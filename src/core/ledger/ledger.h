/* ledger: who owns how many rao, and why.
 * For         settling an epoch so that every rao is accounted for
 * Takes       balanced transactions; antes; a ranking with outcomes, and the payout parameters
 * Gives       a hash-chained journal, balances, escrow books; a tl_settlement that adds up
 * Calls       core/num, core/crypto            Called by   core/epoch, core/subnet, app
 * Owns        nothing after return: a tl_ledger and all results live in the arena passed in
 * Threads     one tl_ledger, one thread; the pure functions anywhere
 * Invariants  LED-1 debits equal credits in each entry
 *             LED-2 all balances sum to zero: those of everyone else sum to what was issued
 *             LED-3 an appended entry never changes: each hash covers it and the hash before
 *             LED-4 nothing is paid twice: an ante ends once, an epoch is settled or refunded once
 *             LED-5 no account but the two sources (issuance, external) goes below zero
 *             LED-6 an escrow account holds its ante while LOCKED, else nothing;
 *                   ante = returned + burned + redistributed + deficit
 *             LED-7 a settlement hands out what came in, and leaves the epoch's pool empty
 *             LED-8 every reward and every returned ante is at least zero
 * Read        settle.c from tl_ledger_settle() down, then distribute.c, escrow.c, journal.c
 *
 * Money moves only by entries. An entry is a list of postings (account, amount) that sums to zero:
 * what the account gains is positive. Emission comes out of the account `issuance`, whose balance
 * is therefore minus the issuance. One settlement is a set of entries, appended whole or not at
 * all:
 *
 *      external ─▶ pool ◀─ issuance ─▶ validators, owner
 *                  ▲  │ │
 *      ante ───────┘  │ └──▶ treasury (rake)        carry ◀─ pool, when nobody ranks
 *        │            └────▶ winners
 *        ├──▶ its miner (returned)
 *        └──▶ burn
 *
 * An entry's hash is SHA-256 over its canonical bytes: the tag "tally/ledger/entry/1", index, hash
 * before, height, epoch, cause, text, postings; texts after their length as u32, integers of fixed
 * width, all little-endian.
 *
 * The published design that this follows pays out 11,100 of 10,000: it leaves forfeited antes in
 * the pool (the total holds them already), adds the redistributed half again, never deducts the
 * burn and never returns the winners' antes. Here W = T - R - B - E - A_w, and distribute.c asserts
 * the sum.
 */
#ifndef TALLY_CORE_LEDGER_H
#define TALLY_CORE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena/arena.h"
#include "base/error/error.h"
#include "base/str/str.h"
#include "core/crypto/key/key.h"
#include "core/ledger/ledger_limits.h"
#include "core/num/money/money.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- accounts and entries (journal.c) --- */

/* X(name, number, text, has an id, belongs to an epoch, is a source). Numbers are hashed and
 * stored: never renumbered. Only a source may be negative. Accounts that belong to an epoch belong
 * to the entry's own. */
#define TL_ACCOUNT_MAP(X)                                                                          \
    X(ISSUANCE, 1, "issuance", 0, 0, 1)   /* minus what was ever issued */                         \
    X(EXTERNAL, 2, "external", 0, 0, 1)   /* the world outside: deposits, withdrawals, revenue */  \
    X(BURN, 3, "burn", 0, 0, 0)           /* nobody's, for ever */                                 \
    X(TREASURY, 4, "treasury", 0, 0, 0)   /* rake and network fees */                              \
    X(CARRY, 5, "carry", 0, 0, 0)         /* pools of epochs without a winner */                   \
    X(OWNER, 6, "owner", 0, 0, 0)         /* the subnet owner's share */                           \
    X(MINER, 7, "miner", 1, 0, 0)         /* a miner's free balance; id = hotkey */                \
    X(VALIDATOR, 8, "validator", 1, 0, 0) /* a validator's pay; id = hotkey */                     \
    X(ESCROW, 9, "escrow", 1, 1, 0)       /* a miner's ante of one epoch; id = hotkey */           \
    X(POOL, 10, "pool", 0, 1, 0)          /* an epoch's pool */

typedef enum tl_account_kind {
#define TL_ACCOUNT_ENUM(name, number, text, has_id, has_epoch, is_source)                          \
    TL_ACCOUNT_##name = (number),
    TL_ACCOUNT_MAP(TL_ACCOUNT_ENUM)
#undef TL_ACCOUNT_ENUM
} tl_account_kind;

/* X(name, number, text, moves antes, once an epoch). Never renumbered. */
#define TL_CAUSE_MAP(X)                                                                            \
    X(TRANSFER, 1, "transfer", 0, 0)           /* between free accounts; deposits, withdrawals */  \
    X(ISSUE, 2, "issue", 0, 0)                 /* out of issuance, outside an epoch's payout */    \
    X(ANTE_LOCK, 3, "ante_lock", 1, 0)         /* miner to escrow */                               \
    X(ANTE_RETURN, 4, "ante_return", 1, 0)     /* escrow to miner, less a deficit to the pool */   \
    X(ANTE_FORFEIT, 5, "ante_forfeit", 1, 0)   /* escrow to burn and pool; early: part returns */  \
    X(ANTE_SLASH, 6, "ante_slash", 1, 0)       /* escrow to burn, whole */                         \
    X(POOL_EMISSION, 7, "pool_emission", 0, 1) /* issuance to pool: the miners' X */               \
    X(POOL_EXTERNAL, 8, "pool_external", 0, 1) /* external to pool */                              \
    X(RAKE, 9, "rake", 0, 1)                   /* pool to treasury */                              \
    X(REWARD, 10, "reward", 0, 1)              /* pool to winners (house miners: to burn), fees */ \
    X(CARRY, 11, "carry", 0, 1)                /* pool to carry: nobody ranked */                  \
    X(VALIDATOR_PAY, 12, "validator_pay", 0, 1) /* issuance to validators */                       \
    X(OWNER_PAY, 13, "owner_pay", 0, 1)         /* issuance to owner */                            \
    X(SETTLED, 14, "settled", 0, 1)             /* no postings: the epoch's books are closed */    \
    X(REFUNDED, 15, "refunded", 0, 1)           /* no postings: closed, antes went back */

typedef enum tl_cause {
#define TL_CAUSE_ENUM(name, number, text, moves_antes, once) TL_CAUSE_##name = (number),
    TL_CAUSE_MAP(TL_CAUSE_ENUM)
#undef TL_CAUSE_ENUM
} tl_cause;

const char *tl_account_kind_name(tl_account_kind kind); /* "miner"; static text */
const char *tl_cause_name(tl_cause cause);              /* "ante_lock"; static text */

/* An account's name. id is zeros where the kind has none; ESCROW and POOL are meant within an
 * epoch. */
typedef struct tl_account {
    tl_account_kind kind;
    tl_hash32 id;
} tl_account;

tl_account tl_account_of(tl_account_kind kind); /* a kind without id */
tl_account tl_account_of_hotkey(tl_account_kind kind, const tl_hotkey *hotkey);

typedef struct tl_posting {
    tl_account account;
    tl_rao amount; /* what the account gains; never zero */
} tl_posting;

/* tl_transaction: what is asked for; tl_ledger_entry: what stands in the journal. */
typedef struct tl_transaction {
    tl_cause cause;
    tl_str epoch; /* may be empty unless the cause or an account belongs to an epoch */
    tl_str text;  /* why, for people; UTF-8 */
    uint64_t height;
    const tl_posting *postings;
    size_t count;
} tl_transaction;

typedef struct tl_ledger_entry {
    uint64_t index; /* from 0, without gaps */
    uint64_t height;
    tl_cause cause;
    tl_str epoch;
    tl_str text;
    uint32_t posting_count;
    tl_hash32 previous; /* hash of the entry before; zeros for the first */
    tl_hash32 hash;
} tl_ledger_entry;

typedef struct tl_ledger tl_ledger;

typedef struct tl_ledger_options {
    tl_rao ante_min;     /* zero: TL_LEDGER_ANTE_MIN */
    uint64_t index_seed; /* seeds the account index against chosen keys; no result depends on it */
} tl_ledger_options;

/* tl_ledger_new: an empty ledger that lives exactly as long as the arena; options may be NULL. */
TL_MUST_USE tl_err tl_ledger_new(tl_ledger **out, tl_arena *arena, const tl_ledger_options *options,
                                 tl_errctx *ctx);

/* tl_ledger_post: append one entry. Causes that move antes have functions of their own below, but
 * obey the same rules here, so that a reloaded journal is checked as if it were new.
 * Errors  TL_ERR_RANGE (not balanced, an amount of zero or too large, bad text), TL_ERR_MISSING,
 *         TL_ERR_FUNDS (LED-5), TL_ERR_STATE and TL_ERR_DUPLICATE (LED-4), TL_ERR_OVERFLOW,
 *         TL_ERR_LIMIT, TL_ERR_NOMEM; then nothing has changed
 * Cost    O(postings), and one SHA-256 over 9 or 41 bytes a posting; "postings" of the bench */
TL_MUST_USE tl_err tl_ledger_post(tl_ledger *ledger, const tl_transaction *transaction,
                                  tl_errctx *ctx);

/* tl_ledger_post_all: append several entries, whole or not at all. Errors: as tl_ledger_post, of the first at fault. */
TL_MUST_USE tl_err tl_ledger_post_all(tl_ledger *ledger, const tl_transaction *transactions,
                                      size_t count, tl_errctx *ctx);

/* What else is an entry: money into and out of a free account. `to` and `from` are kinds that are
 * no source. */
TL_MUST_USE tl_err tl_ledger_issue(tl_ledger *ledger, tl_account to, tl_rao amount, uint64_t height,
                                   tl_str text, tl_errctx *ctx);
TL_MUST_USE tl_err tl_ledger_deposit(tl_ledger *ledger, tl_account to, tl_rao amount,
                                     uint64_t height, tl_str text, tl_errctx *ctx);
TL_MUST_USE tl_err tl_ledger_withdraw(tl_ledger *ledger, tl_account from, tl_rao amount,
                                      uint64_t height, tl_str text, tl_errctx *ctx);

/* tl_ledger_balance: of one account, zero when it never moved. epoch: of ESCROW and POOL, else
 * ignored. */
tl_rao tl_ledger_balance(const tl_ledger *ledger, tl_account account, tl_str epoch);
tl_rao tl_ledger_issuance(const tl_ledger *ledger); /* minus the balance of `issuance` */
uint64_t tl_ledger_count(const tl_ledger *ledger);  /* entries */
uint64_t tl_ledger_posting_total(const tl_ledger *ledger);
tl_hash32
tl_ledger_head(const tl_ledger *ledger); /* hash of the last entry; zeros when there is none */

/* tl_ledger_entry_at: index < tl_ledger_count; the texts live as long as the ledger.
 * tl_ledger_posting_at: the i-th posting of that entry, i < posting_count. */
tl_ledger_entry tl_ledger_entry_at(const tl_ledger *ledger, uint64_t index);
tl_posting tl_ledger_posting_at(const tl_ledger *ledger, uint64_t index, uint32_t i);

typedef struct tl_ledger_line {
    tl_account account;
    tl_str epoch; /* empty but for ESCROW and POOL */
    tl_rao balance;
    uint64_t posting_count;
} tl_ledger_line;

/* tl_ledger_balances: every account that ever moved, by kind, epoch (bytes), id. */
TL_MUST_USE tl_err tl_ledger_balances(const tl_ledger_line **out, size_t *count,
                                      const tl_ledger *ledger, tl_arena *arena, tl_errctx *ctx);

/* --- keeping (keep.c): entries go to the store as canonical bytes, and come back through the same
 * checks --- */

/* tl_ledger_encode: the canonical bytes of an entry, the ones that its hash covers. */
TL_MUST_USE tl_err tl_ledger_encode(tl_bytes *out, const tl_ledger *ledger, uint64_t index,
                                    tl_arena *arena, tl_errctx *ctx);

/* tl_ledger_load: append a stored entry. hash: as stored, or NULL.
 * Errors  TL_ERR_CORRUPT (not the next entry, chain broken, hash differs, not canonical), else as
 *         tl_ledger_post */
TL_MUST_USE tl_err tl_ledger_load(tl_ledger *ledger, tl_bytes bytes, const tl_hash32 *hash,
                                  tl_errctx *ctx);

/* tl_ledger_seal: everything so far is durable. tl_ledger_drop_unsealed: the store failed: forget
 * the entries after the seal, as if they had never been; nobody was shown them. Loading does not
 * seal. */
void tl_ledger_seal(tl_ledger *ledger);
void tl_ledger_drop_unsealed(tl_ledger *ledger);

typedef struct tl_ledger_report {
    bool is_balanced;
    uint64_t entry_count;
    uint64_t posting_count;
    tl_rao issuance;
    tl_hash32 head;
} tl_ledger_report;

/* tl_ledger_verify: recompute everything from the entries (hashes, balances, issuance, states of
 * antes, epoch books) and compare with what the ledger says. scratch is given back.
 * Errors  TL_ERR_CORRUPT, which names the first entry or account at fault; those of the arena. *out
 *         is then untouched
 * Cost    as posting all of it again */
TL_MUST_USE tl_err tl_ledger_verify(tl_ledger_report *out, const tl_ledger *ledger,
                                    tl_arena *scratch, tl_errctx *ctx);

/* --- antes (escrow.c) ---
 *
 *      (none) ──lock──▶ LOCKED ──return───▶ RETURNED
 *                         │────forfeit──▶ FORFEITED
 *                         └────slash────▶ SLASHED
 *
 * One step each, for ever. The same step asked for twice is done once (is_new tells, and may be
 * NULL); another one is TL_ERR_STATE.
 */
typedef enum tl_ante_state {
    TL_ANTE_NONE,
    TL_ANTE_LOCKED,
    TL_ANTE_RETURNED,
    TL_ANTE_FORFEITED,
    TL_ANTE_SLASHED,
} tl_ante_state;

const char *tl_ante_state_name(tl_ante_state state); /* "locked"; static text */

typedef struct tl_ante {
    tl_ante_state state;
    tl_rao amount; /* as locked */
    tl_rao returned;
    tl_rao burned;
    tl_rao redistributed;
    tl_rao deficit;
} tl_ante;

/* tl_escrow_lock: take an ante from the miner's free balance. Locking the same amount again while it
 * is LOCKED changes nothing.
 * Errors  TL_ERR_DUPLICATE: locked with another amount; TL_ERR_STATE: ended, or the epoch is closed;
 *         TL_ERR_FUNDS: too little is free; TL_ERR_RANGE: below ante_min; else as tl_ledger_post */
TL_MUST_USE tl_err tl_escrow_lock(tl_ledger *ledger, bool *is_new, tl_str epoch,
                                  const tl_hotkey *hotkey, tl_rao ante, uint64_t height,
                                  tl_errctx *ctx);

/* tl_escrow_return, tl_escrow_slash: end one ante before its epoch is settled. TL_ERR_NOT_FOUND
 * when never locked. */
TL_MUST_USE tl_err tl_escrow_return(tl_ledger *ledger, bool *is_new, tl_str epoch,
                                    const tl_hotkey *hotkey, uint64_t height, tl_str text,
                                    tl_errctx *ctx);
TL_MUST_USE tl_err tl_escrow_slash(tl_ledger *ledger, bool *is_new, tl_str epoch,
                                   const tl_hotkey *hotkey, uint64_t height, tl_str text,
                                   tl_errctx *ctx);

tl_ante tl_escrow_get(const tl_ledger *ledger, tl_str epoch, const tl_hotkey *hotkey);

/* The books of one epoch; counts by state, sums of all antes ever locked in it and of where they
 * went. */
typedef struct tl_escrow_book {
    bool is_settled;
    bool is_refunded;
    uint32_t locked_count; /* still locked */
    uint32_t returned_count;
    uint32_t forfeited_count;
    uint32_t slashed_count;
    tl_rao taken;  /* ever locked = locked + returned + burned + redistributed + deficit */
    tl_rao locked; /* still */
    tl_rao returned;
    tl_rao burned; /* slashed antes included */
    tl_rao redistributed;
    tl_rao deficit;
} tl_escrow_book;

tl_escrow_book tl_escrow_book_of(const tl_ledger *ledger, tl_str epoch);

/* tl_escrow_refund: a failed epoch: every locked ante goes back, the books close. TL_ERR_STATE when
 * closed already. */
TL_MUST_USE tl_err tl_escrow_refund(tl_ledger *ledger, tl_str epoch, uint64_t height, tl_str text,
                                    tl_errctx *ctx);

#ifdef __cplusplus
}
#endif

#include "core/ledger/settle.h"

#endif
