/* The schema, as the steps that make it. A step that was released never changes: its checksum is in every database
 * that has it; what is wrong in it is put right by the next one.
 *
 * Numbers are what SQLite calls integers, below 2^63. Bytes stand as they came; the store does not look into them. */
#include "io/store/migrations.h"

static const tl__migration migrations[] = {
    {1, "epochs",
     "CREATE TABLE epochs ("
     " serial INTEGER PRIMARY KEY,"
     " epoch_id TEXT NOT NULL UNIQUE,"
     " state TEXT NOT NULL,"
     " opened_height INTEGER NOT NULL CHECK (opened_height >= 0),"
     " settled_height INTEGER CHECK (settled_height >= 0),"
     " bundle_path TEXT,"
     " bundle_digest BLOB CHECK (bundle_digest IS NULL OR length(bundle_digest) = 32),"
     " CHECK ((bundle_path IS NULL) = (bundle_digest IS NULL))"
     ") STRICT;"
     "CREATE TABLE transitions ("
     " epoch_id TEXT NOT NULL REFERENCES epochs (epoch_id),"
     " position INTEGER NOT NULL CHECK (position >= 0),"
     " from_state TEXT NOT NULL,"
     " to_state TEXT NOT NULL,"
     " cause TEXT NOT NULL,"
     " height INTEGER NOT NULL CHECK (height >= 0),"
     " PRIMARY KEY (epoch_id, position)"
     ") STRICT, WITHOUT ROWID;"},
    {2, "submissions",
     "CREATE TABLE submissions ("
     " serial INTEGER PRIMARY KEY CHECK (serial > 0),"
     " key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),"
     " epoch_id TEXT NOT NULL,"
     " hotkey BLOB NOT NULL CHECK (length(hotkey) = 32),"
     " height INTEGER NOT NULL CHECK (height >= 0),"
     " body BLOB NOT NULL,"
     " commitment BLOB CHECK (commitment IS NULL OR length(commitment) = 32),"
     " accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),"
     " code TEXT NOT NULL"
     ") STRICT;"
     "CREATE INDEX submissions_by_epoch ON submissions (epoch_id, serial);"
     "CREATE TABLE receipts ("
     " serial INTEGER PRIMARY KEY REFERENCES submissions (serial),"
     " body BLOB NOT NULL"
     ") STRICT;"},
    {3, "ledger",
     "CREATE TABLE ledger_entries ("
     " serial INTEGER PRIMARY KEY CHECK (serial >= 0),"
     " body BLOB NOT NULL,"
     " hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32)"
     ") STRICT;"
     "CREATE TRIGGER ledger_entries_stay BEFORE UPDATE ON ledger_entries"
     " BEGIN SELECT RAISE (ABORT, 'a ledger entry never changes'); END;"
     "CREATE TRIGGER ledger_entries_remain BEFORE DELETE ON ledger_entries"
     " BEGIN SELECT RAISE (ABORT, 'a ledger entry never goes'); END;"},
    {4, "metadata",
     "CREATE TABLE metadata ("
     " key TEXT PRIMARY KEY,"
     " value BLOB NOT NULL"
     ") STRICT, WITHOUT ROWID;"},
};

const tl__migration *tl__migrations(size_t *count)
{
    *count = sizeof migrations / sizeof migrations[0];
    return migrations;
}
