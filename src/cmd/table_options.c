/* Checks what can be checked without a file. */
#include "cmd/table_options.h"

#include <string.h>
#include <strings.h>

/* Accepts a word, or any pattern with a '%'. The pattern itself is checked when the first
 * time is read with it. */
enum vd_status table_options_check_format(const char *text, struct vd_error *err)
{
    static const char *const words[] = {"auto", "iso", "dmy", "mdy",
                                        "s",    "ms",  "us",  "ns"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0)
            return VD_OK;
    if (strchr(text, '%') != NULL)
        return VD_OK;
    return vd_error_set(err, VD_ERR_ARGUMENT,
                        "write auto, iso, dmy, mdy, s, ms, us, ns or a pattern like "
                        "\"%d.%m.%Y %H:%M\"",
                        "\"%.40s\" is no format of times", text);
}

/* Tries to load the zone, only to see whether there is one of that name. */
enum vd_status table_options_check_zone(const char *text, struct vd_error *err)
{
    struct format_zone zone;

    return format_zone_load(&zone, text, err);
}

struct format_options table_options(const struct table_options *options,
                                    const char *label)
{
    /* Stands in the order of the choices of --decimal; 0 means that the file decides. */
    static const char signs[] = {0, '.', ','};

    return (struct format_options){
        .separator = options->separator,
        .decimal = signs[options->decimal],
        .time_column = options->time_column,
        .time_format = options->time_format,
        .time_zone = options->time_zone,
        .label = label,
    };
}

/* Turns the choice into the label: none given is 0 (the file decides), then 1 and -1. */
int table_anomaly_label(int choice)
{
    return choice < 0 ? 0 : choice == 0 ? 1 : -1;
}
