/* A value against a schema. The place is kept as a chain of steps on the stack, and written as a JSON pointer only when
 * something does not hold. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/schema/schema_internal.h"

/* One step from the whole to the place: a member or an item of what stands above. */
typedef struct step {
    const struct step *above;
    tl_str key; /* ptr NULL: an item */
    uint32_t index;
    uint32_t refs; /* $ref after $ref without going deeper (SCHEMA-2) */
} step;

static tl_err check(const tl_schema *schema, const tl_json *value, const step *at, tl_errctx *ctx);

/* --- the place --- */

static void put_pointer(char *out, size_t cap, size_t *len, const step *at)
{
    if (at->above == NULL) {
        return;
    }
    put_pointer(out, cap, len, at->above);
    char part[96];
    size_t n = 0;
    part[n++] = '/';
    if (at->key.ptr == NULL) {
        n += tl_str_print(part + 1, sizeof part - 1, "%u", at->index);
    }
    for (size_t i = 0; at->key.ptr != NULL && i < at->key.len && n + 3 < sizeof part; i++) {
        const char c = at->key.ptr[i];
        if (c == '~' || c == '/') {
            part[n++] = '~';
            part[n++] = c == '~' ? '0' : '1';
        } else {
            part[n++] = c > ' ' && c < 0x7f ? c : '?';
        }
    }
    if (*len + n < cap) {
        memcpy(out + *len, part, n);
        *len += n;
        out[*len] = 0;
    }
}

static void set_place(tl_errctx *ctx, const step *at)
{
    if (ctx != NULL) {
        size_t len = 0;
        ctx->field[0] = 0;
        put_pointer(ctx->field, sizeof ctx->field, &len, at);
    }
}

TL_PRINTF(3, 4)
static tl_err fail(tl_errctx *ctx, const step *at, const char *format, ...)
{
    char message[128];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    (void)tl_fail(ctx, TL_ERR_CHECK, "%s", message); /* SCHEMA-3: texts of our own alone */
    set_place(ctx, at);
    return TL_ERR_CHECK;
}

/* --- equality, for enum, const and uniqueItems --- */

static bool is_equal(const tl_json *a, const tl_json *b)
{
    if (a->kind != b->kind || a->count != b->count) {
        return false;
    }
    switch (a->kind) {
    case TL_JSON_NULL:
        return true;
    case TL_JSON_BOOL:
        return a->boolean == b->boolean;
    case TL_JSON_NUMBER: {
        double x;
        double y;
        return tl_str_eq(a->text, b->text) ||
               (tl_json_as_f64(&x, a, NULL, NULL) == TL_OK &&
                tl_json_as_f64(&y, b, NULL, NULL) == TL_OK && x == y);
    }
    case TL_JSON_STRING:
        return tl_str_eq(a->text, b->text);
    case TL_JSON_ARRAY:
        for (uint32_t i = 0; i < a->count; i++) {
            if (!is_equal(&a->items[i], &b->items[i])) {
                return false;
            }
        }
        return true;
    case TL_JSON_OBJECT:
        for (uint32_t i = 0; i < a->count; i++) {
            const tl_json *other = tl_json_get_str(b, a->members[i].key);
            if (other == NULL || !is_equal(&a->members[i].value, other)) {
                return false;
            }
        }
        return true;
    }
    return false;
}

static tl_err check_value(const tl_schema *s, const tl_json *value, const step *at, tl_errctx *ctx)
{
    if (s->constant != NULL && !is_equal(s->constant, value)) {
        return fail(ctx, at, "it is not the one value that is taken");
    }
    if (s->enumeration != NULL) {
        uint32_t i = 0;
        while (i < s->enumeration->count && !is_equal(&s->enumeration->items[i], value)) {
            i++;
        }
        if (i == s->enumeration->count) {
            return fail(ctx, at, "it is none of the values that are taken");
        }
    }
    return TL_OK;
}

/* --- types --- */

/* 2^53: up to there a double is the integer that was written. */
#define EXACT 9007199254740992.0

bool tl_schema_is_integer(int64_t *out, const tl_json *value)
{
    double number;
    if (tl_json_as_i64(out, value, NULL, NULL) == TL_OK) {
        return true;
    }
    if (tl_json_as_f64(&number, value, NULL, NULL) != TL_OK || !(number > -EXACT) ||
        !(number < EXACT) || (double)(int64_t)number != number) {
        return false;
    }
    *out = (int64_t)number;
    return true;
}

static unsigned type_of(const tl_json *value)
{
    switch (value->kind) {
    case TL_JSON_NULL:
        return TL__SCHEMA_NULL;
    case TL_JSON_BOOL:
        return TL__SCHEMA_BOOLEAN;
    case TL_JSON_NUMBER: {
        int64_t number;
        return tl_schema_is_integer(&number, value) ? TL__SCHEMA_INTEGER : TL__SCHEMA_NUMBER;
    }
    case TL_JSON_STRING:
        return TL__SCHEMA_STRING;
    case TL_JSON_ARRAY:
        return TL__SCHEMA_ARRAY;
    case TL_JSON_OBJECT:
        return TL__SCHEMA_OBJECT;
    }
    return 0;
}

static const char *wanted(unsigned types)
{
    static const struct {
        unsigned bits;
        const char *text;
    } names[] = {
        {TL__SCHEMA_STRING, "a string"},
        {TL__SCHEMA_NUMBER, "a number"},
        {TL__SCHEMA_INTEGER, "an integer of 64 bits"},
        {TL__SCHEMA_OBJECT, "an object"},
        {TL__SCHEMA_ARRAY, "an array"},
        {TL__SCHEMA_BOOLEAN, "true or false"},
        {TL__SCHEMA_NULL, "null"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((types & names[i].bits) != 0) {
            return names[i].text;
        }
    }
    return "nothing";
}

static tl_err check_count(const tl_schema *s, int of, size_t count, const char *what,
                          const step *at, tl_errctx *ctx)
{
    if (count < s->count_min[of]) {
        return fail(ctx, at, "it has fewer than %u %s", s->count_min[of], what);
    }
    if (count > s->count_max[of]) {
        return fail(ctx, at, "it has more than %u %s", s->count_max[of], what);
    }
    return TL_OK;
}

static tl_err check_number(const tl_schema *s, const tl_json *value, const step *at, tl_errctx *ctx)
{
    double number;
    if (tl_json_as_f64(&number, value, NULL, NULL) != TL_OK) {
        return fail(ctx, at, "it is no finite number");
    }
    if (s->least.is_set &&
        !(s->least.is_exclusive ? number > s->least.value : number >= s->least.value)) {
        return fail(ctx, at, "it is below the least that is taken");
    }
    if (s->most.is_set &&
        !(s->most.is_exclusive ? number < s->most.value : number <= s->most.value)) {
        return fail(ctx, at, "it is above the most that is taken");
    }
    return TL_OK;
}

static size_t code_points(tl_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xc0u) != 0x80u;
    }
    return count;
}

enum { SMALL = 512 };

/* With a copy that ends in a NUL: REG_STARTEND does not need it, but what watches over memory thinks so. */
static bool matches(const regex_t *pattern, tl_str text)
{
    char small[SMALL];
    char *copy = text.len < sizeof small ? small : malloc(text.len + 1);
    if (copy == NULL) {
        return false;
    }
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    copy[text.len] = 0;
    regmatch_t whole = {.rm_so = 0, .rm_eo = (regoff_t)text.len};
    const bool is_match = regexec(pattern, copy, 1, &whole, REG_STARTEND) == 0;
    if (copy != small) {
        free(copy);
    }
    return is_match;
}

static tl_err check_string(const tl_schema *s, tl_str text, const step *at, tl_errctx *ctx)
{
    TL_TRY(check_count(s, TL__SCHEMA_OF_STRING, code_points(text), "characters", at, ctx));
    if (s->pattern != NULL && !matches(s->pattern, text)) {
        return fail(ctx, at, "it does not have the form that is asked for");
    }
    return TL_OK;
}

static tl_err check_array(const tl_schema *s, const tl_json *value, const step *at, tl_errctx *ctx)
{
    TL_TRY(check_count(s, TL__SCHEMA_OF_ARRAY, value->count, "items", at, ctx));
    for (uint32_t i = 0; s->items != NULL && i < value->count; i++) {
        const step here = {at, {NULL, 0}, i, 0};
        TL_TRY(check(s->items, &value->items[i], &here, ctx));
    }
    TL_ASSERT(!s->is_unique || value->count <= TL_SCHEMA_UNIQUE_MAX); /* compile asked for it */
    for (uint32_t i = 0; s->is_unique && i < value->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (is_equal(&value->items[i], &value->items[k])) {
                const step here = {at, {NULL, 0}, i, 0};
                return fail(ctx, &here, "it comes twice");
            }
        }
    }
    return TL_OK;
}

static const tl_schema *property(const tl_schema *s, tl_str key)
{
    for (size_t i = 0; i < s->property_count; i++) {
        if (tl_str_eq(s->properties[i].key, key)) {
            return s->properties[i].schema;
        }
    }
    return NULL;
}

static tl_err check_object(const tl_schema *s, const tl_json *value, const step *at, tl_errctx *ctx)
{
    TL_TRY(check_count(s, TL__SCHEMA_OF_OBJECT, value->count, "members", at, ctx));
    for (uint32_t i = 0; s->required != NULL && i < s->required->count; i++) {
        if (tl_json_get_str(value, s->required->items[i].text) == NULL) {
            const step here = {at, s->required->items[i].text, 0, 0};
            return fail(ctx, &here, "it is missing");
        }
    }
    for (uint32_t i = 0; i < value->count; i++) {
        const step here = {at, value->members[i].key, 0, 0};
        const tl_schema *known = property(s, value->members[i].key);
        if (known == NULL && s->is_closed) {
            return fail(ctx, &here, "there is no such member");
        }
        known = known != NULL ? known : s->others;
        if (known != NULL) {
            TL_TRY(check(known, &value->members[i].value, &here, ctx));
        }
    }
    return TL_OK;
}

/* --- choices --- */

static tl_err check_choices(const tl_schema *s, const tl_json *value, const step *at,
                            tl_errctx *ctx)
{
    for (size_t i = 0; i < s->all_of_count; i++) {
        TL_TRY(check(s->all_of[i], value, at, ctx));
    }
    size_t held = s->any_of_count == 0;
    for (size_t i = 0; i < s->any_of_count && held == 0; i++) {
        held = check(s->any_of[i], value, at, NULL) == TL_OK;
    }
    if (held == 0) {
        return fail(ctx, at, "it has none of the forms that are taken");
    }
    held = s->one_of_count == 0;
    for (size_t i = 0; i < s->one_of_count; i++) {
        held += check(s->one_of[i], value, at, NULL) == TL_OK;
    }
    if (held != 1) {
        return fail(ctx, at, "it must have exactly one of the forms that are taken");
    }
    return TL_OK;
}

static tl_err check(const tl_schema *schema, const tl_json *value, const step *at, tl_errctx *ctx)
{
    if (schema->ref != NULL) {
        if (at->refs >= TL_SCHEMA_DEPTH_MAX) {
            return fail(ctx, at, "its schema refers to itself"); /* SCHEMA-2 */
        }
        step here = *at;
        here.refs++;
        TL_TRY(check(schema->ref, value, &here, ctx));
    }
    if ((schema->types & type_of(value)) == 0) {
        return fail(ctx, at, "it is not %s", wanted(schema->types));
    }
    TL_TRY(check_value(schema, value, at, ctx));
    switch (value->kind) {
    case TL_JSON_NUMBER:
        TL_TRY(check_number(schema, value, at, ctx));
        break;
    case TL_JSON_STRING:
        TL_TRY(check_string(schema, value->text, at, ctx));
        break;
    case TL_JSON_ARRAY:
        TL_TRY(check_array(schema, value, at, ctx));
        break;
    case TL_JSON_OBJECT:
        TL_TRY(check_object(schema, value, at, ctx));
        break;
    case TL_JSON_NULL:
    case TL_JSON_BOOL:
        break;
    }
    return check_choices(schema, value, at, ctx);
}

tl_err tl_schema_check(const tl_schema *schema, const tl_json *value, tl_errctx *ctx)
{
    const step whole = {NULL, {NULL, 0}, 0, 0};
    return check(schema, value, &whole, ctx);
}

/* --- texts of parameters --- */

static unsigned types_of(const tl_schema *schema)
{
    const tl_schema *s = schema;
    for (int i = 0; s->ref != NULL && i < TL_SCHEMA_DEPTH_MAX; i++) {
        s = s->ref;
    }
    return s->types;
}

/* A number in a parameter: what JSON would take, nothing around it. */
static bool is_number_text(tl_str text)
{
    size_t i = text.len > 0 && text.ptr[0] == '-';
    const size_t from = i;
    bool has_point = false;
    for (; i < text.len; i++) {
        if (text.ptr[i] == '.' && !has_point && i > from) {
            has_point = true;
        } else if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return i > from && text.ptr[i - 1] != '.' &&
           !(text.ptr[from] == '0' && i > from + 1 && text.ptr[from + 1] != '.');
}

tl_err tl_schema_check_text(const tl_schema *schema, tl_str value, const char *name, tl_errctx *ctx)
{
    const unsigned types = types_of(schema);
    tl_json json = {.kind = TL_JSON_STRING, .text = value};
    if ((types & TL__SCHEMA_STRING) != 0) {
        json.kind = TL_JSON_STRING;
    } else if ((types & TL__SCHEMA_INTEGER) != 0 && is_number_text(value) &&
               ((types & TL__SCHEMA_NUMBER) != 0 || tl_str_find(value, '.') == value.len)) {
        json.kind = TL_JSON_NUMBER;
    } else if ((types & TL__SCHEMA_BOOLEAN) != 0 &&
               (tl_str_eq_cstr(value, "true") || tl_str_eq_cstr(value, "false"))) {
        json = (tl_json){.kind = TL_JSON_BOOL, .boolean = value.len == 4};
    }
    const tl_err err = tl_schema_check(schema, &json, ctx);
    if (err != TL_OK && ctx != NULL) {
        tl_str_print(ctx->field, sizeof ctx->field, "%s", name);
    }
    return err;
}
