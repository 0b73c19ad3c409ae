/* cast.c: who plays. One table; what depends on the seed (antes, stakes, victims) is filled in by world.c. */
#include "app/demo/world.h"

#define HOUSE(strategy, line)                                                                      \
    {                                                                                              \
        .name = (strategy), .what = "house: " line, .is_honest = true, .pick = tl__pick_house,     \
        .house = (strategy)                                                                        \
    }

#define PICKER(miner_name, top, line)                                                              \
    {                                                                                              \
        .name = (miner_name), .what = (line), .is_honest = true, .pick = tl__pick_patient,         \
        .positions_max = (top)                                                                     \
    }

static const tl_demo_miner cast[] = {
    HOUSE("equal_weight", "all tickers alike"),
    HOUSE("inverse_volatility", "the calmer, the more"),
    HOUSE("minimum_variance", "the least variance there is"),
    HOUSE("risk_parity", "each ticker the same risk"),
    HOUSE("momentum", "last year's winners but for the last month"),
    HOUSE("mean_reversion", "what fell will rise"),
    {.name = "trend", /* at the default target it is the minimum-variance portfolio on most days */
     .what = "house: what rises, at a target of volatility",
     .is_honest = true,
     .pick = tl__pick_house,
     .house = "trend",
     .volatility_target = 0.25},
    HOUSE("multi_factor", "momentum and calm together"),
    {.name = "momentum_3m",
     .what = "house: a quarter's winners",
     .is_honest = true,
     .pick = tl__pick_house,
     .house = "momentum",
     .lookback_days = 63,
     .positions_max = 10},
    PICKER("alder", 7, "picks stocks and keeps them"),
    PICKER("birch", 8, "picks stocks and keeps them"),
    PICKER("cedar", 9, "picks stocks and keeps them"),
    PICKER("dogwood", 6, "picks stocks and keeps them"),
    PICKER("elm", 7, "picks stocks and keeps them"),
    PICKER("fir", 8, "picks stocks and keeps them"),
    PICKER("ginkgo", 10, "picks stocks and keeps them"),
    PICKER("hazel", 6, "picks stocks and keeps them"),
    {.name = "copycat",
     .what = "sends what another committed, a little changed",
     .pick = tl__pick_copy,
     .noise = 0.05},
    {.name = "shadow",
     .what = "sends what another committed, well disguised",
     .pick = tl__pick_copy,
     .noise = 0.40},
    {.name = "gambler",
     .what = "five of the wildest stocks, all in",
     .pick = tl__pick_wildest,
     .positions_max = 5},
    {.name = "churner", .what = "sells everything every week", .pick = tl__pick_churn},
    {.name = "doubler",
     .what = "after a loss bets on the wildest, after a gain hides in the calmest",
     .pick = tl__pick_doubling,
     .positions_max = 10},
    {.name = "streaker",
     .what = "holds whatever rises most often, to look infallible",
     .pick = tl__pick_streak,
     .positions_max = 8},
    {.name = "latecomer",
     .what = "reveals too late or never",
     .conduct = TL_DEMO_LATE,
     .pick = tl__pick_patient,
     .positions_max = 10},
    {.name = "earlybird",
     .what = "cannot wait to reveal",
     .conduct = TL_DEMO_EARLY,
     .pick = tl__pick_patient,
     .positions_max = 9},
    {.name = "scribbler",
     .what = "sends signals that break the rules",
     .conduct = TL_DEMO_SCRIBBLE,
     .pick = tl__pick_patient,
     .positions_max = 7},
    {.name = "twofold",
     .what = "commits twice in one epoch",
     .conduct = TL_DEMO_DOUBLE,
     .pick = tl__pick_patient,
     .positions_max = 8},
    {.name = "turncoat",
     .what = "reveals something else than it committed",
     .conduct = TL_DEMO_TURNCOAT,
     .pick = tl__pick_patient,
     .positions_max = 7},
    {.name = "crony_1",
     .what = "has friends among the validators",
     .is_crony = true,
     .pick = tl__pick_restless,
     .positions_max = 10},
    {.name = "crony_2",
     .what = "has friends among the validators",
     .is_crony = true,
     .pick = tl__pick_restless,
     .positions_max = 7},
};

const tl_demo_miner *tl__demo_cast(size_t *count)
{
    *count = sizeof cast / sizeof *cast;
    return cast;
}
