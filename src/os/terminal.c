/* The colour mode is one of the few things that belong to the process and not to an
 * instance: all parts write to the same terminal. It is written once, before threads. A
 * line of status is for commands that have but one. */
#include "os/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* In columns: below NARROWEST nothing can be laid out. */
enum { NARROWEST = 40, WIDEST = 100, USUAL = 80 };

static enum os_color mode = OS_COLOR_AUTO;
static bool has_status;

void os_terminal_set_color(enum os_color color)
{
    mode = color;
}

/* Follows what people ask for (NO_COLOR, no-color.org) before what the stream is. */
bool os_terminal_has_color(FILE *stream)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    if (mode != OS_COLOR_AUTO)
        return mode == OS_COLOR_ALWAYS;
    if (no != NULL && *no != '\0')
        return false;
    if (term == NULL || strcmp(term, "dumb") == 0)
        return false;
    return isatty(fileno(stream)) == 1;
}

/* Asks the terminal before COLUMNS, which a shell may have left from another window. */
int os_terminal_width(FILE *stream)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    int width = USUAL;

    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        width = size.ws_col;
    else if (columns != NULL && atoi(columns) > 0)
        width = atoi(columns);
    if (width < NARROWEST)
        return NARROWEST;
    /* Longer lines are hard to read. */
    return width > WIDEST ? WIDEST : width;
}

/* Counts the bytes that begin a character. Wide and combining characters count as one. */
size_t os_terminal_columns(const char *text, size_t bytes)
{
    size_t columns = 0;

    for (size_t i = 0; i < bytes && text[i] != '\0'; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

/* Goes to the beginning of the line and clears it (\r\033[K), so that a message which
 * comes next does not run into the status. */
void os_terminal_status(const char *text)
{
    if ((text == NULL && !has_status) || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%s", text == NULL ? "" : text);
    has_status = text != NULL;
}

void os_terminal_progress(double done)
{
    static const char bar[] = "##################################################"
                              "##################################################";
    int width = os_terminal_width(stderr) - 8, full = (int)(done * width);

    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K");
    if (done < 1)
        fprintf(stderr, "[%.*s%*s] %2.0f %%\r", full, bar, width - full, "", 100 * done);
    fflush(stderr);
}
