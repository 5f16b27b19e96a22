#include "cmd/commands.h"

#include <stdio.h>

int cmd_main(int argc, char **argv)
{
    (void)argc;
    fprintf(stderr, "usage: %s COMMAND\n", argv[0]);
    return CMD_USAGE;
}
