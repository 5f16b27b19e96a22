/* The program's messages: to the console, and to a log file that is rotated and
 * compressed.
 *
 * A message is one line. Writing never waits: the console is skipped while it does not
 * take bytes, the file is written with one write(2). Any thread may log, also after fork.
 * The log belongs to the process, not to an instance: that, the colour mode and the
 * signal handlers are the only such state of the program.
 */
#ifndef VD_OS_LOG_H
#define VD_OS_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "os/data_dir.h"
#include "vedette/status.h"

/* The order of the choices of --log-level. */
enum os_log_level { OS_LOG_DEBUG, OS_LOG_INFO, OS_LOG_WARNING, OS_LOG_ERROR };

/* The least important level that reaches the console; info at start. */
void os_log_set_level(enum os_log_level level);
enum os_log_level os_log_get_level(void);

/* printf-like; no line break at the end. Bytes that would steer a terminal are shown as
 * "\x1b": a process may call itself anything. */
void os_log(enum os_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes into the file alone: what the console hears in another way. */
void os_log_record(enum os_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define os_log_debug(...)   os_log(OS_LOG_DEBUG, __VA_ARGS__)
#define os_log_info(...)    os_log(OS_LOG_INFO, __VA_ARGS__)
#define os_log_warning(...) os_log(OS_LOG_WARNING, __VA_ARGS__)
#define os_log_error(...)   os_log(OS_LOG_ERROR, __VA_ARGS__)

/* Where a part of the program tells what happens to it. Zero-initialised it is the log; a
 * listener gets each message as one line instead, on the thread that tells it. */
struct os_log_to {
    void (*hear)(void *context, enum os_log_level level, const char *text);
    void *context;
};

void os_log_tell(const struct os_log_to *to, enum os_log_level level, const char *format,
                 ...) __attribute__((format(printf, 3, 4)));

/* Logs an error with its hint, as the program's own. */
void os_log_failure(const struct vd_error *err);

/* Also writes to the file `name` in the folder (created, appended to; the folder may be
 * closed afterwards) from info on, or from the console's level when that is lower. Beyond
 * `max_bytes` it becomes NAME.1.gz, the older ones NAME.2.gz ... NAME.`keep`.gz. The
 * compression runs on a thread of its own. VD_ERR_IO when there is no such file to be
 * had: a link, a pipe and their kind are refused. */
enum vd_status os_log_open(const struct os_data_dir *dir, const char *name,
                           double max_bytes, long keep, struct vd_error *err);

/* Opens the file again by its name, for a logrotate that moved it away (SIGHUP). */
void os_log_reopen(void);

/* Messages that were lost because the console or the file did not take them. */
size_t os_log_lost(void);

/* Waits for a compression under way and closes the file. */
void os_log_close(void);

#endif
