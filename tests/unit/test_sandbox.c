/* src/os/sandbox and src/os/peek: what a process that was taken over could still do. Each
 * attempt is made in a child that has given up its rights, by the plain call.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/peek.h"
#include "os/sandbox.h"

static char root[64], dir[96], other[96], secret[96];

static int set_up(void **state)
{
    FILE *file;

    (void)state;
    strcpy(root, "/tmp/vedette-box-XXXXXX");
    if (mkdtemp(root) == NULL)
        return -1;
    snprintf(dir, sizeof dir, "%s/data", root);
    snprintf(other, sizeof other, "%s/other", root);
    snprintf(secret, sizeof secret, "%s/secret", root);
    mkdir(dir, 0700);
    mkdir(other, 0700);
    file = fopen(secret, "w");
    fputs("secret", file);
    return fclose(file);
}

static int tear_down(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

/* Runs `attempt` in a child behind the sandbox; its answer is the exit status. */
static int behind(int (*attempt)(void), const char *readable)
{
    const char *const read[] = {readable, NULL};
    pid_t child = fork();
    int status;

    if (child == 0) {
        char said[256];
        struct os_sandbox sandbox = {
            .data_dir = open(dir, O_RDONLY | O_DIRECTORY), .read = read, .n_read = 2};

        os_sandbox_enter(&sandbox, said, sizeof said);
        _exit(attempt());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int code_of(long result)
{
    return result < 0 ? errno : 0;
}

static int make_below(const char *folder, const char *name, int flags)
{
    char path[320];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return code_of(open(path, flags, 0600));
}

static int write_inside(void)
{
    char from[160], to[160];

    snprintf(from, sizeof from, "%s/a", dir);
    snprintf(to, sizeof to, "%s/b", dir);
    if (make_below(dir, "a", O_RDWR | O_CREAT | O_TRUNC) != 0)
        return 1;
    if (rename(from, to) != 0 || truncate(to, 0) != 0 || unlink(to) != 0)
        return 2;
    snprintf(to, sizeof to, "%s/models", dir);
    return mkdir(to, 0700) == 0 && make_below(to, "m", O_RDWR | O_CREAT) == 0 ? 0 : 3;
}

static int write_outside(void)
{
    return make_below(other, "x", O_RDWR | O_CREAT);
}

static int change_outside(void)
{
    return code_of(open(secret, O_WRONLY | O_TRUNC));
}

static int remove_outside(void)
{
    return code_of(unlink(secret));
}

static int move_inside_out(void)
{
    char from[160], to[160];

    snprintf(from, sizeof from, "%s/c", dir);
    snprintf(to, sizeof to, "%s/c", other);
    close(open(from, O_RDWR | O_CREAT, 0600));
    return code_of(rename(from, to));
}

static int read_outside(void)
{
    return code_of(open(secret, O_RDONLY));
}

static int read_shadow(void)
{
    return code_of(open("/etc/shadow", O_RDONLY));
}

/* What it needs: numbers, libraries, names. A small system may have no /etc/hosts. */
static int read_what_is_needed(void)
{
    static const char *const path[] = {"/proc/stat", "/proc/self/mounts", "/proc/1/stat",
                                       "/etc/hosts", "/etc/passwd",       "/usr/lib"};

    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++)
        if (open(path[i], O_RDONLY) < 0 && errno != ENOENT)
            return (int)i + 1;
    return open("/dev/null", O_WRONLY) < 0 ? 99 : 0;
}

static int start_a_program(void)
{
    char *const arguments[] = {(char *)"true", NULL};

    return code_of(execv("/bin/true", arguments));
}

static int trace(void)
{
    return code_of(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int mount_something(void)
{
    return code_of(mount("none", dir, "tmpfs", 0, NULL));
}

static int become_another(void)
{
    return code_of(setuid(65534));
}

static int odd_socket(void)
{
    return code_of(socket(AF_PACKET, SOCK_RAW, 0));
}

static int odd_socket_far(void)
{
    return code_of(socket(40 /* AF_VSOCK */, SOCK_STREAM, 0));
}

static int usual_sockets(void)
{
    static const int family[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};

    for (size_t i = 0; i < 4; i++)
        if (socket(family[i], family[i] == AF_NETLINK ? SOCK_RAW : SOCK_STREAM, 0) < 0 &&
            errno != EAFNOSUPPORT && family[i] != AF_INET6)
            return errno;
    return 0;
}

static int signal_another(void)
{
    return code_of(kill(getppid(), 0));
}

static int read_status(void)
{
    char line[256], *end;
    int found = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        end = strchr(line, '\t');
        if (end == NULL)
            continue;
        if (strncmp(line, "Cap", 3) == 0 && strncmp(line, "CapBnd", 6) != 0 &&
            strtoull(end, NULL, 16) != 0)
            return 1;
        found += strncmp(line, "NoNewPrivs:\t1", 13) == 0;
    }
    return found == 1 ? 0 : 2;
}

static bool has_seccomp(void)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(os_seccomp_enter() == NULL ? 0 : 1);
    return waitpid(child, &status, 0) == child && status == 0;
}

static void no_capability_is_left_and_none_comes_back(void **state)
{
    (void)state;
    assert_int_equal(behind(read_status, NULL), 0);
}

static void it_writes_below_its_folder_alone(void **state)
{
    (void)state;
    if (os_landlock_version() == 0)
        skip();
    assert_int_equal(behind(write_inside, NULL), 0);
    assert_int_equal(behind(write_outside, NULL), EACCES);
    assert_int_equal(behind(change_outside, NULL), EACCES);
    assert_int_equal(behind(change_outside, secret), EACCES);
    assert_int_equal(behind(remove_outside, NULL), EACCES);
    assert_int_not_equal(behind(move_inside_out, NULL), 0);
    assert_int_equal(access(secret, F_OK), 0);
}

static void it_reads_what_it_needs_and_no_secrets(void **state)
{
    (void)state;
    if (os_landlock_version() == 0)
        skip();
    assert_int_equal(behind(read_what_is_needed, NULL), 0);
    assert_int_equal(behind(read_outside, NULL), EACCES);
    assert_int_equal(behind(read_shadow, NULL), EACCES);
    assert_int_equal(behind(read_outside, secret), 0);
    if (os_landlock_version() >= 6)
        assert_int_equal(behind(signal_another, NULL), EPERM);
}

static void it_starts_no_program_and_does_nothing_odd(void **state)
{
    (void)state;
    if (!has_seccomp())
        skip();
    assert_int_equal(behind(start_a_program, "/bin"), EPERM);
    assert_int_equal(behind(trace, NULL), EPERM);
    assert_int_equal(behind(mount_something, NULL), EPERM);
    assert_int_equal(behind(become_another, NULL), EPERM);
    assert_int_equal(behind(odd_socket, NULL), EAFNOSUPPORT);
    assert_int_equal(behind(odd_socket_far, NULL), EAFNOSUPPORT);
    assert_int_equal(behind(usual_sockets, NULL), 0);
}

/* ---- the helper ---- */

static void the_helper_tells_what_proc_has(void **state)
{
    char text[OS_PEEK_MAX] = "";
    os_peek *peek;
    ssize_t n;

    (void)state;
    assert_int_equal(os_peek_start(&peek, NULL), VD_OK);
    n = os_peek_read(peek, getpid(), OS_PEEK_IO, text, sizeof text - 1);
    assert_true(n > 0);
    assert_non_null(strstr(text, "read_bytes: "));
    memset(text, 0, sizeof text);
    n = os_peek_read(peek, getpid(), OS_PEEK_MEMORY, text, sizeof text - 1);
    assert_true(n > 0);
    assert_non_null(strstr(text, "Pss: "));
    assert_int_equal(os_peek_read(peek, getpid(), OS_PEEK_IO, text, 5), 5);
    os_peek_stop(peek);
    os_peek_stop(NULL);
}

static void the_helper_answers_nothing_else(void **state)
{
    char text[OS_PEEK_MAX];
    os_peek *peek;

    (void)state;
    assert_int_equal(os_peek_start(&peek, NULL), VD_OK);
    assert_int_equal(os_peek_read(peek, 0, OS_PEEK_IO, text, sizeof text), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(os_peek_read(peek, -1, OS_PEEK_IO, text, sizeof text), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(
        os_peek_read(peek, getpid(), (enum os_peek_what)2, text, sizeof text), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(os_peek_read(peek, 0x7ffffffe, OS_PEEK_IO, text, sizeof text), -1);
    assert_int_equal(errno, ENOENT);
    os_peek_stop(peek);
}

/* The helper's pid: our only child. */
static pid_t helper(void)
{
    char path[64], text[32] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    file = fopen(path, "r");
    if (file == NULL)
        return -1;
    if (fgets(text, sizeof text, file) == NULL)
        text[0] = '\0';
    fclose(file);
    return (pid_t)atoi(text);
}

static void a_helper_that_is_gone_or_stuck_is_no_wait(void **state)
{
    char text[OS_PEEK_MAX];
    os_peek *peek;
    pid_t pid;

    (void)state;
    assert_int_equal(os_peek_start(&peek, NULL), VD_OK);
    pid = helper();
    if (pid <= 0) {
        os_peek_stop(peek);
        skip();
    }
    assert_true(os_peek_read(peek, getpid(), OS_PEEK_IO, text, sizeof text) > 0);
    assert_int_equal(kill(pid, SIGTERM), 0); /* for the group: not for it */
    assert_true(os_peek_read(peek, getpid(), OS_PEEK_IO, text, sizeof text) > 0);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(os_peek_read(peek, getpid(), OS_PEEK_IO, text, sizeof text), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_int_equal(kill(pid, SIGCONT), 0);
    /* The late answer is not taken for the next one. */
    assert_true(os_peek_read(peek, getpid(), OS_PEEK_MEMORY, text, sizeof text) > 0);
    assert_null(memmem(text, 64, "rchar", 5));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(os_peek_read(peek, getpid(), OS_PEEK_IO, text, sizeof text), -1);
    assert_true(errno == EPIPE || errno == ECONNRESET);
    os_peek_stop(peek);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_capability_is_left_and_none_comes_back),
        cmocka_unit_test(it_writes_below_its_folder_alone),
        cmocka_unit_test(it_reads_what_it_needs_and_no_secrets),
        cmocka_unit_test(it_starts_no_program_and_does_nothing_odd),
        cmocka_unit_test(the_helper_tells_what_proc_has),
        cmocka_unit_test(the_helper_answers_nothing_else),
        cmocka_unit_test(a_helper_that_is_gone_or_stuck_is_no_wait),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
