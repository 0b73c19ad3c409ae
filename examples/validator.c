/* A validator: asks miners to repeat a text, scores what came back, and prints the weights that it would set.
 *
 *     cc validator.c -o validator $(pkg-config --cflags --libs tally)
 *     ./validator //Bob 127.0.0.1:8091:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY …
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tally/tally.h>

enum { MINERS_MAX = 256 };

/* 1 for a right answer, less the longer it took; 0 for a wrong one or none. */
static float score(const tally_replies *replies, size_t i)
{
    const char *const out = tally_reply_text(replies, i, "out");
    const bool is_right =
        tally_reply_is_ok(replies, i) && out != NULL && strcmp(out, "hihihi") == 0;
    return is_right ? 1.0f / (1.0f + (float)tally_reply_seconds(replies, i)) : 0.0f;
}

static int print_weights(const tally_replies *replies, tally_error *error)
{
    float weights[MINERS_MAX];
    int64_t uids[MINERS_MAX];
    uint16_t out_uids[MINERS_MAX], out_values[MINERS_MAX];
    const size_t count = tally_replies_count(replies);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        weights[i] = score(replies, i);
        uids[i] = (int64_t)i;
        fprintf(stderr, "miner %zu: %d %s\n", i, tally_reply_status(replies, i),
                tally_reply_message(replies, i));
    }
    int code = tally_weights_normalize(weights, weights, count, 1.0, error);
    if (code == 0) {
        code = tally_weights_emit(out_uids, out_values, &kept, uids, weights, count, error);
    }
    for (size_t i = 0; i < kept && code == 0; i++) {
        printf("%u %u\n", (unsigned)out_uids[i], (unsigned)out_values[i]);
    }
    return code;
}

int main(int argc, char **argv)
{
    tally_error error = {0};
    tally_key *key = NULL;
    tally_synapses *synapses = NULL;
    tally_dendrite *dendrite = NULL;
    tally_replies *replies = NULL;
    tally_query query = TALLY_QUERY_INIT;
    if (argc < 3 || argc - 2 > MINERS_MAX) {
        fprintf(stderr, "usage: %s KEY HOST:PORT:SS58...\n", argv[0]);
        return 2;
    }
    int code = tally_key_from_uri(&key, argv[1], NULL, &error);
    code = code != 0 ? code : tally_synapses_new(&synapses, NULL, &error);
    code = code != 0 ? code : tally_dendrite_new(&dendrite, key, &error);
    query.synapses = synapses;
    query.synapse = "Echo";
    query.input = "{\"a\": 3, \"text\": \"hi\"}";
    query.timeout_s = 5.0;
    code = code != 0 ? code
                     : tally_dendrite_ask(dendrite, &replies, (const char *const *)&argv[2],
                                          (size_t)argc - 2, &query, &error);
    code = code != 0 ? code : print_weights(replies, &error);
    if (code != 0) {
        fprintf(stderr, "validator: %s: %s\n", tally_code_name(code), error.message);
    }
    tally_replies_free(replies);
    tally_dendrite_free(dendrite);
    tally_synapses_free(synapses);
    tally_key_free(key);
    return code != 0;
}
