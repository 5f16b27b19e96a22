/* Records of /dev/kmsg: a name, if there is one, is a part of the record. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/kernel_log.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct record_killed killed;

    if (!collect_kernel_log_parse(text, size, &killed))
        return 0;
    assert(killed.pid > 0);
    assert(memmem(text, size, "Killed process ", 15) != NULL);
    assert(memmem(text, size, killed.name, strlen(killed.name)) != NULL);
    return 0;
}
