/* Intel's drivers give no load in /sys, but the time that the processor spent in its
 * deepest sleep (RC6). What is left of the time is taken as load: an upper bound, as a
 * processor that waits awake counts as busy. The only rate that is not made by the
 * feature stage: it must be a gauge like that of all other cards.
 */
#include "collect/gpu_sysfs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collect/file.h"
#include "vedette/rate.h"

static double number_in(const char *folder, const char *name)
{
    char path[COLLECT_PATH_MAX];

    return collect_path(path, NULL, folder, name) ? collect_file_number(path) : NAN;
}

static bool text_in(const char *folder, const char *name, char *text, size_t size)
{
    char path[COLLECT_PATH_MAX];

    return collect_path(path, NULL, folder, name) &&
           collect_file_small(path, text, size) > 0;
}

/* Reads temperature (thousandths of a degree) and power (millionths of a watt) from the
 * card's own hwmon folder. Newer cards of AMD have power1_input in the place of
 * power1_average. */
static void read_hwmon(const char *device, struct collect_gpu_state *gpu)
{
    char folder[COLLECT_PATH_MAX], names[4][32], one[COLLECT_PATH_MAX];
    size_t n;

    if (!collect_path(folder, NULL, device, "/hwmon/"))
        return;
    n = collect_folder(folder, names[0], sizeof names[0], 4);
    for (size_t i = 0; i < n && isnan(gpu->celsius); i++) {
        if (!collect_path(one, NULL, folder, names[i]))
            continue;
        gpu->celsius = number_in(one, "/temp1_input") / 1000;
        gpu->watts = number_in(one, "/power1_average") / 1e6;
        if (isnan(gpu->watts))
            gpu->watts = number_in(one, "/power1_input") / 1e6;
    }
}

/* Reads how long the processor slept so far. Drivers and kernels keep it in different
 * places; the last one is that of Intel's newer driver (xe):
 * 91234 (milliseconds) */
static double sleep_ms(const char *card, const char *device)
{
    static const char *const of_card[] = {"/gt/gt0/rc6_residency_ms",
                                          "/power/rc6_residency_ms"};
    double ms = NAN;

    for (size_t i = 0; i < 2 && isnan(ms); i++)
        ms = number_in(card, of_card[i]);
    return isnan(ms) ? number_in(device, "/tile0/gt0/gtidle/idle_residency_ms") : ms;
}

/* Returns the share of the time since the last read that was not slept; NaN on the first.
 * The two clocks do not agree exactly, so it can come out a little below 0. */
static double awake_percent(double ms, struct collect_gpu_slept *slept, long long now_ns)
{
    double seconds = (double)(now_ns - slept->at_ns) * 1e-9;
    double share = NAN;

    if (slept->at_ns != 0)
        share = 100 - vd_rate(ms, slept->ms, seconds) / 10;
    slept->ms = ms;
    slept->at_ns = now_ns;
    return share < 0 ? 0 : share;
}

/* Tells whether the device is "suspended", or "suspending": reading any other file would
 * wake it. */
static bool is_asleep(const char *device)
{
    char text[32];

    return text_in(device, "/power/runtime_status", text, sizeof text) &&
           strncmp(text, "suspend", 7) == 0;
}

/* Reads a card of AMD (vendor 0x1002) or Intel (0x8086); false for all others, which have
 * no such files, NVIDIA's among them. */
static bool read_card(const char *card, struct collect_gpu_state *gpu,
                      struct collect_gpu_slept *slept, long long now_ns)
{
    char device[COLLECT_PATH_MAX], text[32];

    *gpu = (struct collect_gpu_state){"", NAN, NAN, NAN, NAN, NAN};
    if (!collect_path(device, NULL, card, "/device") ||
        !text_in(device, "/vendor", text, sizeof text))
        return false;
    if (strcmp(text, "0x1002") == 0)
        strcpy(gpu->name, "AMD");
    else if (strcmp(text, "0x8086") == 0)
        strcpy(gpu->name, "Intel");
    else
        return false;
    if (is_asleep(device)) {
        gpu->percent = 0;
        return true;
    }
    gpu->percent = number_in(device, "/gpu_busy_percent");
    if (isnan(gpu->percent))
        gpu->percent = awake_percent(sleep_ms(card, device), slept, now_ns);
    gpu->memory_used = number_in(device, "/mem_info_vram_used");
    gpu->memory_total = number_in(device, "/mem_info_vram_total");
    read_hwmon(device, gpu);
    return true;
}

/* Tells whether the folder is a card, as "card0", and no socket of it, as
 * "card0-HDMI-A-1". */
static bool is_card(const char *name)
{
    return strncmp(name, "card", 4) == 0 && name[4] != '\0' &&
           name[4 + strspn(name + 4, "0123456789")] == '\0';
}

size_t collect_gpu_sysfs_read(const char *drm, struct collect_gpu_state *gpu,
                              struct collect_gpu_slept *slept, size_t max,
                              long long now_ns)
{
    char names[64][32], card[COLLECT_PATH_MAX];
    size_t found = collect_folder(drm, names[0], sizeof names[0], 64), n = 0;

    for (size_t i = 0; i < found && n < max; i++)
        if (is_card(names[i]) && collect_path(card, NULL, drm, names[i]) &&
            read_card(card, &gpu[n], &slept[n], now_ns))
            n++;
    return n;
}

/* Counts the devices, as "0000:01:00.0", among "bind" and "uevent"; 0 unless all sleep.
 */
size_t collect_gpu_all_asleep(const char *driver, size_t max)
{
    char names[64][32], device[COLLECT_PATH_MAX];
    size_t found = collect_folder(driver, names[0], sizeof names[0], 64), n = 0;

    for (size_t i = 0; i < found; i++) {
        if (strchr(names[i], ':') == NULL)
            continue;
        if (!collect_path(device, NULL, driver, names[i]) || !is_asleep(device))
            return 0;
        n++;
    }
    return n < max ? n : max;
}
