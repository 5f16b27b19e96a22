/* A temporary data directory, a schema and ticks for the tests of the store. */
#ifndef VD_STORE_FIXTURE_H
#define VD_STORE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"
#include "store/sinks.h"
#include "store/sqlite.h"

struct fixture {
    char dir[64];
    struct record_schema schema;
    double value[16];
    struct store_config config;
    struct record record;
    char said[4096];
};

static const struct record_metric fixture_rows[] = {
    {.name = "cpu_percent", .unit = "%", .scale = 1},
    {.name = "cpu_memory", .unit = "%", .scale = 1},
    {.name = "disk_busy_percent", .unit = "%", .scale = 1, .label_key = "device"},
};

static inline void fixture_listen(void *context, enum os_log_level level,
                                  const char *text)
{
    struct fixture *f = context;
    size_t used = strlen(f->said);

    (void)level;
    snprintf(f->said + used, sizeof f->said - used, "%s\n", text);
}

static inline void fixture_open(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    /* Memory, where there is such a folder: thousands of commits wait for no disk. */
    strcpy(f->dir, "/dev/shm/vedette-test-XXXXXX");
    if (mkdtemp(f->dir) == NULL) {
        strcpy(f->dir, "/tmp/vedette-test-XXXXXX");
        if (mkdtemp(f->dir) == NULL)
            abort();
    }
    record_schema_add(&f->schema, &fixture_rows[0], NULL);
    record_schema_add(&f->schema, &fixture_rows[1], NULL);
    record_schema_add(&f->schema, &fixture_rows[2], "sda");
    f->config = store_config_default();
    f->config.dir = f->dir;
    f->config.log = (struct os_log_to){fixture_listen, f};
    f->record.schema = &f->schema;
    f->record.value = f->value;
    f->record.verdict.n = 1;
    f->record.verdict.detector[0].name = "isolation_forest";
}

/* Tick k, one second apart: cpu = k, cpu_memory = 50, busy NaN on odd ones, score 0.5. */
static inline const struct record *fixture_tick(struct fixture *f, int64_t k)
{
    f->record.time_ns = INT64_C(1700000040000000000) + k * 1000000000 + 250000000;
    f->record.mono_ns = 5000000000 + k * 1000000000;
    f->record.jitter_ns = 120000;
    f->record.tick = (uint64_t)k;
    f->value[0] = (double)k;
    f->value[1] = 50;
    f->value[2] = k % 2 ? (double)NAN : 10;
    f->record.verdict.score = 0.5;
    f->record.verdict.surprise = 0.25;
    f->record.verdict.confidence = 1;
    f->record.verdict.latency_us = 12.5;
    f->record.verdict.detector[0].ready = true;
    f->record.verdict.detector[0].score = 0.75;
    f->record.event = NULL;
    f->record.change = RECORD_EVENT_NONE;
    return &f->record;
}

static inline void fixture_event(struct record_event *event, int64_t id)
{
    memset(event, 0, sizeof *event);
    event->id = id;
    event->start_ns = INT64_C(1700000050000000000);
    event->peak_ns = event->start_ns + 2000000000;
    event->severity = RECORD_HIGH;
    event->score = -0.6;
    event->confidence = 0.9;
    event->alerted = true;
    event->kind = RECORD_ANOMALY;
    strcpy(event->pattern, "spike");
    strcpy(event->note, "Alerted: 1 of 1 this week");
    event->limit = (struct record_limit){.rule = "cpu_percent > 95 for 10 s",
                                         .above = true,
                                         .value = 95,
                                         .for_s = 10,
                                         .since_ns = event->start_ns - 10000000000};
    strcpy(event->reason, "High CPU usage detected | \"quoted\"\n\x1b[31m");
    event->top[0] = (struct record_deviation){.metric = 2,
                                              .value = 97.1,
                                              .expected = 9.4,
                                              .z = 8.8,
                                              .name = "disk_busy_percent{sda}"};
    strcpy(event->explanation[0],
           "disk_busy_percent{sda}: 97.1 (high, expected ≈9.4, z=8.8)");
    strcpy(event->factor[0], "Disk: 97.1%");
    event->n_top = 1;
    event->suspect[0].process.pid = 4242;
    event->suspect[0].process.start_ticks = 1234567;
    event->suspect[0].process.state = 'R';
    event->suspect[0].process.cpu_percent = 180;
    event->suspect[0].process.pss_bytes = NAN;
    event->suspect[0].process.swap_bytes = 816 * 1024;
    event->suspect[0].process.major_faults_s = 2.5;
    strcpy(event->suspect[0].process.comm, "burn\xff\x1b[2J");
    strcpy(event->suspect[0].process.command, "burn --hot");
    event->suspect[0].resource = RECORD_CPU;
    event->suspect[0].share = 0.8;
    event->suspect[0].of_use = true;
    event->n_suspects = 1;
}

static inline char *fixture_path(const struct fixture *f, const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    return path;
}

/* The whole file as a string; the caller frees it. NULL = not there. */
static inline char *fixture_read(const struct fixture *f, const char *name)
{
    FILE *file = fopen(fixture_path(f, name), "rb");
    char *text;
    size_t n;

    if (file == NULL)
        return NULL;
    text = malloc(1 << 20);
    n = fread(text, 1, (1 << 20) - 1, file);
    text[n] = '\0';
    fclose(file);
    return text;
}

static inline void fixture_close(struct fixture *f)
{
    char command[128];

    record_schema_release(&f->schema);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    if (system(command) != 0)
        abort();
}

/* The database, opened as a reader does; NULL when it cannot be. */
static inline sqlite3 *fixture_database(const struct fixture *f)
{
    struct os_data_dir dir;
    sqlite3 *db = NULL;

    if (os_data_dir_open(&dir, f->dir, OS_DATA_DIR_READ, NULL) == VD_OK)
        store_db_open_readonly(&db, &dir, NULL);
    if (db != NULL)
        store_db_number(db, "SELECT count(*) FROM metric", 0); /* its files are open */
    os_data_dir_close(&dir);
    return db;
}

/* Everything but the text files, kept for ever. */
static inline store_set *fixture_set(struct fixture *f)
{
    struct vd_error err = {0};
    store_set *set;

    f->config.retention_raw_s = f->config.retention_minute_s =
        f->config.retention_hour_s = 1e10;
    f->config.performance_log = f->config.metrics_history = false;
    if (store_set_new(&set, &f->config, &err) != VD_OK)
        fail_msg("%s", err.text);
    return set;
}

static inline int64_t fixture_count(const struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    int64_t n;

    db = fixture_database(f);
    assert_non_null(db);
    n = store_db_number(db, sql, -1);
    sqlite3_close(db);
    return n;
}

#endif
