/* The shapes of what comes and goes, as JSON Schema. ' stands for ". */
#include "app/coordinator/coordinator_internal.h"

#define TEXT          "{'type':'string'}"
#define TEXT_NULL     "{'type':['string','null']}"
#define FIELD         "{'type':'string','minLength':1,'maxLength':1024}"
#define COUNT         "{'type':'integer','minimum':0}"
#define TIME          "{'type':'string','format':'date-time'}"
#define TIME_NULL     "{'type':['string','null'],'format':'date-time'}"
#define HEX64         "{'type':'string','pattern':'^[0-9a-f]{64}$'}"
#define HEX64_NULL    "{'type':['string','null'],'pattern':'^[0-9a-f]{64}$'}"
#define REF(name)     "{'$ref':'#/components/schemas/" name "'}"
#define LIST_OF(name) "{'type':'array','items':" REF(name) "}"
#define ANY_LIST      "{'type':'array','items':{}}"

/* Of compat requests, which carry their signature in query or body. */
#define SIGNED                                                                                     \
    "'hotkey':" REF("Ss58") ",'coldkey':" REF(                                                     \
        "Ss58") ",'signature':{'type':'string',"                                                   \
                "'maxLength':160},'timestamp':{'type':'integer','minimum':1600000000,'maximum':"   \
                "2147483647}"

#define EPOCH_HEAD                                                                                 \
    "'epochId':" REF("EpochId") ",'status':{'type':'string','enum':['PENDING','ACTIVE',"           \
                                "'COMPLETED','ARCHIVED']},'state':{'type':'string','enum':['"      \
                                "pending','open','reveal',"                                        \
                                "'scoring','agreed','settled','archived','extended','failed']},'"  \
                                "epochStart':" TIME ",'epochEnd':" TIME                            \
                                ",'submissionDeadline':" TIME ",'nonceCommit':" HEX64              \
                                ",'nonce':" TEXT_NULL
#define EPOCH_REQUIRED                                                                             \
    "'epochId','status','state','epochStart','epochEnd','submissionDeadline','nonceCommit','"      \
    "nonce'"

const tl_api_schema tl__coordinator_schemas[] = {
    {"EpochId",
     "{'type':'string','pattern':'^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}$',"
     "'examples':['2025-10-03T12-00-00']}"},
    {"Ss58", "{'type':'string','minLength':46,'maxLength':50,'pattern':'^[1-9A-HJ-NP-Za-km-z]+$'}"},
    {"Success", "{'type':'object','required':['success'],'properties':{'success':{'const':true}}}"},
    {"Zipcode",
     "{'type':'object','required':['zipcode','expectedListings','state','city','county',"
     "'marketTier','geographicRegion'],'properties':{'zipcode':{'type':'string',"
     "'pattern':'^[0-9]{5}$'},'expectedListings':" COUNT ",'state':" TEXT ",'city':" TEXT
     ",'county':" TEXT ",'marketTier':{'type':'string','enum':['PREMIUM','STANDARD','EMERGING']},"
     "'geographicRegion':" TEXT "}}"},
    {"Assignments",
     "{'type':'object','required':['success','epochId','epochStart','epochEnd','nonceCommit',"
     "'targetListings','tolerancePercent','submissionDeadline','zipcodes','metadata'],"
     "'properties':{'success':{'const':true},'epochId':" REF(
         "EpochId") ",'epochStart':" TIME ",'epochEnd':" TIME ",'nonce':" TEXT
                    ",'nonceCommit':" HEX64 ",'targetListings':" COUNT ",'tolerancePercent':" COUNT
                    ",'submissionDeadline':" TIME ",'zipcodes':" LIST_OF(
                        "Zipcode") ",'metadata':{'type':'object','required':['"
                                   "totalExpectedListings','zipcodeCount',"
                                   "'algorithmVersion','selectionSeed'],'properties':{'"
                                   "totalExpectedListings':" COUNT ",'zipcodeCount':" COUNT
                                   ",'algorithmVersion':" TEXT ",'selectionSeed':" TEXT "}}}}"},
    {"Stats",
     "{'type':'object','required':['epochStatus','zipcodeStatistics','recentPerformance'],"
     "'properties':{'epochStatus':{'type':'object','required':['currentEpoch','timing',"
     "'nextEpoch'],'properties':{'currentEpoch':{'type':['object','null']},'timing':{'type':"
     "'object'},'nextEpoch':{'type':'object'}}},'zipcodeStatistics':{'type':'object',"
     "'required':['zipcodeCount','totalExpectedListings','byMarketTier','byGeographicRegion']},"
     "'recentPerformance':{'type':'array','items':{'type':'object','required':['epochId',"
     "'status','rate','submissions']}}}}"},
    {"Report",
     "{'type':'object','required':['epochId','status'],'properties':{" SIGNED ",'epochId':" REF(
         "EpochId") ",'status':{'type':'string','enum':['IN_PROGRESS','COMPLETED',"
                    "'FAILED','TIMEOUT']},'nonce':{'type':'string','maxLength':64},'"
                    "listingsScraped':{'type':"
                    "'integer','minimum':0,'maximum':4294967295},'zipcodesCompleted':{'type':'"
                    "array',"
                    "'maxItems':1024,'items':{'type':'object','required':['zipcode'],'properties':{"
                    "'zipcode':"
                    "{'type':'string','pattern':'^[0-9]{5}$'},'listingsScraped':{'type':'integer','"
                    "minimum':0,"
                    "'maximum':4294967295},'completedAt':{'type':['string','integer','null']}}}},"
                    "'s3UploadComplete':{'type':'boolean'},'s3UploadTimestamp':{'type':['string','"
                    "integer',"
                    "'null']}}}"},
    {"Reported",
     "{'type':'object','required':['success'],'properties':{'success':{'const':true},"
     "'submission':{'type':'object','required':['contentHash','receivedAt','objects'],"
     "'properties':{'contentHash':" HEX64 ",'receivedAt':" TIME ",'objects':" COUNT "}}}}"},
    {"FolderRequest",
     "{'type':'object','properties':{" SIGNED ",'expiry':{'type':['integer','null']}}}"},
    {"UploadRequest",
     "{'type':'object','required':['epochId'],'properties':{" SIGNED ",'epochId':" REF(
         "EpochId") ",'purpose':{'type':'string','maxLength':64},'estimatedDataSizeMb':{'type':'"
                    "number',"
                    "'minimum':0},'retentionDays':{'type':'integer','minimum':1,'maximum':180}}}"},
    {"AccessRequest", "{'type':'object','properties':{" SIGNED
                      ",'epochId':" REF("EpochId") ",'limit':{'type':'integer','minimum':1,'"
                                                   "maximum':200},'cursor':{'type':'string',"
                                                   "'pattern':'^(0|[1-9][0-9]{0,17})$'}}}"},
    {"MinerAccessRequest",
     "{'type':'object','required':['minerHotkey'],'properties':{" SIGNED ",'minerHotkey':" REF(
         "Ss58") ",'epochId':" REF("EpochId") ",'limit':{'type':'integer','minimum':1,'maximum':"
                                              "200},'cursor':{'type':'string',"
                                              "'pattern':'^(0|[1-9][0-9]{0,17})$'}}}"},
    {"Form",
     "{'type':'object','required':['success','url','fields','folder','expiry','minBytes',"
     "'maxBytes'],'properties':{'success':{'const':true},'url':" TEXT ",'fields':{'type':'object',"
     "'additionalProperties':" TEXT "},'folder':" TEXT ",'expiry':" TIME ",'minBytes':" COUNT
     ",'maxBytes':" COUNT "}}"},
    {"ObjectForm",
     "{'type':'object','required':['key','policy','x-amz-algorithm','x-amz-credential',"
     "'x-amz-date','x-amz-signature','file'],'additionalProperties':false,'properties':{'key'"
     ":" FIELD ",'policy':{'type':'string','minLength':1,'maxLength':4096},'x-amz-algorithm':" FIELD
     ",'x-amz-credential':" FIELD ",'x-amz-date':" FIELD ",'x-amz-signature':" FIELD
     ",'Content-Type':" FIELD ",'success_action_status':" FIELD
     ",'file':{'type':'string','format':'binary','minLength':1}}}"},
    {"SubmissionObject",
     "{'type':'object','required':['key','zipcode','sha256','bytes','rows','url'],'properties':{"
     "'key':" TEXT ",'zipcode':" TEXT ",'sha256':" HEX64 ",'bytes':" COUNT ",'rows':" COUNT
     ",'url':" TEXT "}}"},
    {"Submission",
     "{'type':'object','required':['epochId','hotkey','coldkey','uid','contentHash','receivedAt',"
     "'receivedMs','objects'],'properties':{'epochId':" REF("EpochId") ",'hotkey':" REF(
         "Ss58") ",'coldkey':" REF("Ss58") ",'uid':" COUNT ",'contentHash':" HEX64
                                           ",'receivedAt':" TIME ",'receivedMs':" COUNT
                                           ",'correlationId':" TEXT
                                           ",'objects':" LIST_OF("SubmissionObject") "}}"},
    {"Submissions",
     "{'type':'object','required':['success','epochId','items','nextCursor'],'properties':{"
     "'success':{'const':true},'epochId':" REF("EpochId") ",'items':" LIST_OF(
         "Submission") ",'nextCursor':" TEXT_NULL "}}"},
    {"EpochSummary",
     "{'type':'object','required':[" EPOCH_REQUIRED "],'properties':{" EPOCH_HEAD "}}"},
    {"Epochs", "{'type':'object','required':['items','nextCursor'],'properties':{'items':" LIST_OF(
                   "EpochSummary") ",'nextCursor':" TEXT_NULL "}}"},
    {"Epoch",
     "{'type':'object','required':[" EPOCH_REQUIRED ",'beacon','profile','selectionSeed',"
     "'drawCommit','drawSecret','targetListings','tolerancePercent','stage','round','windows',"
     "'contributions','honeypotZipcodes','zipcodes','extensions','carry','parameters',"
     "'transitions'],'properties':{" EPOCH_HEAD ",'beacon':" HEX64_NULL ",'profile':{'type':"
     "'string','enum':['tally','compat']},'selectionSeed':" TEXT_NULL ",'drawCommit':" TEXT_NULL
     ",'drawSecret':" TEXT_NULL ",'targetListings':" COUNT ",'tolerancePercent':" COUNT
     ",'stage':{'type':['string','null'],'enum':['evidence','commits','results',null]},"
     "'round':{'type':'integer','minimum':1,'maximum':2},'windows':{'type':'object',"
     "'required':['revealUntil','evidenceUntil','commitUntil','resultsUntil'],'properties':{"
     "'revealUntil':" TIME ",'evidenceUntil':" TIME ",'commitUntil':" TIME ",'resultsUntil':" TIME
     "}},'contributions':{'type':'array','items':{'type':'object','required':['hotkey','commit',"
     "'secret'],'properties':{'hotkey':" REF(
         "Ss58") ",'commit':" HEX64 ",'secret':" TEXT_NULL
                 "}}},'honeypotZipcodes':{'type':['array','null'],'items':" TEXT
                 "},'zipcodes':{'type':"
                 "['array','null'],'items':" REF("Zipcode") "},'extensions':" LIST_OF(
                     "Extension") ",'carry':{'type':['object','null']},'parameters':{'type':'"
                                  "object'},'transitions':{'type':"
                                  "'array','items':{'type':'object','required':['from','to','cause'"
                                  ",'at']}}}}"},
    {"Extension",
     "{'type':'object','required':['epochId','seconds','reason','submissionDeadline','signedAt',"
     "'hotkey','signature'],'properties':{'epochId':" REF(
         "EpochId") ",'seconds':" COUNT ",'reason':" TEXT ",'submissionDeadline':" TIME
                    ",'signedAt':" TIME ",'hotkey':" REF(
                        "Ss58") ",'signature':" TEXT ",'delegation':{'type':['object','null']}}}"},
    {"Results",
     "{'type':'object','required':['epochId','status','rate','hash','validators','outliers',"
     "'uids','weights','winners','findings'],'properties':{'epochId':" REF(
         "EpochId") ",'status':" TEXT
                    ",'rate':{'type':'number','minimum':0,'maximum':1},'hash':" HEX64_NULL
                    ",'evidenceRoot':" HEX64_NULL ",'scoreRoot':" HEX64_NULL
                    ",'weightRoot':" HEX64_NULL
                    ",'pays':{'type':'boolean'},'needsReview':{'type':'boolean'},'round':" COUNT
                    ",'validators':{'type':'array','items':{'type':'object','required':['hotkey','"
                    "stakeRao',"
                    "'hash']}},'outliers':{'type':'array','items':{'type':'object','required':['"
                    "hotkey',"
                    "'section']}},'uids':{'type':'array','items':" COUNT
                    "},'weights':{'type':'array','items':" COUNT "},'winners':" ANY_LIST
                    ",'findings':" ANY_LIST ",'scoreboard':" ANY_LIST ",'held':" ANY_LIST
                    ",'strikes':" ANY_LIST ",'streaks':" ANY_LIST "}}"},
    {"Leaderboard",
     "{'type':'object','required':['items','nextCursor'],'properties':{'items':{'type':'array',"
     "'items':{'type':'object','required':['hotkey','coldkey','uid','epochs','wins','listings',"
     "'scoreMillionths','rewardRao','lastEpochId'],'properties':{'hotkey':" REF(
         "Ss58") ",'coldkey':" REF("Ss58") ",'uid':" COUNT ",'epochs':" COUNT ",'wins':" COUNT
                                           ",'listings':" COUNT ",'scoreMillionths':" COUNT
                                           ",'rewardRao':" COUNT ",'lastEpochId':" TEXT "}}},"
                                           "'nextCursor':" TEXT_NULL "}}"},
    {"Info",
     "{'type':'object','required':['hotkey','netuid','subnet','profile','version','epochSeconds',"
     "'time'],'properties':{'hotkey':" REF(
         "Ss58") ",'netuid':" COUNT ",'subnet':" TEXT
                 ",'profile':{'type':'string','enum':['tally','compat']},'version':" TEXT
                 ",'epochSeconds':" COUNT ",'validatorStakeRao':" COUNT ",'time':" TIME "}}"},
    {"Structure",
     "{'type':'object','required':['folder','submission','object','metadata','minBytes',"
     "'maxBytes','maxObjects']}"},
    {"Commitments",
     "{'type':'object','required':['protocol','takesCommitments','formats'],'properties':{"
     "'protocol':" TEXT ",'takesCommitments':{'type':'boolean'},'formats':{'type':'object',"
     "'additionalProperties':" TEXT "}}}"},
    {"Rates",
     "{'type':'object','required':['limited','factor','limits'],'properties':{'limited':{'type':"
     "'boolean'},'factor':{'type':'number'},'limits':{'type':'array','items':{'type':'object',"
     "'required':['method','path','by','count','countValidator','windowSeconds']}}}}"},
    {"Contribution",
     "{'type':'object','oneOf':[{'required':['commit']},{'required':['secret']}],"
     "'properties':{'hotkey':" REF(
         "Ss58") ",'commit':" HEX64 ",'secret':{'type':'string','minLength':16,'maxLength':128}}}"},
    {"Evidence",
     "{'type':'object','required':['epochId','items','noEvidenceRate'],'properties':{'epochId'"
     ":" REF("EpochId") ",'items':{'type':'array','items':{'type':'object','required':['hotkey',"
                        "'zipcode','contentHash','verdicts','honeypots']}},'noEvidenceRate':{'type'"
                        ":'integer',"
                        "'minimum':0,'maximum':1000000}}}"},
    {"EvidenceList",
     "{'type':'object','required':['closed','items'],'properties':{'closed':{'type':'boolean'},"
     "'items':{'type':'array','items':{'type':'object','required':['hotkey','stakeRao','sha256',"
     "'evidence'],'properties':{'hotkey':" REF("Ss58") ",'stakeRao':" COUNT ",'sha256':" HEX64
                                                       ",'evidence':{'anyOf':[" REF(
                                                           "Evidence") ",{'type':'null'}]}}}}}}"},
    {"BallotCommit", "{'type':'object','required':['commit'],'properties':{'hotkey':" REF(
                         "Ss58") ",'commit':" HEX64 "}}"},
    {"BallotReveal",
     "{'type':'object','required':['hash','salt'],'properties':{'hotkey':" REF(
         "Ss58") ",'hash':" HEX64
                 ",'salt':{'type':'string','minLength':16,'maxLength':128,'pattern':"
                 "'^[!-~]+$'},'evidenceRoot':" HEX64 ",'scoreRoot':" HEX64 ",'weightRoot':" HEX64
                 ",'uids':{'type':'array','maxItems':65536,'items':{'type':'integer','minimum':0,"
                 "'maximum':65535}},'weights':{'type':'array','maxItems':65536,'items':{'type':'"
                 "integer',"
                 "'minimum':0,'maximum':65535}},'winners':" ANY_LIST ",'findings':" ANY_LIST
                 ",'scoreboard':" ANY_LIST ",'held':" ANY_LIST ",'strikes':" ANY_LIST "}}"},
    {"Ballot", "{'anyOf':[" REF("BallotCommit") "," REF("BallotReveal") "]}"},
    {"Ballots",
     "{'type':'object','required':['epochId','state','round','commitsClosed','resultsClosed',"
     "'items'],'properties':{'epochId':" REF(
         "EpochId") ",'state':" TEXT ",'round':" COUNT
                    ",'commitsClosed':{'type':'boolean'},'resultsClosed':{'type':'boolean'},'items'"
                    ":{'type':"
                    "'array','items':{'type':'object','required':['hotkey','stakeRao','commit','"
                    "revealed'],"
                    "'properties':{'hotkey':" REF(
                        "Ss58") ",'stakeRao':" COUNT ",'commit':" HEX64
                                ",'revealed':{'type':'boolean'},'hash':" HEX64
                                ",'evidenceRoot':" HEX64 ",'scoreRoot':" HEX64
                                ",'weightRoot':" HEX64 ",'salt':" TEXT
                                ",'uids':{'type':'array'},'weights':{'type':'array'}}}}}}"},
    {"Audit",
     "{'type':'object','required':['items','nextCursor'],'properties':{'items':{'type':'array',"
     "'items':{'type':'object','required':['serial','at','actor','act','subject','detail',"
     "'correlationId','previous','hash'],'properties':{'serial':" COUNT ",'at':" TIME_NULL
     ",'actor':" TEXT ",'act':" TEXT ",'subject':" TEXT ",'detail':{},'correlationId':" TEXT
     ",'previous':" HEX64 ",'hash':" HEX64 "}}},'nextCursor':" TEXT_NULL "}}"},
    {"Key",
     "{'type':'object','required':['id','scopes','label','createdAt','expiresAt','revokedAt',"
     "'replaces'],'properties':{'id':" TEXT ",'scopes':" TEXT ",'label':" TEXT
     ",'createdAt':" TIME_NULL ",'expiresAt':" TIME_NULL ",'revokedAt':" TIME_NULL
     ",'replaces':" TEXT_NULL "}}"},
    {"Keys", "{'type':'object','required':['items','nextCursor'],'properties':{'items':" LIST_OF(
                 "Key") ",'nextCursor':" TEXT_NULL "}}"},
    {"KeyRequest",
     "{'type':'object','required':['scopes'],'properties':{'scopes':{'type':'string','pattern':"
     "'^(read( operate)?( admin)?|operate( "
     "admin)?|admin)$','maxLength':64},'label':{'type':'string',"
     "'maxLength':100}}}"},
    {"NewKey", "{'type':'object','required':['id','key','expiresAt'],'properties':{'id':" TEXT
               ",'key':" TEXT ",'expiresAt':" TIME_NULL "}}"},
    {"TokenRequest",
     "{'type':'object','required':['role'],'properties':{'role':{'type':'string','enum':['viewer',"
     "'operator','admin']},'ttlSeconds':{'type':'integer','minimum':1,'maximum':2592000}}}"},
    {"NewToken", "{'type':'object','required':['token','expiresAt'],'properties':{'token':" TEXT
                 ",'expiresAt':" TIME "}}"},
    {"ExtendRequest",
     "{'type':'object','required':['seconds','reason'],'properties':{'seconds':{'type':'integer',"
     "'minimum':1,'maximum':86400},'reason':{'type':'string','minLength':1,'maxLength':500}}}"},
    {"VoidRequest", "{'type':'object','required':['reason'],'properties':{'reason':{'type':"
                    "'string','minLength':1,'maxLength':500}}}"},
};

const size_t tl__coordinator_schema_count =
    sizeof tl__coordinator_schemas / sizeof tl__coordinator_schemas[0];
