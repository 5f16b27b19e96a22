/* The configuration file: YAML, one mapping whose keys are option names.
 *
 *     port: 5000
 *     budget: 1
 *     rules:
 *       - {metric: cpu_percent, above: 90, for: 1min}
 *       - memory_percent > 95
 *
 * Read as text with its place (file, line, column), then set row by row with the same
 * checks as the command line. Any bytes are safe to read: at most OS_CONFIG_MAX of them.
 */
#ifndef VD_OS_CONFIG_H
#define VD_OS_CONFIG_H

#include "os/options.h"

enum { OS_CONFIG_MAX = 1 << 20, OS_CONFIG_WHERE_MAX = 320 };

struct os_config;

/* Reads the file at `path`. VD_ERR_IO when it cannot be read, VD_ERR_FORMAT when it is
 * no YAML mapping, has a key twice, or holds something a value cannot be; the message
 * begins with file:line:column. `*config` must be freed, and is NULL on failure. */
enum vd_status os_config_load(struct os_config **config, const char *path,
                              struct vd_error *err);

/* Does the same from memory; `name` stands for the file in messages. */
enum vd_status os_config_parse(struct os_config **config, const char *name,
                               const void *bytes, size_t size, struct vd_error *err);

/* VD_ERR_FORMAT at the first key that is in none of the `n` tables, with the name that
 * may have been meant. */
enum vd_status os_config_check_keys(const struct os_config *config,
                                    const struct os_option *const *tables, size_t n,
                                    struct vd_error *err);

/* Sets the options of these rows that the file has; a list there replaces the default.
 * VD_ERR_FORMAT at the first value that is refused. */
enum vd_status os_config_apply(const struct os_config *config,
                               const struct os_option *options, void *settings,
                               struct vd_error *err);

/* The line of the option in the file; 0 = not there. */
size_t os_config_line(const struct os_config *config, const struct os_option *option);

/* Where the value of the option stands, of a list its `item`: "vedette.yaml:12:3: port",
 * as in the messages of os_config_apply. False = it is not in the file. */
bool os_config_place(const struct os_config *config, const struct os_option *option,
                     size_t item, char where[OS_CONFIG_WHERE_MAX]);

/* The file's name as messages show it. */
const char *os_config_name(const struct os_config *config);

void os_config_free(struct os_config *config);

#endif
