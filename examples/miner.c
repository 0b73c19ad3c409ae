/* A miner: an axon that repeats texts. It serves until standard input ends.
 *
 *     cc miner.c -o miner $(pkg-config --cflags --libs tally)
 *     ./miner //Alice 8091
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tally/tally.h>

enum { OUT_LEN_MAX = 1 << 20 };

/* Echo: out is text, a times. */
static int echo(void *self, tally_call *call, tally_error *error)
{
    (void)self;
    int64_t times = 0;
    const char *text = tally_call_get_text(call, "text");
    int code = tally_call_get_int(call, "a", &times);
    if (code != 0 || text == NULL) {
        return code != 0 ? code : TALLY_ERR_TYPE;
    }
    const size_t len = strlen(text);
    times = times < 0 || len == 0 ? 0 : times;
    if (times > (int64_t)(OUT_LEN_MAX / (len + 1))) {
        return TALLY_ERR_LIMIT;
    }
    char *const out = malloc((size_t)times * len + 1);
    if (out == NULL) {
        return TALLY_ERR_NOMEM;
    }
    for (int64_t i = 0; i < times; i++) {
        memcpy(out + (size_t)i * len, text, len);
    }
    out[(size_t)times * len] = '\0';
    code = tally_call_set_text(call, "out", out, error);
    free(out);
    return code;
}

int main(int argc, char **argv)
{
    tally_error error = {0};
    tally_key *key = NULL;
    tally_synapses *synapses = NULL;
    tally_axon *axon = NULL;
    tally_axon_options options = TALLY_AXON_OPTIONS_INIT;
    int code = tally_key_from_uri(&key, argc > 1 ? argv[1] : "//Alice", NULL, &error);
    options.key = key;
    options.host = "127.0.0.1";
    options.port = (uint16_t)(argc > 2 ? atoi(argv[2]) : 8091);
    code = code != 0 ? code : tally_synapses_new(&synapses, NULL, &error);
    code = code != 0 ? code : tally_axon_new(&axon, &options, &error);
    code = code != 0 ? code : tally_axon_attach(axon, synapses, "Echo", echo, NULL, NULL, &error);
    code = code != 0 ? code : tally_axon_start(axon, &error);
    if (code == 0) {
        printf("127.0.0.1:%u:%s\n", (unsigned)tally_axon_port(axon), tally_key_address(key));
        fflush(stdout);
        while (getchar() != EOF) {
        }
    } else {
        fprintf(stderr, "miner: %s: %s\n", tally_code_name(code), error.message);
    }
    tally_axon_free(axon);
    tally_synapses_free(synapses);
    tally_key_free(key);
    return code != 0;
}
