/* /proc/mounts, with its octal escapes. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/mounts.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    struct format_scan t = format_scan_of(text, size);
    struct collect_mount mount;
    size_t too_long = 0;

    while (collect_mounts_next(&t, &mount, &too_long)) {
        assert(memchr(mount.source, '\0', sizeof mount.source) != NULL);
        assert(memchr(mount.point, '\0', sizeof mount.point) != NULL);
        assert(memchr(mount.type, '\0', sizeof mount.type) != NULL);
        assert(mount.point[0] == '/');
        collect_mount_is_storage(&mount);
        assert(collect_mount_hides(&mount, &mount) || strcmp(mount.type, "autofs") == 0);
        collect_mount_same_server(&mount, &mount);
    }
    assert(t.at == t.end);
    return 0;
}
