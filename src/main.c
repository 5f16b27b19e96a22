/* Finds the command in the table, nothing else. */
#include "cmd/commands.h"

int main(int argc, char **argv)
{
    return cmd_main(argc, argv);
}
