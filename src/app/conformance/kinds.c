/* The table of kinds: one row a kind, each made by a function of its area's kind_*.c. */
#include "app/conformance/conformance.h"

static const tl_conform_kind kinds[] = {
    {"python-float-repr", tl_conform_python_float_repr},
    {"python-random-sample", tl_conform_python_random_sample},
    {"quant-prng", tl_conform_quant_prng},
    {"portfolio-score", tl_conform_portfolio_score},
    {"portfolio-settle", tl_conform_portfolio_settle},
    {"yuma-epoch", tl_conform_yuma_epoch},
    {"yuma-math", tl_conform_yuma_math},
    {"portfolio-join", tl_conform_portfolio_join},
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
