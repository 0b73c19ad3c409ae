/* The terminal: colour, and a line of progress that is drawn over. */
#include "io/sys/sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 30 };
#define DRAW_EVERY_NS INT64_C(100000000)

bool tl_sys_wants_color(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(fd) == 1 && (no_color == NULL || no_color[0] == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

void tl_progress_start(tl_progress *progress, const char *label, uint64_t total, bool is_wanted)
{
    const bool is_on = is_wanted && total > 0 && isatty(STDERR_FILENO) == 1;
    *progress = (tl_progress){.label = label, .total = total, .is_on = is_on};
}

/* "label [#####.....] 120/240": a share of cells that never passes the whole. */
static void draw(const tl_progress *progress)
{
    char bar[BAR_CELLS + 1];
    const uint64_t done = progress->done < progress->total ? progress->done : progress->total;
    const double share = (double)done / (double)progress->total;
    const size_t full = (size_t)(share * BAR_CELLS);
    for (size_t i = 0; i < BAR_CELLS; i++) {
        bar[i] = i < full ? '#' : '.';
    }
    bar[BAR_CELLS] = '\0';
    (void)fprintf(stderr, "\r%s [%s] %llu/%llu", progress->label, bar, (unsigned long long)done,
                  (unsigned long long)progress->total);
    (void)fflush(stderr);
}

void tl_progress_step(tl_progress *progress, uint64_t done)
{
    progress->done = done;
    if (!progress->is_on) {
        return;
    }
    const tl_clock clock = tl_sys_clock();
    const int64_t now_ns = tl_clock_steady_ns(&clock);
    if (progress->drawn_ns == 0 || now_ns - progress->drawn_ns >= DRAW_EVERY_NS) {
        progress->drawn_ns = now_ns;
        draw(progress);
    }
}

void tl_progress_end(tl_progress *progress)
{
    if (progress->is_on && progress->drawn_ns != 0) {
        (void)fprintf(stderr, "\r\033[K");
        (void)fflush(stderr);
    }
    progress->is_on = false;
}
