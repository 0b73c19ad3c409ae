/* What the build knows about itself. */
#ifndef TALLY_APP_CLI_COMMIT_H
#define TALLY_APP_CLI_COMMIT_H

extern const char tl__cli_commit[]; /* a short hash, or "unknown" outside of a repository */

#endif
