/* cast.c: who plays. One table; what depends on the seed (antes, stakes, victims) is filled in by world.c. */
#include "app/demo/world.h"

#define HOUSE(miner_name, strategy, days, top, line)                                               \
    {                                                                                              \
        .name = (miner_name), .what = (line), .is_honest = true, .pick = tl__pick_house,           \
        .house = (strategy), .lookback_days = (days), .positions_max = (top)                       \
    }

#define PICKER(miner_name, top, line)                                                              \
    {                                                                                              \
        .name = (miner_name), .what = (line), .is_honest = true, .pick = tl__pick_patient,         \
        .positions_max = (top)                                                                     \
    }

static const tl_demo_miner cast[] = {
    HOUSE("equal_weight", "equal_weight", 0, 0, "house: all tickers alike"),
    HOUSE("inverse_volatility", "inverse_volatility", 0, 0, "house: the calmer, the more"),
    HOUSE("minimum_variance", "minimum_variance", 0, 0, "house: the least variance there is"),
    HOUSE("risk_parity", "risk_parity", 0, 0, "house: each ticker the same risk"),
    HOUSE("momentum", "momentum", 0, 0, "house: last year's winners but for the last month"),
    HOUSE("mean_reversion", "mean_reversion", 0, 0, "house: what fell will rise"),
    HOUSE("trend", "trend", 0, 0, "house: what rises, at a target of volatility"),
    HOUSE("multi_factor", "multi_factor", 0, 0, "house: momentum and calm together"),
    HOUSE("minimum_variance_6m", "minimum_variance", 126, 8,
          "house: the least variance of half a year"),
    HOUSE("reversion_3m", "mean_reversion", 63, 6, "house: what fell will rise, few names"),
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
     .positions_max = 6},
    {.name = "streaker",
     .what = "holds whatever rises most often, to look infallible",
     .pick = tl__pick_streak,
     .positions_max = 8},
    {.name = "latecomer",
     .what = "reveals too late or never",
     .conduct = TL_DEMO_LATE,
     .pick = tl__pick_patient,
     .positions_max = 6},
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
     .positions_max = 6},
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
