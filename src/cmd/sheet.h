/* Text for people on a stream: wrapped to its width, in colour where colours belong. */
#ifndef VD_CMD_SHEET_H
#define VD_CMD_SHEET_H

#include <stdbool.h>
#include <stdio.h>

struct cmd_sheet {
    FILE *out;
    int width; /* columns */
    bool color;
};

struct cmd_sheet cmd_sheet_for(FILE *out);

/* The colours of the severities, as a style: "1;31"; "" for others. */
const char *cmd_sheet_severity(const char *severity);

/* Prints `text` in a style of ECMA-48 ("1" bold, "36" cyan); "" = none. */
void cmd_sheet_styled(const struct cmd_sheet *sheet, const char *style, const char *text);

/* Prints an empty line and a bold one. */
void cmd_sheet_heading(const struct cmd_sheet *sheet, const char *text);

/* Prints `text` in lines of the sheet's width, each from `indent` on; the first begins at
 * `column`, where the cursor stands. A line break in the text breaks the line, two make
 * an empty line. */
void cmd_sheet_wrapped(const struct cmd_sheet *sheet, const char *text, int indent,
                       int column);

/* The same for text from outside, which may hold any byte: it steers no terminal. */
void cmd_sheet_foreign(const struct cmd_sheet *sheet, const char *text, int indent,
                       int column);

#endif
