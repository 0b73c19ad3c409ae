/* names.c: rules and fields by their names. */
#include "core/listings/model/model.h"

static const char *const rule_names[TL_LISTING_RULE_COUNT] = {
#define RULE_NAME(name, text) [TL_LISTING_##name] = (text),
    TL_LISTING_RULE_MAP(RULE_NAME)
#undef RULE_NAME
};

static const char *const field_keys[TL_LISTING_FIELD_COUNT] = {
#define FIELD_KEY(name, key) [TL_FIELD_##name] = (key),
    TL_LISTING_FIELD_MAP(FIELD_KEY)
#undef FIELD_KEY
};

const char *tl_listing_rule_name(tl_listing_rule rule)
{
    TL_ASSERT((unsigned)rule < TL_LISTING_RULE_COUNT);
    return rule_names[rule];
}

bool tl_listing_rule_parse(tl_listing_rule *out, tl_str text)
{
    for (unsigned i = 0; i < TL_LISTING_RULE_COUNT; i++) {
        if (tl_str_eq_cstr(text, rule_names[i])) {
            *out = (tl_listing_rule)i;
            return true;
        }
    }
    return false;
}

const char *tl_listing_field_key(tl_listing_field field)
{
    TL_ASSERT((unsigned)field < TL_LISTING_FIELD_COUNT);
    return field_keys[field];
}
