/* What measures a CPU, by name. The drivers of x86 are few; the thermal zones of boards
 * are called by whoever wrote the device tree, so their names are taken apart into words.
 */
#include <ctype.h>
#include <string.h>

#include "collect/sensors.h"

/* Longer words are cut; all that are known are shorter. */
enum { WORD_MAX = 32 };

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

/* Knows the words for a CPU, in lower case and without the number behind them. Boards
 * call it cpu, its clusters, or the whole chip; Tegra has MCPU and BCPU, MediaTek
 * mtktscpu. */
static bool is_cpu_word(const char *word)
{
    static const char *const words[] = {
        "cpuss",   "soc", "bigcore", "littlecore", "midcore", "big", "little",
        "package", "pkg", "cluster", "bcm",        "imx",     NULL};
    size_t length = strlen(word);

    return is_one_of(word, words) ||
           (length >= 3 && strcmp(word + length - 3, "cpu") == 0);
}

/* Knows the words for other parts. One of them decides against a CPU: "soc-gpu" is none.
 */
static bool is_other_word(const char *word)
{
    static const char *const words[] = {"gpu",  "npu",  "ddr", "fan",     "skin",
                                        "pmic", "vrm",  "bat", "battery", "charger",
                                        "est",  "dimm", NULL};

    return is_one_of(word, words);
}

/* Knows the drivers of Intel, AMD and VIA, whose names do not say what they measure. */
static bool is_processor_driver(const char *chip)
{
    static const char *const names[] = {"coretemp", "k10temp",     "k8temp",
                                        "zenpower", "via_cputemp", NULL};

    return is_one_of(chip, names);
}

/* Cuts the next word out of `name`: letters, with the digits behind them left out. */
static const char *next_word(const char *name, char *word, size_t size)
{
    size_t n = 0;

    while (*name != '\0' && !isalpha((unsigned char)*name))
        name++;
    for (; isalpha((unsigned char)*name); name++)
        if (n + 1 < size)
            word[n++] = (char)tolower((unsigned char)*name);
    word[n] = '\0';
    return name;
}

bool collect_sensor_is_processor(const char *name)
{
    char word[WORD_MAX];
    bool processor = false;

    if (is_processor_driver(name))
        return true;
    while (*(name = next_word(name, word, sizeof word)) != '\0' || word[0] != '\0') {
        if (is_other_word(word))
            return false;
        processor |= is_cpu_word(word);
    }
    return processor;
}
