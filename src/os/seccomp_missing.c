/* In place of seccomp.c where libseccomp was not there when this was built. */
#include "os/sandbox.h"

const char *os_seccomp_enter(void)
{
    return "built without libseccomp";
}
