/* network.c: the machines of the play: two servers, a thread a member, and the keeper of time, who is whoever calls. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/listdemo/listdemo_internal.h"
#include "io/sys/sys.h"

#define STEP_MS        100
#define POLL_MS        40
#define PATIENCE_NS    (INT64_C(600) * 1000000000) /* of the machine's time, for one thing to happen */
#define REPORT_STEP_MS 23000                       /* between two reports */
#define CLOSING_MS     60000                       /* before an epoch's end, all is quiet */
#define AFTER_MS       200

/* --- waiting --- */

tl_err tl__play_wait(tl__play *play, tl_errctx *ctx)
{
    struct timespec until;
    TL_TRY(tl_sys_check_interrupt(ctx));
    if (play->is_ending) {
        return tl_fail(ctx, TL_ERR_INTERRUPTED, "the play ends");
    }
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += STEP_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&play->moved, &play->lock, &until);
    return TL_OK;
}

static void pause_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = POLL_MS * 1000000L};
    (void)nanosleep(&moment, NULL);
}

static tl_err check_patience(const tl__play *play, int64_t begun_ns, const char *what,
                             tl_errctx *ctx)
{
    return tl_clock_steady_ns(&play->clock.real) - begun_ns < PATIENCE_NS
               ? TL_OK
               : tl_fail(ctx, TL_ERR_STATE, "%s did not happen in ten minutes", what);
}

/* --- miners --- */

tl_err tl__miner_file(const char **out, tl_arena *arena, const tl__miner *miner,
                      const char *zipcode, tl_errctx *ctx)
{
    char name[16];
    const char *dir = NULL;
    TL_TRY(tl_sys_join(&dir, arena, miner->dir, "miner", ctx));
    TL_TRY(tl_sys_join(&dir, arena, dir, miner->play->epoch_id, ctx));
    (void)tl_str_print(name, sizeof name, "%s.json", zipcode);
    return tl_sys_join(out, arena, dir, name, ctx);
}

/* Reports go out one after the other, in the order of ranks, a little time between them; the late one's when it is over. */
static tl_err wait_for_turn(void *self, tl_errctx *ctx)
{
    tl__miner *miner = (tl__miner *)self;
    tl__play *play = miner->play;
    const tl__member *member = &play->cast[miner->index];
    const bool is_late = member->role == TL_LISTDEMO_LATE;
    tl_err err = TL_OK;
    (void)pthread_mutex_lock(&play->lock);
    while (err == TL_OK && (is_late ? !play->is_over : play->turn != member->rank)) {
        err = tl__play_wait(play, ctx);
    }
    const int64_t at_ms = play->report_ms + (int64_t)member->rank * REPORT_STEP_MS;
    (void)pthread_mutex_unlock(&play->lock);
    if (err == TL_OK && !is_late) {
        tl__demo_clock_reach(&play->clock, at_ms);
    }
    return err;
}

static tl_err nothing_to_tell(void *self, const tl_miner_epoch *epoch, tl_errctx *ctx)
{
    (void)self;
    (void)epoch;
    (void)ctx;
    return TL_OK; /* tl_miner_once tells by its result */
}

/* LDEMO-1: what tally miner does; only where its listings come from, and when it may report, is ours. */
static tl_err mine_once(tl__miner *miner, tl__outcome *out, tl_arena *arena, tl_errctx *ctx)
{
    tl__play *play = miner->play;
    tl_source *source = NULL;
    tl_peer_assignment assignment;
    tl_miner_epoch epoch;
    const tl_listdemo_role role = play->cast[miner->index].role;
    const tl_source_options with = {.collect = tl__trick_collect,
                                    .self = miner,
                                    .clock = tl__demo_clock_view(&play->clock),
                                    .entropy = tl_sys_entropy()};
    TL_TRY(tl_source_open(&source, &with, ctx));
    const tl_miner_options options = {.peer = &miner->peer,
                                      .source = source,
                                      .dir = miner->dir,
                                      .is_careless = role != TL_LISTDEMO_HONEST,
                                      .before_report = wait_for_turn,
                                      .on_epoch = nothing_to_tell,
                                      .self = miner};
    tl_err err = tl_peer_assignments(&miner->peer, &assignment, arena, ctx);
    err = err == TL_OK ? tl_miner_once(&epoch, arena, &options, &assignment, ctx) : err;
    if (err == TL_OK) {
        out->is_acknowledged = epoch.err == TL_OK;
        out->is_late = epoch.err == TL_ERR_STATE && role == TL_LISTDEMO_LATE;
        out->listings = epoch.listings;
        if (epoch.err != TL_OK) {
            (void)tl_fail(&out->why, epoch.err, "%s", epoch.error);
        }
    }
    out->reported_ms = tl__demo_clock_ms(&play->clock);
    tl_source_close(source);
    return err;
}

/* The turn passes over those who are done, in whatever order they became it. The lock is held. */
static void pass_turn(tl__play *play)
{
    for (;;) {
        uint32_t i = 0;
        while (i < TL_LISTDEMO_MINERS && play->cast[i].rank != play->turn) {
            i++;
        }
        if (i == TL_LISTDEMO_MINERS || !play->outcomes[i].is_done) {
            return;
        }
        play->turn++;
    }
}

static void *mine(void *self)
{
    tl__miner *miner = (tl__miner *)self;
    tl__play *play = miner->play;
    tl_arena *arena = NULL;
    tl__outcome outcome = {.why = TL_ERRCTX_INIT};
    outcome.err = tl_arena_new(&arena, NULL, 0, NULL, &outcome.why);
    if (outcome.err == TL_OK) {
        outcome.err = mine_once(miner, &outcome, arena, &outcome.why);
        tl_arena_free(arena);
    }
    (void)pthread_mutex_lock(&play->lock);
    outcome.is_done = true;
    play->outcomes[miner->index] = outcome;
    pass_turn(play);
    (void)pthread_cond_broadcast(&play->moved);
    (void)pthread_mutex_unlock(&play->lock);
    return NULL;
}

static tl_err start_miners(tl__play *play, tl_errctx *ctx)
{
    for (size_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
        tl__miner *miner = &play->miners[i];
        if (pthread_create(&miner->thread, NULL, mine, miner) != 0) {
            return tl_fail(ctx, TL_ERR_NOMEM, "no thread for a miner");
        }
        miner->has_thread = true;
    }
    return TL_OK;
}

static void join_miners(tl__play *play)
{
    for (size_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
        if (play->miners[i].has_thread) {
            (void)pthread_join(play->miners[i].thread, NULL);
            play->miners[i].has_thread = false;
        }
    }
}

/* All but the late one, who waits for the end. */
static tl_err wait_for_reports(tl__play *play, tl_errctx *ctx)
{
    const int64_t begun_ns = tl_clock_steady_ns(&play->clock.real);
    tl_err err = TL_OK;
    bool is_waiting = true;
    (void)pthread_mutex_lock(&play->lock);
    while (err == TL_OK && is_waiting) {
        is_waiting = false;
        for (size_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
            is_waiting = is_waiting ||
                         (!play->outcomes[i].is_done && play->cast[i].role != TL_LISTDEMO_LATE);
        }
        err = is_waiting ? tl__play_wait(play, ctx) : TL_OK;
        err = err == TL_OK ? check_patience(play, begun_ns, "the miners' reports", ctx) : err;
    }
    (void)pthread_mutex_unlock(&play->lock);
    return err;
}

static tl_err first_failure(const tl__play *play, tl_errctx *ctx)
{
    for (size_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
        if (play->outcomes[i].err != TL_OK) {
            const tl_err err = play->outcomes[i].err;
            (void)tl_fail(ctx, err, "%s", play->outcomes[i].why.message);
            tl_errctx_wrap(ctx, "miner \"%s\"", play->cast[i].name);
            return err;
        }
    }
    return TL_OK;
}

/* --- validators --- */

static tl_err hear_verdict(void *self, const tl_validator_epoch *epoch, tl_errctx *ctx)
{
    tl__validator *v = (tl__validator *)self;
    tl__play *play = v->play;
    (void)pthread_mutex_lock(&play->lock);
    const bool is_ending = play->is_ending;
    if (tl_str_eq_cstr(epoch->epoch_id, play->epoch_id)) {
        tl__verdict *out = &play->verdicts[v->index];
        *out = (tl__verdict){.is_told = true,
                             .has_hash = epoch->has_roots,
                             .rate_millionths = epoch->rate_millionths,
                             .listings = epoch->listings,
                             .submissions = epoch->submissions};
        if (epoch->has_roots) {
            out->hash = epoch->roots.hash;
        }
        (void)tl_str_print(out->status, sizeof out->status, "%s", epoch->status);
        (void)tl_str_print(out->bundle, sizeof out->bundle, "%s",
                           epoch->bundle != NULL ? epoch->bundle : "");
        (void)tl_str_print(out->error, sizeof out->error, "%s", epoch->error);
    }
    (void)pthread_cond_broadcast(&play->moved);
    (void)pthread_mutex_unlock(&play->lock);
    return is_ending ? tl_fail(ctx, TL_ERR_INTERRUPTED, "the play ends") : TL_OK;
}

static void *validate(void *self)
{
    tl__validator *v = (tl__validator *)self;
    tl__play *play = v->play;
    bool all_agreed = false;
    const tl_validator_options options = {.peer = &v->peer,
                                          .url = tl_coordinator_url(play->coordinator),
                                          .source = &play->check,
                                          .dir = v->dir,
                                          .epochs_max = play->options->epochs,
                                          .thread_count = 2,
                                          .poll_ms = POLL_MS,
                                          .entropy = tl_sys_entropy(),
                                          .on_epoch = hear_verdict,
                                          .self = v};
    tl_errctx why = TL_ERRCTX_INIT;
    const tl_err err = tl_validator_run(&all_agreed, &options, &why);
    (void)pthread_mutex_lock(&play->lock);
    v->has_ended = true;
    v->err = err;
    v->why = why;
    (void)pthread_cond_broadcast(&play->moved);
    (void)pthread_mutex_unlock(&play->lock);
    return NULL;
}

static tl_err wait_for_verdicts(tl__play *play, tl_errctx *ctx)
{
    const int64_t begun_ns = tl_clock_steady_ns(&play->clock.real);
    tl_err err = TL_OK;
    bool is_waiting = true;
    bool has_failed = false;
    (void)pthread_mutex_lock(&play->lock);
    while (err == TL_OK && is_waiting) {
        is_waiting = false;
        for (size_t i = 0; err == TL_OK && i < TL_LISTDEMO_VALIDATORS; i++) {
            const tl__validator *v = &play->validators[i];
            const bool is_told = play->verdicts[i].is_told;
            is_waiting = is_waiting || !is_told;
            has_failed = has_failed || (is_told && !play->verdicts[i].has_hash);
            if (!is_told && v->has_ended) {
                err = tl_fail(ctx, v->err != TL_OK ? v->err : TL_ERR_STATE, "validator %zu: %s",
                              i + 1, v->err != TL_OK ? v->why.message : "it ended too early");
            }
        }
        err = err == TL_OK && is_waiting ? tl__play_wait(play, ctx) : err;
        if (has_failed) { /* the others wait for it until their windows close */
            tl__demo_clock_reach(&play->clock, tl__demo_clock_ms(&play->clock) + CLOSING_MS);
        }
        err = err == TL_OK ? check_patience(play, begun_ns, "the validators' verdict", ctx) : err;
    }
    (void)pthread_mutex_unlock(&play->lock);
    return err;
}

/* Have all validators committed to a secret for the epoch that runs? */
static tl_err count_joined(tl__play *play, uint32_t *out, tl_arena *arena, tl_errctx *ctx)
{
    const tl_json *json = NULL;
    tl_sb sb;
    tl_str target = {NULL, 0};
    tl_sb_init(&sb, arena);
    tl_sb_printf(&sb, "/api/v1/epochs/%s", play->epoch_id);
    TL_TRY(tl_sb_finish(&target, &sb, ctx));
    TL_TRY(tl_peer_get(&play->miners[0].peer, &json, arena, target, false, ctx));
    const tl_json *contributions = tl_json_get(json, "contributions");
    *out = contributions != NULL ? contributions->count : 0;
    return TL_OK;
}

static tl_err wait_for_joined(tl__play *play, tl_errctx *ctx)
{
    const int64_t begun_ns = tl_clock_steady_ns(&play->clock.real);
    uint32_t joined = 0;
    while (joined < TL_LISTDEMO_VALIDATORS) {
        tl_arena *arena = NULL;
        TL_TRY(tl_arena_new(&arena, NULL, 0, NULL, ctx));
        tl_err err = count_joined(play, &joined, arena, ctx);
        tl_arena_free(arena);
        TL_TRY(err);
        TL_TRY(check_patience(play, begun_ns, "the validators' joining", ctx));
        TL_TRY(tl_sys_check_interrupt(ctx));
        if (joined < TL_LISTDEMO_VALIDATORS) {
            pause_a_moment();
        }
    }
    return TL_OK;
}

/* --- one epoch --- */

static tl_err wait_for_epoch(tl__play *play, int64_t start_ms, tl_errctx *ctx)
{
    const int64_t begun_ns = tl_clock_steady_ns(&play->clock.real);
    char wanted[TL_SLOT_ID_CAP];
    char running[TL_SLOT_ID_CAP] = "";
    tl_slot_print(wanted, start_ms);
    tl__demo_clock_reach(&play->clock, start_ms);
    while (!tl_coordinator_epoch_id(play->coordinator, running) ||
           !tl_str_eq_cstr(tl_str_from_cstr(wanted), running)) {
        TL_TRY(check_patience(play, begun_ns, "the opening of the epoch", ctx));
        TL_TRY(tl_sys_check_interrupt(ctx));
        pause_a_moment();
    }
    (void)pthread_mutex_lock(&play->lock);
    memcpy(play->epoch_id, wanted, sizeof wanted);
    tl__cast_deal(play->cast, play->options->seed, start_ms);
    play->is_over = false;
    play->turn = 0;
    play->report_ms = start_ms + TL__LISTDEMO_COLLECT_MS;
    memset(play->outcomes, 0, sizeof play->outcomes);
    memset(play->verdicts, 0, sizeof play->verdicts);
    (void)pthread_mutex_unlock(&play->lock);
    return TL_OK;
}

/* What miners collected is uploaded and kept by now; their own copies would fill the disk. */
static void forget_collected(const tl__play *play)
{
    tl_arena *arena = NULL;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return;
    }
    for (size_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
        const char *dir = NULL;
        const char *const *names = NULL;
        size_t count = 0;
        if (tl_sys_join(&dir, arena, play->miners[i].dir, "miner", NULL) != TL_OK ||
            tl_sys_join(&dir, arena, dir, play->epoch_id, NULL) != TL_OK ||
            tl_sys_list_dir(&names, &count, arena, dir, NULL) != TL_OK) {
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            const char *path = NULL;
            if (tl_sys_join(&path, arena, dir, names[k], NULL) == TL_OK) {
                (void)unlink(path);
            }
        }
        (void)rmdir(dir);
    }
    tl_arena_free(arena);
}

static tl_err play_epoch(tl__play *play, int64_t start_ms, tl_errctx *ctx)
{
    const int64_t end_ms = start_ms + TL__LISTDEMO_EPOCH_MS;
    TL_TRY(wait_for_epoch(play, start_ms, ctx));
    tl__demo_clock_reach(&play->clock, start_ms + TL__LISTDEMO_COLLECT_MS);
    TL_TRY(start_miners(play, ctx));
    TL_TRY(wait_for_reports(play, ctx));
    TL_TRY(wait_for_joined(play, ctx));
    tl__demo_clock_reach(&play->clock, end_ms - CLOSING_MS);
    tl__demo_clock_reach(&play->clock, end_ms + AFTER_MS);
    (void)pthread_mutex_lock(&play->lock);
    play->is_over = true;
    (void)pthread_cond_broadcast(&play->moved);
    (void)pthread_mutex_unlock(&play->lock);
    join_miners(play);
    TL_TRY(first_failure(play, ctx));
    return wait_for_verdicts(play, ctx);
}

tl_err tl__network_epoch(tl__play *play, int64_t start_ms, tl_errctx *ctx)
{
    tl__reading *r = &play->reading;
    r->count = 0;
    TL_TRY(tl_arena_new(&r->arena, NULL, 0, NULL, ctx));
    const tl_err err = play_epoch(play, start_ms, ctx);
    if (err != TL_OK) {
        (void)pthread_mutex_lock(&play->lock);
        play->is_ending = true;
        (void)pthread_cond_broadcast(&play->moved);
        (void)pthread_mutex_unlock(&play->lock);
        join_miners(play);
    }
    forget_collected(play);
    tl_arena_free(r->arena);
    r->arena = NULL;
    return err;
}

/* --- opening and closing --- */

static tl_err open_market(tl__play *play, tl_errctx *ctx)
{
    play->market = (tl_market){play->options->seed, play->options->places->items,
                               play->options->places->count};
    const tl_market_options options = {.listen_ip = TL_STR("127.0.0.1"),
                                       .loop_count = 1,
                                       .clock = tl__demo_clock_view(&play->clock)};
    TL_TRY(tl_market_server_start(&play->server, &play->market, &options, ctx));
    (void)tl_str_print(play->market_url, sizeof play->market_url, "http://127.0.0.1:%u",
                       tl_market_server_port(play->server));
    play->check = (tl_source_options){.spec = play->market_url,
                                      .per_s = 100000, /* it is our own */
                                      .flight_max = 16,
                                      .clock = tl__demo_clock_view(&play->clock),
                                      .entropy = tl_sys_entropy()};
    return tl_source_open(&play->reading.source, &play->check, ctx);
}

static tl_err open_coordinator(tl__play *play, tl_errctx *ctx)
{
    const tl_listdemo_options *o = play->options;
    tl_coordinator_settings s = {.subnet = "listings",
                                 .netuid = 46,
                                 .epoch_seconds = TL__LISTDEMO_EPOCH_S,
                                 .validator_stake_rao = 1,
                                 .places = o->places,
                                 .bounds = o->bounds,
                                 .key = play->service_key,
                                 .peers_self = play,
                                 .find = tl__cast_find,
                                 .peers = tl__cast_peers,
                                 .sql = o->sql,
                                 .objects = o->objects,
                                 .redis_url = o->redis_url,
                                 .redis_password = o->redis_password,
                                 .host = "127.0.0.1",
                                 .loops = 1,
                                 .workers = 4,
                                 .is_unlimited =
                                     true, /* an epoch of four hours passes in seconds */
                                 .log = o->log,
                                 .clock = tl__demo_clock_view(&play->clock),
                                 .entropy = tl_sys_entropy()};
    TL_TRY(tl_sys_join(&s.dir, play->arena, o->dir, TL_LISTDEMO_SERVICE_DIR, ctx));
    TL_TRY(tl_sys_make_dir(s.dir, TL_SYS_DIR_MODE, ctx));
    if (s.sql.path == NULL && s.sql.url == NULL) {
        TL_TRY(tl_sys_join(&s.sql.path, play->arena, s.dir, TL_RECORDS_FILE, ctx));
    }
    if (s.objects.s3_url != NULL) {
        s.objects.clock = tl_sys_clock(); /* the server goes by its own */
    }
    TL_TRY(tl_coordinator_new(&play->coordinator, &s, ctx));
    return tl_coordinator_start(play->coordinator, ctx);
}

/* Signatures are of the machine's own time, as the service checks them; all else goes by the clock of the play. */
static tl_err open_peer(tl__play *play, tl_peer *out, const tl__member *member, const char *dir,
                        tl_errctx *ctx)
{
    const tl_peer_options options = {.url = tl_str_from_cstr(tl_coordinator_url(play->coordinator)),
                                     .keypair = member->key,
                                     .dir = dir,
                                     .clock = tl_sys_clock(),
                                     .entropy = tl_sys_entropy()};
    TL_TRY(tl_peer_open(out, &options, ctx));
    out->clock = tl__demo_clock_view(&play->clock);
    out->skew_ms = 0;
    return TL_OK;
}

static tl_err make_folder(tl__play *play, const char **out, const char *kind,
                          const tl__member *member, tl_errctx *ctx)
{
    char name[TL_LISTDEMO_NAME_CAP];
    (void)tl_str_print(name, sizeof name, "%s-%u", tl_listdemo_role_name(member->role),
                       member->number);
    TL_TRY(tl_sys_join(out, play->arena, play->options->dir, kind, ctx));
    TL_TRY(tl_sys_join(out, play->arena, *out, name, ctx));
    return tl_sys_make_dir(*out, TL_SYS_DIR_MODE, ctx);
}

static tl_err open_members(tl__play *play, tl_errctx *ctx)
{
    for (uint32_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
        tl__miner *m = &play->miners[i];
        m->play = play;
        m->index = i;
        TL_TRY(make_folder(play, &m->dir, "miners", &play->cast[i], ctx));
        TL_TRY(open_peer(play, &m->peer, &play->cast[i], m->dir, ctx));
        m->is_open = true;
    }
    for (uint32_t i = 0; i < TL_LISTDEMO_VALIDATORS; i++) {
        tl__validator *v = &play->validators[i];
        const tl__member *member = &play->cast[TL_LISTDEMO_MINERS + i];
        v->play = play;
        v->index = i;
        TL_TRY(make_folder(play, &v->dir, "validators", member, ctx));
        TL_TRY(open_peer(play, &v->peer, member, v->dir, ctx));
        v->is_open = true;
        if (pthread_create(&v->thread, NULL, validate, v) != 0) {
            return tl_fail(ctx, TL_ERR_NOMEM, "no thread for a validator");
        }
        v->has_thread = true;
    }
    return TL_OK;
}

tl_err tl__network_open(tl__play *play, tl_errctx *ctx)
{
    TL_TRY(tl__cast_make(play->cast, ctx));
    TL_TRY(tl_keypair_from_uri(&play->service_key, tl_scheme_sr25519(),
                               TL_STR("//Demo/Coordinator"), ctx));
    TL_TRY(open_market(play, ctx));
    TL_TRY(open_coordinator(play, ctx));
    return open_members(play, ctx);
}

/* Validators end by themselves after the last epoch. When the play ends before it, time flies until they hear of it. */
static void join_validators(tl__play *play)
{
    for (size_t i = 0; i < TL_LISTDEMO_VALIDATORS; i++) {
        tl__validator *v = &play->validators[i];
        while (v->has_thread) {
            (void)pthread_mutex_lock(&play->lock);
            const bool has_ended = v->has_ended;
            (void)pthread_mutex_unlock(&play->lock);
            if (has_ended) {
                (void)pthread_join(v->thread, NULL);
                v->has_thread = false;
            } else {
                tl__demo_clock_reach(&play->clock,
                                     tl__demo_clock_ms(&play->clock) + TL__LISTDEMO_EPOCH_MS / 8);
                pause_a_moment();
            }
        }
    }
}

void tl__network_close(tl__play *play)
{
    (void)pthread_mutex_lock(&play->lock);
    play->is_ending = true;
    (void)pthread_cond_broadcast(&play->moved);
    (void)pthread_mutex_unlock(&play->lock);
    join_miners(play);
    join_validators(play);
    for (size_t i = 0; i < TL_LISTDEMO_MINERS; i++) {
        if (play->miners[i].is_open) {
            tl_peer_close(&play->miners[i].peer);
        }
    }
    for (size_t i = 0; i < TL_LISTDEMO_VALIDATORS; i++) {
        if (play->validators[i].is_open) {
            tl_peer_close(&play->validators[i].peer);
        }
    }
    tl_source_close(play->reading.source);
    tl_coordinator_free(play->coordinator);
    tl_market_server_free(play->server);
    tl_keypair_free(play->service_key);
    tl__cast_free(play->cast);
}
