/* src/os/output: files that are there whole or not at all; src/os/file: whole files. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/output.h"
#include "tree.h"

struct fixture {
    struct tree tree;
    char path[256];
};

static int setup(void **state)
{
    static struct fixture f;

    tree_init(&f.tree);
    snprintf(f.path, sizeof f.path, "%s/results.csv", f.tree.root);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    tree_release(&((struct fixture *)*state)->tree);
    return 0;
}

static void assert_holds(const char *path, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static void the_old_file_stays_until_the_new_one_is_whole(void **state)
{
    struct fixture *f = *state;
    struct os_output out;
    char part[sizeof out.part];

    tree_write(&f->tree, "/results.csv", "old");
    assert_int_equal(os_output_open(&out, f->path, NULL), VD_OK);
    snprintf(part, sizeof part, "%s", out.part);
    assert_int_equal(access(part, F_OK), 0);
    fputs("new", out.file);
    fflush(out.file);
    assert_holds(f->path, "old");
    assert_int_equal(os_output_close(&out, NULL), VD_OK);
    assert_holds(f->path, "new");
    assert_int_not_equal(access(part, F_OK), 0);
    assert_int_equal(os_output_open(&out, f->path, NULL), VD_OK);
    os_output_drop(&out);
    assert_holds(f->path, "new");
    assert_int_not_equal(access(part, F_OK), 0);
    /* Nothing is open any more. */
    assert_int_equal(os_output_close(&out, NULL), VD_OK);
}

/* A limit on the size of files stands for a full disk. */
static void what_cannot_be_written_leaves_the_old_file(void **state)
{
    struct fixture *f = *state;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    struct rlimit limit, two = {2, 2};
    struct vd_error err = {0};
    struct os_output out;
    enum vd_status status;

    tree_write(&f->tree, "/results.csv", "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    two.rlim_max = limit.rlim_max;
    sigaction(SIGXFSZ, &ignore, &before);
    assert_int_equal(os_output_open(&out, f->path, &err), VD_OK);
    fputs("new", out.file);
    setrlimit(RLIMIT_FSIZE, &two);
    status = os_output_close(&out, &err);
    setrlimit(RLIMIT_FSIZE, &limit);
    sigaction(SIGXFSZ, &before, NULL);
    assert_int_equal(status, VD_ERR_IO);
    assert_non_null(strstr(err.text, "results.csv: File too large"));
    assert_holds(f->path, "old");
}

static void a_link_and_a_pipe_stay_what_they_are(void **state)
{
    struct fixture *f = *state;
    struct os_output out;
    struct stat info;
    char target[256], text[8] = "";
    int reader;

    snprintf(target, sizeof target, "%s/elsewhere.csv", f->tree.root);
    tree_write(&f->tree, "/elsewhere.csv", "old");
    assert_int_equal(symlink(target, f->path), 0);
    assert_int_equal(os_output_open(&out, f->path, NULL), VD_OK);
    fputs("new", out.file);
    assert_int_equal(os_output_close(&out, NULL), VD_OK);
    assert_holds(target, "new");
    assert_int_equal(lstat(f->path, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    tree_remove(&f->tree, "/results.csv");
    assert_int_equal(mkfifo(f->path, 0600), 0);
    reader = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(os_output_open(&out, f->path, NULL), VD_OK);
    fputs("new", out.file);
    assert_int_equal(os_output_close(&out, NULL), VD_OK);
    assert_int_equal(read(reader, text, sizeof text), 3);
    close(reader);
    assert_int_equal(stat(f->path, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
}

static void a_rule_says_what_may_be_there(void **state)
{
    struct fixture *f = *state;
    struct vd_error err = {0};
    struct os_output out;
    struct stat info;

    assert_int_equal(os_output_open_as(&out, f->path, OS_OUTPUT_NEW, NULL), VD_OK);
    fputs("new", out.file);
    assert_int_equal(os_output_close(&out, NULL), VD_OK);
    assert_int_equal(os_output_open_as(&out, f->path, OS_OUTPUT_NEW, &err), VD_ERR_IO);
    assert_non_null(strstr(err.hint, "--force"));
    assert_int_equal(chmod(f->path, 0604), 0);
    assert_int_equal(os_output_open_as(&out, f->path, OS_OUTPUT_FILE, NULL), VD_OK);
    assert_int_equal(os_output_close(&out, NULL), VD_OK);
    assert_int_equal(stat(f->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0604);
    tree_remove(&f->tree, "/results.csv");
    assert_int_equal(mkfifo(f->path, 0600), 0);
    vd_error_clear(&err);
    assert_int_equal(os_output_open_as(&out, f->path, OS_OUTPUT_FILE, &err), VD_ERR_IO);
    assert_non_null(strstr(err.text, "results.csv: it is no regular file"));
    assert_int_equal(stat(f->path, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
}

/* What stands where the part is to be written, a link above all, is not written to. */
static void a_part_is_its_own_file(void **state)
{
    struct fixture *f = *state;
    struct os_output out;
    char part[PATH_MAX], target[256];

    snprintf(target, sizeof target, "%s/precious", f->tree.root);
    snprintf(part, sizeof part, "%s.%ld.part", f->path, (long)getpid());
    tree_write(&f->tree, "/precious", "mine");
    assert_int_equal(symlink(target, part), 0);
    assert_int_equal(os_output_open(&out, f->path, NULL), VD_OK);
    assert_string_equal(out.part, part);
    fputs("new", out.file);
    assert_int_equal(os_output_close(&out, NULL), VD_OK);
    assert_holds(target, "mine");
    assert_holds(f->path, "new");
}

static void two_outputs_come_together_and_may_go_on(void **state)
{
    struct fixture *f = *state;
    struct os_output out[2];
    char other[256];

    snprintf(other, sizeof other, "%s/other.csv", f->tree.root);
    assert_int_equal(os_output_open(&out[0], f->path, NULL), VD_OK);
    assert_int_equal(os_output_open(&out[1], other, NULL), VD_OK);
    fputs("one", out[0].file);
    fputs("two", out[1].file);
    assert_int_equal(os_output_commit(out, 2, NULL), VD_OK);
    assert_holds(f->path, "one");
    assert_holds(other, "two");
    fputs(" more", out[0].file);
    assert_int_equal(os_output_close(&out[0], NULL), VD_OK);
    os_output_drop(&out[1]);
    assert_holds(f->path, "one more");
    assert_holds(other, "two");
}

static void a_file_is_read_whole_or_not(void **state)
{
    struct fixture *f = *state;
    struct vd_error err = {0};
    size_t size;
    char *bytes;

    tree_write(&f->tree, "/results.csv", "seven b");
    assert_int_equal(os_file_read(f->path, 7, &bytes, &size, NULL), VD_OK);
    assert_int_equal(size, 7);
    assert_memory_equal(bytes, "seven b", 7);
    free(bytes);
    assert_int_equal(os_file_read(f->path, 6, &bytes, &size, &err), VD_ERR_IO);
    assert_non_null(strstr(err.text, "results.csv: more than 6"));
    assert_null(bytes);
    /* Its size is told as 0. */
    assert_int_equal(os_file_read("/proc/self/status", 1 << 20, &bytes, &size, NULL),
                     VD_OK);
    assert_in_range(size, 300, 1 << 16);
    free(bytes);
    vd_error_clear(&err);
    assert_int_equal(os_file_read("/proc/self/status", 10, &bytes, &size, &err),
                     VD_ERR_IO);
    assert_non_null(strstr(err.text, "more than 10"));
    vd_error_clear(&err);
    assert_int_equal(os_file_read(f->tree.root, 10, &bytes, &size, &err), VD_ERR_IO);
}

static void what_is_no_regular_file_is_refused_unread(void **state)
{
    struct fixture *f = *state;
    const char *const path[] = {f->path, f->tree.root, "/dev/zero", "/dev/null"};
    struct vd_error err;
    size_t size;
    char *bytes;

    assert_int_equal(mkfifo(f->path, 0600), 0); /* nobody writes to it */
    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        err = (struct vd_error){0};
        assert_int_equal(os_file_read_regular(path[i], 100, &bytes, &size, &err),
                         VD_ERR_IO);
        assert_non_null(strstr(err.text, "no regular file"));
        assert_null(bytes);
    }
    unlink(f->path);
    tree_write(&f->tree, "/results.csv", "seven b");
    assert_int_equal(os_file_read_regular(f->path, 7, &bytes, &size, NULL), VD_OK);
    assert_int_equal(size, 7);
    free(bytes);
    assert_int_equal(os_file_read_regular(f->path, 6, &bytes, &size, NULL), VD_ERR_IO);
}

static void folders_are_made_with_those_above(void **state)
{
    struct fixture *f = *state;
    struct vd_error err = {0};
    struct stat info;
    char path[256];

    snprintf(path, sizeof path, "%s/a//b/c/", f->tree.root);
    assert_int_equal(os_folder_make(path, NULL), VD_OK);
    assert_int_equal(os_folder_make(path, NULL), VD_OK);
    assert_true(stat(path, &info) == 0 && S_ISDIR(info.st_mode));
    assert_int_equal(os_folder_make("", NULL), VD_ERR_IO);
    tree_write(&f->tree, "/file", "x");
    snprintf(path, sizeof path, "%s/file", f->tree.root);
    assert_int_equal(os_folder_make(path, &err), VD_ERR_IO);
    assert_non_null(strstr(err.text, "/file: Not a directory"));
    vd_error_clear(&err);
    snprintf(path, sizeof path, "%s/file/below", f->tree.root);
    assert_int_equal(os_folder_make(path, &err), VD_ERR_IO);
    assert_non_null(strstr(err.text, "Not a directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_old_file_stays_until_the_new_one_is_whole,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_leaves_the_old_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_link_and_a_pipe_stay_what_they_are, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_rule_says_what_may_be_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_is_its_own_file, setup, teardown),
        cmocka_unit_test_setup_teardown(two_outputs_come_together_and_may_go_on, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_is_read_whole_or_not, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_regular_file_is_refused_unread, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(folders_are_made_with_those_above, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
