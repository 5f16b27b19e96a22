/* Names that exports, loggers and this program's own files give to columns that are no
 * metrics. A name that may well be a metric's is not sure: values decide. */
#include "format/columns.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Lists the names, in lower case with '_' for every other sign, and what they mean. The
 * second value says whether the name alone is enough; where it is not, the values
 * decide. */
static const struct {
    const char *name;
    struct format_name what;
} known[] = {
    {"timestamp", {FORMAT_TIME, true, 0}},
    {"time", {FORMAT_TIME, true, 0}},
    {"datetime", {FORMAT_TIME, true, 0}},
    {"date", {FORMAT_TIME, true, 0}},
    {"ds", {FORMAT_TIME, true, 0}},
    {"ts", {FORMAT_TIME, true, 0}},
    {"date_time", {FORMAT_TIME, true, 0}},
    {"time_stamp", {FORMAT_TIME, true, 0}},
    {"datetime_utc", {FORMAT_TIME, true, 0}},
    {"timestamp_utc", {FORMAT_TIME, true, 0}},
    {"time_utc", {FORMAT_TIME, true, 0}},
    {"utc_time", {FORMAT_TIME, true, 0}},
    {"localtime", {FORMAT_TIME, true, 0}},
    {"local_time", {FORMAT_TIME, true, 0}},
    {"eventtime", {FORMAT_TIME, true, 0}},
    {"event_time", {FORMAT_TIME, true, 0}},
    {"datum", {FORMAT_TIME, true, 0}},
    {"zeit", {FORMAT_TIME, true, 0}},
    {"uhrzeit", {FORMAT_TIME, true, 0}},
    {"zeitstempel", {FORMAT_TIME, true, 0}},
    {"zeitpunkt", {FORMAT_TIME, true, 0}},
    {"fecha", {FORMAT_TIME, true, 0}},
    {"hora", {FORMAT_TIME, true, 0}},
    {"horodatage", {FORMAT_TIME, true, 0}},
    {"epoch", {FORMAT_TIME, false, 0}},
    {"epoch_time", {FORMAT_TIME, false, 0}},
    {"unix", {FORMAT_TIME, false, 0}},
    {"unixtime", {FORMAT_TIME, false, 0}},
    {"unix_time", {FORMAT_TIME, false, 0}},
    {"unix_timestamp", {FORMAT_TIME, false, 0}},
    {"clock", {FORMAT_TIME, false, 0}},
    {"when", {FORMAT_TIME, false, 0}},
    {"day", {FORMAT_TIME, false, 0}},
    {"t", {FORMAT_TIME, false, 0}},
    {"created_at", {FORMAT_TIME, false, 0}},
    {"updated_at", {FORMAT_TIME, false, 0}},
    {"collected_at", {FORMAT_TIME, false, 0}},
    {"recorded_at", {FORMAT_TIME, false, 0}},
    {"logged_at", {FORMAT_TIME, false, 0}},
    {"sampled_at", {FORMAT_TIME, false, 0}},
    {"sample_time", {FORMAT_TIME, false, 0}},
    {"log_time", {FORMAT_TIME, false, 0}},
    {"start_time", {FORMAT_TIME, false, 0}},
    {"elapsed_s", {FORMAT_ELAPSED, true, 0}},
    {"elapsed", {FORMAT_ELAPSED, false, 0}},
    {"elapsed_time", {FORMAT_ELAPSED, false, 0}},
    {"uptime", {FORMAT_ELAPSED, false, 0}},
    {"wtime", {FORMAT_ELAPSED, true, 0}},
    {"label", {FORMAT_LABEL, true, 0}},
    {"anomaly", {FORMAT_LABEL, true, 0}},
    {"is_anomaly", {FORMAT_LABEL, true, 0}},
    {"labels", {FORMAT_LABEL, true, 0}},
    {"outlier", {FORMAT_LABEL, true, 0}},
    {"is_outlier", {FORMAT_LABEL, true, 0}},
    {"is_anomalous", {FORMAT_LABEL, true, 0}},
    {"anomalous", {FORMAT_LABEL, true, 0}},
    {"ground_truth", {FORMAT_LABEL, true, 0}},
    {"score", {FORMAT_VERDICT, true, 0}},
    {"anomaly_score", {FORMAT_VERDICT, true, 0}},
    {"outlier_score", {FORMAT_VERDICT, true, 0}},
    {"changepoint", {FORMAT_VERDICT, true, 0}},
    {"prediction", {FORMAT_VERDICT, true, 0}},
    {"predicted", {FORMAT_VERDICT, true, 0}},
    {"severity", {FORMAT_VERDICT, true, 0}},
    {"reason", {FORMAT_VERDICT, true, 0}},
    {"phase", {FORMAT_VERDICT, true, 0}},
    {"alerted", {FORMAT_VERDICT, true, 0}},
    {"drift_detected", {FORMAT_VERDICT, true, 0}},
    {"inference_latency_ms", {FORMAT_VERDICT, true, 0}},
    {"jitter_ms", {FORMAT_VERDICT, true, 0}},
    {"index", {FORMAT_ROW_NUMBER, false, 0}},
    {"idx", {FORMAT_ROW_NUMBER, false, 0}},
    {"row", {FORMAT_ROW_NUMBER, false, 0}},
    {"rows", {FORMAT_ROW_NUMBER, false, 0}},
    {"row_number", {FORMAT_ROW_NUMBER, false, 0}},
    {"rownum", {FORMAT_ROW_NUMBER, false, 0}},
    {"row_id", {FORMAT_ROW_NUMBER, false, 0}},
    {"rowid", {FORMAT_ROW_NUMBER, false, 0}},
    {"rownames", {FORMAT_ROW_NUMBER, false, 0}},
    {"row_names", {FORMAT_ROW_NUMBER, false, 0}},
    {"unnamed_0", {FORMAT_ROW_NUMBER, false, 0}},
    {"level_0", {FORMAT_ROW_NUMBER, false, 0}},
    {"id", {FORMAT_ROW_NUMBER, false, 0}},
    {"no", {FORMAT_ROW_NUMBER, false, 0}},
    {"nr", {FORMAT_ROW_NUMBER, false, 0}},
    {"seq", {FORMAT_ROW_NUMBER, false, 0}},
};

/* Units of a time that stand behind its name: "ts_ms", "Time (ms)". */
static const struct {
    const char *end;
    double per_s;
} units[] = {{"_s", 1},    {"_sec", 1},     {"_seconds", 1},
             {"_ms", 1e3}, {"_us", 1e6},    {"_micros", 1e6},
             {"_ns", 1e9}, {"_nanos", 1e9}, {"_millis", 1e3}};

/* Takes letters and digits, and all bytes beyond ASCII, so that names in other alphabets
 * stay. */
static bool is_letter(char byte)
{
    return (unsigned char)((byte | 32) - 'a') < 26 || (byte & 0x80) != 0 ||
           (byte >= '0' && byte <= '9');
}

/* Makes a name comparable: "Time (UTC)" becomes "time_utc", "@timestamp" becomes
 * "timestamp", "Unnamed: 0" becomes "unnamed_0". */
static void make_plain(const char *name, char *plain, size_t size)
{
    size_t n = 0;

    for (; *name != '\0' && n + 2 < size; name++) {
        bool letter = is_letter(*name);

        if (letter)
            plain[n++] = *name >= 'A' && *name <= 'Z' ? (char)(*name | 32) : *name;
        else if (n > 0 && plain[n - 1] != '_')
            plain[n++] = '_';
    }
    while (n > 0 && plain[n - 1] == '_')
        n--;
    plain[n] = '\0';
}

/* Finds a plain name in the table. It is walked through once for each column of a file,
 * so a faster search would gain nothing. */
static bool look_up(const char *plain, struct format_name *what)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, plain) == 0) {
            *what = known[i].what;
            return true;
        }
    return false;
}

/* Finds a name that ends in a unit. The unit makes the name less sure: "time_ms" may be a
 * duration. */
static bool look_up_unit(char *plain, struct format_name *what)
{
    size_t length = strlen(plain);

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t tail = strlen(units[i].end);

        if (length <= tail || strcmp(plain + length - tail, units[i].end) != 0)
            continue;
        plain[length - tail] = '\0';
        if (look_up(plain, what) &&
            (what->role == FORMAT_TIME || what->role == FORMAT_ELAPSED)) {
            what->sure = false;
            what->per_s = units[i].per_s;
            return true;
        }
        plain[length - tail] = '_';
    }
    return false;
}

struct format_name format_name_of(const char *name)
{
    struct format_name what = {FORMAT_METRIC, true, 0};
    char plain[FORMAT_NAME_MAX];

    /* The ends of a window of Flux, beside the time of the row itself. */
    if (strcmp(name, "_start") == 0 || strcmp(name, "_stop") == 0)
        return (struct format_name){FORMAT_ELAPSED, true, 0};
    if (strncmp(name, "(PDH-CSV", 8) == 0) /* Windows' performance monitor */
        return (struct format_name){FORMAT_TIME, true, 0};
    make_plain(name, plain, sizeof plain);
    if (look_up(plain, &what) || look_up_unit(plain, &what))
        return what;
    if (plain[0] == '\0')
        return (struct format_name){FORMAT_ROW_NUMBER, false, 0};
    return (struct format_name){FORMAT_METRIC, true, 0};
}

bool format_is_prmon(char separator, const char *second_name)
{
    return separator == '\t' && strcmp(second_name, "wtime") == 0;
}

/* Tells the columns of prmon that only grow, whose rate is wanted and not their value.
 * Times are in seconds, sizes in bytes. */
bool format_is_prmon_counter(const char *name)
{
    static const char *const names[] = {
        "utime",    "stime",    "rchar",      "wchar",      "read_bytes", "write_bytes",
        "rx_bytes", "tx_bytes", "rx_packets", "tx_packets", NULL};

    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

const char *format_role_text(enum format_role role)
{
    static const char *const texts[] = {"metric",       "counter", "time",
                                        "elapsed time", "label",   "a verdict",
                                        "row number",   "text"};

    return texts[role];
}
