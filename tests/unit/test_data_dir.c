/* src/os/data_dir: whose folder it is, and what in it is touched. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/data_dir.h"

struct place {
    char root[64], dir[96];
    struct os_data_dir open;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    strcpy(p->root, "/tmp/vedette-dir-XXXXXX");
    if (mkdtemp(p->root) == NULL)
        return -1;
    snprintf(p->dir, sizeof p->dir, "%s/d", p->root);
    p->open = OS_DATA_DIR_CLOSED;
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[128];

    os_data_dir_close(&p->open);
    snprintf(command, sizeof command, "rm -rf %s", p->root);
    if (system(command) != 0)
        return -1;
    free(p);
    return 0;
}

static const char *in(const struct place *p, const char *name)
{
    static char path[160];

    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    return path;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static unsigned mode_of(const char *path)
{
    struct stat info;

    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & 07777;
}

static void open_it(struct place *p)
{
    struct vd_error err = {0};

    if (os_data_dir_open(&p->open, p->dir, OS_DATA_DIR_WRITE, &err) != VD_OK)
        fail_msg("%s", err.text);
}

static void refuse_it(struct place *p, enum os_data_dir_use use, const char *why)
{
    struct vd_error err = {0};

    assert_int_equal(os_data_dir_open(&p->open, p->dir, use, &err), VD_ERR_IO);
    assert_int_equal(p->open.fd, -1);
    assert_non_null(strstr(err.text, why));
    assert_non_null(strstr(err.text, p->dir));
    assert_true(err.hint[0] != '\0');
}

static void a_new_one_is_ours_alone_and_so_are_its_files(void **state)
{
    struct place *p = *state;
    mode_t before = umask(0);
    int fd;

    snprintf(p->dir, sizeof p->dir, "%s/a/b/c//", p->root);
    open_it(p);
    assert_int_equal(mode_of(p->open.path), 0700);
    fd = os_data_dir_file(&p->open, "x", O_RDWR | O_CREAT, NULL);
    umask(before);
    assert_true(fd >= 0);
    assert_int_equal(mode_of(in(p, "x")), 0600);
    close(fd);
}

/* One with other things in it may be anything, /tmp or somebody's home. */
static void an_old_one_is_closed_to_others_when_it_is_for_us_alone(void **state)
{
    static const struct {
        const char *has;
        unsigned mode;
    } cases[] = {
        {NULL, 0700}, {"vedette.lock", 0700}, {"vedette.db", 0700}, {"letter.txt", 0755}};
    struct place *p = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(p->dir, sizeof p->dir, "%s/%zu", p->root, i);
        assert_int_equal(mkdir(p->dir, 0755), 0);
        chmod(p->dir, 0755);
        if (cases[i].has != NULL)
            put(in(p, cases[i].has), "");
        open_it(p);
        assert_int_equal(mode_of(p->dir), cases[i].mode);
        os_data_dir_close(&p->open);
    }
}

static void one_that_others_may_write_to_is_refused(void **state)
{
    static const unsigned mode[] = {0720, 0702, 0777, 01777};
    struct place *p = *state;

    assert_int_equal(mkdir(p->dir, 0700), 0);
    for (size_t i = 0; i < sizeof mode / sizeof mode[0]; i++) {
        chmod(p->dir, mode[i]);
        refuse_it(p, OS_DATA_DIR_WRITE, "others may write");
        refuse_it(p, OS_DATA_DIR_READ, "others may write");
    }
}

static void one_of_somebody_else_is_refused(void **state)
{
    struct place *p = *state;

    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(p->dir, 0700), 0);
    assert_int_equal(chown(p->dir, 65534, 65534), 0);
    refuse_it(p, OS_DATA_DIR_WRITE, "belongs to user 65534");
    /* Root may look at it. */
    assert_int_equal(os_data_dir_open(&p->open, p->dir, OS_DATA_DIR_READ, NULL), VD_OK);
    put(in(p, "x"), "");
    assert_int_equal(os_data_dir_file(&p->open, "x", O_RDONLY, NULL), -1);
    assert_int_equal(chown(in(p, "x"), 65534, 65534), 0);
    close(os_data_dir_file(&p->open, "x", O_RDONLY, NULL));
    /* Nobody else may look at root's. */
    os_data_dir_close(&p->open);
    assert_int_equal(chown(p->dir, 0, 0), 0);
    chmod(p->dir, 0755);
    chmod(p->root, 0755);
    assert_int_equal(seteuid(65534), 0);
    refuse_it(p, OS_DATA_DIR_READ, "belongs to user 0");
    assert_int_equal(seteuid(0), 0);
}

static void a_link_to_it_is_followed_when_it_is_ours(void **state)
{
    struct place *p = *state;
    char target[160];

    snprintf(target, sizeof target, "%s/target", p->root);
    assert_int_equal(mkdir(target, 0700), 0);
    assert_int_equal(symlink(target, p->dir), 0);
    open_it(p);
    assert_int_equal(os_data_dir_is_there(&p->open, NULL), VD_OK);
    os_data_dir_close(&p->open);
    if (geteuid() != 0)
        return;
    assert_int_equal(lchown(p->dir, 65534, 65534), 0);
    refuse_it(p, OS_DATA_DIR_WRITE, "is a link that belongs to user 65534");
}

static void what_is_no_folder_is_refused(void **state)
{
    struct place *p = *state;
    struct vd_error err = {0};

    put(p->dir, "");
    refuse_it(p, OS_DATA_DIR_WRITE, "Not a directory");
    unlink(p->dir);
    assert_int_equal(mkfifo(p->dir, 0600), 0);
    refuse_it(p, OS_DATA_DIR_READ, "Not a directory");
    unlink(p->dir);
    assert_int_equal(os_data_dir_open(&p->open, p->dir, OS_DATA_DIR_READ, &err),
                     VD_ERR_IO);
    assert_non_null(strstr(err.text, "there is no such folder"));
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%.*s",
             (int)sizeof address.sun_path - 1, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

/* Each of them under the name "x": neither opened, nor made, nor changed. */
static void refuse_file(struct place *p, const char *why)
{
    static const int flags[] = {O_RDONLY, O_WRONLY, O_RDWR | O_CREAT,
                                O_WRONLY | O_CREAT | O_TRUNC};

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        struct vd_error err = {0};

        assert_int_equal(os_data_dir_file(&p->open, "x", flags[i], &err), -1);
        assert_int_equal(errno, ELOOP);
        assert_int_equal(err.status, VD_ERR_IO);
        if (strstr(err.text, why) == NULL)
            fail_msg("\"%s\" instead of \"%s\"", err.text, why);
    }
    assert_int_equal(os_data_dir_look(&p->open, "x", NULL, NULL), VD_ERR_IO);
}

static void what_is_no_file_of_ours_is_not_touched(void **state)
{
    struct place *p = *state;
    char victim[160], text[16] = "";
    int fd;

    open_it(p);
    snprintf(victim, sizeof victim, "%s/victim", p->root);
    put(victim, "IMPORTANT");
    chmod(victim, 0644);
    assert_int_equal(symlink(victim, in(p, "x")), 0);
    refuse_file(p, "is a link");
    unlink(in(p, "x"));
    assert_int_equal(symlink("/nowhere/at/all", in(p, "x")), 0);
    refuse_file(p, "is a link");
    unlink(in(p, "x"));
    assert_int_equal(link(victim, in(p, "x")), 0);
    refuse_file(p, "has a second name");
    unlink(in(p, "x"));
    assert_int_equal(mkfifo(in(p, "x"), 0600), 0);
    refuse_file(p, "is a pipe");
    unlink(in(p, "x"));
    make_socket(in(p, "x"));
    refuse_file(p, "is a socket");
    unlink(in(p, "x"));
    assert_int_equal(mkdir(in(p, "x"), 0700), 0);
    refuse_file(p, "is a folder");
    rmdir(in(p, "x"));
    fd = open(victim, O_RDONLY);
    assert_int_equal(read(fd, text, sizeof text), 9);
    close(fd);
    assert_string_equal(text, "IMPORTANT");
    assert_int_equal(mode_of(victim), 0644);
    assert_int_equal(os_data_dir_look(&p->open, "x", NULL, NULL), VD_ERR_DATA);
    if (geteuid() != 0)
        return;
    put(in(p, "x"), "");
    assert_int_equal(chown(in(p, "x"), 65534, 65534), 0);
    refuse_file(p, "belongs to user 65534");
    unlink(in(p, "x"));
    if (mknod(in(p, "x"), S_IFCHR | 0600, 0x0105) == 0)
        refuse_file(p, "is a device");
}

static void a_file_that_others_may_read_is_closed_to_them(void **state)
{
    struct place *p = *state;
    int fd;

    open_it(p);
    put(in(p, "x"), "");
    chmod(in(p, "x"), 0644);
    fd = os_data_dir_file(&p->open, "x", O_RDONLY, NULL);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(mode_of(in(p, "x")), 0600);
}

static void a_folder_inside_is_no_link(void **state)
{
    struct place *p = *state;
    struct os_data_dir below;
    struct vd_error err = {0};

    open_it(p);
    assert_int_equal(os_data_dir_below(&below, &p->open, "models", NULL), VD_OK);
    assert_int_equal(mode_of(in(p, "models")), 0700);
    os_data_dir_close(&below);
    rmdir(in(p, "models"));
    assert_int_equal(symlink("/tmp", in(p, "models")), 0);
    assert_int_equal(os_data_dir_below(&below, &p->open, "models", &err), VD_ERR_IO);
    assert_int_equal(below.fd, -1);
    assert_non_null(strstr(err.text, "models"));
}

/* The folder is used through its descriptor: whatever stands at its path afterwards is
 * left alone, and is_there says so. */
static void one_that_was_moved_replaced_or_removed_is_noticed(void **state)
{
    struct place *p = *state;
    struct vd_error err = {0};
    char moved[160];
    int fd;

    open_it(p);
    snprintf(moved, sizeof moved, "%s/moved", p->root);
    assert_int_equal(rename(p->dir, moved), 0);
    assert_int_equal(os_data_dir_is_there(&p->open, &err), VD_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "was moved away"));
    assert_int_equal(mkdir(p->dir, 0700), 0);
    vd_error_clear(&err);
    assert_int_equal(os_data_dir_is_there(&p->open, &err), VD_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "was replaced"));
    fd = os_data_dir_file(&p->open, "x", O_RDWR | O_CREAT, NULL);
    assert_true(fd >= 0);
    close(fd);
    assert_int_not_equal(access(in(p, "x"), F_OK), 0);
    rmdir(p->dir);
    assert_int_equal(rename(moved, p->dir), 0);
    assert_int_equal(os_data_dir_is_there(&p->open, NULL), VD_OK);
    unlink(in(p, "x"));
    rmdir(p->dir);
    vd_error_clear(&err);
    assert_int_equal(os_data_dir_is_there(&p->open, &err), VD_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "was removed"));
}

static void a_file_that_was_moved_away_is_noticed(void **state)
{
    struct place *p = *state;
    char moved[160];
    int fd;

    open_it(p);
    fd = os_data_dir_file(&p->open, "x", O_RDWR | O_CREAT, NULL);
    assert_true(os_data_dir_holds(&p->open, "x", fd));
    snprintf(moved, sizeof moved, "%s/moved", p->root);
    assert_int_equal(rename(in(p, "x"), moved), 0);
    assert_false(os_data_dir_holds(&p->open, "x", fd));
    put(in(p, "x"), "");
    assert_false(os_data_dir_holds(&p->open, "x", fd));
    close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_one_is_ours_alone_and_so_are_its_files),
        TEST(an_old_one_is_closed_to_others_when_it_is_for_us_alone),
        TEST(one_that_others_may_write_to_is_refused),
        TEST(one_of_somebody_else_is_refused),
        TEST(a_link_to_it_is_followed_when_it_is_ours),
        TEST(what_is_no_folder_is_refused),
        TEST(what_is_no_file_of_ours_is_not_touched),
        TEST(a_file_that_others_may_read_is_closed_to_them),
        TEST(a_folder_inside_is_no_link),
        TEST(one_that_was_moved_replaced_or_removed_is_noticed),
        TEST(a_file_that_was_moved_away_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
