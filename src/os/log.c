/* Messages. See log.h. */
#include "os/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int console_level = OS_LOG_INFO;

void os_log_set_level(enum os_log_level level)
{
    atomic_store(&console_level, (int)level);
}

enum os_log_level os_log_get_level(void)
{
    return (enum os_log_level)atomic_load(&console_level);
}

void os_log(enum os_log_level level, const char *format, ...)
{
    char line[1024];
    va_list args;

    if (level < os_log_get_level())
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fprintf(stderr, "vedette: %s\n", line);
}

void os_log_failure(const struct vd_error *err)
{
    os_log_error("%s%s%s", err->text, *err->hint != '\0' ? ": " : "", err->hint);
}
