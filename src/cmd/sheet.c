/* Text for people: styles, headings, wrapped lines. */
#include "cmd/sheet.h"

#include <stdlib.h>
#include <string.h>

#include "os/terminal.h"
#include "os/utf8.h"

/* Asks the terminal for its width and colours once, so that all lines of a page agree. */
struct cmd_sheet cmd_sheet_for(FILE *out)
{
    return (struct cmd_sheet){out, os_terminal_width(out), os_terminal_has_color(out)};
}

/* Gives the colour as the numbers of an SGR sequence, "" for none: red for what must be
 * looked at now, cyan for what may wait. */
const char *cmd_sheet_severity(const char *severity)
{
    return strcmp(severity, "critical") == 0 ? "1;31"
           : strcmp(severity, "high") == 0   ? "31"
           : strcmp(severity, "medium") == 0 ? "33"
           : strcmp(severity, "low") == 0    ? "36"
                                             : "";
}

/* Writes text in a style given as SGR numbers; "" is plain. */
void cmd_sheet_styled(const struct cmd_sheet *sheet, const char *style, const char *text)
{
    if (sheet->color && *style != '\0')
        fprintf(sheet->out, "\033[%sm%s\033[0m", style, text);
    else
        fputs(text, sheet->out);
}

void cmd_sheet_heading(const struct cmd_sheet *sheet, const char *text)
{
    fputc('\n', sheet->out);
    cmd_sheet_styled(sheet, "1", text);
    fputc('\n', sheet->out);
}

/* Breaks at blanks only. A word that is longer than the line is printed whole, since a
 * path or an address that is cut cannot be copied. */
void cmd_sheet_wrapped(const struct cmd_sheet *sheet, const char *text, int indent,
                       int column)
{
    while (*text != '\0') {
        size_t bytes = strcspn(text, " \n");
        int columns = (int)os_terminal_columns(text, bytes);

        if (column > indent && column + 1 + columns > sheet->width) {
            fputc('\n', sheet->out);
            column = 0;
        }
        if (column > indent)
            column += fprintf(sheet->out, " ");
        else if (bytes > 0)
            column += fprintf(sheet->out, "%*s", indent - column, "");
        fwrite(text, 1, bytes, sheet->out);
        column += columns;
        text += bytes;
        if (*text == '\n') {
            fputc('\n', sheet->out);
            column = 0;
        }
        text += *text != '\0';
    }
    fputc('\n', sheet->out);
}

/* Makes text from outside visible first. A character becomes "\u202e" at most, six bytes,
 * which the buffer has room for. */
void cmd_sheet_foreign(const struct cmd_sheet *sheet, const char *text, int indent,
                       int column)
{
    size_t size = 6 * strlen(text) + 1;
    char *visible = malloc(size);

    cmd_sheet_wrapped(sheet, visible == NULL ? "?" : os_utf8_visible(text, visible, size),
                      indent, column);
    free(visible);
}
