/* Expect against actual: one walk over expect, which says everything that must be there. What actual has besides is
 * no matter: a case states what it wants to see. */
#include "app/conformance/conformance.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal/decimal.h"

enum {
    PATH_CAP = 512,
    SIDE_LEN_MAX = 240 /* characters of one side that are told */
};

/* What holds at one place of expect. */
typedef struct tolerance {
    bool is_exact;
    double relative;
    double absolute;
    const tl_json
        *fields; /* the object whose members give fields a tolerance of their own; or NULL */
} tolerance;

typedef struct walk {
    tl_arena *arena;
    tl_errctx *ctx;
    tl_conform_diff *diffs;
    size_t diff_count;
    size_t leaf_count;
    size_t path_len;
    char path[PATH_CAP];
} walk;

/* --- the path --- */

static void path_put(walk *w, const char *text, size_t len)
{
    const size_t room = PATH_CAP - 1 - w->path_len;
    const size_t put = len < room ? len : room;
    memcpy(w->path + w->path_len, text, put);
    w->path_len += put;
    w->path[w->path_len] = '\0';
}

static void path_cut(walk *w, size_t len)
{
    w->path_len = len;
    w->path[len] = '\0';
}

/* --- telling a difference --- */

static tl_err side_text(tl_str *out, const tl_json *value, walk *w)
{
    if (value == NULL) {
        *out = TL_STR("absent");
        return TL_OK;
    }
    tl_sb sb;
    tl_sb_init(&sb, w->arena);
    tl_json_writer writer;
    tl_json_writer_init(&writer, &sb, 0, false);
    tl_json_put_tree(&writer, value);
    TL_TRY(tl_sb_finish(out, &sb, w->ctx));
    if (out->len > SIDE_LEN_MAX) {
        tl_sb_init(&sb, w->arena);
        tl_sb_put(&sb, tl_str_slice(*out, 0, SIDE_LEN_MAX));
        tl_sb_put_cstr(&sb, "…");
        return tl_sb_finish(out, &sb, w->ctx);
    }
    return TL_OK;
}

static tl_err differs(walk *w, const tl_json *expect, const tl_json *actual)
{
    if (w->diff_count < TL_CONFORM_DIFFS_MAX) {
        tl_conform_diff *diff = &w->diffs[w->diff_count];
        TL_TRY(tl_str_copy(&diff->path, w->arena, (tl_str){w->path, w->path_len}, w->ctx));
        TL_TRY(side_text(&diff->expected, expect, w));
        TL_TRY(side_text(&diff->actual, actual, w));
    }
    w->diff_count++;
    return TL_OK;
}

/* --- tolerances --- */

static tl_err tolerance_number(double *out, bool *is_given, const tl_json *object, const char *key,
                               tl_errctx *ctx)
{
    const tl_json *value = tl_json_get(object, key);
    if (value == NULL || value->kind != TL_JSON_NUMBER) { /* a field of that name, then */
        return TL_OK;
    }
    TL_TRY(tl_json_as_f64(out, value, key, ctx));
    if (!(*out >= 0)) {
        return tl_fail_field(ctx, TL_ERR_RANGE, key, "a tolerance below 0");
    }
    *is_given = true;
    return TL_OK;
}

/* The tolerance that value states, inside of outer: what it leaves open, outer decides. */
static tl_err tolerance_read(tolerance *out, const tl_json *value, const tolerance *outer,
                             tl_errctx *ctx)
{
    if (value->kind == TL_JSON_STRING && tl_str_eq(value->text, TL_STR("exact"))) {
        *out = (tolerance){true, 0, 0, NULL};
        return TL_OK;
    }
    if (value->kind != TL_JSON_OBJECT) {
        return tl_fail_field(ctx, TL_ERR_TYPE, "tolerance",
                             "a tolerance is \"exact\" or an object of relative, absolute, fields");
    }
    tolerance read = {true, 0, 0, value};
    bool is_given = false;
    TL_TRY(tolerance_number(&read.relative, &is_given, value, "relative", ctx));
    TL_TRY(tolerance_number(&read.absolute, &is_given, value, "absolute", ctx));
    read.is_exact = !is_given;
    if (!is_given) {
        read.is_exact = outer->is_exact;
        read.relative = outer->relative;
        read.absolute = outer->absolute;
    }
    *out = read;
    return TL_OK;
}

/* What holds for a member of an object that stands under outer. */
static tl_err tolerance_of(tolerance *out, const tolerance *outer, tl_str key, tl_errctx *ctx)
{
    const tl_json *own = tl_json_get_str(outer->fields, key);
    const bool is_default =
        tl_str_eq(key, TL_STR("relative")) || tl_str_eq(key, TL_STR("absolute"));
    if (own == NULL || (is_default && own->kind == TL_JSON_NUMBER)) {
        *out = *outer;
        return TL_OK;
    }
    return tolerance_read(out, own, outer, ctx);
}

/* --- leaves --- */

static bool is_integer_text(tl_str text)
{
    const size_t sign = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;
    if (text.len == sign || (text.ptr[sign] == '0' && text.len > sign + 1)) {
        return false;
    }
    for (size_t i = sign; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

static bool is_same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* An integer against a number with a fraction or an exponent: equal when the double is that integer exactly. */
static bool integer_is_double(tl_str integer, tl_str number)
{
    double want;
    double have;
    if (!tl_f64_parse(&want, integer) || !tl_f64_parse(&have, number)) {
        return false;
    }
    int64_t exact;
    if (tl_str_parse_i64(&exact, integer) && fabs(have) < 0x1p63) {
        return have == trunc(have) && (int64_t)have == exact && !(exact == 0 && signbit(have));
    }
    return is_same_bits(want, have);
}

static bool is_same_number(tl_str a, tl_str b)
{
    const bool a_is_integer = is_integer_text(a);
    const bool b_is_integer = is_integer_text(b);
    if (a_is_integer && b_is_integer) {
        const bool a_is_zero = tl_str_eq_cstr(a, "0") || tl_str_eq_cstr(a, "-0");
        const bool b_is_zero = tl_str_eq_cstr(b, "0") || tl_str_eq_cstr(b, "-0");
        return tl_str_eq(a, b) || (a_is_zero && b_is_zero);
    }
    if (a_is_integer || b_is_integer) {
        return a_is_integer ? integer_is_double(a, b) : integer_is_double(b, a);
    }
    double x;
    double y;
    return tl_f64_parse(&x, a) && tl_f64_parse(&y, b) && is_same_bits(x, y);
}

static bool is_near(double have, double want, const tolerance *tol)
{
    if (tol->is_exact) {
        return is_same_bits(have, want);
    }
    return is_same_bits(have, want) ||
           fabs(have - want) <= tol->absolute + tol->relative * fabs(want);
}

static bool number_holds(const tl_json *expect, const tl_json *actual, const tolerance *tol)
{
    if (tol->is_exact) {
        return is_same_number(expect->text, actual->text);
    }
    double want;
    double have;
    return tl_f64_parse(&want, expect->text) && tl_f64_parse(&have, actual->text) &&
           is_near(have, want, tol);
}

/* Strings and numbers across: equal when they name the same integer. */
static bool names_same_integer(const tl_json *a, const tl_json *b)
{
    return is_integer_text(a->text) && tl_str_eq(a->text, b->text);
}

static bool leaf_holds(const tl_json *expect, const tl_json *actual, const tolerance *tol)
{
    if (expect->kind == TL_JSON_NUMBER && actual->kind == TL_JSON_NUMBER) {
        return number_holds(expect, actual, tol);
    }
    if ((expect->kind == TL_JSON_STRING && actual->kind == TL_JSON_NUMBER) ||
        (expect->kind == TL_JSON_NUMBER && actual->kind == TL_JSON_STRING)) {
        return names_same_integer(expect, actual);
    }
    if (expect->kind != actual->kind) {
        return false;
    }
    switch (expect->kind) {
    case TL_JSON_NULL:
        return true;
    case TL_JSON_BOOL:
        return expect->boolean == actual->boolean;
    case TL_JSON_STRING:
        return tl_str_eq(expect->text, actual->text);
    case TL_JSON_NUMBER:
    case TL_JSON_ARRAY:
    case TL_JSON_OBJECT:
        break;
    }
    return false;
}

/* --- {"f64": hex, "repr": text} --- */

static bool f64_decode(double *out, const tl_json *object)
{
    const tl_json *hex = tl_json_get(object, "f64");
    if (hex == NULL || hex->kind != TL_JSON_STRING || hex->text.len != 16) {
        return false;
    }
    uint64_t bits = 0;
    for (size_t i = 0; i < 16; i++) {
        const char c = hex->text.ptr[i];
        const char *digits = "0123456789abcdef";
        const char *at = memchr(digits, c, 16);
        if (at == NULL) {
            return false;
        }
        bits = bits << 4 | (uint64_t)(at - digits);
    }
    memcpy(out, &bits, sizeof bits);
    return true;
}

static bool is_f64_object(const tl_json *value)
{
    const tl_json *repr = tl_json_get(value, "repr");
    return value->count == 2 && tl_json_get(value, "f64") != NULL && repr != NULL &&
           repr->kind == TL_JSON_STRING;
}

/* The bits decide, the text must be theirs; actual is such an object too, or a number. */
static bool f64_holds(const tl_json *expect, const tl_json *actual, const tolerance *tol)
{
    double want;
    double have;
    char text[TL_F64_TEXT_CAP];
    if (!f64_decode(&want, expect)) {
        return false;
    }
    (void)tl_f64_print(text, want);
    if (!tl_str_eq_cstr(tl_json_get(expect, "repr")->text, text)) {
        return false; /* expect contradicts itself */
    }
    if (actual->kind == TL_JSON_NUMBER) {
        return tl_f64_parse(&have, actual->text) && is_near(have, want, tol);
    }
    if (actual->kind != TL_JSON_OBJECT || !is_f64_object(actual) || !f64_decode(&have, actual)) {
        return false;
    }
    (void)tl_f64_print(text, have);
    return tl_str_eq_cstr(tl_json_get(actual, "repr")->text, text) && is_near(have, want, tol);
}

/* --- the walk --- */

static bool is_skipped(tl_str key)
{
    static const char *const skipped[] = {"branch", "message", "integer_arithmetic_differs",
                                          "differs_under_compensated_sum", "info"};
    for (size_t i = 0; i < sizeof skipped / sizeof skipped[0]; i++) {
        if (tl_str_eq_cstr(key, skipped[i])) {
            return true;
        }
    }
    return false;
}

static tl_err walk_value(walk *w, const tl_json *expect, const tl_json *actual,
                         const tolerance *tol);

static tl_err walk_object(walk *w, const tl_json *expect, const tl_json *actual,
                          const tolerance *tol)
{
    const size_t path_len = w->path_len;
    for (uint32_t i = 0; i < expect->count; i++) {
        const tl_json_member *member = &expect->members[i];
        if (is_skipped(member->key)) {
            continue;
        }
        tolerance own;
        TL_TRY(tolerance_of(&own, tol, member->key, w->ctx));
        path_put(w, ".", path_len > 0 ? 1 : 0);
        path_put(w, member->key.ptr, member->key.len);
        TL_TRY(walk_value(w, &member->value, tl_json_get_str(actual, member->key), &own));
        path_cut(w, path_len);
    }
    return TL_OK;
}

static tl_err walk_array(walk *w, const tl_json *expect, const tl_json *actual,
                         const tolerance *tol)
{
    const size_t path_len = w->path_len;
    w->leaf_count++; /* the length is compared as well */
    for (uint32_t i = 0; i < expect->count || i < actual->count; i++) {
        char index[32];
        const int len = snprintf(index, sizeof index, "[%u]", i);
        path_put(w, index, (size_t)len);
        if (i < expect->count) {
            const tl_json *have = i < actual->count ? &actual->items[i] : NULL;
            TL_TRY(walk_value(w, &expect->items[i], have, tol));
        } else {
            TL_TRY(differs(w, NULL, &actual->items[i]));
        }
        path_cut(w, path_len);
    }
    return TL_OK;
}

static tl_err walk_value(walk *w, const tl_json *expect, const tl_json *actual,
                         const tolerance *tol)
{
    const bool is_f64 = expect->kind == TL_JSON_OBJECT && is_f64_object(expect);
    if (actual != NULL && !is_f64 && expect->kind == actual->kind) {
        if (expect->kind == TL_JSON_OBJECT) {
            return walk_object(w, expect, actual, tol);
        }
        if (expect->kind == TL_JSON_ARRAY) {
            return walk_array(w, expect, actual, tol);
        }
    }
    w->leaf_count++;
    if (actual == NULL) {
        return differs(w, expect, actual);
    }
    const bool holds = is_f64 ? f64_holds(expect, actual, tol) : leaf_holds(expect, actual, tol);
    return holds ? TL_OK : differs(w, expect, actual);
}

tl_err tl_conform_compare(tl_conform_diff out[TL_CONFORM_DIFFS_MAX], size_t *count_full,
                          const tl_json *expect, const tl_json *actual, const tl_json *tolerance_in,
                          tl_arena *arena, tl_errctx *ctx)
{
    const tolerance exact = {true, 0, 0, NULL};
    tolerance tol = exact;
    if (tolerance_in != NULL) {
        TL_TRY(tolerance_read(&tol, tolerance_in, &exact, ctx));
    }
    walk w = {.arena = arena, .ctx = ctx, .diffs = out};
    TL_TRY(walk_value(&w, expect, actual, &tol));
    if (w.leaf_count == 0) {
        return tl_fail_field(ctx, TL_ERR_MISSING, "expect", "expect has nothing to compare");
    }
    *count_full = w.diff_count;
    return TL_OK;
}
