/* What the files of base/cmd share. */
#ifndef TALLY_BASE_CMD_INTERNAL_H
#define TALLY_BASE_CMD_INTERNAL_H

#include "base/cmd/cmd.h"

/* tl__cmd_option: option index of a command, the globals after its own; NULL past the end. */
const tl_cmd_option *tl__cmd_option(const tl_cmd_table *table, const tl_cmd *cmd, size_t index);

/* tl__cmd_group: the first word of a command's name, or all of it. */
tl_str tl__cmd_group(const tl_cmd *cmd);

/* tl__cmd_verb: the second word; empty when there is none. */
tl_str tl__cmd_verb(const tl_cmd *cmd);

/* tl__cmd_is_first_of_group: is it the first command of its group in the table? */
bool tl__cmd_is_first_of_group(const tl_cmd_table *table, size_t index);

/* tl__cmd_check_value: may text be a value of that option? (CMD-1) */
TL_MUST_USE tl_err tl__cmd_check_value(const tl_cmd_option *option, const char *shown,
                                       const char *text, tl_errctx *ctx);

#endif
