/* vedette record: what a command and all that comes from it uses, in prmon's files. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "format/prmon.h"
#include "os/log.h"
#include "recording/recording.h"

#define AT(field) offsetof(struct recording_plan, field)

/* Checks a label: it is a field of a table whose fields are parted by tabs. */
static enum vd_status check_phase(const char *text, struct vd_error *err)
{
    if (*text == '\0' || strlen(text) >= FORMAT_PRMON_PHASE_MAX)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "a phase has a name of 1 to %d bytes",
                            FORMAT_PRMON_PHASE_MAX - 1);
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == '"')
            return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                                "no tab, line break or quote can be in a phase's name");
    return VD_OK;
}

/* Checks a level of prmon: "LEVEL" or "MONITOR:LEVEL". */
static enum vd_status check_level(const char *text, struct vd_error *err)
{
    static const char *const levels[] = {"trace", "debug", "info",
                                         "warn",  "error", "critical"};
    const char *colon = strrchr(text, ':');

    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(colon == NULL ? text : colon + 1, levels[i]) == 0)
            return VD_OK;
    return vd_error_set(err, VD_ERR_ARGUMENT,
                        "use trace, debug, info, warn, error or critical",
                        "'%s' is no level", text);
}

static const struct os_option options[] = {
    {.name = "pid",
     .letter = 'p',
     .type = OS_OPTION_INTEGER,
     .value = "PID",
     .min = 1,
     .max = 4194304,
     .help = "Record this process, which runs already, and all that come from it",
     .offset = AT(pid)},
    {.name = "interval",
     .letter = 'i',
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "30s",
     .min = 0.01,
     .max = 86400,
     .help = "Time between two rows, from 10ms",
     .offset = AT(interval)},
    {.name = "filename",
     .letter = 'f',
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .fallback = "prmon.txt",
     .help = "Where the rows go",
     .group = "Files",
     .offset = AT(filename)},
    {.name = "json-summary",
     .letter = 'j',
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .fallback = "prmon.json",
     .help = "Where the summary goes; while recording, it is in FILE_snapshot",
     .group = "Files",
     .offset = AT(json_summary)},
    {.name = "log-filename",
     .letter = 'o',
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .fallback = "prmon.log",
     .help = "Where messages go, beside standard error",
     .group = "Files",
     .offset = AT(log_filename)},
    {.name = "suppress-hw-info",
     .letter = 's',
     .type = OS_OPTION_FLAG,
     .help = "Leave the hardware out of the summary",
     .group = "Files",
     .offset = AT(suppress_hardware)},
    {.name = "units",
     .letter = 'u',
     .type = OS_OPTION_FLAG,
     .help = "Add the units to the summary",
     .group = "Files",
     .offset = AT(units)},
    {.name = "fine-time",
     .type = OS_OPTION_FLAG,
     .help = "Add a column elapsed_s: seconds since the start, with milliseconds",
     .group = "Files",
     .offset = AT(fine_time)},
    {.name = "whole-seconds",
     .type = OS_OPTION_FLAG,
     .help = "Write utime and stime in whole seconds, as prmon does",
     .group = "Files",
     .offset = AT(whole_seconds)},
    {.name = "netdev",
     .letter = 'n',
     .type = OS_OPTION_LIST,
     .value = "DEVICE",
     .help = "Count the traffic of this network device only; may be given several times",
     .group = "What is recorded",
     .offset = AT(netdev)},
    {.name = "disable",
     .letter = 'd',
     .type = OS_OPTION_LIST,
     .value = "MONITOR",
     .help =
         "Leave out the columns of countmon, cpumon, iomon, memmon, netmon, nvidiamon "
         "or all; the variable PRMON_DISABLE_MONITOR names more, parted by commas",
     .group = "What is recorded",
     .offset = AT(disable)},
    {.name = "fast-memmon",
     .letter = 'm',
     .type = OS_OPTION_FLAG,
     .help = "Does nothing: memory is always read in the fast way of prmon's -m",
     .group = "What is recorded",
     .offset = AT(fast_memory)},
    {.name = "pss-every",
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "0",
     .max = 1000000,
     .zero = "auto",
     .help = "Read PSS at each Nth row; auto: where memory changed, so that the sum is "
             "right within a hundredth",
     .group = "What is recorded",
     .offset = AT(pss_every)},
    {.name = "linger",
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "10s",
     .max = 1e9,
     .help = "When the command has ended, go on this long while processes that it left "
             "behind run",
     .group = "What is recorded",
     .offset = AT(linger)},
    {.name = "nvml",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .help = "NVIDIA's library, when it is not where the system looks",
     .group = "What is recorded",
     .offset = AT(nvml_library)},
    {.name = "phase",
     .type = OS_OPTION_TEXT,
     .value = "NAME",
     .check = check_phase,
     .help = "Add a column phase with this name",
     .group = "Phases",
     .offset = AT(phase)},
    {.name = "phases",
     .type = OS_OPTION_TEXT,
     .value = "LIST",
     .help = "Make loads one after the other instead of running a command, and label the "
             "rows: of baseline, recovery, cpu, memory, leak, io, network",
     .group = "Phases",
     .offset = AT(phases)},
    {.name = "phase-time",
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "30s",
     .min = 0.05,
     .max = 86400,
     .help = "How long each phase lasts",
     .group = "Phases",
     .offset = AT(phase_time)},
    {.name = "amount",
     .type = OS_OPTION_SIZE,
     .value = "SIZE",
     .fallback = "256MiB",
     .min = 1 << 20,
     .max = 1e15,
     .help = "What memory and leak take, and the size of io's file",
     .group = "Phases",
     .offset = AT(amount)},
    {.name = "detect",
     .type = OS_OPTION_FLAG,
     .help = "Say while recording when the processes do what they did not do so far",
     .group = "While it runs",
     .offset = AT(detect)},
    {.name = "live",
     .type = OS_OPTION_CHOICE,
     .value = "WHAT",
     .choices = "auto|line|chart|never",
     .fallback = "auto",
     .help =
         "Show on a terminal what goes on: a line or charts; auto is a line, unless a "
         "command writes there as well",
     .group = "While it runs",
     .offset = AT(live)},
    {.name = "level",
     .letter = 'l',
     .type = OS_OPTION_LIST,
     .value = "LEVEL",
     .check = check_level,
     .help = "prmon's way to say --log-level; of MONITOR:LEVEL nothing is taken",
     .group = "While it runs",
     .offset = AT(level)},
    {.name = NULL},
};

/* Sets the level of the console from prmon's option. */
static void use_level(const struct os_list *level)
{
    static const struct {
        const char *name;
        enum os_log_level level;
    } levels[] = {{"trace", OS_LOG_DEBUG}, {"debug", OS_LOG_DEBUG},
                  {"info", OS_LOG_INFO},   {"warn", OS_LOG_WARNING},
                  {"error", OS_LOG_ERROR}, {"critical", OS_LOG_ERROR}};

    for (size_t i = 0; i < level->n; i++)
        for (size_t k = 0; k < sizeof levels / sizeof *levels; k++)
            if (strcmp(level->at[i], levels[k].name) == 0)
                os_log_set_level(levels[k].level);
}

static int run(void *settings, int argc, char **argv)
{
    struct recording_plan *plan = settings;
    struct vd_error err = {0};
    int code, given = (argc > 0) + (plan->pid != 0) + (plan->phases != NULL);

    if (given != 1) {
        vd_error_set(&err, VD_ERR_ARGUMENT, "vedette record -- COMMAND",
                     given == 0 ? "say what to record: a command, --pid or --phases"
                                : "record one thing: a command, --pid or --phases");
        return cmd_failed(&err);
    }
    plan->command = argc > 0 ? argv : NULL;
    use_level(&plan->level);
    if (recording_run(plan, &code, &err) == VD_OK)
        return code;
    given = cmd_failed(&err);
    return code != 0 ? code : given;
}

const struct cmd_command cmd_record = {
    .name = "record",
    .summary = "Record what a command and all its processes use, as prmon does",
    .arguments = "[--] [COMMAND [ARGUMENT...]]",
    .about =
        "Runs COMMAND without a shell and writes, at each interval, a row with the "
        "memory "
        "(PSS, RSS, swap, virtual), I/O, CPU time, network traffic, GPU use, processes "
        "and threads of its whole tree, in the columns and units of prmon, and a summary "
        "in JSON. With --pid it records a process that runs already.\n\n"
        "Counters never fall, and nothing is lost: processes that live shorter than an "
        "interval, that nobody waits for, or that leave their parent are counted. The "
        "first row is written at once and the last one at the end, with the final "
        "counters. Whatever ends it, the rows are whole lines and the summary is "
        "whole.\n\n"
        "The exit status is that of the command, 128 and the number of the signal that "
        "ended it, 127 when it was not found and 126 when it could not be run. SIGINT, "
        "SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 and SIGWINCH are passed on to it. "
        "SIGUSR1 ends the recording, as it ends prmon, when the command has no handler "
        "for it; with --pid all of the first five do.",
    .examples =
        "vedette record -- make -j8\n"
        "    prmon.txt every 30 seconds, prmon.json at the end\n"
        "vedette record -i 100ms --fine-time --live chart -- ./job --input data\n"
        "    ten rows a second, and charts on the terminal\n"
        "vedette record --pid 4242 --detect\n"
        "    a process that runs, and a word when it changes its ways\n"
        "vedette record --phases baseline,memory,recovery,cpu,recovery,io --phase-time "
        "10s\n"
        "    a labelled set to test detectors on\n",
    .options = options,
    .settings_size = sizeof(struct recording_plan),
    .run = run,
};
