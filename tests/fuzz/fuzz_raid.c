/* /proc/mdstat, the state of a ZFS pool, names of units. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/raid.h"
#include "collect/unit_name.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct collect_array array[COLLECT_ARRAYS_MAX];
    size_t n = collect_mdstat_parse(text, size, array);
    double state = collect_zfs_state_parse(text, size);
    char name[300] = "", label[RECORD_LABEL_MAX];

    for (size_t i = 0; i < n && i < COLLECT_ARRAYS_MAX; i++) {
        double percent = array[i].sync_percent;

        assert(array[i].name[0] != '\0' && array[i].missing >= 0);
        assert(isnan(percent) || (percent >= 0 && percent <= 100));
    }
    assert(isnan(state) || (state >= 0 && state <= 2));
    if (size > 0)
        memcpy(name, text, size < sizeof name ? size : sizeof name - 1);
    collect_unit_kind(name, label);
    assert(strlen(label) < sizeof label && (name[0] == '\0') == (label[0] == '\0'));
    return 0;
}
