/* Counts sockets and cores by the numbers that the kernel gives each CPU: a core is told
 * by its own number and that of its socket. */
#include "collect/hardware.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/cpu_list.h"
#include "collect/file.h"
#include "format/scan.h"

static double read_number(const char *root, size_t cpu, const char *name)
{
    char path[COLLECT_PATH_MAX];

    return collect_cpu_path(path, root, cpu, name) ? collect_file_number(path) : NAN;
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int count_different(double *number, size_t n)
{
    int different = n > 0;

    qsort(number, n, sizeof *number, by_number);
    for (size_t i = 1; i < n; i++)
        different += number[i] != number[i - 1];
    return different;
}

static void count_cpus(struct collect_hardware *hardware, const char *root)
{
    bool present[COLLECT_CPUS_MAX] = {false};
    double socket[COLLECT_CPUS_MAX], core[COLLECT_CPUS_MAX];
    size_t end = collect_cpu_list(root, present), n = 0;
    int cores;

    for (size_t cpu = 0; cpu < end; cpu++) {
        hardware->cpus += present[cpu];
        if (!present[cpu])
            continue;
        socket[n] = read_number(root, cpu, "topology/physical_package_id");
        core[n] = socket[n] * 65536 + read_number(root, cpu, "topology/core_id");
        n += !isnan(core[n]); /* a CPU that is off has neither */
    }
    hardware->sockets = count_different(socket, n);
    cores = count_different(core, n);
    if (cores > 0 && hardware->sockets > 0) {
        hardware->cores_per_socket = cores / hardware->sockets;
        hardware->threads_per_core = (int)n / cores;
    }
}

/* Finds the line that begins with `name`, and leaves the cursor behind it. */
static bool find_line(struct format_scan *t, const char *name)
{
    while (!format_scan_skip(t, name))
        if (!format_scan_next_line(t))
            return false;
    return true;
}

/* model name	: Intel(R) Xeon(R) Processor @ 2.50GHz */
static void take_model(struct collect_hardware *hardware, struct format_scan t)
{
    size_t n = 0;

    if (t.at == t.end || !find_line(&t, "model name"))
        return;
    while (t.at < t.end && (*t.at == ' ' || *t.at == '\t' || *t.at == ':'))
        t.at++;
    for (; t.at < t.end && *t.at != '\n' && n < sizeof hardware->model - 1; t.at++)
        hardware->model[n++] = *t.at;
}

void collect_hardware_read(struct collect_hardware *hardware, const char *root)
{
    struct collect_buffer buffer = {0};
    struct collect_file file;
    struct format_scan t;
    uint64_t kib;

    *hardware = (struct collect_hardware){.memory_kib = NAN};
    count_cpus(hardware, root);
    collect_file_init(&file, root, "/proc/cpuinfo");
    if (collect_file_read(&file, &buffer, NULL) == VD_OK)
        take_model(hardware, format_scan_of(buffer.at, buffer.size));
    collect_file_release(&file);
    collect_file_init(&file, root, "/proc/meminfo");
    if (collect_file_read(&file, &buffer, NULL) == VD_OK) {
        t = format_scan_of(buffer.at, buffer.size);
        if (find_line(&t, "MemTotal:") && format_scan_u64(&t, &kib))
            hardware->memory_kib = (double)kib;
    }
    collect_file_release(&file);
    collect_buffer_release(&buffer);
}
