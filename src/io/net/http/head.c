/* What a head is, byte by byte.
 *
 *     method SP target SP HTTP/1.(0|1) CRLF  ( name ":" OWS value OWS CRLF )*  CRLF
 *
 * Each rule that a lenient reader drops is one by which two readers of the same bytes see two different requests: that is
 * request smuggling, and a signature then covers another request than the one that is served. So there is one reading, or
 * 400: lines end with CR LF; a line that begins with white space (folding) and white space before a colon are refused, as
 * are NUL and other controls, a tab or '#' in the target, other versions, every transfer coding but exactly "chunked",
 * Content-Length beside it, two of either, and lengths that are not canonical decimals.
 *
 * Host: required once by 1.1, at most once by 1.0; two are 400, as RFC 9112 section 3.2 has it. */
#include <string.h>

#include <llhttp.h>

#include "io/net/http/http_internal.h"

enum { TOKEN = 1, VALUE = 2, TARGET = 4, HOST = 8 };

/* Bytes by what they may be part of. TOKEN: RFC 9110 section 5.6.2. VALUE: all but controls; the tab is none, DEL is one;
 * bytes above 0x7f are. TARGET: what can be seen in ASCII, but '#'. HOST: RFC 3986 section 3.2.2, and a port. */
/* clang-format off */
static const uint8_t classes[256] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0, /* 0x00 */
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, /* 0x10 */
     2, 15,  6,  3, 15, 15, 15, 15, 14, 14, 15, 15,  6, 15, 15,  6, /* 0x20 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 14,  6, 14,  6,  6, /* 0x30 */
     6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 0x40 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14,  6, 14,  7, 15, /* 0x50 */
     7, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 0x60 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  7,  6, 15,  0, /* 0x70 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 0x80 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 0x90 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 0xa0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 0xb0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 0xc0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 0xd0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 0xe0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 0xf0 */
};
/* clang-format on */

/* How many bytes from the start belong to the class. */
static size_t span(tl_str s, uint8_t class)
{
    size_t i = 0;
    while (i < s.len && (classes[(unsigned char)s.ptr[i]] & class) != 0) {
        i++;
    }
    return i;
}

/* All bytes of one class? Without an early end, so that the compiler makes it fast. */
static bool is_all(tl_str s, uint8_t class)
{
    uint8_t common = class;
    for (size_t i = 0; i < s.len; i++) {
        common &= classes[(unsigned char)s.ptr[i]];
    }
    return common == class;
}

/* The next line without its CR LF; *rest goes behind it. False: there is none that ends so. */
static bool take_line(tl_str *line, tl_str *rest)
{
    const char *lf = memchr(rest->ptr, '\n', rest->len);
    if (lf == NULL || lf == rest->ptr || lf[-1] != '\r') {
        return false;
    }
    const size_t len = (size_t)(lf - rest->ptr);
    *line = (tl_str){rest->ptr, len - 1};
    *rest = (tl_str){lf + 1, rest->len - len - 1};
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static tl_str trim_blanks(tl_str s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s = (tl_str){s.ptr + 1, s.len - 1};
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

/* "http://host…" or "https://host…": how long the scheme with its "://" is; 0: no such target. */
static size_t scheme_len(tl_str target)
{
    return tl_http_name_starts_with(target, TL_STR("http://"))    ? 7
           : tl_http_name_starts_with(target, TL_STR("https://")) ? 8
                                                                  : 0;
}

/* Path and query of a target; false for a form that a server like this has no use for. */
static bool read_target(tl__http_head *head)
{
    const tl_str target = head->target;
    head->origin = target;
    if (target.len == 0 || !is_all(target, TARGET)) {
        return false;
    }
    if (target.ptr[0] == '/') {
        return true;
    }
    if (tl_str_eq(target, TL_STR("*"))) {
        return tl_str_eq(head->method, TL_STR("OPTIONS"));
    }
    const size_t from = scheme_len(target);
    if (from == 0) {
        return false;
    }
    const tl_str behind = tl_str_slice(target, from, target.len);
    const size_t host_len = span(behind, HOST); /* '@' is not among them: no user names */
    if (host_len == 0 ||
        (host_len < behind.len && behind.ptr[host_len] != '/' && behind.ptr[host_len] != '?')) {
        return false;
    }
    head->origin = tl_str_slice(behind, host_len, behind.len);
    return true;
}

static bool read_request_line(tl__http_head *head, tl_str line)
{
    const size_t method_len = span(line, TOKEN);
    if (method_len == 0 || method_len >= line.len || line.ptr[method_len] != ' ') {
        return false;
    }
    head->method = tl_str_slice(line, 0, method_len);
    const tl_str rest = tl_str_slice(line, method_len + 1, line.len);
    const size_t target_len = tl_str_find(rest, ' ');
    head->target = tl_str_slice(rest, 0, target_len);
    const tl_str version = tl_str_slice(rest, target_len + 1, rest.len);
    head->is_http_1_0 = tl_str_eq(version, TL_STR("HTTP/1.0"));
    return (head->is_http_1_0 || tl_str_eq(version, TL_STR("HTTP/1.1"))) && read_target(head);
}

/* One field: its name begins the line, its colon follows the name. */
static bool read_field(tl_http_header *out, tl_str line)
{
    const size_t name_len = span(line, TOKEN);
    if (name_len == 0 || name_len >= line.len || line.ptr[name_len] != ':') {
        return false;
    }
    out->name = (tl_str){line.ptr, name_len};
    out->value = trim_blanks((tl_str){line.ptr + name_len + 1, line.len - name_len - 1});
    return is_all(out->value, VALUE);
}

/* What the fields say about framing, so far. */
typedef struct framing {
    unsigned lengths;
    unsigned codings;
    unsigned hosts;
    unsigned expects;
    bool says_close;
    bool says_keep;
    bool is_unmet; /* an expectation that is not ours */
} framing;

static void read_connection(framing *f, tl_str value)
{
    tl_str token;
    while (tl_str_split(&token, &value, ',')) {
        token = trim_blanks(token);
        f->says_close = f->says_close || tl_http_name_eq(token, TL_STR("close"));
        f->says_keep = f->says_keep || tl_http_name_eq(token, TL_STR("keep-alive"));
    }
}

/* A field that frames the message, or that the server itself obeys. The name's length tells nearly all others apart. */
static bool read_known(tl__http_head *head, framing *f, const tl_http_header *field)
{
    switch (field->name.len) {
    case 4:
        if (tl_http_name_eq(field->name, TL_STR("Host"))) {
            return ++f->hosts == 1 && is_all(field->value, HOST);
        }
        return true;
    case 6:
        if (tl_http_name_eq(field->name, TL_STR("Expect"))) {
            f->is_unmet = !tl_http_name_eq(field->value, TL_STR("100-continue")) || f->expects != 0;
            f->expects++;
        }
        return true;
    case 10:
        if (tl_http_name_eq(field->name, TL_STR("Connection"))) {
            read_connection(f, field->value);
        }
        return true;
    case 14:
        if (tl_http_name_eq(field->name, TL_STR("Content-Length"))) {
            head->has_content_length = true;
            return ++f->lengths == 1 && tl_str_parse_u64(&head->content_length, field->value) &&
                   head->content_length <= INT64_MAX;
        }
        return true;
    case 17:
        if (tl_http_name_eq(field->name, TL_STR("Transfer-Encoding"))) {
            head->is_chunked = true;
            return ++f->codings == 1 && tl_http_name_eq(field->value, TL_STR("chunked"));
        }
        return true;
    default:
        return true;
    }
}

int tl__http_head_scan(tl__http_head *out, tl_http_header *fields, tl_str raw)
{
    tl__http_head head = {0};
    framing f = {0};
    tl_str line;
    if (raw.len > TL_HTTP_HEAD_LEN_MAX) {
        return 431;
    }
    if (!take_line(&line, &raw) || !read_request_line(&head, line)) {
        return 400;
    }
    while (take_line(&line, &raw) && line.len > 0) {
        if (head.field_count == TL_HTTP_FIELD_COUNT_MAX) {
            return 431;
        }
        tl_http_header *field = &fields[head.field_count++];
        if (!read_field(field, line) || !read_known(&head, &f, field)) {
            return 400;
        }
    }
    if (line.len > 0 || raw.len > 0) { /* no empty line at the end, or more behind it */
        return 400;
    }
    if (head.is_chunked && (head.has_content_length || head.is_http_1_0)) {
        return 400;
    }
    if (f.hosts == 0 && !head.is_http_1_0) {
        return 400;
    }
    if (f.is_unmet) {
        return 417;
    }
    head.is_last = head.is_http_1_0 ? !f.says_keep || f.says_close : f.says_close;
    head.expects_continue = f.expects != 0 && !head.is_http_1_0;
    *out = head;
    return 0;
}

/* --- the second opinion --- */

/* llhttp tells method, version and framing when it has the whole head; later it forgets them. */
static int on_complete(llhttp_t *parser)
{
    llhttp_t *seen = parser->data;
    *seen = *parser;
    parser->upgrade = 0; /* whether to change protocols is the application's to say */
    return 0;
}

/* llhttp knows methods by name. One that it does not know is a token all the same (our scan saw to that), and frames nothing:
 * where the application takes any method, llhttp reads another name in its place. */
static llhttp_errno_t ask(llhttp_t *seen, const tl__http_head *head, tl_str raw, bool is_renamed)
{
    static const llhttp_settings_t settings = {.on_headers_complete = on_complete};
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = seen;
    if (!is_renamed) {
        return llhttp_execute(&parser, raw.ptr, raw.len);
    }
    const llhttp_errno_t err = llhttp_execute(&parser, "POST", 4);
    return err == HPE_OK
               ? llhttp_execute(&parser, raw.ptr + head->method.len, raw.len - head->method.len)
               : err;
}

int tl__http_head_confirm(const tl__http_head *head, tl_str raw, bool takes_any_method)
{
    llhttp_t seen = {0};
    llhttp_errno_t err = ask(&seen, head, raw, false);
    const bool is_unknown = err == HPE_INVALID_METHOD;
    if (is_unknown && !takes_any_method) {
        return 501;
    }
    err = is_unknown ? ask(&seen, head, raw, true) : err;
    if ((err != HPE_OK && err != HPE_PAUSED_UPGRADE) || seen.data == NULL) {
        return 400;
    }
    const bool is_chunked = (seen.flags & F_CHUNKED) != 0;
    const uint64_t length = (seen.flags & F_CONTENT_LENGTH) != 0 ? seen.content_length : 0;
    const bool agrees =
        seen.http_major == 1 && seen.http_minor == (head->is_http_1_0 ? 0 : 1) &&
        is_chunked == head->is_chunked && length == head->content_length &&
        (is_unknown || tl_str_eq_cstr(head->method, llhttp_method_name(seen.method)));
    return agrees ? 0 : 400;
}
