/* Starts gnuplot with posix_spawn(3), writes data and template to its standard input, and
 * takes its picture only when it ended well. */
#include "plot/gnuplot.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plot/templates.h"

/* Is handed on to gnuplot as it is. */
extern char **environ;

/* Starts gnuplot with `input` as its standard input. With -d it reads no settings of the
 * user's own. */
static int spawn(int *pid, int input)
{
    char *argv[] = {"gnuplot", "-d", NULL};
    posix_spawn_file_actions_t actions;
    int failed;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    failed = posix_spawnp(pid, "gnuplot", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* Writes "it\047s": what is no letter goes by its number, so that none begins a command,
 * a variable or an end of the text; digits too, which gnuplot 5.4 would add to the number
 * before them. Doubled quotes would do in single ones, but not at their beginning. */
void plot_gnuplot_text(FILE *in, const char *text)
{
    fputc('"', in);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        fprintf(in, isalpha(c) || c >= 0x80 ? "%c" : "\\%03o", c);
    }
    fputc('"', in);
}

/* Starts gnuplot. A pipe that breaks must not end this program, so SIGPIPE is ignored
 * until the end; the exit status tells what happened. */
enum vd_status plot_gnuplot_start(struct plot_gnuplot *plot, const char *path,
                                  struct vd_error *err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    enum vd_status status;
    int pipe_fd[2], failed;

    *plot = (struct plot_gnuplot){0};
    if (strchr(path, '\n') != NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, "choose another folder",
                            "gnuplot cannot write to a path with a line break");
    status = os_output_open(&plot->output, path, err);
    if (status != VD_OK)
        return status;
    if (pipe2(pipe_fd, O_CLOEXEC) != 0) {
        os_output_drop(&plot->output);
        return vd_error_set(err, VD_ERR_IO, NULL, "gnuplot: %s", strerror(errno));
    }
    failed = spawn(&plot->pid, pipe_fd[0]);
    close(pipe_fd[0]);
    if (failed != 0) {
        close(pipe_fd[1]);
        os_output_drop(&plot->output);
        return vd_error_set(err, VD_ERR_UNAVAILABLE, "install gnuplot", "gnuplot: %s",
                            strerror(failed));
    }
    sigaction(SIGPIPE, &ignore, &plot->before);
    plot->in = fdopen(pipe_fd[1], "w");
    fputs("output = ", plot->in);
    plot_gnuplot_text(plot->in, *plot->output.part != '\0' ? plot->output.part : path);
    fputc('\n', plot->in);
    return VD_OK;
}

/* Copies a template that is part of the program. */
static void put_template(FILE *in, const char *name)
{
    const struct os_asset *template = plot_template(name);

    fwrite(template->bytes, 1, template->size, in);
}

/* Ends gnuplot's input and waits for it. Its picture takes its place only when it ended
 * well. */
enum vd_status plot_gnuplot_end(struct plot_gnuplot *plot, const char *name,
                                struct vd_error *err)
{
    int status = 0;

    put_template(plot->in, "style.gp");
    put_template(plot->in, name);
    fclose(plot->in);
    sigaction(SIGPIPE, &plot->before, NULL);
    while (waitpid(plot->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return os_output_close(&plot->output, err);
    os_output_drop(&plot->output);
    return vd_error_set(err, VD_ERR_IO, NULL, "gnuplot failed");
}
