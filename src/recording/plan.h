/* What is to be recorded, and how: the settings of `vedette record`. */
#ifndef VD_RECORDING_PLAN_H
#define VD_RECORDING_PLAN_H

#include <stdbool.h>

#include "os/options.h"

enum recording_live {
    RECORDING_LIVE_AUTO,
    RECORDING_LIVE_LINE,
    RECORDING_LIVE_CHART,
    RECORDING_LIVE_NEVER
};

/* Texts are owned by whoever parsed the options; times are in seconds. */
struct recording_plan {
    char *const *command; /* NULL-terminated; NULL = `pid` or `phases` */
    long pid;             /* 0 = none */
    char *filename, *json_summary, *log_filename;
    double interval;
    bool suppress_hardware, units, whole_seconds, fine_time, fast_memory;
    long pss_every; /* 0 = as needed */
    struct os_list netdev, disable, level;
    char *phase;  /* of every row; NULL = there is no such column */
    char *phases; /* "baseline,memory,..."; NULL = none */
    double phase_time;
    double amount; /* bytes: of the burners of phases */
    double linger; /* after the command has ended, for what it left behind */
    int live;      /* enum recording_live */
    bool detect;
    char *nvml_library;
};

#endif
