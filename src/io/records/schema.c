/* The schema, as the steps that make it, in the words of both databases (io/sql says how). A step that was released
 * never changes: its checksum is in every database that has it; what is wrong in it is put right by the next one.
 *
 * Hotkeys and hashes are 32 bytes, so their order is that of bytes; times are milliseconds; money is rao; rates are
 * millionths. What a row may not be is said here too, whatever the program above does. */
#include "io/records/records_internal.h"

#define HOTKEY(name)   name " {blob} NOT NULL CHECK (length(" name ") = 32)"
#define MAY_HASH(name) name " {blob} CHECK (" name " IS NULL OR length(" name ") = 32)"
#define COUNT(name)    name " {int} NOT NULL CHECK (" name " >= 0)"
#define EPOCH          "epoch_id {text} NOT NULL REFERENCES epochs (id)"
#define TEXT(name)     name " {text} NOT NULL"

static const char epochs[] =
    "CREATE TABLE epochs ("
    " id {text} PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),"
    " profile {text} NOT NULL,"
    " state {text} NOT NULL CHECK (state IN ('pending', 'open', 'reveal', 'scoring', 'agreed',"
    "  'settled', 'archived', 'extended', 'failed')),"
    " round {int} NOT NULL CHECK (round IN (0, 1)),"
    " version {int} NOT NULL CHECK (version > 0),"
    " start_ms {int} NOT NULL CHECK (start_ms >= 0),"
    " end_ms {int} NOT NULL CHECK (end_ms > start_ms),"
    " " COUNT(
        "extended_ms") ","
                       " deadline_ms {int} NOT NULL CHECK (deadline_ms = end_ms + extended_ms),"
                       " " TEXT("selection_seed") ","
                                                  " " TEXT("nonce") ","
                                                                    " " TEXT("nonce_commit") ","
                                                                                             " " TEXT("beacon") ","
                                                                                                                " " TEXT("draw_commit") ","
                                                                                                                                        " " TEXT("draw_secret") ","
                                                                                                                                                                " " COUNT(
                                                                                                                                                                    "target_listings") ","
                                                                                                                                                                                       " tolerance_percent {int} NOT NULL CHECK (tolerance_percent BETWEEN 0 AND 100),"
                                                                                                                                                                                       " parameters {blob} NOT NULL,"
                                                                                                                                                                                       " " COUNT("moved_ms") ","
                                                                                                                                                                                                             " " COUNT("beacon_ms") ","
                                                                                                                                                                                                                                    " " COUNT("evidence_closed_ms") ","
                                                                                                                                                                                                                                                                    " " COUNT(
                                                                                                                                                                                                                                                                        "commits_closed_ms") ","
                                                                                                                                                                                                                                                                                             " " COUNT(
                                                                                                                                                                                                                                                                                                 "results_closed_ms") ","
                                                                                                                                                                                                                                                                                                                      " " COUNT(
                                                                                                                                                                                                                                                                                                                          "settled_ms") ","
                                                                                                                                                                                                                                                                                                                                        " CHECK (commits_closed_ms = 0 OR evidence_closed_ms > 0),"
                                                                                                                                                                                                                                                                                                                                        " CHECK (results_closed_ms = 0 OR commits_closed_ms > 0)"
                                                                                                                                                                                                                                                                                                                                        "{table};\n"
                                                                                                                                                                                                                                                                                                                                        "CREATE INDEX epochs_by_deadline ON epochs (deadline_ms);\n"
                                                                                                                                                                                                                                                                                                                                        "CREATE TABLE transitions ("
                                                                                                                                                                                                                                                                                                                                        " " EPOCH
                                                                                                                                                                                                                                                                                                                                        ","
                                                                                                                                                                                                                                                                                                                                        " position {int} NOT NULL CHECK (position > 0),"
                                                                                                                                                                                                                                                                                                                                        " " TEXT("from_state") ","
                                                                                                                                                                                                                                                                                                                                                               " " TEXT("to_state") ","
                                                                                                                                                                                                                                                                                                                                                                                    " " TEXT("cause") ","
                                                                                                                                                                                                                                                                                                                                                                                                      " " COUNT("at_ms") ","
                                                                                                                                                                                                                                                                                                                                                                                                                         " PRIMARY KEY (epoch_id, position)"
                                                                                                                                                                                                                                                                                                                                                                                                                         "{table};\n"
                                                                                                                                                                                                                                                                                                                                                                                                                         "CREATE TABLE extensions ("
                                                                                                                                                                                                                                                                                                                                                                                                                         " id {serial},"
                                                                                                                                                                                                                                                                                                                                                                                                                         " " EPOCH
                                                                                                                                                                                                                                                                                                                                                                                                                         ","
                                                                                                                                                                                                                                                                                                                                                                                                                         " added_ms {int} NOT NULL CHECK (added_ms > 0),"
                                                                                                                                                                                                                                                                                                                                                                                                                         " " TEXT("reason") ","
                                                                                                                                                                                                                                                                                                                                                                                                                                            " " TEXT(
                                                                                                                                                                                                                                                                                                                                                                                                                                                "actor") ","
                                                                                                                                                                                                                                                                                                                                                                                                                                                         " body {blob} NOT NULL,"
                                                                                                                                                                                                                                                                                                                                                                                                                                                         " signature {blob} NOT NULL,"
                                                                                                                                                                                                                                                                                                                                                                                                                                                         " " COUNT(
                                                                                                                                                                                                                                                                                                                                                                                                                                                             "at_ms") "{table};\n"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                      "CREATE INDEX extensions_by_epoch ON extensions (epoch_id, id);\n";

static const char
    zipcodes[] =
        "CREATE TABLE zipcodes ("
        " zipcode {text} PRIMARY KEY CHECK (length(zipcode) = 5),"
        " " TEXT(
            "city") ","
                    " " TEXT(
                        "state") ","
                                 " " TEXT(
                                     "county") ","
                                               " latitude_e4 {int} NOT NULL CHECK (latitude_e4 "
                                               "BETWEEN -900000 AND 900000),"
                                               " longitude_e4 {int} NOT NULL CHECK (longitude_e4 "
                                               "BETWEEN -1800000 AND 1800000),"
                                               " " COUNT(
                                                   "expected") ","
                                                               " " COUNT(
                                                                   "population") ","
                                                                                 " " COUNT(
                                                                                     "property_"
                                                                                     "count") ","
                                                                                              " tie"
                                                                                              "r "
                                                                                              "{int"
                                                                                              "} "
                                                                                              "NOT "
                                                                                              "NULL"
                                                                                              " CHE"
                                                                                              "CK "
                                                                                              "(tie"
                                                                                              "r "
                                                                                              "BETW"
                                                                                              "EEN "
                                                                                              "0 "
                                                                                              "AND "
                                                                                              "2),"
                                                                                              " reg"
                                                                                              "ion "
                                                                                              "{int"
                                                                                              "} "
                                                                                              "NOT "
                                                                                              "NULL"
                                                                                              " CHE"
                                                                                              "CK "
                                                                                              "(reg"
                                                                                              "ion "
                                                                                              "BETW"
                                                                                              "EEN "
                                                                                              "0 "
                                                                                              "AND "
                                                                                              "4),"
                                                                                              " " COUNT(
                                                                                                  "last_assigned_ms") ","
                                                                                                                      " " COUNT(
                                                                                                                          "data_updated_ms") "{table};\n"
                                                                                                                                             "CREATE INDEX zipcodes_by_assignment ON zipcodes (last_assigned_ms);\n"
                                                                                                                                             "CREATE TABLE zipcode_assignments ("
                                                                                                                                             " " EPOCH
                                                                                                                                             ","
                                                                                                                                             " zipcode {text} NOT NULL CHECK (length(zipcode) = 5),"
                                                                                                                                             " " COUNT(
                                                                                                                                                 "expected_listings") ","
                                                                                                                                                                      " " TEXT(
                                                                                                                                                                          "city") ","
                                                                                                                                                                                  " " TEXT(
                                                                                                                                                                                      "state") ","
                                                                                                                                                                                               " " TEXT(
                                                                                                                                                                                                   "county") ","
                                                                                                                                                                                                             " market_tier {int} NOT NULL CHECK (market_tier BETWEEN 0 AND 2),"
                                                                                                                                                                                                             " geographic_region {int} NOT NULL CHECK (geographic_region BETWEEN 0 AND 4),"
                                                                                                                                                                                                             " is_honeypot {int} NOT NULL CHECK (is_honeypot IN (0, 1)),"
                                                                                                                                                                                                             " PRIMARY KEY (epoch_id, zipcode)"
                                                                                                                                                                                                             "{table};\n";

static const char submissions[] = "CREATE TABLE submissions ("
                                  " serial {serial},"
                                  " " EPOCH ","
                                  " " HOTKEY(
                                      "hotkey") ","
                                                " " HOTKEY(
                                                    "coldkey") ","
                                                               " uid {int} NOT NULL CHECK (uid "
                                                               "BETWEEN 0 AND 4294967295),"
                                                               " " HOTKEY(
                                                                   "content_hash") ","
                                                                                   " " COUNT(
                                                                                       "received_"
                                                                                       "ms") ","
                                                                                             " meta"
                                                                                             "data "
                                                                                             "{blob"
                                                                                             "} "
                                                                                             "NOT "
                                                                                             "NULL,"
                                                                                             " " TEXT(
                                                                                                 "c"
                                                                                                 "o"
                                                                                                 "r"
                                                                                                 "r"
                                                                                                 "e"
                                                                                                 "l"
                                                                                                 "a"
                                                                                                 "t"
                                                                                                 "i"
                                                                                                 "o"
                                                                                                 "n") ","
                                                                                                      " UNIQUE (epoch_id, hotkey)"
                                                                                                      "{table};\n"
                                                                                                      "CREATE TABLE submission_objects ("
                                                                                                      " epoch_id {text} NOT NULL,"
                                                                                                      " " HOTKEY(
                                                                                                          "hotkey") ","
                                                                                                                    " position {int} NOT NULL CHECK (position >= 0),"
                                                                                                                    " " TEXT("key") ","
                                                                                                                                    " zipcode {text} NOT NULL,"
                                                                                                                                    " " HOTKEY(
                                                                                                                                        "sha256") ","
                                                                                                                                                  " bytes {int} NOT NULL CHECK (bytes >= 0),"
                                                                                                                                                  " row_count {int} NOT NULL CHECK (row_count BETWEEN 0 AND 4294967295),"
                                                                                                                                                  " PRIMARY KEY (epoch_id, hotkey, position),"
                                                                                                                                                  " FOREIGN KEY (epoch_id, hotkey) REFERENCES submissions (epoch_id, hotkey)"
                                                                                                                                                  "{table};\n"
                                                                                                                                                  "CREATE INDEX objects_by_zipcode ON submission_objects (epoch_id, zipcode);\n"
                                                                                                                                                  "CREATE TABLE miner_submissions ("
                                                                                                                                                  " epoch_id {text} NOT NULL,"
                                                                                                                                                  " " HOTKEY("miner_hotkey") ","
                                                                                                                                                                             " zipcode {text} NOT NULL,"
                                                                                                                                                                             " listings_scraped {int} NOT NULL CHECK (listings_scraped BETWEEN 0 AND 4294967295),"
                                                                                                                                                                             " submission_ms {int} NOT NULL CHECK (submission_ms >= 0),"
                                                                                                                                                                             " s3_upload_complete {int} NOT NULL CHECK (s3_upload_complete IN (0, 1)),"
                                                                                                                                                                             " validation_status {text} NOT NULL"
                                                                                                                                                                             "  CHECK (validation_status IN ('PENDING', 'VALIDATED', 'FAILED')),"
                                                                                                                                                                             " score_millionths {int} NOT NULL CHECK (score_millionths >= 0),"
                                                                                                                                                                             " PRIMARY KEY (epoch_id, miner_hotkey, zipcode),"
                                                                                                                                                                             " FOREIGN KEY (epoch_id, miner_hotkey) REFERENCES submissions (epoch_id, hotkey)"
                                                                                                                                                                             "{table};\n"
                                                                                                                                                                             "CREATE TABLE miner_status ("
                                                                                                                                                                             " " EPOCH
                                                                                                                                                                             ","
                                                                                                                                                                             " " HOTKEY("hotkey") ","
                                                                                                                                                                                                  " status {text} NOT NULL"
                                                                                                                                                                                                  "  CHECK (status IN ('IN_PROGRESS', 'COMPLETED', 'FAILED', 'TIMEOUT')),"
                                                                                                                                                                                                  " listings {int} NOT NULL CHECK (listings BETWEEN 0 AND 4294967295),"
                                                                                                                                                                                                  " is_upload_complete {int} NOT NULL CHECK (is_upload_complete IN (0, 1)),"
                                                                                                                                                                                                  " zipcodes {blob} NOT NULL,"
                                                                                                                                                                                                  " " COUNT(
                                                                                                                                                                                                      "updated_ms") ","
                                                                                                                                                                                                                    " PRIMARY KEY (epoch_id, hotkey)"
                                                                                                                                                                                                                    "{table};\n"
                                                                                                                                                                                                                    "--sqlite\n"
                                                                                                                                                                                                                    "CREATE TRIGGER submissions_stay BEFORE UPDATE ON submissions"
                                                                                                                                                                                                                    " BEGIN SELECT RAISE (ABORT, 'a submission never changes'); END;\n"
                                                                                                                                                                                                                    "--postgres\n"
                                                                                                                                                                                                                    "CREATE FUNCTION tally_row_stays() RETURNS trigger LANGUAGE plpgsql AS"
                                                                                                                                                                                                                    " $$ BEGIN RAISE EXCEPTION 'a row of % never changes', TG_TABLE_NAME; END $$;\n"
                                                                                                                                                                                                                    "CREATE TRIGGER submissions_stay BEFORE UPDATE ON submissions"
                                                                                                                                                                                                                    " FOR EACH ROW EXECUTE FUNCTION tally_row_stays();\n"
                                                                                                                                                                                                                    "--both\n";

static const char
    votes
        [] = "CREATE TABLE contributions ("
             " " EPOCH ","
             " " HOTKEY(
                 "hotkey") ","
                           " " HOTKEY(
                               "commit_hash") ","
                                              " " TEXT("secret") ","
                                                                 " " COUNT(
                                                                     "committed_ms") ","
                                                                                     " " COUNT(
                                                                                         "revealed_"
                                                                                         "ms") ","
                                                                                               " PR"
                                                                                               "IMA"
                                                                                               "RY "
                                                                                               "KEY"
                                                                                               " ("
                                                                                               "epo"
                                                                                               "ch_"
                                                                                               "id,"
                                                                                               " ho"
                                                                                               "tke"
                                                                                               "y)"
                                                                                               "{ta"
                                                                                               "ble"
                                                                                               "};"
                                                                                               "\n"
                                                                                               "CRE"
                                                                                               "ATE"
                                                                                               " TA"
                                                                                               "BLE"
                                                                                               " ev"
                                                                                               "ide"
                                                                                               "nce"
                                                                                               " ("
                                                                                               " " EPOCH
                                                                                               ","
                                                                                               " ro"
                                                                                               "und"
                                                                                               " {"
                                                                                               "int"
                                                                                               "} "
                                                                                               "NOT"
                                                                                               " NU"
                                                                                               "LL "
                                                                                               "CHE"
                                                                                               "CK "
                                                                                               "(ro"
                                                                                               "und"
                                                                                               " IN"
                                                                                               " ("
                                                                                               "0, "
                                                                                               "1))"
                                                                                               ","
                                                                                               " " HOTKEY(
                                                                                                   "hotkey") ","
                                                                                                             " " COUNT(
                                                                                                                 "stake_rao") ","
                                                                                                                              " " HOTKEY(
                                                                                                                                  "sha256") ","
                                                                                                                                            " body {blob} NOT NULL,"
                                                                                                                                            " " COUNT("received_ms") ","
                                                                                                                                                                     " PRIMARY KEY (epoch_id, round, hotkey)"
                                                                                                                                                                     "{table};\n"
                                                                                                                                                                     "CREATE TABLE ballots ("
                                                                                                                                                                     " " EPOCH
                                                                                                                                                                     ","
                                                                                                                                                                     " round {int} NOT NULL CHECK (round IN (0, 1)),"
                                                                                                                                                                     " " HOTKEY("hotkey") ","
                                                                                                                                                                                          " " COUNT("stake_rao") ","
                                                                                                                                                                                                                 " " HOTKEY("commit_hash") ","
                                                                                                                                                                                                                                           " " MAY_HASH("hash") ","
                                                                                                                                                                                                                                                                " salt {text},"
                                                                                                                                                                                                                                                                " " MAY_HASH(
                                                                                                                                                                                                                                                                    "evidence_root") ","
                                                                                                                                                                                                                                                                                     " " MAY_HASH(
                                                                                                                                                                                                                                                                                         "score_root") ","
                                                                                                                                                                                                                                                                                                       " " MAY_HASH(
                                                                                                                                                                                                                                                                                                           "weight_root") ","
                                                                                                                                                                                                                                                                                                                          " body {blob},"
                                                                                                                                                                                                                                                                                                                          " " COUNT(
                                                                                                                                                                                                                                                                                                                              "committed_ms") ","
                                                                                                                                                                                                                                                                                                                                              " " COUNT(
                                                                                                                                                                                                                                                                                                                                                  "revealed_ms") ","
                                                                                                                                                                                                                                                                                                                                                                 " PRIMARY KEY (epoch_id, round, hotkey),"
                                                                                                                                                                                                                                                                                                                                                                 " CHECK ((hash IS NULL) = (body IS NULL) AND (hash IS NULL) = (salt IS NULL)"
                                                                                                                                                                                                                                                                                                                                                                 "  AND (hash IS NULL) = (evidence_root IS NULL) AND (hash IS NULL) = (score_root IS NULL)"
                                                                                                                                                                                                                                                                                                                                                                 "  AND (hash IS NULL) = (weight_root IS NULL))"
                                                                                                                                                                                                                                                                                                                                                                 "{table};\n";

static const char results[] =
    "CREATE TABLE results ("
    " epoch_id {text} PRIMARY KEY REFERENCES epochs (id),"
    " " TEXT(
        "status") ","
                  " rate_millionths {int} NOT NULL CHECK (rate_millionths BETWEEN 0 AND 1000000),"
                  " " TEXT(
                      "hash") ","
                              " document {blob} NOT NULL,"
                              " " COUNT("at_ms") "{table};\n"
                                                 "CREATE TABLE standings ("
                                                 " " EPOCH ","
                                                 " " HOTKEY(
                                                     "hotkey") ","
                                                               " " HOTKEY(
                                                                   "coldkey") ","
                                                                              " uid {int} NOT NULL "
                                                                              "CHECK (uid BETWEEN "
                                                                              "0 AND 4294967295),"
                                                                              " " COUNT("score_"
                                                                                        "millionth"
                                                                                        "s") ","
                                                                                             " " COUNT(
                                                                                                 "p"
                                                                                                 "a"
                                                                                                 "i"
                                                                                                 "d"
                                                                                                 "_"
                                                                                                 "r"
                                                                                                 "a"
                                                                                                 "o") ","
                                                                                                      " " COUNT(
                                                                                                          "wins") ","
                                                                                                                  " " COUNT(
                                                                                                                      "listings") ","
                                                                                                                                  " PRIMARY KEY (epoch_id, hotkey)"
                                                                                                                                  "{table};\n"
                                                                                                                                  "CREATE TABLE leaderboard ("
                                                                                                                                  " hotkey {blob} PRIMARY KEY CHECK (length(hotkey) = 32),"
                                                                                                                                  " " HOTKEY("coldkey") ","
                                                                                                                                                        " uid {int} NOT NULL CHECK (uid BETWEEN 0 AND 4294967295),"
                                                                                                                                                        " " COUNT(
                                                                                                                                                            "epochs") ","
                                                                                                                                                                      " " COUNT(
                                                                                                                                                                          "wins") ","
                                                                                                                                                                                  " " COUNT(
                                                                                                                                                                                      "listings") ","
                                                                                                                                                                                                  " " COUNT("score_millionths") ","
                                                                                                                                                                                                                                " " COUNT("paid_rao") ","
                                                                                                                                                                                                                                                      " last_epoch {text} NOT NULL"
                                                                                                                                                                                                                                                      "{table};\n"
                                                                                                                                                                                                                                                      "CREATE INDEX leaderboard_by_pay ON leaderboard (paid_rao DESC, hotkey);\n"
                                                                                                                                                                                                                                                      "CREATE TABLE held_pay ("
                                                                                                                                                                                                                                                      " " EPOCH
                                                                                                                                                                                                                                                      ","
                                                                                                                                                                                                                                                      " zipcode {text} NOT NULL,"
                                                                                                                                                                                                                                                      " " HOTKEY(
                                                                                                                                                                                                                                                          "hotkey") ","
                                                                                                                                                                                                                                                                    " amount_rao {int} NOT NULL CHECK (amount_rao > 0),"
                                                                                                                                                                                                                                                                    " " TEXT("reason") ","
                                                                                                                                                                                                                                                                                       " " COUNT(
                                                                                                                                                                                                                                                                                           "at_ms") ","
                                                                                                                                                                                                                                                                                                    " " TEXT(
                                                                                                                                                                                                                                                                                                        "outcome") ","
                                                                                                                                                                                                                                                                                                                   " " COUNT("released_ms") ","
                                                                                                                                                                                                                                                                                                                                            " PRIMARY KEY (epoch_id, zipcode, hotkey)"
                                                                                                                                                                                                                                                                                                                                            "{table};\n"
                                                                                                                                                                                                                                                                                                                                            "CREATE TABLE penalties ("
                                                                                                                                                                                                                                                                                                                                            " " EPOCH
                                                                                                                                                                                                                                                                                                                                            ","
                                                                                                                                                                                                                                                                                                                                            " " HOTKEY("hotkey") ","
                                                                                                                                                                                                                                                                                                                                                                 " " TEXT(
                                                                                                                                                                                                                                                                                                                                                                     "kind") ","
                                                                                                                                                                                                                                                                                                                                                                             " " TEXT("detail") ","
                                                                                                                                                                                                                                                                                                                                                                                                " " COUNT(
                                                                                                                                                                                                                                                                                                                                                                                                    "at_ms") ","
                                                                                                                                                                                                                                                                                                                                                                                                             " PRIMARY KEY (epoch_id, hotkey, kind)"
                                                                                                                                                                                                                                                                                                                                                                                                             "{table};\n"
                                                                                                                                                                                                                                                                                                                                                                                                             "CREATE INDEX penalties_by_hotkey ON penalties (hotkey, kind, at_ms);\n";

static const char work[] =
    "CREATE TABLE leases ("
    " name {text} PRIMARY KEY,"
    " " TEXT(
        "holder") ","
                  " token {int} NOT NULL CHECK (token > 0),"
                  " until_ms {int} NOT NULL,"
                  " " COUNT(
                      "ttl_ms") "{table};\n"
                                "CREATE TABLE shards ("
                                " " EPOCH ","
                                " zipcode {text} NOT NULL,"
                                " state {text} NOT NULL CHECK (state IN ('ready', 'leased', "
                                "'done', 'failed')),"
                                " " TEXT(
                                    "holder") ","
                                              " " COUNT(
                                                  "token") ","
                                                           " " COUNT(
                                                               "until_ms") ","
                                                                           " " COUNT(
                                                                               "ttl_ms") ","
                                                                                         " " COUNT(
                                                                                             "attem"
                                                                                             "pts") ","
                                                                                                    " " TEXT(
                                                                                                        "input_key") ","
                                                                                                                     " " TEXT(
                                                                                                                         "result_key") ","
                                                                                                                                       " " TEXT(
                                                                                                                                           "error") ","
                                                                                                                                                    " PRIMARY KEY (epoch_id, zipcode),"
                                                                                                                                                    " CHECK ((state = 'leased') = (holder <> '')),"
                                                                                                                                                    " CHECK ((state = 'done') = (result_key <> ''))"
                                                                                                                                                    "{table};\n"
                                                                                                                                                    "CREATE INDEX shards_by_state ON shards (state, until_ms);\n"
                                                                                                                                                    "CREATE TABLE counters ("
                                                                                                                                                    " name {text} NOT NULL,"
                                                                                                                                                    " day {int} NOT NULL,"
                                                                                                                                                    " " COUNT(
                                                                                                                                                        "used") ","
                                                                                                                                                                " PRIMARY KEY (name, day)"
                                                                                                                                                                "{table};\n";

static const char
    access_tables
        [] = "CREATE TABLE api_keys ("
             " id {text} PRIMARY KEY,"
             " hash {blob} NOT NULL UNIQUE CHECK (length(hash) = 32),"
             " " TEXT(
                 "scopes") ","
                           " " TEXT(
                               "label") ","
                                        " " COUNT(
                                            "created_ms") ","
                                                          " " COUNT(
                                                              "expires_ms") ","
                                                                            " " COUNT(
                                                                                "revoked_ms") ","
                                                                                              " rep"
                                                                                              "lace"
                                                                                              "s "
                                                                                              "{tex"
                                                                                              "t} "
                                                                                              "REFE"
                                                                                              "RENC"
                                                                                              "ES "
                                                                                              "api_"
                                                                                              "keys"
                                                                                              " ("
                                                                                              "id)"
                                                                                              "{tab"
                                                                                              "le};"
                                                                                              "\n"
                                                                                              "CREA"
                                                                                              "TE "
                                                                                              "TABL"
                                                                                              "E "
                                                                                              "audi"
                                                                                              "t_"
                                                                                              "head"
                                                                                              " ("
                                                                                              " id "
                                                                                              "{int"
                                                                                              "} "
                                                                                              "PRIM"
                                                                                              "ARY "
                                                                                              "KEY "
                                                                                              "CHEC"
                                                                                              "K "
                                                                                              "(id "
                                                                                              "= "
                                                                                              "1),"
                                                                                              " " COUNT(
                                                                                                  "serial") ","
                                                                                                            " " HOTKEY("hash") "{table};\n"
                                                                                                                               "CREATE TABLE audit ("
                                                                                                                               " serial {int} PRIMARY KEY CHECK (serial > 0),"
                                                                                                                               " " COUNT(
                                                                                                                                   "at_ms") ","
                                                                                                                                            " " TEXT("actor") ","
                                                                                                                                                              " " TEXT("act") ","
                                                                                                                                                                              " " TEXT("subject") ","
                                                                                                                                                                                                  " " TEXT("detail") ","
                                                                                                                                                                                                                     " " TEXT("correlation") ","
                                                                                                                                                                                                                                             " " HOTKEY("previous") ","
                                                                                                                                                                                                                                                                    " hash {blob} NOT NULL UNIQUE CHECK (length(hash) = 32)"
                                                                                                                                                                                                                                                                    "{table};\n"
                                                                                                                                                                                                                                                                    "CREATE TABLE small_values ("
                                                                                                                                                                                                                                                                    " name {text} PRIMARY KEY,"
                                                                                                                                                                                                                                                                    " value {blob} NOT NULL"
                                                                                                                                                                                                                                                                    "{table};\n"
                                                                                                                                                                                                                                                                    "--sqlite\n"
                                                                                                                                                                                                                                                                    "INSERT INTO audit_head (id, serial, hash) VALUES (1, 0, zeroblob(32));\n"
                                                                                                                                                                                                                                                                    "CREATE TRIGGER audit_stays BEFORE UPDATE ON audit"
                                                                                                                                                                                                                                                                    " BEGIN SELECT RAISE (ABORT, 'an act never changes'); END;\n"
                                                                                                                                                                                                                                                                    "CREATE TRIGGER audit_remains BEFORE DELETE ON audit"
                                                                                                                                                                                                                                                                    " BEGIN SELECT RAISE (ABORT, 'an act never goes'); END;\n"
                                                                                                                                                                                                                                                                    "--postgres\n"
                                                                                                                                                                                                                                                                    "INSERT INTO audit_head (id, serial, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));\n"
                                                                                                                                                                                                                                                                    "CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit"
                                                                                                                                                                                                                                                                    " FOR EACH ROW EXECUTE FUNCTION tally_row_stays();\n"
                                                                                                                                                                                                                                                                    "CREATE TRIGGER audit_remains BEFORE TRUNCATE ON audit"
                                                                                                                                                                                                                                                                    " FOR EACH STATEMENT EXECUTE FUNCTION tally_row_stays();\n"
                                                                                                                                                                                                                                                                    "--both\n";

static const tl_sql_migration schema[] = {
    {1, "epochs", epochs},        {2, "zipcodes", zipcodes}, {3, "submissions", submissions},
    {4, "votes", votes},          {5, "results", results},   {6, "work", work},
    {7, "access", access_tables},
};

const tl_sql_migration *tl__records_schema(size_t *count)
{
    *count = sizeof schema / sizeof *schema;
    return schema;
}
