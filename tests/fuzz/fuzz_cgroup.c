/* The files of control groups, and the lists that say where they are. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/cgroup.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const controllers[] = {"", "memory", "cpu"};
    char path[COLLECT_PATH_MAX], shown[COLLECT_PATH_MAX];
    const char *text = (const char *)data;
    double number;

    for (int i = 0; i < 3; i++) {
        if (collect_cgroup_path(text, size, controllers[i], path))
            assert(path[0] == '/' && strlen(path) < sizeof path);
        if (collect_cgroup_mount(text, size, controllers[i], path, shown))
            assert(strlen(path) < sizeof path && strlen(shown) < sizeof shown);
    }
    number = collect_cgroup_limit(text, size);
    assert(isnan(number) || number >= 0);
    number = collect_cgroup_quota(text, size);
    assert(isnan(number) || number > 0);
    number = collect_cgroup_value(text, size, "oom_kill");
    assert(isnan(number) || (number >= 0 && isfinite(number)));
    return 0;
}
