/* src/os/log: lines, hostile text, rotation, compression, reopening, fork, full pipes. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "os/log.h"

#define LOG "system_monitor.log"

struct folder {
    char path[64], log[96];
    struct os_data_dir dir;
};

static int setup(void **state)
{
    struct folder *f = calloc(1, sizeof *f);

    snprintf(f->path, sizeof f->path, "/tmp/vedette-log-XXXXXX");
    if (mkdtemp(f->path) == NULL)
        return -1;
    snprintf(f->log, sizeof f->log, "%s/" LOG, f->path);
    if (os_data_dir_open(&f->dir, f->path, OS_DATA_DIR_WRITE, NULL) != VD_OK)
        return -1;
    os_log_set_level(OS_LOG_ERROR);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct folder *f = *state;
    DIR *dir = opendir(f->path);

    os_log_close();
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[400];

        snprintf(path, sizeof path, "%s/%s", f->path, e->d_name);
        unlink(path);
    }
    closedir(dir);
    os_data_dir_close(&f->dir);
    rmdir(f->path);
    free(f);
    return 0;
}

/* The file, packed or not, as one terminated text; NULL when it is not there. */
static char *text_of(const char *path)
{
    gzFile in = gzopen(path, "rb");
    char *text = calloc(1, 1 << 22);
    int got;

    if (in == NULL || text == NULL) {
        free(text);
        return NULL;
    }
    got = gzread(in, text, (1 << 22) - 1);
    gzclose(in);
    assert_true(got >= 0);
    return text;
}

static size_t count_lines(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static void lines_have_time_and_level(void **state)
{
    struct folder *f = *state;
    char *text;
    int year, month, day, hour, minute, second, ms, used = 0;

    assert_int_equal(os_log_open(&f->dir, LOG, 1e6, 3, NULL), VD_OK);
    os_log_info("started with %d metrics", 42);
    os_log_debug("not for the file at this level");
    os_log_warning("half");
    text = text_of(f->log);
    assert_int_equal(count_lines(text), 2);
    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3d+00:00 %n", &year, &month,
                            &day, &hour, &minute, &second, &ms, &used),
                     7);
    assert_true(year >= 2024 && month >= 1 && month <= 12 && day >= 1 && day <= 31);
    assert_ptr_equal(strstr(text + used, "INFO started with 42 metrics\n"), text + used);
    assert_non_null(strstr(text, "WARNING half\n"));
    free(text);
}

static void the_time_is_that_of_the_c_library(void **state)
{
    struct folder *f = *state;
    struct timespec before, after; /* time() may lag behind the clock of the log */
    struct tm tm = {0};
    char *text;

    assert_int_equal(os_log_open(&f->dir, LOG, 1e6, 3, NULL), VD_OK);
    clock_gettime(CLOCK_REALTIME, &before);
    os_log_info("now");
    clock_gettime(CLOCK_REALTIME, &after);
    text = text_of(f->log);
    assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%S", &tm));
    assert_in_range(timegm(&tm), before.tv_sec, after.tv_sec);
    free(text);
}

static void hostile_text_cannot_steer_a_terminal(void **state)
{
    struct folder *f = *state;
    char *text;

    assert_int_equal(os_log_open(&f->dir, LOG, 1e6, 3, NULL), VD_OK);
    os_log_info("%s", "a\033[2Jb\nERROR forged\x7f \xc2\x9b caf\xc3\xa9");
    text = text_of(f->log);
    assert_int_equal(count_lines(text), 1);
    assert_non_null(
        strstr(text, "a\\x1b[2Jb\\x0aERROR forged\\x7f \\xc2\x9b caf\xc3\xa9"));
    free(text);
}

static void long_lines_are_cut(void **state)
{
    struct folder *f = *state;
    char *text, *big = malloc(10001);

    memset(big, 1, 10000);
    big[10000] = '\0';
    assert_int_equal(os_log_open(&f->dir, LOG, 1e6, 3, NULL), VD_OK);
    os_log_info("%s", big);
    text = text_of(f->log);
    assert_int_equal(count_lines(text), 1);
    assert_true(strlen(text) <= 2000);
    free(text);
    free(big);
}

/* Many lines through a small limit: at most `keep` packed files stay, each whole, and the
 * newest lines are all there, in order. */
static void files_are_rotated_packed_and_bounded(void **state)
{
    enum { LINES = 40000, KEEP = 3 };
    struct folder *f = *state;
    char name[128], *text;
    int last = -1, packed = 0;

    assert_int_equal(os_log_open(&f->dir, LOG, 20000, KEEP, NULL), VD_OK);
    for (int i = 0; i < LINES; i++)
        os_log_info("line %d", i);
    os_log_close();
    for (int i = KEEP; i >= 0; i--) {
        snprintf(name, sizeof name, i > 0 ? "%s.%d.gz" : "%s", f->log, i);
        text = text_of(name);
        /* A line may come while the last file is being packed, which puts the rotation
         * off; how many files there are depends on the machine. */
        if (text == NULL)
            continue;
        packed += i > 0;
        for (char *p = text; (p = strstr(p, "INFO line ")) != NULL;) {
            int i_line = atoi(p += 10);

            assert_true(last < 0 || i_line == last + 1);
            last = i_line;
        }
        free(text);
    }
    assert_int_equal(last, LINES - 1);
    assert_in_range(packed, 1, KEEP);
    snprintf(name, sizeof name, "%s.%d.gz", f->log, KEEP + 1);
    assert_int_not_equal(access(name, F_OK), 0);
    snprintf(name, sizeof name, "%s.1", f->log);
    assert_int_not_equal(access(name, F_OK), 0);
}

static void a_pipe_and_a_link_are_refused(void **state)
{
    struct folder *f = *state;
    struct vd_error err = {0};
    char target[128], *text;
    struct stat info;

    assert_int_equal(mkfifo(f->log, 0600), 0);
    assert_int_equal(os_log_open(&f->dir, LOG, 100, 1, &err), VD_ERR_IO);
    assert_non_null(strstr(err.text, LOG " is a pipe"));
    unlink(f->log);

    vd_error_clear(&err);
    snprintf(target, sizeof target, "%s/elsewhere.log", f->path);
    fclose(fopen(target, "w"));
    assert_int_equal(symlink("elsewhere.log", f->log), 0);
    assert_int_equal(os_log_open(&f->dir, LOG, 1000, 1, &err), VD_ERR_IO);
    assert_non_null(strstr(err.text, LOG " is a link"));
    os_log_info("this goes nowhere and does no harm");
    assert_int_equal(stat(target, &info), 0);
    assert_int_equal(info.st_size, 0);

    /* What is put in the place of the packed file does no harm either. */
    unlink(f->log);
    assert_int_equal(os_log_open(&f->dir, LOG, 1000, 1, NULL), VD_OK);
    snprintf(target, sizeof target, "%s.1.gz.tmp", f->log);
    assert_int_equal(symlink("elsewhere.log", target), 0);
    for (int i = 0; i < 50; i++)
        os_log_info("line %d", i);
    os_log_close();
    snprintf(target, sizeof target, "%s/elsewhere.log", f->path);
    assert_int_equal(stat(target, &info), 0);
    assert_int_equal(info.st_size, 0);
    snprintf(target, sizeof target, "%s.1.gz", f->log);
    text = text_of(target);
    assert_non_null(text);
    free(text);
}

static void a_moved_file_is_left_behind_on_reopen(void **state)
{
    struct folder *f = *state;
    char moved[128], *text;

    snprintf(moved, sizeof moved, "%s.moved", f->log);
    assert_int_equal(os_log_open(&f->dir, LOG, 1e6, 3, NULL), VD_OK);
    os_log_info("first");
    assert_int_equal(rename(f->log, moved), 0);
    os_log_info("second");
    os_log_reopen();
    os_log_info("third");
    text = text_of(moved);
    assert_int_equal(count_lines(text), 2);
    free(text);
    text = text_of(f->log);
    assert_int_equal(count_lines(text), 1);
    assert_non_null(strstr(text, "third"));
    free(text);
}

static void what_a_kill_left_is_packed_at_start(void **state)
{
    struct folder *f = *state;
    char left[128], packed[140], *text;
    FILE *out;

    snprintf(left, sizeof left, "%s.1", f->log);
    snprintf(packed, sizeof packed, "%s.1.gz", f->log);
    out = fopen(left, "w");
    fputs("old line\n", out);
    fclose(out);
    assert_int_equal(os_log_open(&f->dir, LOG, 1e6, 3, NULL), VD_OK);
    os_log_close();
    text = text_of(packed);
    assert_string_equal(text, "old line\n");
    assert_int_not_equal(access(left, F_OK), 0);
    free(text);
}

static void *shout(void *unused)
{
    (void)unused;
    for (int i = 0; i < 500; i++)
        os_log_info("a line that is always the same");
    return NULL;
}

static void threads_and_children_write_whole_lines(void **state)
{
    struct folder *f = *state;
    pthread_t thread[3];
    char *text;
    int status;
    pid_t child;

    assert_int_equal(os_log_open(&f->dir, LOG, 1e7, 3, NULL), VD_OK);
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, shout, NULL);
    child = fork();
    if (child == 0) {
        shout(NULL);
        _exit(0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    text = text_of(f->log);
    assert_int_equal(count_lines(text), 2000);
    for (char *p = text; *p != '\0'; p = strchr(p, '\n') + 1)
        assert_ptr_equal(strstr(p, "+00:00 INFO a line that is always the same\n"),
                         p + 23);
    free(text);
}

/* Nobody reads the console's pipe: lines are lost and counted, and we do not stop. */
static void a_full_console_does_not_block(void **state)
{
    int ends[2], kept = dup(STDERR_FILENO);
    size_t before = os_log_lost();

    (void)state;
    assert_int_equal(pipe(ends), 0);
    fflush(stderr);
    dup2(ends[1], STDERR_FILENO);
    for (int i = 0; i < 5000; i++)
        os_log_error("the console does not take this line");
    dup2(kept, STDERR_FILENO);
    assert_true(os_log_lost() > before);
    close(kept);
    close(ends[0]);
    close(ends[1]);
}

static void a_file_that_cannot_be_opened_is_told(void **state)
{
    struct folder *f = *state;
    struct vd_error err = {0};

    assert_int_equal(mkdir(f->log, 0700), 0);
    assert_int_equal(os_log_open(&f->dir, LOG, 1e6, 3, &err), VD_ERR_IO);
    assert_non_null(strstr(err.text, LOG " is a folder"));
    os_log_info("this goes nowhere and does no harm");
    rmdir(f->log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_have_time_and_level, setup, teardown),
        cmocka_unit_test_setup_teardown(the_time_is_that_of_the_c_library, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(hostile_text_cannot_steer_a_terminal, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(long_lines_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(files_are_rotated_packed_and_bounded, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_pipe_and_a_link_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_moved_file_is_left_behind_on_reopen, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_a_kill_left_is_packed_at_start, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(threads_and_children_write_whole_lines, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_full_console_does_not_block, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_opened_is_told, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
