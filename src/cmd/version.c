/* vedette version, vedette help. */
#include <stdio.h>

#include "cmd/commands.h"
#include "cmd/commands_parse.h"
#include "cmd/help.h"

static int run_version(void *settings, int argc, char **argv)
{
    (void)settings;
    (void)argc;
    (void)argv;
    puts("vedette " VEDETTE_VERSION);
    return CMD_OK;
}

const struct cmd_command cmd_version = {
    .name = "version",
    .summary = "Show the version",
    .run = run_version,
};
