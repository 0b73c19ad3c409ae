/* The table of kinds: one row a kind, each made by a function of its area's kind_*.c. */
#include "app/conformance/conformance.h"

static const tl_conform_kind kinds[] = {
    {"listings-consensus-hash", tl_conform_listings_consensus_hash},
    {"listings-consensus-status", tl_conform_listings_consensus_status},
    {"listings-epoch-weights", tl_conform_listings_epoch_weights},
    {"listings-field-completeness", tl_conform_listings_field_completeness},
    {"listings-honeypot", tl_conform_listings_honeypot},
    {"listings-quality", tl_conform_listings_quality},
    {"listings-ranking", tl_conform_listings_ranking},
    {"listings-spot-check", tl_conform_listings_spot_check},
    {"listings-synthetic", tl_conform_listings_synthetic},
    {"listings-tier1", tl_conform_listings_tier1},
    {"portfolio-join", tl_conform_portfolio_join},
    {"portfolio-score", tl_conform_portfolio_score},
    {"portfolio-settle", tl_conform_portfolio_settle},
    {"python-float-repr", tl_conform_python_float_repr},
    {"python-random-sample", tl_conform_python_random_sample},
    {"quant-anti-gaming", tl_conform_quant_anti_gaming},
    {"quant-bootstrap", tl_conform_quant_bootstrap},
    {"quant-correlation", tl_conform_quant_correlation},
    {"quant-deflated-sharpe", tl_conform_quant_deflated_sharpe},
    {"quant-portfolio", tl_conform_quant_portfolio},
    {"quant-prng", tl_conform_quant_prng},
    {"quant-returns", tl_conform_quant_returns},
    {"yuma-epoch", tl_conform_yuma_epoch},
    {"yuma-math", tl_conform_yuma_math},
    {NULL, NULL}, /* the end */
};

const tl_conform_kind *tl_conform_find(tl_str name)
{
    for (const tl_conform_kind *kind = kinds; kind->name != NULL; kind++) {
        if (tl_str_eq_cstr(name, kind->name)) {
            return kind;
        }
    }
    return NULL;
}
