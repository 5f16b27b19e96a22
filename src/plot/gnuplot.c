#include "plot/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* gnuplot has no way to say that a path is just text but quotes. */
static bool is_safe(const char *path)
{
    return strpbrk(path, "'\n") == NULL;
}

enum vd_status plot_gnuplot_start(struct plot_gnuplot *plot, const char *path, int width,
                                  int height, struct vd_error *err)
{
    static const char *const colour[] = {"#0072b2", "#d55e00", "#009e73",
                                         "#cc79a7", "#56b4e9", "#e69f00",
                                         "#000000", "#999999", "#882255"};
    char *argv[] = {"gnuplot", NULL};
    posix_spawn_file_actions_t actions;
    int pipe_fd[2], failed;

    *plot = (struct plot_gnuplot){0};
    if (!is_safe(path))
        return vd_error_set(err, VD_ERR_ARGUMENT, "choose another folder",
                            "%s: a plot cannot be written to a path with quotes", path);
    if (pipe2(pipe_fd, O_CLOEXEC) != 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "gnuplot: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fd[0], STDIN_FILENO);
    failed = posix_spawnp(&plot->pid, "gnuplot", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fd[0]);
    if (failed != 0) {
        close(pipe_fd[1]);
        return vd_error_set(err, VD_ERR_UNAVAILABLE, "install gnuplot", "gnuplot: %s",
                            strerror(failed));
    }
    plot->in = fdopen(pipe_fd[1], "w");
    fprintf(plot->in,
            "set terminal pngcairo size %d,%d noenhanced font 'DejaVu Sans,11'\n"
            "set output '%s'\n"
            "set border 3 lc rgb '#555555'\nset tics nomirror\n"
            "set grid back lc rgb '#dddddd'\n",
            width, height, path);
    for (int i = 0; i < PLOT_STYLES; i++)
        fprintf(plot->in, "set style line %d lc rgb '%s' lw 2 dt %d\n", i + 1, colour[i],
                1 + i % 4);
    return VD_OK;
}

enum vd_status plot_gnuplot_end(struct plot_gnuplot *plot, struct vd_error *err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    int status = 0;

    /* gnuplot may have died of a bad command: the write must not kill us. */
    sigaction(SIGPIPE, &ignore, &before);
    fclose(plot->in);
    sigaction(SIGPIPE, &before, NULL);
    while (waitpid(plot->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "gnuplot failed");
    return VD_OK;
}
