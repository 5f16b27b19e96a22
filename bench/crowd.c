/* Runs a command among so many sleeping processes: what watching costs on a host that is
 * full of them.
 *
 *     crowd PROCESSES COMMAND...
 *
 * The sleepers end with this program, which ends as the command does. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int make_sleepers(long n)
{
    for (long i = 0; i < n; i++) {
        pid_t pid = fork();

        if (pid < 0)
            return -1;
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                pause();
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    pid_t pid;
    int state = 0;

    if (argc < 3) {
        fprintf(stderr, "usage: crowd PROCESSES COMMAND...\n");
        return 2;
    }
    if (make_sleepers(strtol(argv[1], NULL, 10)) != 0 || (pid = fork()) < 0) {
        perror("crowd: fork");
        return 1;
    }
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(state) ? WEXITSTATUS(state) : 1;
}
