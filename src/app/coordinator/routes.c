/* The routes, as data: what there is, for whom, within which limits, and every status that a handler gives. */
#include "app/coordinator/coordinator_internal.h"

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400, VOTE_LEN_MAX = 8 << 20 };

#define FORM_LEN_MAX                                                                               \
    (TL_INTAKE_OBJECT_LEN_MAX + ((uint64_t)1 << 20)) /* fields and heads beside the file */

#define EPOCH_ID                                                                                   \
    {                                                                                              \
        .name = "epochId", .in = TL_API_IN_PATH,                                                   \
        .schema = "{'$ref':'#/components/schemas/EpochId'}",                                       \
        .what = "The epoch: its start, YYYY-MM-DDTHH-MM-SS, in UTC."                               \
    }
#define LIMIT                                                                                      \
    {                                                                                              \
        .name = "limit", .in = TL_API_IN_QUERY,                                                    \
        .schema = "{'type':'integer','minimum':1,'maximum':200,'default':50}",                     \
        .what = "At most so many items."                                                           \
    }
#define CURSOR                                                                                     \
    {                                                                                              \
        .name = "cursor", .in = TL_API_IN_QUERY,                                                   \
        .schema = "{'type':'string','pattern':'^[A-Za-z0-9._:-]{1,128}$'}",                        \
        .what = "nextCursor of the page before."                                                   \
    }
#define HOTKEY                                                                                     \
    {                                                                                              \
        .name = "hotkey", .in = TL_API_IN_QUERY, .schema = "{'$ref':'#/components/schemas/Ss58'}", \
        .what = "The caller's own; asked for in the compat profile alone."                         \
    }
#define SIGNATURE                                                                                  \
    {                                                                                              \
        .name = "signature", .in = TL_API_IN_QUERY, .schema = "{'type':'string','maxLength':160}", \
        .what = "Of the commitment string; compat profile alone."                                  \
    }
#define TIMESTAMP                                                                                  \
    {                                                                                              \
        .name = "timestamp", .in = TL_API_IN_QUERY,                                                \
        .schema = "{'type':'integer','minimum':1600000000,'maximum':2147483647}",                  \
        .what = "Unix seconds of the commitment string; compat profile alone."                     \
    }
#define PART(n)                                                                                    \
    {                                                                                              \
        .name = "part" #n, .in = TL_API_IN_PATH, .schema = "{'type':'string','maxLength':255}",    \
        .what = "A part of the object's key."                                                      \
    }
#define EXPIRES                                                                                    \
    {                                                                                              \
        .name = "expires", .in = TL_API_IN_QUERY, .is_required = true,                             \
        .schema = "{'type':'string','pattern':'^[0-9]{1,12}$'}",                                   \
        .what = "Until when the URL holds, Unix seconds."                                          \
    }
#define URL_SIGNATURE                                                                              \
    {                                                                                              \
        .name = "signature", .in = TL_API_IN_QUERY, .is_required = true,                           \
        .schema = "{'type':'string','pattern':'^[0-9a-f]{64}$'}",                                  \
        .what = "Of the URL, by the coordinator."                                                  \
    }

static const tl_api_param compat_params[] = {HOTKEY, SIGNATURE, TIMESTAMP};
static const tl_api_param page_params[] = {LIMIT, CURSOR};
static const tl_api_param leaderboard_params[] = {
    LIMIT,
    {.name = "cursor",
     .in = TL_API_IN_QUERY,
     .schema = "{'type':'string','pattern':'^(0|[1-9][0-9]{0,17}):[0-9a-f]{64}$'}",
     .what = "nextCursor of the page before."},
};
/* Of lists that count their rows. */
static const tl_api_param serial_params[] = {
    LIMIT,
    {.name = "cursor",
     .in = TL_API_IN_QUERY,
     .schema = "{'type':'string','pattern':'^(0|[1-9][0-9]{0,17})$'}",
     .what = "nextCursor of the page before."},
};
static const tl_api_param epoch_params[] = {EPOCH_ID};
static const tl_api_param epoch_compat_params[] = {EPOCH_ID, HOTKEY, SIGNATURE, TIMESTAMP};
static const tl_api_param epoch_page_params[] = {
    EPOCH_ID,
    LIMIT,
    {.name = "cursor",
     .in = TL_API_IN_QUERY,
     .schema = "{'type':'string','pattern':'^(0|[1-9][0-9]{0,17})$'}",
     .what = "nextCursor of the page before."},
};
static const tl_api_param object4_params[] = {PART(1), PART(2), PART(3),
                                              PART(4), EXPIRES, URL_SIGNATURE};
static const tl_api_param object5_params[] = {PART(1), PART(2), PART(3),      PART(4),
                                              PART(5), EXPIRES, URL_SIGNATURE};

static const tl_api_param key_params[] = {
    {.name = "keyId",
     .in = TL_API_IN_PATH,
     .schema = "{'type':'string','pattern':'^[A-Za-z0-9_-]{1,64}$'}",
     .what = "The key's id."},
};

static const char *const current_strings[] = {"zipcode:assignment:current:{timestamp}", NULL};
static const char *const status_strings[] = {"zipcode:status:{epochId}:{timestamp}",
                                             "miner:status:{hotkey}:{epochId}:{timestamp}", NULL};
static const char *const validation_strings[] = {"zipcode:validation:{epochId}:{timestamp}", NULL};
static const char *const storage_strings[] = {"s3:data:access:{coldkey}:{hotkey}:{timestamp}",
                                              NULL};
static const char *const upload_strings[] = {"s3:validator:upload:{timestamp}", NULL};
static const char *const access_strings[] = {"s3:validator:access:{timestamp}", NULL};
static const char *const miner_strings[] = {"s3:validator:miner:{minerHotkey}:{timestamp}", NULL};

#define ONE(schema_name, text)                                                                     \
    {                                                                                              \
        {                                                                                          \
            .status = 200, .what = text, .schema = schema_name                                     \
        }                                                                                          \
    }

static const tl_api_reply info_replies[] = ONE("Info", "Who this service is.");
static const tl_api_reply structure_replies[] = ONE("Structure", "How objects are named.");
static const tl_api_reply commitments_replies[] = ONE("Commitments", "What may be signed.");
static const tl_api_reply rates_replies[] = ONE("Rates", "The limits that hold.");
static const tl_api_reply stats_replies[] = ONE("Stats", "Where the epoch stands.");
static const tl_api_reply epochs_replies[] = {
    {200, "Epochs, newest first.", "Epochs", NULL},
    {404, "The cursor is none of this list.", NULL, NULL},
};
static const tl_api_reply epoch_replies[] = ONE("Epoch", "The epoch.");
static const tl_api_reply leaderboard_replies[] = {
    {200, "Standings, by pay.", "Leaderboard", NULL},
    {404, "The cursor is none of this list.", NULL, NULL},
};
static const tl_api_reply results_replies[] = ONE("Results", "The result of the epoch.");
static const tl_api_reply submissions_replies[] = {
    {200, "Submissions that were acknowledged.", "Submissions", NULL},
    {409, "The epoch's submissions are not told yet.", NULL, NULL},
};
static const tl_api_reply current_replies[] = {
    {200, "The assignments of the epoch that runs.", "Assignments", NULL},
    {404, "No epoch is open.", NULL, NULL},
};
static const tl_api_reply old_assignments_replies[] = {
    {200, "The assignments of an epoch that is over.", "Assignments", NULL},
    {409, "The epoch has not ended.", NULL, NULL},
};
static const tl_api_reply status_replies[] = {
    {200, "Noted; of a whole upload: acknowledged for good.", "Reported", NULL},
    {404, "There is no such epoch.", NULL, NULL},
    {409, "Another end was reported before, or an object is not there as it is named.", NULL, NULL},
    {410, "The epoch is closed.", NULL, NULL},
};
static const tl_api_reply form_replies[] = ONE("Form", "A form that lets its holder upload.");
static const tl_api_reply access_replies[] = {
    {200, "Submissions that were acknowledged.", "Submissions", NULL},
    {404, "There is no such epoch.", NULL, NULL},
    {409, "The epoch's submissions are not told yet.", NULL, NULL},
};
static const tl_api_reply vote_replies[] = {
    {200, "Taken.", "Success", NULL},
    {409, "Another one was given, or it is not what was committed to.", NULL, NULL},
    {410, "It cannot be given in this stage of the epoch.", NULL, NULL},
};
static const tl_api_reply evidence_replies[] = ONE("EvidenceList", "The evidence, once closed.");
static const tl_api_reply ballots_replies[] = ONE("Ballots", "The ballots of this round.");
static const tl_api_reply object_replies[] = {
    {.status = 204, .what = "The object is there."},
    {404, "Objects lie on another server.", NULL, NULL},
    {403, "The form does not allow it.", NULL, NULL},
};
static const tl_api_reply bytes_replies[] = {
    {200, "The object.", NULL, "application/octet-stream"},
    {403, "The URL does not hold.", NULL, NULL},
};
static const tl_api_reply audit_replies[] = {
    {200, "Administrative acts, oldest first.", "Audit", NULL},
    {404, "The cursor is none of this list.", NULL, NULL},
};
static const tl_api_reply keys_replies[] = {
    {200, "Keys by id, without what they are.", "Keys", NULL},
    {404, "The cursor is none of this list.", NULL, NULL},
};
static const tl_api_reply new_key_replies[] = {
    {201, "The key, shown this once.", "NewKey", NULL},
};
static const tl_api_reply rotate_replies[] = {
    {201, "The key that takes its place, shown this once.", "NewKey", NULL},
    {409, "The key is revoked.", NULL, NULL},
};
static const tl_api_reply revoke_replies[] = {
    {.status = 204, .what = "The key is revoked."},
};
static const tl_api_reply token_replies[] = {
    {201, "The token, shown this once.", "NewToken", NULL},
};
static const tl_api_reply extend_replies[] = {
    {200, "The signed extension.", "Extension", NULL},
    {409, "The epoch's end has come.", NULL, NULL},
};
static const tl_api_reply void_replies[] = {
    {200, "The epoch is called off.", "Success", NULL},
    {409, "It is judged already.", NULL, NULL},
};

#define BY_HOTKEY(n, seconds)                                                                      \
    {                                                                                              \
        .count = (n), .window_s = (seconds), .by = TL_API_BY_HOTKEY                                \
    }

const tl_api_route tl__coordinator_routes[] = {
    /* for everybody */
    {.method = TL_API_GET,
     .path = "/api/v1/info",
     .id = "getInfo",
     .tag = "service",
     .summary = "Who this service is, and its clock.",
     TL_API_REPLIES(info_replies),
     .is_uncached = true,
     .handle = tl__coordinator_show_info},
    {.method = TL_API_GET,
     .path = "/structure-info",
     .id = "getStructureInfo",
     .tag = "service",
     .summary = "How objects are named.",
     TL_API_REPLIES(structure_replies),
     .handle = tl__coordinator_show_structure},
    {.method = TL_API_GET,
     .path = "/commitment-formats",
     .id = "getCommitmentFormats",
     .tag = "service",
     .summary = "What a caller signs.",
     TL_API_REPLIES(commitments_replies),
     .handle = tl__coordinator_show_commitments},
    {.method = TL_API_GET,
     .path = "/rate-limits",
     .id = "getRateLimits",
     .tag = "service",
     .summary = "The limits that hold.",
     TL_API_REPLIES(rates_replies),
     .handle = tl__coordinator_show_rates},
    {.method = TL_API_GET,
     .path = "/api/v1/zipcode-assignments/stats",
     .id = "getStats",
     .tag = "epochs",
     .summary = "Where the epoch stands, and how the last ones went.",
     .limits = {{.count = 30, .window_s = MINUTE_S, .by = TL_API_BY_ADDRESS}},
     TL_API_REPLIES(stats_replies),
     .handle = tl__coordinator_show_stats},
    {.method = TL_API_GET,
     .path = "/api/v1/epochs",
     .id = "listEpochs",
     .tag = "epochs",
     .summary = "Epochs, newest first.",
     TL_API_PARAMS(page_params),
     TL_API_REPLIES(epochs_replies),
     .handle = tl__coordinator_list_epochs},
    {.method = TL_API_GET,
     .path = "/api/v1/epochs/{epochId}",
     .id = "getEpoch",
     .tag = "epochs",
     .summary = "One epoch, with everything that may be known of it by now.",
     TL_API_PARAMS(epoch_params),
     TL_API_REPLIES(epoch_replies),
     .handle = tl__coordinator_show_epoch},
    {.method = TL_API_GET,
     .path = "/api/v1/epochs/{epochId}/results",
     .id = "getResults",
     .tag = "results",
     .summary = "The result of an epoch, with its findings.",
     TL_API_PARAMS(epoch_params),
     TL_API_REPLIES(results_replies),
     .handle = tl__coordinator_show_results},
    {.method = TL_API_GET,
     .path = "/api/v1/leaderboard",
     .id = "getLeaderboard",
     .tag = "results",
     .summary = "Standings over all epochs.",
     TL_API_PARAMS(leaderboard_params),
     TL_API_REPLIES(leaderboard_replies),
     .handle = tl__coordinator_show_leaderboard},

    /* for miners */
    {.method = TL_API_GET,
     .path = "/api/v1/zipcode-assignments/current",
     .id = "getAssignments",
     .tag = "miners",
     .summary = "What the epoch that runs asks for.",
     .auth = TL_API_MEMBER,
     .limits = {BY_HOTKEY(10, MINUTE_S)},
     TL_API_PARAMS(compat_params),
     TL_API_REPLIES(current_replies),
     .commitments = current_strings,
     .handle = tl__coordinator_show_assignments},
    {.method = TL_API_POST,
     .path = "/api/v1/zipcode-assignments/status",
     .id = "postStatus",
     .tag = "miners",
     .summary = "Report how an epoch goes; a whole upload is acknowledged.",
     .auth = TL_API_MEMBER,
     .limits = {BY_HOTKEY(5, MINUTE_S)},
     .body = TL_API_BODY_JSON,
     .body_schema = "Report",
     TL_API_REPLIES(status_replies),
     .commitments = status_strings,
     .handle = tl__coordinator_take_status},
    {.method = TL_API_POST,
     .path = "/get-folder-access",
     .id = "getFolderAccess",
     .tag = "miners",
     .summary = "A form to upload with, for a day.",
     .auth = TL_API_MEMBER,
     .limits = {{.count = 20,
                 .count_validator = 10000,
                 .window_s = DAY_S,
                 .by = TL_API_BY_HOTKEY,
                 .group = "storage"},
                {.count = 200000, .window_s = DAY_S, .by = TL_API_BY_ALL, .group = "storage"}},
     .body = TL_API_BODY_JSON,
     .body_schema = "FolderRequest",
     .is_body_optional = true,
     TL_API_REPLIES(form_replies),
     .commitments = storage_strings,
     .is_uncached = true,
     .handle = tl__coordinator_lend_folder},
    {.method = TL_API_GET,
     .path = "/api/v1/epochs/{epochId}/submissions",
     .id = "listSubmissions",
     .tag = "miners",
     .summary = "Acknowledged submissions: a miner's own, to validators all.",
     .auth = TL_API_MEMBER,
     TL_API_PARAMS(epoch_page_params),
     TL_API_REPLIES(submissions_replies),
     .is_uncached = true,
     .handle = tl__coordinator_list_submissions},

    /* for validators */
    {.method = TL_API_GET,
     .path = "/api/v1/zipcode-assignments/epoch/{epochId}",
     .id = "getEpochAssignments",
     .tag = "validators",
     .summary = "What an epoch that is over asked for, with its nonce.",
     .auth = TL_API_VALIDATOR,
     TL_API_PARAMS(epoch_compat_params),
     TL_API_REPLIES(old_assignments_replies),
     .commitments = validation_strings,
     .handle = tl__coordinator_show_epoch_assignments},
    {.method = TL_API_POST,
     .path = "/api/v1/s3-access/validator-upload",
     .id = "getValidatorUpload",
     .tag = "validators",
     .summary = "A form to upload results with.",
     .auth = TL_API_VALIDATOR,
     .limits = {BY_HOTKEY(5, HOUR_S)},
     .body = TL_API_BODY_JSON,
     .body_schema = "UploadRequest",
     TL_API_REPLIES(form_replies),
     .commitments = upload_strings,
     .is_uncached = true,
     .handle = tl__coordinator_lend_validator_upload},
    {.method = TL_API_POST,
     .path = "/get-validator-access",
     .id = "getValidatorAccess",
     .tag = "validators",
     .summary = "An epoch's submissions, with URLs to read them.",
     .auth = TL_API_VALIDATOR,
     .limits = {{.count = 10000, .window_s = DAY_S, .by = TL_API_BY_HOTKEY, .group = "storage"},
                {.count = 200000, .window_s = DAY_S, .by = TL_API_BY_ALL, .group = "storage"}},
     .body = TL_API_BODY_JSON,
     .body_schema = "AccessRequest",
     .is_body_optional = true,
     TL_API_REPLIES(access_replies),
     .commitments = access_strings,
     .is_uncached = true,
     .handle = tl__coordinator_list_for_validator},
    {.method = TL_API_POST,
     .path = "/get-miner-specific-access",
     .id = "getMinerSpecificAccess",
     .tag = "validators",
     .summary = "One miner's submission, with URLs to read it.",
     .auth = TL_API_VALIDATOR,
     .limits = {{.count = 10000, .window_s = DAY_S, .by = TL_API_BY_HOTKEY, .group = "storage"},
                {.count = 200000, .window_s = DAY_S, .by = TL_API_BY_ALL, .group = "storage"}},
     .body = TL_API_BODY_JSON,
     .body_schema = "MinerAccessRequest",
     TL_API_REPLIES(access_replies),
     .commitments = miner_strings,
     .is_uncached = true,
     .handle = tl__coordinator_list_of_miner},
    {.method = TL_API_POST,
     .path = "/api/v1/epochs/{epochId}/contribution",
     .id = "postContribution",
     .tag = "validators",
     .summary = "A secret for the beacon: committed before the end, shown after it.",
     .auth = TL_API_VALIDATOR,
     TL_API_PARAMS(epoch_params),
     .body = TL_API_BODY_JSON,
     .body_schema = "Contribution",
     TL_API_REPLIES(vote_replies),
     .handle = tl__coordinator_take_contribution},
    {.method = TL_API_POST,
     .path = "/api/v1/epochs/{epochId}/evidence",
     .id = "postEvidence",
     .tag = "validators",
     .summary = "What a validator found out about the world.",
     .auth = TL_API_VALIDATOR,
     TL_API_PARAMS(epoch_params),
     .body = TL_API_BODY_JSON,
     .body_schema = "Evidence",
     .body_len_max = VOTE_LEN_MAX,
     TL_API_REPLIES(vote_replies),
     .handle = tl__coordinator_take_evidence},
    {.method = TL_API_GET,
     .path = "/api/v1/epochs/{epochId}/evidence",
     .id = "listEvidence",
     .tag = "validators",
     .summary = "Every validator's evidence, once it is closed.",
     .auth = TL_API_VALIDATOR,
     TL_API_PARAMS(epoch_params),
     TL_API_REPLIES(evidence_replies),
     .handle = tl__coordinator_list_evidence},
    {.method = TL_API_POST,
     .path = "/api/v1/epochs/{epochId}/results",
     .id = "postResults",
     .tag = "validators",
     .summary = "A result: committed first, shown when all have committed.",
     .auth = TL_API_VALIDATOR,
     TL_API_PARAMS(epoch_params),
     .body = TL_API_BODY_JSON,
     .body_schema = "Ballot",
     .body_len_max = VOTE_LEN_MAX,
     TL_API_REPLIES(vote_replies),
     .handle = tl__coordinator_take_results},
    {.method = TL_API_GET,
     .path = "/api/v1/epochs/{epochId}/ballots",
     .id = "listBallots",
     .tag = "validators",
     .summary = "The ballots of the round that runs, as they may be seen.",
     .auth = TL_API_VALIDATOR,
     TL_API_PARAMS(epoch_params),
     TL_API_REPLIES(ballots_replies),
     .handle = tl__coordinator_list_ballots},

    /* the folder store's own door */
    {.method = TL_API_POST,
     .path = "/objects",
     .id = "postObject",
     .tag = "objects",
     .summary = "Upload with a form.",
     .body = TL_API_BODY_FILE,
     .body_media = "multipart/form-data",
     .body_schema = "ObjectForm",
     .body_len_max = FORM_LEN_MAX,
     TL_API_REPLIES(object_replies),
     .handle = tl__coordinator_take_object},
    {.method = TL_API_GET,
     .path = "/objects/{part1}/{part2}/{part3}/{part4}",
     .id = "getObject",
     .tag = "objects",
     .summary = "Read an object by a presigned URL.",
     TL_API_PARAMS(object4_params),
     TL_API_REPLIES(bytes_replies),
     .is_uncached = true,
     .handle = tl__coordinator_give_object},
    {.method = TL_API_GET,
     .path = "/objects/{part1}/{part2}/{part3}/{part4}/{part5}",
     .id = "getDeepObject",
     .tag = "objects",
     .summary = "Read an object by a presigned URL.",
     TL_API_PARAMS(object5_params),
     TL_API_REPLIES(bytes_replies),
     .is_uncached = true,
     .handle = tl__coordinator_give_deep_object},

    /* for people */
    {.method = TL_API_GET,
     .path = "/api/v1/admin/audit",
     .id = "listAudit",
     .tag = "admin",
     .summary = "Administrative acts, each bound to the one before.",
     .auth = TL_API_VIEWER,
     TL_API_PARAMS(serial_params),
     TL_API_REPLIES(audit_replies),
     .is_uncached = true,
     .handle = tl__coordinator_list_audit},
    {.method = TL_API_GET,
     .path = "/api/v1/admin/keys",
     .id = "listKeys",
     .tag = "admin",
     .summary = "API keys.",
     .auth = TL_API_ADMIN,
     TL_API_PARAMS(page_params),
     TL_API_REPLIES(keys_replies),
     .is_uncached = true,
     .handle = tl__coordinator_list_keys},
    {.method = TL_API_POST,
     .path = "/api/v1/admin/keys",
     .id = "createKey",
     .tag = "admin",
     .summary = "A new API key.",
     .auth = TL_API_ADMIN,
     .body = TL_API_BODY_JSON,
     .body_schema = "KeyRequest",
     TL_API_REPLIES(new_key_replies),
     .is_uncached = true,
     .handle = tl__coordinator_make_key},
    {.method = TL_API_POST,
     .path = "/api/v1/admin/keys/{keyId}/rotate",
     .id = "rotateKey",
     .tag = "admin",
     .summary = "A new key in the place of one, which is revoked.",
     .auth = TL_API_ADMIN,
     TL_API_PARAMS(key_params),
     TL_API_REPLIES(rotate_replies),
     .is_uncached = true,
     .handle = tl__coordinator_rotate_key},
    {.method = TL_API_DELETE,
     .path = "/api/v1/admin/keys/{keyId}",
     .id = "revokeKey",
     .tag = "admin",
     .summary = "Revoke a key.",
     .auth = TL_API_ADMIN,
     TL_API_PARAMS(key_params),
     TL_API_REPLIES(revoke_replies),
     .handle = tl__coordinator_revoke_key},
    {.method = TL_API_POST,
     .path = "/api/v1/admin/tokens",
     .id = "createToken",
     .tag = "admin",
     .summary = "A token for a person.",
     .auth = TL_API_ADMIN,
     .body = TL_API_BODY_JSON,
     .body_schema = "TokenRequest",
     TL_API_REPLIES(token_replies),
     .is_uncached = true,
     .handle = tl__coordinator_make_token},
    {.method = TL_API_POST,
     .path = "/api/v1/admin/epochs/{epochId}/extend",
     .id = "extendEpoch",
     .tag = "admin",
     .summary = "Lengthen an epoch, in an emergency.",
     .auth = TL_API_OPERATOR,
     TL_API_PARAMS(epoch_params),
     .body = TL_API_BODY_JSON,
     .body_schema = "ExtendRequest",
     TL_API_REPLIES(extend_replies),
     .handle = tl__coordinator_extend_epoch},
    {.method = TL_API_POST,
     .path = "/api/v1/admin/epochs/{epochId}/void",
     .id = "voidEpoch",
     .tag = "admin",
     .summary = "Call an epoch off.",
     .auth = TL_API_ADMIN,
     TL_API_PARAMS(epoch_params),
     .body = TL_API_BODY_JSON,
     .body_schema = "VoidRequest",
     TL_API_REPLIES(void_replies),
     .handle = tl__coordinator_void_epoch},
};

const size_t tl__coordinator_route_count =
    sizeof tl__coordinator_routes / sizeof tl__coordinator_routes[0];
