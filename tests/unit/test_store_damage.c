/* Every kind of database that cannot be used: none stops the store, and none is thrown
 * away. */
#include "unit.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <time.h>

#include "store_fixture.h"

enum { PAGE = 4096, ROWS = 1500 };

/* A database with rows, an event and a flight recorder, closed in order. */
static void fill(struct fixture *f)
{
    struct record_process process[50] = {{.pid = 1}};
    const struct history_moment moment = {
        .time_ns = INT64_C(1700000050000000000), .process = process, .n = 50};
    struct record_event event;
    struct record record;
    store_set *set;

    assert_int_equal(store_set_new(&set, &f->config, NULL), VD_OK);
    for (int k = 0; k < ROWS; k++) {
        record = *fixture_tick(f, k);
        if (k % 20 == 19) {
            fixture_event(&event, store_set_next_event_id(set));
            record.event = &event;
            record.change = RECORD_EVENT_OPENED;
        }
        store_set_push(set, &record);
        if (record.event != NULL)
            store_set_moments(set, event.id, &moment, 1);
    }
    assert_true(store_set_settle(set, 10));
    store_set_close(set);
}

static void write_at(const struct fixture *f, const char *name, long at,
                     const void *bytes, size_t size)
{
    int fd = open(fixture_path(f, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, at), size);
    close(fd);
}

static void garble(const struct fixture *f, const char *name, long at, size_t size)
{
    uint8_t *noise = malloc(size);
    uint32_t seed = (uint32_t)at + 12345;

    for (size_t i = 0; i < size; i++)
        noise[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
    write_at(f, name, at, noise, size);
    free(noise);
}

static size_t count_broken(const struct fixture *f)
{
    glob_t found = {0};
    size_t n;

    glob(fixture_path(f, "vedette.db.broken-*"), 0, NULL, &found);
    n = found.gl_pathc;
    globfree(&found);
    return n;
}

/* Rows go on being kept, all of them, and they come back. */
static void check_that_it_keeps(struct fixture *f, int from)
{
    struct store_counters counters[8];
    store_set *set;
    sqlite3 *db;

    assert_int_equal(store_set_new(&set, &f->config, NULL), VD_OK);
    for (int k = from; k < from + 10; k++)
        store_set_push(set, fixture_tick(f, k));
    assert_true(store_set_settle(set, 20));
    assert_true(store_set_counters(set, counters, 8) > 0);
    if (counters[0].unavailable != NULL)
        fail_msg("%s", counters[0].unavailable);
    assert_int_equal(counters[0].sent, 10);
    assert_int_equal(counters[0].lost, 0);
    store_set_close(set);
    db = fixture_database(f);
    assert_non_null(db);
    assert_true(store_db_number(db, "SELECT count(*) FROM sample", 0) >= 10);
    sqlite3_close(db);
}

static void check_set_aside(struct fixture *f, const char *why)
{
    check_that_it_keeps(f, 1000);
    if (count_broken(f) == 0 || strstr(f->said, "it is kept as") == NULL ||
        strstr(f->said, why) == NULL)
        fail_msg("expected %s; set aside %zu, said: %s", why, count_broken(f), f->said);
    assert_non_null(strstr(f->said, f->dir));
    /* Once is enough. */
    f->said[0] = '\0';
    check_that_it_keeps(f, 2000);
    assert_string_equal(f->said, "");
}

static void any_garbled_page_is_noticed_at_the_next_start(void **state)
{
    struct fixture f;
    struct stat info;
    uint8_t *whole;
    FILE *file;

    (void)state;
    fixture_open(&f);
    fill(&f);
    assert_int_equal(stat(fixture_path(&f, "vedette.db"), &info), 0);
    assert_true(info.st_size >= 16 * PAGE);
    whole = malloc((size_t)info.st_size);
    file = fopen(fixture_path(&f, "vedette.db"), "rb");
    assert_int_equal(fread(whole, 1, (size_t)info.st_size, file), info.st_size);
    fclose(file);
    fixture_close(&f);
    for (long at = 0; at < info.st_size; at += PAGE) {
        fixture_open(&f);
        write_at(&f, "vedette.db", 0, whole, (size_t)info.st_size);
        garble(&f, "vedette.db", at, PAGE);
        check_set_aside(&f, "broken");
        fixture_close(&f);
    }
    free(whole);
}

static void a_file_that_was_cut_is_noticed(void **state)
{
    static const long size[] = {1, 99, 100, 511, 512, PAGE, 3 * PAGE + 7, 17 * PAGE};
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < sizeof size / sizeof size[0]; i++) {
        fixture_open(&f);
        fill(&f);
        assert_int_equal(truncate(fixture_path(&f, "vedette.db"), size[i]), 0);
        check_set_aside(&f, "broken");
        fixture_close(&f);
    }
}

static void what_was_never_a_database_is_set_aside(void **state)
{
    uint8_t zeros[5 * PAGE] = {0};
    struct fixture f;

    (void)state;
    fixture_open(&f);
    write_at(&f, "vedette.db", 0, zeros, sizeof zeros);
    check_set_aside(&f, "not a database");
    fixture_close(&f);
    fixture_open(&f);
    garble(&f, "vedette.db", 0, 10000);
    check_set_aside(&f, "not a database");
    fixture_close(&f);
    fixture_open(&f);
    write_at(&f, "vedette.db", 0, "SQLite format 3", 16);
    check_set_aside(&f, "broken");
    fixture_close(&f);
}

/* An empty file is what a full disk leaves of a new database. */
static void an_empty_file_is_a_new_database(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    write_at(&f, "vedette.db", 0, "", 0);
    check_that_it_keeps(&f, 0);
    assert_int_equal(count_broken(&f), 0);
    fixture_close(&f);
}

static void a_log_that_was_garbled_costs_only_itself(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fill(&f);
    garble(&f, "vedette.db-wal", 0, 70000);
    check_that_it_keeps(&f, 1000);
    assert_int_equal(count_broken(&f), 0);
    garble(&f, "vedette.db-shm", 0, 32768);
    check_that_it_keeps(&f, 2000);
    assert_int_equal(count_broken(&f), 0);
    fixture_close(&f);
}

static void run_sql(const struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    char *said = NULL;

    assert_int_equal(sqlite3_open(fixture_path(f, "vedette.db"), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &said) != SQLITE_OK)
        fail_msg("%s: %s", sql, said);
    sqlite3_close(db);
}

static void other_tables_than_ours_are_set_aside(void **state)
{
    static const struct {
        const char *sql, *why;
    } cases[] = {
        {"CREATE TRIGGER t AFTER INSERT ON sample BEGIN DELETE FROM event; END",
         "the trigger \"t\""},
        {"CREATE VIEW v AS SELECT * FROM event", "the view \"v\""},
        {"DROP TABLE feedback; CREATE VIEW feedback AS SELECT 1 AS id, 2 AS time, 3 AS "
         "event, 4 AS feedback",
         "the view \"feedback\""},
        {"DROP TABLE minute", "no vedette"},
        {"CREATE TABLE zzz(x)", "the table \"zzz\""},
        {"CREATE INDEX e2 ON event(abs(score))", "the index \"e2\""},
        {"ALTER TABLE event ADD COLUMN more TEXT", "the table \"event\""},
        {"CREATE VIRTUAL TABLE f USING fts5(x)", "the table \"f\""},
        {"DROP TABLE suspect", "missing"},
    };
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture_open(&f);
        fill(&f);
        run_sql(&f, cases[i].sql);
        check_set_aside(&f, i == 8 ? "broken" : cases[i].why);
        fixture_close(&f);
    }
}

static void the_database_of_another_program_is_set_aside_untouched(void **state)
{
    struct stat before, after;
    glob_t found = {0};
    struct fixture f;

    (void)state;
    fixture_open(&f);
    run_sql(&f, "CREATE TABLE bookmark(id, url); INSERT INTO bookmark VALUES(1, 'x')");
    assert_int_equal(stat(fixture_path(&f, "vedette.db"), &before), 0);
    check_set_aside(&f, "another program");
    glob(fixture_path(&f, "vedette.db.broken-*"), 0, NULL, &found);
    assert_int_equal(found.gl_pathc, 1);
    assert_int_equal(stat(found.gl_pathv[0], &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(before.st_mtime, after.st_mtime);
    globfree(&found);
    fixture_close(&f);
}

static void the_database_of_a_newer_vedette_is_left_alone(void **state)
{
    struct store_counters counters[8];
    struct fixture f;
    store_set *set;

    (void)state;
    fixture_open(&f);
    fill(&f);
    run_sql(&f, "PRAGMA user_version=99; CREATE TABLE later(x)");
    assert_int_equal(store_set_new(&set, &f.config, NULL), VD_OK);
    store_set_counters(set, counters, 8);
    assert_non_null(strstr(counters[0].unavailable, "newer vedette"));
    store_set_close(set);
    assert_int_equal(count_broken(&f), 0);
    run_sql(&f, "SELECT * FROM later");
    fixture_close(&f);
}

/* Polls `done` with rows going in, for at most 20 s. */
static bool push_until(struct fixture *f, store_set *set, int *k,
                       bool (*done)(const struct fixture *f, store_set *set))
{
    const struct timespec pause = {.tv_nsec = 20000000};

    for (int i = 0; i < 1000; i++) {
        if (done(f, set))
            return true;
        store_set_push(set, fixture_tick(f, (*k)++));
        store_set_settle(set, 1);
        nanosleep(&pause, NULL);
    }
    return false;
}

static bool has_set_aside(const struct fixture *f, store_set *set)
{
    (void)set;
    return count_broken(f) > 0;
}

static bool can_read(const struct fixture *f, store_set *set)
{
    const struct history_reader *reader = store_set_history(set);
    const struct history_event_query query = {.limit = 1000};
    struct record_event *event = NULL;
    size_t n = 0;
    enum vd_status status = reader->events(reader->context, &query, &event, &n, NULL);

    (void)f;
    free(event);
    return status == VD_OK;
}

/* While it runs: the writer's caches do not see it, so a reader meets it first. */
static void damage_that_a_reader_meets_is_set_aside_by_the_writer(void **state)
{
    struct fixture f;
    store_set *set;
    sqlite3 *db;
    int64_t root;
    int k = 1000;

    (void)state;
    fixture_open(&f);
    fill(&f);
    db = fixture_database(&f);
    root = store_db_number(
        db, "SELECT rootpage FROM sqlite_master WHERE name='deviation'", 0);
    sqlite3_close(db);
    assert_true(root > 1);
    assert_int_equal(store_set_new(&set, &f.config, NULL), VD_OK);
    garble(&f, "vedette.db", (root - 1) * PAGE, PAGE);
    assert_false(can_read(&f, set));
    assert_true(push_until(&f, set, &k, has_set_aside));
    /* The old one has its new name a moment before the new one can be read. */
    assert_true(push_until(&f, set, &k, can_read));
    assert_int_equal(count_broken(&f), 1);
    store_set_close(set);
    fixture_close(&f);
}

static bool has_lost(const struct fixture *f, store_set *set)
{
    struct store_counters counters[8];
    size_t n = store_set_counters(set, counters, 8);

    (void)f;
    return n >= 3 && counters[0].lost > 0 && counters[1].lost > 0 && counters[2].lost > 0;
}

static uint64_t sent(const store_set *set)
{
    struct store_counters counters[8];

    store_set_counters(set, counters, 8);
    return counters[0].sent;
}

static void a_directory_that_is_gone_loses_rows_and_counts_them(void **state)
{
    char moved[96], command[128];
    struct fixture f;
    store_set *set;
    uint64_t before;
    int k = 0;

    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        fixture_open(&f);
        snprintf(moved, sizeof moved, "%s.moved", f.dir);
        assert_int_equal(store_set_new(&set, &f.config, NULL), VD_OK);
        store_set_push(set, fixture_tick(&f, k++));
        assert_true(store_set_settle(set, 10));
        before = sent(set);
        assert_int_equal(rename(f.dir, moved), 0);
        if (kind > 0)
            assert_int_equal(mkdir(f.dir, 0700), 0);
        if (kind == 2) {
            snprintf(command, sizeof command, "rm -r %s", moved);
            assert_int_equal(system(command), 0);
        }
        assert_true(push_until(&f, set, &k, has_lost));
        assert_int_equal(sent(set), before);
        assert_non_null(strstr(f.said, "nothing is kept any more"));
        if (kind < 2) { /* it comes back */
            if (kind == 1)
                assert_int_equal(rmdir(f.dir), 0);
            assert_int_equal(rename(moved, f.dir), 0);
            store_set_push(set, fixture_tick(&f, k++));
            assert_true(store_set_settle(set, 10));
            assert_int_equal(sent(set), before + 1);
            assert_non_null(strstr(f.said, "is back"));
        }
        store_set_close(set);
        fixture_close(&f);
    }
}

/* rm, or a logrotate that moves them: the next row begins a new one. */
static void files_that_were_taken_away_are_made_anew(void **state)
{
    static const char *const name[] = {"vedette.db", "vedette.db-wal",
                                       "performance_log.csv", "metrics_history.csv"};
    char moved[256];
    struct fixture f;
    store_set *set;
    int k = 0;

    (void)state;
    for (size_t i = 0; i < 2 * sizeof name / sizeof name[0]; i++) {
        const char *file = name[i / 2];

        fixture_open(&f);
        assert_int_equal(store_set_new(&set, &f.config, NULL), VD_OK);
        store_set_push(set, fixture_tick(&f, k++));
        assert_true(store_set_settle(set, 10));
        snprintf(moved, sizeof moved, "%s/moved", f.dir);
        assert_int_equal(rename(fixture_path(&f, file), moved), 0);
        if (i % 2 == 0)
            unlink(moved);
        store_set_push(set, fixture_tick(&f, k++));
        assert_true(store_set_settle(set, 10));
        assert_int_equal(access(fixture_path(&f, file), F_OK), 0);
        store_set_close(set);
        fixture_close(&f);
    }
}

static int64_t next_id(const struct fixture *f)
{
    store_set *set;
    int64_t id;

    assert_int_equal(store_set_new(&set, &f->config, NULL), VD_OK);
    id = store_set_next_event_id(set);
    store_set_close(set);
    return id;
}

/* A receiver knows the ids of before. */
static void ids_go_on_above_those_of_a_database_that_is_gone(void **state)
{
    struct fixture f;
    int64_t first;

    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        fixture_open(&f);
        f.config.alerts = kind != 0;
        assert_int_equal(next_id(&f), 1);
        fill(&f);
        assert_int_equal(next_id(&f), ROWS / 20 + 1);
        if (kind < 2)
            garble(&f, "vedette.db", 0, 10000);
        else
            unlink(fixture_path(&f, "vedette.db"));
        if (kind == 3) {
            char moved[256];

            snprintf(moved, sizeof moved, "%s/alerts.jsonl.1", f.dir);
            rename(fixture_path(&f, "alerts.jsonl"), moved);
        }
        first = next_id(&f);
        assert_true(first > ROWS);
        fill(&f); /* and from there */
        assert_true(next_id(&f) >= first + ROWS / 20);
        fixture_close(&f);
    }
}

static void the_last_three_that_were_set_aside_are_kept(void **state)
{
    static const char *const parts[] = {"vedette.db.broken-20200101-000000-wal",
                                        "vedette.db.broken-20200101-000000-shm",
                                        "vedette.db.broken-20200101-000000-journal"};
    struct fixture f;

    (void)state;
    fixture_open(&f);
    /* The files of a database count with it, and not as further ones. */
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        FILE *file = fopen(fixture_path(&f, parts[i]), "w");

        assert_non_null(file);
        fclose(file);
    }
    for (int k = 1; k <= 6; k++) {
        garble(&f, "vedette.db", k, 10000);
        f.said[0] = '\0';
        next_id(&f);
        assert_non_null(strstr(f.said, "it is kept as"));
        assert_int_equal(strstr(f.said, "is removed") != NULL, k > 3);
        if (k > 3)
            assert_non_null(strstr(f.said, f.dir));
    }
    assert_int_equal(count_broken(&f), 3 + sizeof parts / sizeof *parts);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_garbled_page_is_noticed_at_the_next_start),
        cmocka_unit_test(a_file_that_was_cut_is_noticed),
        cmocka_unit_test(what_was_never_a_database_is_set_aside),
        cmocka_unit_test(an_empty_file_is_a_new_database),
        cmocka_unit_test(a_log_that_was_garbled_costs_only_itself),
        cmocka_unit_test(other_tables_than_ours_are_set_aside),
        cmocka_unit_test(the_database_of_another_program_is_set_aside_untouched),
        cmocka_unit_test(the_database_of_a_newer_vedette_is_left_alone),
        cmocka_unit_test(damage_that_a_reader_meets_is_set_aside_by_the_writer),
        cmocka_unit_test(a_directory_that_is_gone_loses_rows_and_counts_them),
        cmocka_unit_test(files_that_were_taken_away_are_made_anew),
        cmocka_unit_test(ids_go_on_above_those_of_a_database_that_is_gone),
        cmocka_unit_test(the_last_three_that_were_set_aside_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
