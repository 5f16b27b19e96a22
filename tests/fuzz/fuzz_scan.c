/* Numbers and lists of CPUs, as files of /sys hold them. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "format/scan.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    struct format_scan t = format_scan_of(text, size);
    bool set[128];
    int64_t whole;
    double number;
    size_t n = 0;

    for (size_t i = 0; i < 128; i++)
        set[i] = false;
    assert(!isinf(format_scan_only_number(text, size)));
    n = format_scan_cpu_list(text, size, set, 128);
    for (size_t i = 0; i < 128 && n > 0; i++)
        n -= set[i];
    assert(n == 0);
    while (t.at < t.end) {
        const char *before = t.at;

        assert(format_scan_number(&t, &number) ? isfinite(number) : t.at == before);
        before = t.at;
        assert(format_scan_i64(&t, &whole) || t.at == before);
        if (t.at < t.end)
            t.at++;
    }
    return 0;
}
