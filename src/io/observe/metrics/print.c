/* The text exposition format: # HELP, # TYPE, then a line a value. */
#include "io/observe/metrics/metrics.h"

#include "base/decimal/decimal.h"
#include "io/observe/metrics/metrics_internal.h"

/* Backslash and line feed are escaped everywhere, the quote in label values. A byte that is no UTF-8 becomes '?': a label
 * may hold a stranger's word. */
static void put_escaped(tl_sb *sb, tl_str text, bool is_label)
{
    for (size_t at = 0; at < text.len;) {
        const char c = text.ptr[at];
        const size_t len = tl_str_utf8_at(NULL, text, at);
        if (c == '\\' || (c == '"' && is_label)) {
            tl_sb_put_char(sb, '\\');
            tl_sb_put_char(sb, c);
        } else if (c == '\n') {
            tl_sb_put(sb, TL_STR("\\n"));
        } else if (len == 0) {
            tl_sb_put_char(sb, '?');
        } else {
            tl_sb_put_bytes(sb, text.ptr + at, len);
        }
        at += len > 0 ? len : 1;
    }
}

static void put_f64(tl_sb *sb, double value)
{
    char text[TL_F64_TEXT_CAP];
    const size_t len = tl_f64_print(text, value);
    tl_sb_put_bytes(sb, text, len);
}

/* name_suffix{a="…",le="…"} and a space */
static void put_name(tl_sb *sb, const tl_series *series, const char *suffix, const char *le)
{
    const tl_metric_spec *spec = &series->family->spec;
    tl_sb_put_cstr(sb, spec->name);
    tl_sb_put_cstr(sb, suffix);
    for (size_t i = 0; i < spec->label_count; i++) {
        tl_sb_put_char(sb, i == 0 ? '{' : ',');
        tl_sb_put_cstr(sb, spec->labels[i]);
        tl_sb_put(sb, TL_STR("=\""));
        put_escaped(sb, tl_str_from_cstr(series->labels[i]), true);
        tl_sb_put_char(sb, '"');
    }
    if (le != NULL) {
        tl_sb_put(sb, spec->label_count == 0 ? TL_STR("{le=\"") : TL_STR(",le=\""));
        tl_sb_put_cstr(sb, le);
        tl_sb_put_char(sb, '"');
    }
    tl_sb_put(sb, spec->label_count > 0 || le != NULL ? TL_STR("} ") : TL_STR(" "));
}

static void put_line(tl_sb *sb, const tl_series *series, const char *suffix, const char *le,
                     int64_t value)
{
    put_name(sb, series, suffix, le);
    tl_sb_put_i64(sb, value);
    tl_sb_put_char(sb, '\n');
}

static void put_histogram(tl_sb *sb, const tl_series *series)
{
    const tl_metric_spec *spec = &series->family->spec;
    int64_t below = 0; /* a bucket counts those of the smaller ones too */
    for (size_t i = 0; i < spec->bound_count; i++) {
        char le[TL_F64_TEXT_CAP];
        (void)tl_f64_print(le, spec->bounds[i]);
        below += tl__series_word(series, 1 + i);
        put_line(sb, series, "_bucket", le, below);
    }
    below += tl__series_word(series, 1 + spec->bound_count);
    put_line(sb, series, "_bucket", "+Inf", below);
    put_name(sb, series, "_sum", NULL);
    put_f64(sb, (double)tl__series_word(series, 0) / 1e9);
    tl_sb_put_char(sb, '\n');
    put_line(sb, series, "_count", NULL, below);
}

/* Is there something to say? The series of the overflow shows once something fell into it. */
static bool shows(const tl_metric *family, const tl_series *series)
{
    return series != family->overflow || family->spec.label_count == 0 ||
           tl_series_count(series) != 0;
}

static void put_family(tl_sb *sb, tl_metric *family)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    tl_sb_put(sb, TL_STR("# HELP "));
    tl_sb_put_cstr(sb, family->spec.name);
    tl_sb_put_char(sb, ' ');
    put_escaped(sb, tl_str_from_cstr(family->spec.help), false);
    tl_sb_put(sb, TL_STR("\n# TYPE "));
    tl_sb_put_cstr(sb, family->spec.name);
    tl_sb_put_char(sb, ' ');
    tl_sb_put_cstr(sb, types[family->kind]);
    tl_sb_put_char(sb, '\n');
    (void)pthread_mutex_lock(&family->lock);
    for (const tl_series *s = family->first; s != NULL; s = s->next) {
        if (!shows(family, s)) {
            continue;
        }
        if (family->kind == TL__METRIC_HISTOGRAM) {
            put_histogram(sb, s);
        } else {
            put_line(sb, s, "", NULL, tl__series_word(s, 0));
        }
    }
    (void)pthread_mutex_unlock(&family->lock);
}

void tl_metrics_print(tl_sb *sb, tl_metrics *metrics)
{
    for (size_t i = 0; i < metrics->hook_count; i++) {
        metrics->hooks[i].call(metrics->hooks[i].self);
    }
    for (size_t i = 0; i < metrics->family_count; i++) {
        put_family(sb, &metrics->families[i]);
    }
}
