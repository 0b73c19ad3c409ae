/* address.c: an address in its one form.
 *
 *      "1234 N.E. Main Street, Apt. #5B, Seattle, WA 98101-1234, USA"  ->  "1234 NE MAIN ST UNIT 5B SEATTLE WA 98101"
 *
 * Words are cut at everything but letters, digits, '.' and apostrophes (these two vanish: N.E., O'Brien), upper-cased and,
 * where the table knows them, abbreviated, wherever they stand: which of two words is the suffix needs a gazetteer, and
 * two spellings of one address agree either way. Each abbreviation stands for itself, so doing it twice changes nothing
 * (REC-3).
 */
#include <string.h>

#include "core/listings/record/record_internal.h"

#define WORDS_MAX TL_RECORD_ADDRESS_MAX /* a byte each, when every other one is a '#' */

/* X(written, stands for), ascending by first letter. Suffixes by USPS Publication 28, appendix C. */
#define ADDRESS_WORDS(X)                                                                           \
    X("ALLEY", "ALY")                                                                              \
    X("APARTMENT", "UNIT")                                                                         \
    X("APT", "UNIT")                                                                               \
    X("AV", "AVE")                                                                                 \
    X("AVENUE", "AVE")                                                                             \
    X("AVN", "AVE")                                                                                \
    X("BEND", "BND")                                                                               \
    X("BOUL", "BLVD")                                                                              \
    X("BOULEVARD", "BLVD")                                                                         \
    X("BUILDING", "BLDG")                                                                          \
    X("CENTER", "CTR")                                                                             \
    X("CIRCLE", "CIR")                                                                             \
    X("COURT", "CT")                                                                               \
    X("COVE", "CV")                                                                                \
    X("CREEK", "CRK")                                                                              \
    X("CRESCENT", "CRES")                                                                          \
    X("CROSSING", "XING")                                                                          \
    X("DRIVE", "DR")                                                                               \
    X("DRV", "DR")                                                                                 \
    X("EAST", "E")                                                                                 \
    X("ESTATES", "ESTS")                                                                           \
    X("EXPRESSWAY", "EXPY")                                                                        \
    X("FORT", "FT")                                                                                \
    X("FREEWAY", "FWY")                                                                            \
    X("GARDENS", "GDNS")                                                                           \
    X("GLEN", "GLN")                                                                               \
    X("GROVE", "GRV")                                                                              \
    X("HEIGHTS", "HTS")                                                                            \
    X("HIGHWAY", "HWY")                                                                            \
    X("HILL", "HL")                                                                                \
    X("HILLS", "HLS")                                                                              \
    X("HOLLOW", "HOLW")                                                                            \
    X("JUNCTION", "JCT")                                                                           \
    X("LAKE", "LK")                                                                                \
    X("LANDING", "LNDG")                                                                           \
    X("LANE", "LN")                                                                                \
    X("MANOR", "MNR")                                                                              \
    X("MEADOWS", "MDWS")                                                                           \
    X("MOUNT", "MT")                                                                               \
    X("MOUNTAIN", "MTN")                                                                           \
    X("NORTH", "N")                                                                                \
    X("NORTHEAST", "NE")                                                                           \
    X("NORTHWEST", "NW")                                                                           \
    X("PARKWAY", "PKWY")                                                                           \
    X("PKY", "PKWY")                                                                               \
    X("PLACE", "PL")                                                                               \
    X("PLAZA", "PLZ")                                                                              \
    X("POINT", "PT")                                                                               \
    X("RIDGE", "RDG")                                                                              \
    X("ROAD", "RD")                                                                                \
    X("ROOM", "UNIT")                                                                              \
    X("SAINT", "ST")                                                                               \
    X("SOUTH", "S")                                                                                \
    X("SOUTHEAST", "SE")                                                                           \
    X("SOUTHWEST", "SW")                                                                           \
    X("SPRINGS", "SPGS")                                                                           \
    X("SQUARE", "SQ")                                                                              \
    X("STE", "UNIT")                                                                               \
    X("STR", "ST")                                                                                 \
    X("STREET", "ST")                                                                              \
    X("SUITE", "UNIT")                                                                             \
    X("TERR", "TER")                                                                               \
    X("TERRACE", "TER")                                                                            \
    X("TRACE", "TRCE")                                                                             \
    X("TRAIL", "TRL")                                                                              \
    X("TURNPIKE", "TPKE")                                                                          \
    X("VALLEY", "VLY")                                                                             \
    X("VIEW", "VW")                                                                                \
    X("VILLAGE", "VLG")                                                                            \
    X("WEST", "W")

typedef struct abbreviation {
    uint8_t len;
    uint8_t short_len;
    char text[11];
    char shorter[5];
} abbreviation;

static const abbreviation abbreviations[] = {
#define ABBREVIATION(text, shorter) {sizeof(text) - 1, sizeof(shorter) - 1, text, shorter},
    ADDRESS_WORDS(ABBREVIATION)
#undef ABBREVIATION
};

#define ABBREVIATION_COUNT (sizeof abbreviations / sizeof *abbreviations)

/* Where the words of each first letter begin: letter A at 0; the last one is the count. */
static const uint8_t first_of[27] = {0,  6,  10, 17, 19, 22, 24, 27, 32, 32, 33, 33, 36, 40,
                                     43, 43, 48, 48, 51, 61, 66, 66, 69, 70, 70, 70, 70};

/* One word of the answer; joined: a hyphen stands before it. */
typedef struct word {
    uint16_t at;
    uint16_t len;
    bool is_joined;
} word;

/* An address in the making: text holds the words, a space between two. A '#' of one byte becomes UNIT and a space. */
typedef struct making {
    char text[5 * TL_RECORD_ADDRESS_MAX];
    size_t len;
    word words[WORDS_MAX];
    size_t count;
} making;

static tl_str word_text(const making *m, size_t i)
{
    return (tl_str){m->text + m->words[i].at, m->words[i].len};
}

/* The word that has just been written from at on is done: abbreviate it, and merge a unit mark with the one before. */
static void end_word(making *m, size_t at, bool is_joined)
{
    const size_t len = m->len - at;
    const unsigned letter = (unsigned)(unsigned char)m->text[at] - 'A';
    for (size_t i = letter < 26 ? first_of[letter] : 0; letter < 26 && i < first_of[letter + 1];
         i++) {
        const abbreviation *const a = &abbreviations[i];
        if (a->len == len && memcmp(a->text, m->text + at, len) == 0) {
            memcpy(m->text + at, a->shorter, a->short_len);
            m->len = at + a->short_len;
            break;
        }
    }
    const tl_str text = {m->text + at, m->len - at};
    TL_ASSERT(m->count < WORDS_MAX);
    if (m->count > 0 && tl_str_eq(text, TL_STR("UNIT")) &&
        tl_str_eq(word_text(m, m->count - 1), TL_STR("UNIT"))) {
        m->len = at;
        return;
    }
    m->words[m->count++] = (word){(uint16_t)at, (uint16_t)text.len, is_joined};
    m->text[m->len++] = ' ';
}

enum { APART, VANISHES, MARK, PART };

/* What a byte is in an address, and a letter's upper case. */
static int class_of(unsigned char c, char *upper)
{
    *upper = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
    const char u = *upper;
    if ((u >= 'A' && u <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80) {
        return PART;
    }
    return c == '.' || c == '\'' ? VANISHES : c == '#' ? MARK : APART;
}

static void take_words(making *m, tl_str raw)
{
    size_t begin = 0; /* of the word being written */
    bool is_joined = false;
    for (size_t i = 0; i < raw.len; i++) {
        char c;
        const int kind = class_of((unsigned char)raw.ptr[i], &c);
        if (kind == PART) {
            m->text[m->len++] = c;
        } else if (kind != VANISHES) {
            if (m->len > begin) {
                end_word(m, begin, is_joined);
                begin = m->len;
                is_joined = false;
            }
            is_joined = c == '-';
            if (kind == MARK) {
                memcpy(m->text + m->len, "UNIT", 4);
                m->len += 4;
                end_word(m, begin, false);
                begin = m->len;
            }
        }
    }
    if (m->len > begin) {
        end_word(m, begin, is_joined);
    }
}

static bool is_digits(tl_str text, size_t len)
{
    bool is = text.len == len;
    for (size_t i = 0; is && i < len; i++) {
        is = text.ptr[i] >= '0' && text.ptr[i] <= '9';
    }
    return is;
}

/* How many words at the end of the first n name the country. */
static size_t country_words(const making *m, size_t n)
{
    const tl_str last = n > 1 ? word_text(m, n - 1) : TL_STR("");
    if (tl_str_eq(last, TL_STR("USA")) || tl_str_eq(last, TL_STR("US"))) {
        return 1;
    }
    return n > 2 && tl_str_eq(last, TL_STR("STATES")) &&
                   tl_str_eq(word_text(m, n - 2), TL_STR("UNITED"))
               ? 2
               : 0;
}

/* Without what is too long, the country, and the four digits behind a zipcode. Returns the length. */
static size_t cut_end(const making *m)
{
    size_t n = m->count;
    while (n > 0 && (size_t)m->words[n - 1].at + m->words[n - 1].len > TL_RECORD_ADDRESS_MAX) {
        n--;
    }
    for (size_t k = country_words(m, n); k != 0; k = country_words(m, n)) {
        n -= k;
    }
    if (n > 1 && m->words[n - 1].is_joined && is_digits(word_text(m, n - 1), 4) &&
        is_digits(word_text(m, n - 2), 5)) {
        n--;
    }
    return n != 0 ? (size_t)m->words[n - 1].at + m->words[n - 1].len : 0;
}

/* The first bytes of a text that count, no character of it cut. */
static tl_str first_bytes(tl_str raw)
{
    size_t len = raw.len < TL_RECORD_ADDRESS_MAX ? raw.len : TL_RECORD_ADDRESS_MAX;
    while (len > 0 && len < raw.len && ((unsigned char)raw.ptr[len] & 0xC0) == 0x80) {
        len--;
    }
    return (tl_str){raw.ptr, len};
}

tl_err tl_record_address(tl_str *out, tl_arena *arena, tl_str raw, tl_errctx *ctx)
{
    TL_ASSERT(first_of[26] == ABBREVIATION_COUNT);
    making m;
    m.len = 0;
    m.count = 0;
    take_words(&m, first_bytes(raw));
    return tl_str_copy(out, arena, (tl_str){m.text, cut_end(&m)}, ctx);
}

bool tl__address_zipcode(char out[6], tl_str normalised)
{
    if (normalised.len < 7 || normalised.ptr[normalised.len - 6] != ' ' ||
        !is_digits(tl_str_slice(normalised, normalised.len - 5, normalised.len), 5)) {
        return false;
    }
    memcpy(out, normalised.ptr + normalised.len - 5, 5);
    out[5] = '\0';
    return true;
}
