/* The codes of refusals as one table: names for bodies and metrics, and the status that each is sent with. */
#include "app/api/api.h"

static const struct {
    const char *name;
    int status;
} codes[TL_API_CODE_COUNT] = {
#define TL_API_CODE_ROW(name, text, status) [TL_API_##name] = {text, status},
    TL_API_CODE_MAP(TL_API_CODE_ROW)
#undef TL_API_CODE_ROW
};

const char *tl_api_code_name(tl_api_code code)
{
    return codes[code].name;
}

int tl_api_code_status(tl_api_code code)
{
    return codes[code].status;
}
