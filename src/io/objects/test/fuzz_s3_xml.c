/* Attacks the reader of an S3 server's answers with anything: it ends, keeps within the text, and what was escaped comes
 * back as it was. */
#include "io/objects/objects_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    tl_arena *arena = NULL;
    const tl_str input = {(const char *)data, len};
    tl__xml xml = {input, 0};
    tl_str name;
    tl_str text;
    tl_str plain;
    bool is_end;
    size_t before = 0;
    if (tl_arena_new(&arena, NULL, 0, NULL, NULL) != TL_OK) {
        return 0;
    }
    while (tl__xml_next(&xml, &name, &is_end, &text)) {
        TL_ASSERT(xml.at > before && xml.at <= len);
        TL_ASSERT(name.len <= len && text.len <= len - xml.at);
        before = xml.at;
        const tl_arena_mark mark = tl_arena_get_mark(arena);
        if (tl__xml_decode(&plain, arena, text, NULL) == TL_OK) {
            TL_ASSERT(plain.len <= text.len);
        }
        tl_arena_rewind(arena, mark);
    }
    tl_sb sb;
    tl_str escaped;
    tl_sb_init(&sb, arena);
    tl__xml_put(&sb, input);
    if (tl_sb_finish(&escaped, &sb, NULL) == TL_OK) {
        TL_ASSERT(tl__xml_decode(&plain, arena, escaped, NULL) == TL_OK);
        TL_ASSERT(tl_str_eq(plain, input));
    }
    (void)tl__s3_date(input);
    (void)tl__xml_find(input, "Code");
    tl_arena_free(arena);
    return 0;
}
