/* Numbers and names of temperature sensors: the first line is a number, the rest a name.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/sensors.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t first = newline == NULL ? size : (size_t)(newline - data) + 1;
    double celsius = collect_sensor_celsius((const char *)data, first);
    char name[64];
    size_t length = size - first < sizeof name - 1 ? size - first : sizeof name - 1;

    assert(isnan(celsius) || (celsius > -40 && celsius < 127 && celsius != 0));
    memcpy(name, data + first, length);
    name[length] = '\0';
    collect_sensor_is_processor(name);
    return 0;
}
