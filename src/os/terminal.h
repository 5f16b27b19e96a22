/* What the terminal can do: its width, and whether colours belong there. */
#ifndef VD_OS_TERMINAL_H
#define VD_OS_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* --color; the order of the choices "auto|always|never". */
enum os_color {
    OS_COLOR_AUTO, /* on a terminal, unless NO_COLOR is set or TERM is "dumb" */
    OS_COLOR_ALWAYS,
    OS_COLOR_NEVER,
};

/* Set once at start by the command line, before any thread; all later calls read it. */
void os_terminal_set_color(enum os_color color);

/* Whether escape sequences for colour may be written to `stream`. */
bool os_terminal_has_color(FILE *stream);

/* Columns to write to `stream`: the width of its terminal, $COLUMNS or 80 when it is
 * none, kept between 40 and 100. */
int os_terminal_width(FILE *stream);

/* Columns that UTF-8 text takes: characters, not bytes. */
size_t os_terminal_columns(const char *text, size_t bytes);

/* Shows a line that says what goes on, at the end of what the terminal shows; NULL takes
 * it away, which is to be done before anything else is printed (the log does it itself).
 * Nothing unless standard error is a terminal. */
void os_terminal_status(const char *text);

/* Shows a bar on the terminal's last line, `done` in 0 .. 1; 1 takes it away. Nothing
 * unless standard error is a terminal. */
void os_terminal_progress(double done);

#endif
