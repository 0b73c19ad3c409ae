/* replay FOLDER: gives every kept input of a fuzz target to it, once, without an engine, and prints TAP. A target whose
 * assertion breaks ends the program: the name that was printed last is its input. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The whole file in memory of exactly its size, so that a sanitizer sees one byte too far. */
static uint8_t *read_whole(const char *folder, const char *name, size_t *len)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    long size = -1;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
        rewind(file);
    }
    uint8_t *bytes = size >= 0 ? malloc(size > 0 ? (size_t)size : 1) : NULL;
    if (bytes != NULL && fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        free(bytes);
        bytes = NULL;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    *len = bytes != NULL ? (size_t)size : 0;
    return bytes;
}

int main(int argc, char **argv)
{
    struct dirent **names = NULL;
    const int count = argc == 2 ? scandir(argv[1], &names, is_file, alphasort) : -1;
    int bad = count <= 0;
    for (int i = 0; i < count; i++) {
        size_t len = 0;
        uint8_t *bytes = read_whole(argv[1], names[i]->d_name, &len);
        bad |= bytes == NULL;
        (void)printf("# %s\n", names[i]->d_name);
        (void)fflush(stdout);
        if (bytes != NULL) {
            (void)LLVMFuzzerTestOneInput(bytes, len);
        }
        (void)printf("%s %d - %s\n", bytes != NULL ? "ok" : "not ok", i + 1, names[i]->d_name);
        free(bytes);
        free(names[i]);
    }
    free(names);
    (void)printf("1..%d\n", count > 0 ? count : 0);
    return bad;
}
