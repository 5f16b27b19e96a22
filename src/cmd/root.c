/* Looks whether it is a folder; what lies below it is the collectors' matter. */
#include "cmd/root.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum vd_status cmd_check_root(const char *text, struct vd_error *err)
{
    struct stat s;

    if (stat(text, &s) != 0)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "cannot read %s: %s", text,
                            strerror(errno));
    if (!S_ISDIR(s.st_mode))
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s is not a folder", text);
    return VD_OK;
}
