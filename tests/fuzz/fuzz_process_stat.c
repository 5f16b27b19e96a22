/* The files of one process; its name may hold any byte. The first byte of the input
 * chooses the file. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "collect/process_stat.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A counter: absent, or a number that is not negative. */
static int is_counter(double x)
{
    return isnan(x) || (x >= 0 && isfinite(x));
}

static void try_stat(const char *text, size_t size)
{
    struct collect_process_stat stat;

    if (!collect_process_stat_parse(text, size, &stat))
        return;
    assert(stat.pid >= 0);
    assert(memchr(stat.comm, '\0', sizeof stat.comm) != NULL);
}

/* Both texts of a process's memory. */
static void try_memory(const char *text, size_t size)
{
    struct collect_process_memory memory;

    assert(is_counter(collect_process_pss_parse(text, size)));
    if (collect_process_memory_parse(text, size, &memory))
        assert(memory.pss_bytes >= 0 && memory.rss_bytes >= 0 && memory.swap_bytes >= 0);
}

static void try_one(int kind, const char *text, size_t size)
{
    struct collect_process_io io;
    char command[32];

    switch (kind) {
    case 0:
        try_stat(text, size);
        break;
    case 1:
        collect_process_io_parse(text, size, &io);
        assert(is_counter(io.read_bytes) && is_counter(io.written_bytes));
        assert(is_counter(io.read_chars) && is_counter(io.written_chars));
        break;
    case 2:
        memset(command, 'x', sizeof command);
        collect_process_command(text, size, command, sizeof command);
        assert(memchr(command, '\0', sizeof command) != NULL);
        break;
    default:
        try_memory(text, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    if (size == 0)
        return 0;
    try_one(text[0] % 4, text + 1, size - 1);
    return 0;
}
