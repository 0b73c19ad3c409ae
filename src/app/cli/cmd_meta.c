/* Commands about the program itself. */
#include "app/cli/cli.h"

#include "tally/version.h"

static tl_err run_version(void *self, const tl_cmd_call *call, tl_errctx *ctx)
{
    tl_app *app = self;
    (void)call;
    tl_sb sb;
    tl_sb_init(&sb, app->arena);
    tl_sb_printf(&sb, "tally %s\n", TALLY_VERSION);
    return tl_app_print_sb(app, &sb, ctx);
}

static const char *const version_examples[] = {"tally version --json", NULL};

const tl_cmd tl_cli_version = {
    .name = "version",
    .summary = "print version, commit, compiler and features",
    .examples = version_examples,
    .run = run_version,
};
