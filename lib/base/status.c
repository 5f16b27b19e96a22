/* Texts of the status codes, and filling in an error. Nothing is printed or logged here:
 * the caller decides who reads it.
 */
#include "vedette/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *vd_status_text(enum vd_status status)
{
    switch (status) {
#define X(name, value, text)                                                             \
    case name:                                                                           \
        return text;
        VD_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

enum vd_status vd_error_set(struct vd_error *err, enum vd_status status, const char *hint,
                            const char *format, ...)
{
    va_list args;

    if (err == NULL || err->status != VD_OK)
        return status;
    err->status = status;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    snprintf(err->hint, sizeof err->hint, "%s", hint == NULL ? "" : hint);
    return status;
}

void vd_error_clear(struct vd_error *err)
{
    if (err != NULL)
        memset(err, 0, sizeof *err);
}
