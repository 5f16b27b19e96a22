/* Lists /sys/devices/system/cpu, whose folders cpuN are the CPUs that the kernel knows:
 * reading up to the first gap would miss those behind it. */
#include "collect/cpu_list.h"

#include <stdio.h>
#include <string.h>

#include "collect/file.h"
#include "format/scan.h"

#define FOLDER "/sys/devices/system/cpu/"

/* Takes the number out of "cpu12"; false for "cpufreq" or "cpuidle". */
static bool number_of(const char *name, size_t *number)
{
    struct format_scan t = format_scan_of(name + 3, strlen(name + 3));
    uint64_t value;

    if (!format_scan_u64(&t, &value) || t.at != t.end || value >= COLLECT_CPUS_MAX)
        return false;
    *number = (size_t)value;
    return true;
}

size_t collect_cpu_list(const char *root, bool present[COLLECT_CPUS_MAX])
{
    /* OTHERS leaves room for names that begin with "cpu" and are no CPU, as "cpufreq". */
    enum { OTHERS = 32, NAME = 16 };
    char names[COLLECT_CPUS_MAX + OTHERS][NAME], path[COLLECT_PATH_MAX];
    size_t n, cpu, end = 0;

    memset(present, 0, COLLECT_CPUS_MAX * sizeof *present);
    if (!collect_path(path, root, FOLDER, NULL))
        return 0;
    n = collect_folder_like(path, "cpu", "", names[0], NAME, COLLECT_CPUS_MAX + OTHERS);
    for (size_t i = 0; i < n; i++) {
        if (!number_of(names[i], &cpu))
            continue;
        present[cpu] = true;
        end = cpu + 1 > end ? cpu + 1 : end;
    }
    return end;
}

bool collect_cpu_path(char *path, const char *root, size_t cpu, const char *name)
{
    char folder[sizeof FOLDER + 32];

    snprintf(folder, sizeof folder, FOLDER "cpu%zu/", cpu);
    return collect_path(path, root, folder, name);
}
