/* The list in the summary is bounded: what is said a second time is there once. */
#include "recording/notes.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "os/clock.h"
#include "os/terminal.h"

enum { NOTES_MAX = 64 };

enum vd_status recording_notes_open(struct recording_notes *notes, const char *path,
                                    struct vd_error *err)
{
    notes->list = json_array();
    if (path == NULL || *path == '\0')
        return VD_OK;
    notes->file = fopen(path, "we");
    if (notes->file == NULL)
        return vd_error_set(err, VD_ERR_IO, NULL, "--log-filename: %s: %s", path,
                            strerror(errno));
    setvbuf(notes->file, NULL, _IOLBF, 0);
    return VD_OK;
}

static bool is_listed(const struct recording_notes *notes, const char *text)
{
    for (size_t i = 0; i < json_array_size(notes->list); i++)
        if (strcmp(json_string_value(json_array_get(notes->list, i)), text) == 0)
            return true;
    return json_array_size(notes->list) >= NOTES_MAX;
}

void recording_note(struct recording_notes *notes, enum os_log_level level,
                    const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char text[512], time[OS_CLOCK_TEXT];
    va_list arguments;
    json_t *item;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    os_terminal_status(NULL);
    os_log(level, "%s", text);
    if (notes->file != NULL)
        fprintf(notes->file, "%s %s %s\n", os_clock_text(os_clock_wall_ns(), time),
                names[level], text);
    item = json_string(text); /* NULL for what is no UTF-8 */
    if (item != NULL && !is_listed(notes, text))
        json_array_append(notes->list, item);
    json_decref(item);
}

void recording_notes_close(struct recording_notes *notes)
{
    if (notes->file != NULL)
        fclose(notes->file);
    json_decref(notes->list);
    *notes = (struct recording_notes){0};
}
