/* Two sorted lists are walked side by side. New pids are mostly the highest, so putting
 * one in rarely moves anything. */
#include "collect/process_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void close_files(struct collect_process *own)
{
    if (own->stat_fd >= 0)
        close(own->stat_fd);
    if (own->io_fd >= 0)
        close(own->io_fd);
    own->stat_fd = own->io_fd = -1;
}

/* Makes the entry that of a process of which nothing is known yet: NaN, not 0. */
static void make_fresh(struct collect_process_table *table, size_t i, int pid)
{
    struct record_process *record = &table->record[i];

    table->own[i] = (struct collect_process){
        .pid = pid,
        .stat_fd = -1,
        .io_fd = -1,
        .fresh = true,
    };
    memset(record, 0, sizeof *record);
    record->pid = pid;
    record->state = '?';
    record->cpu_percent = record->rss_bytes = record->pss_bytes = NAN;
    record->swap_bytes = record->major_faults_s = NAN;
    record->read_bytes_s = record->write_bytes_s = NAN;
    record->gpu_percent = record->gpu_bytes = NAN;
}

/* Doubles both arrays. When the second does not grow, the first stays larger than
 * `capacity` says, which harms nothing. */
static bool grow(struct collect_process_table *table)
{
    size_t capacity = table->capacity == 0 ? 256 : table->capacity * 2;
    struct record_process *record;
    struct collect_process *own;

    if (table->capacity >= COLLECT_PROCESSES_MAX)
        return false;
    record = realloc(table->record, capacity * sizeof *record);
    if (record == NULL)
        return false;
    table->record = record;
    own = realloc(table->own, capacity * sizeof *own);
    if (own == NULL)
        return false;
    table->own = own;
    table->capacity = capacity;
    return true;
}

/* Puts a new process in place i and moves those behind it; false when there is no room.
 */
static bool insert(struct collect_process_table *table, size_t i, int pid)
{
    size_t after = table->n - i;

    if (table->n == table->capacity && !grow(table))
        return false;
    memmove(&table->record[i + 1], &table->record[i], after * sizeof *table->record);
    memmove(&table->own[i + 1], &table->own[i], after * sizeof *table->own);
    table->n++;
    make_fresh(table, i, pid);
    return true;
}

/* Searches from the end, where new pids mostly belong. */
bool collect_process_table_add(struct collect_process_table *table, int pid)
{
    size_t i = table->n;

    while (i > 0 && table->own[i - 1].pid >= pid)
        i--;
    if (i < table->n && table->own[i].pid == pid)
        return true;
    return insert(table, i, pid);
}

void collect_process_table_sweep(struct collect_process_table *table)
{
    size_t kept = 0;

    for (size_t i = 0; i < table->n; i++) {
        if (table->own[i].gone) {
            close_files(&table->own[i]);
            continue;
        }
        if (kept != i) {
            table->record[kept] = table->record[i];
            table->own[kept] = table->own[i];
        }
        kept++;
    }
    table->n = kept;
}

void collect_process_table_update(struct collect_process_table *table, const int *pid,
                                  size_t n)
{
    size_t i = 0;

    for (size_t k = 0; k < table->n; k++) {
        while (i < n && pid[i] < table->own[k].pid)
            i++;
        table->own[k].gone = i == n || pid[i] != table->own[k].pid;
    }
    /* Making room first keeps the table from growing when as many begin as end. */
    collect_process_table_sweep(table);
    table->dropped = 0;
    i = 0;
    for (size_t k = 0; k < n; k++) {
        while (i < table->n && table->own[i].pid < pid[k])
            i++;
        if (i < table->n && table->own[i].pid == pid[k])
            continue;
        if (!insert(table, i, pid[k]))
            table->dropped++;
    }
}

/* Begins anew for a pid that was given out again: the open files are the dead process's.
 */
void collect_process_table_renew(struct collect_process_table *table, size_t i)
{
    close_files(&table->own[i]);
    make_fresh(table, i, table->own[i].pid);
}

void collect_process_table_release(struct collect_process_table *table)
{
    for (size_t i = 0; i < table->n; i++)
        close_files(&table->own[i]);
    free(table->record);
    free(table->own);
    *table = (struct collect_process_table){0};
}
