/* Looks at the environment once, in the order that the header gives; opens nothing. */
#include "cmd/data_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Chooses a directory of the machine for root and one of the user for others. Paths of
 * the environment count only when they are absolute. */
enum vd_status cmd_data_dir(const char *given, char *dir, size_t size,
                            struct vd_error *err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (given != NULL)
        snprintf(dir, size, "%s", given);
    else if (geteuid() == 0)
        snprintf(dir, size, "/var/lib/vedette");
    else if (state != NULL && state[0] == '/')
        snprintf(dir, size, "%s/vedette", state);
    else if (home != NULL && home[0] == '/')
        snprintf(dir, size, "%s/.local/state/vedette", home);
    else
        return vd_error_set(err, VD_ERR_ARGUMENT, "give one with --data-dir",
                            "no home directory to keep the data in");
    return VD_OK;
}
