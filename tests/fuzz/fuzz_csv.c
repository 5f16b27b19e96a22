/* Tables that are played: fields, numbers, times. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "format/number.h"
#include "format/time.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    struct format_scan t = format_scan_of(text, size);
    struct format_csv_field field[16];
    char separator = format_csv_separator(text, size);
    const char *before = t.at;
    size_t n;

    while ((n = format_csv_row(&t, separator, field, 16)) > 0) {
        assert(t.at > before);
        before = t.at;
        for (size_t i = 0; i < n && i < 16; i++) {
            int64_t ns;

            assert(field[i].at >= text && field[i].at + field[i].size <= text + size);
            assert(!isinf(format_number(field[i], i % 2 == 0 ? '.' : ',')));
            format_time(field[i], &ns);
        }
    }
    assert(t.at == t.end);
    return 0;
}
