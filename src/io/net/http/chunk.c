/* The chunked coding, read strictly.
 *
 *     size in 1 to 8 hex digits, [";" extension] CRLF, that many bytes, CRLF, …, "0" [";" …] CRLF, trailers, CRLF
 *
 * Not by llhttp: release 8.1 takes folded lines and white space before the colon in trailers, and bounds neither these nor
 * extensions. A test gives both the same bytes: what is accepted here is accepted there, with the same body and the same
 * end. Extensions and trailers are checked and dropped: nothing that comes behind the body may look like a header that was
 * signed. */
#include <string.h>

#include "io/net/http/http_internal.h"

enum {
    SIZE,
    EXTENSION_START,
    VALUE_START,
    EXTENSION_NAME,
    EXTENSION_VALUE,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
};

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* What may stand in a trailer's value. */
static bool is_text(uint8_t c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

static bool is_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* The size, then CR or an extension. */
static bool step_size(tl__http_chunks *s, uint8_t c)
{
    const int digit = hex_digit(c);
    if (digit >= 0) {
        s->left = s->left << 4 | (uint64_t)digit;
        return ++s->digits <= 8;
    }
    s->state = c == ';' ? EXTENSION_START : SIZE_LF;
    return s->digits > 0 && (c == ';' || c == '\r');
}

/* One extension: name, or name=value, of token characters. Nobody uses them; llhttp refuses a second one too. */
static bool step_extension(tl__http_chunks *s, uint8_t c)
{
    const bool is_start = s->state == EXTENSION_START || s->state == VALUE_START;
    if (is_name(c)) {
        s->state = s->state == EXTENSION_START ? EXTENSION_NAME
                   : s->state == VALUE_START   ? EXTENSION_VALUE
                                               : s->state;
        return true;
    }
    const bool is_equals = c == '=' && s->state == EXTENSION_NAME;
    s->state = is_equals ? VALUE_START : SIZE_LF;
    return !is_start && (is_equals || c == '\r');
}

static bool step_trailer_start(tl__http_chunks *s, uint8_t c)
{
    s->state = c == '\r' ? END_LF : TRAILER_NAME;
    return c == '\r' || is_name(c);
}

/* One byte of framing; false: no HTTP. */
static bool step(tl__http_chunks *s, uint8_t c)
{
    switch (s->state) {
    case SIZE:
        return ++s->line_len <= TL__HTTP_CHUNK_LINE_MAX && step_size(s, c);
    case EXTENSION_START:
    case VALUE_START:
    case EXTENSION_NAME:
    case EXTENSION_VALUE:
        return ++s->line_len <= TL__HTTP_CHUNK_LINE_MAX && step_extension(s, c);
    case SIZE_LF:
        s->state = s->left > 0 ? DATA : TRAILER_START;
        s->line_len = 0;
        s->digits = 0;
        return c == '\n';
    case DATA_CR:
        s->state = DATA_LF;
        return c == '\r';
    case DATA_LF:
        s->state = SIZE;
        return c == '\n';
    case TRAILER_START:
        return ++s->line_len <= TL__HTTP_TRAILER_LEN_MAX && step_trailer_start(s, c);
    case TRAILER_NAME:
        s->state = c == ':' ? TRAILER_VALUE : TRAILER_NAME;
        return ++s->line_len <= TL__HTTP_TRAILER_LEN_MAX && (c == ':' || is_name(c));
    case TRAILER_VALUE:
        s->state = c == '\r' ? TRAILER_LF : TRAILER_VALUE;
        return ++s->line_len <= TL__HTTP_TRAILER_LEN_MAX && (c == '\r' || is_text(c));
    case TRAILER_LF:
        s->state = TRAILER_START;
        return c == '\n';
    default:
        return c == '\n'; /* END_LF */
    }
}

tl__http_chunk_step tl__http_chunks_read(tl__http_chunks *chunks, tl_bytes *rest, tl_bytes *piece)
{
    while (rest->len > 0) {
        if (chunks->state == DATA) {
            const size_t len = rest->len < chunks->left ? rest->len : (size_t)chunks->left;
            *piece = (tl_bytes){rest->ptr, len};
            *rest = (tl_bytes){rest->ptr + len, rest->len - len};
            chunks->left -= len;
            chunks->payload += len;
            chunks->state = chunks->left == 0 ? DATA_CR : DATA;
            return TL__HTTP_CHUNK_PIECE;
        }
        const bool is_end = chunks->state == END_LF;
        const bool is_good = step(chunks, rest->ptr[0]);
        *rest = (tl_bytes){rest->ptr + 1, rest->len - 1};
        chunks->overhead++;
        if (!is_good || chunks->overhead > TL__HTTP_OVERHEAD_FREE + 8 * chunks->payload) {
            return TL__HTTP_CHUNK_BAD;
        }
        if (is_end) {
            return TL__HTTP_CHUNK_END;
        }
    }
    return TL__HTTP_CHUNK_MORE;
}

uint64_t tl__http_chunk_left(const tl__http_chunks *chunks)
{
    return chunks->state == DATA ? chunks->left : 0;
}
