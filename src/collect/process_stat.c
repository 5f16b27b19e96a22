/* A program names itself, with any bytes it likes: "a) R 1 (b" is a valid name. The
 * kernel puts it between the first '(' and the last ')' of the line, and no field after
 * it can hold one, so the last ')' of the text ends the name.
 */
#include "collect/process_stat.h"

#include <math.h>
#include <string.h>

#include "format/scan.h"

#define KERNEL_THREAD 0x00200000u /* PF_KTHREAD of the kernel's sched.h */

static void copy_comm(char *comm, const char *from, const char *to)
{
    size_t length = (size_t)(to - from);

    if (length > RECORD_COMM_MAX - 1)
        length = RECORD_COMM_MAX - 1;
    memcpy(comm, from, length);
    comm[length] = '\0';
}

/* Takes the fields behind the name, which begin with the state, field 3 of proc(5). What
 * follows RSS is not in every text that was recorded by hand, and is 0 then. */
static bool parse_fields(struct format_scan *t, struct collect_process_stat *stat)
{
    enum {
        FLAGS = 9,
        MINFLT = 10,
        MAJFLT = 12,
        UTIME = 14,
        STIME,
        CUTIME,
        CSTIME,
        THREADS = 20,
        START = 22,
        VSIZE,
        RSS,
        START_CODE = 26,
        START_STACK = 28
    };
    uint64_t field[START_STACK + 1];
    int64_t parent;

    format_scan_skip_blanks(t);
    if (t->at == t->end)
        return false;
    stat->state = *t->at++;
    if (!format_scan_i64(t, &parent))
        return false;
    for (int i = 5; i <= START_STACK; i++)
        if (!format_scan_u64(t, &field[i])) {
            /* tpgid, priority and nice may be negative; none of them matters here. */
            field[i] = 0;
            if (!format_scan_skip_word(t) && i <= RSS)
                return false;
        }
    stat->parent = (int)parent;
    stat->kernel_thread = (field[FLAGS] & KERNEL_THREAD) != 0;
    stat->minor_faults = field[MINFLT];
    stat->major_faults = field[MAJFLT];
    stat->cpu_ticks = field[UTIME] + field[STIME];
    stat->user_ticks = field[UTIME];
    stat->system_ticks = field[STIME];
    stat->children_user_ticks = field[CUTIME];
    stat->children_system_ticks = field[CSTIME];
    stat->threads = (uint32_t)field[THREADS];
    stat->start_ticks = field[START];
    stat->vsize = field[VSIZE];
    stat->rss_pages = field[RSS];
    stat->image = field[START_CODE] ^ field[START_STACK];
    return true;
}

/* Takes the name and the fields that matter; false when the text is no stat:
 * 4163 (my (odd) name) S 4100 4163 4100 34816 4163 4194304 1206 0 0 0 12 7 0 0 20 0 3 0
 * 181022 123456789 2210 18446744073709551615 ... */
bool collect_process_stat_parse(const char *text, size_t size,
                                struct collect_process_stat *stat)
{
    struct format_scan t = format_scan_of(text, size);
    const char *open, *close;
    uint64_t pid;

    if (!format_scan_u64(&t, &pid) || pid > INT32_MAX)
        return false;
    open = memchr(t.at, '(', (size_t)(t.end - t.at));
    close = memrchr(t.at, ')', (size_t)(t.end - t.at));
    if (open == NULL || close == NULL || close < open)
        return false;
    stat->pid = (int)pid;
    copy_comm(stat->comm, open + 1, close);
    t.at = close + 1;
    return parse_fields(&t, stat);
}

/* Takes what the process read and wrote (rchar, wchar: pipes and caches count) and what
 * of it really went to and from disks:
 * rchar: 323934931
 * wchar: 323929600
 * syscr: 632687
 * syscw: 632675
 * read_bytes: 0
 * write_bytes: 323932160
 * cancelled_write_bytes: 0 */
void collect_process_io_parse(const char *text, size_t size,
                              struct collect_process_io *io)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t value;

    *io = (struct collect_process_io){NAN, NAN, NAN, NAN};
    if (size == 0)
        return;
    do {
        if (format_scan_skip(&t, "read_bytes:") && format_scan_u64(&t, &value))
            io->read_bytes = (double)value;
        else if (format_scan_skip(&t, "write_bytes:") && format_scan_u64(&t, &value))
            io->written_bytes = (double)value;
        else if (format_scan_skip(&t, "rchar:") && format_scan_u64(&t, &value))
            io->read_chars = (double)value;
        else if (format_scan_skip(&t, "wchar:") && format_scan_u64(&t, &value))
            io->written_chars = (double)value;
    } while (format_scan_next_line(&t));
}

/* The kernel ends each argument with a NUL; programs that write their title there leave
 * blanks or NULs at the end. */
void collect_process_command(const char *text, size_t size, char *command, size_t room)
{
    while (size > 0 && (text[size - 1] == '\0' || text[size - 1] == ' '))
        size--;
    if (size > room - 1)
        size = room - 1;
    for (size_t i = 0; i < size; i++)
        command[i] = text[i] == '\0' ? ' ' : text[i];
    command[size] = '\0';
}

/* Returns the number of the line that begins with `name`, in bytes (the kernel writes
 * kB); NaN when there is no such line. */
static double kib_of(const char *text, size_t size, const char *name)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t kib;

    if (size == 0)
        return NAN;
    do {
        if (format_scan_skip(&t, name))
            return format_scan_u64(&t, &kib) ? (double)kib * 1024 : NAN;
    } while (format_scan_next_line(&t));
    return NAN;
}

/* Returns the bytes that are swapped out; a thread of the kernel has no such line:
 * VmRSS:      5124 kB
 * VmSwap:      816 kB */
double collect_process_swap_parse(const char *text, size_t size)
{
    return kib_of(text, size, "VmSwap:");
}

/* Sums over all mappings, so that `smaps` of kernels before 4.14 is read as well as the
 * one sum of `smaps_rollup`:
 * 55d0c0000000-7ffd3a9fe000 ---p 00000000 00:00 0      [rollup]
 * Rss:               11640 kB
 * Pss:                9278 kB
 * Swap:                816 kB */
bool collect_process_memory_parse(const char *text, size_t size,
                                  struct collect_process_memory *memory)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t kib;
    bool found = false;

    *memory = (struct collect_process_memory){0};
    if (size == 0)
        return false;
    do {
        if (format_scan_skip(&t, "Pss:") && format_scan_u64(&t, &kib)) {
            memory->pss_bytes += (double)kib * 1024;
            found = true;
        } else if (format_scan_skip(&t, "Rss:") && format_scan_u64(&t, &kib))
            memory->rss_bytes += (double)kib * 1024;
        else if (format_scan_skip(&t, "Swap:") && format_scan_u64(&t, &kib))
            memory->swap_bytes += (double)kib * 1024;
    } while (format_scan_next_line(&t));
    return found;
}

/* Returns the proportional size in bytes, in which shared pages are divided. */
double collect_process_pss_parse(const char *text, size_t size)
{
    return kib_of(text, size, "Pss:");
}
