/* What the tests of this room share: a dendrite of //Bob with a world of its own, targets, messages, scripted axons. */
#ifndef TALLY_SDK_DENDRITE_TEST_SUPPORT_H
#define TALLY_SDK_DENDRITE_TEST_SUPPORT_H

#include "base/json/json.h"
#include "io/net/client/test/scripted.h"
#include "sdk/dendrite/dendrite_internal.h"

#define ALICE   "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define BOB     "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
#define CHARLIE "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y"
#define DAVE    "5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy"

typedef struct party_kit {
    tl_arena *arena;
    tl_keypair *key;
    tl_dendrite *dendrite;
    tl_synapse_defs defs;
    tl_manual_clock time;
    tl_dendrite_options options;
} party_kit;

/* Options may be filled before; the key and, where has_clock, a manual clock are put in. */
void kit_start(party_kit *kit, bool has_clock);
void kit_stop(party_kit *kit);

/* The echo set's message of that name, its fields from JSON. */
tl_synapse *kit_message(party_kit *kit, const char *name, const char *json);
tl_dendrite_query kit_v10(const tl_synapse *synapse);
tl_dendrite_query kit_raw(const char *family, const char *target, const char *body);
tl_dendrite_target kit_target(const scripted *server, const char *hotkey);

const tl_json *kit_golden(tl_arena *arena);
tl_str kit_text(const tl_json *object, const char *key); /* "" for null */

#define JSON_OK "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"

#endif
