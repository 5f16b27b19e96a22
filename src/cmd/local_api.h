/* A question to the monitor that runs on this machine, through its API (docs/api.md). */
#ifndef VD_CMD_LOCAL_API_H
#define VD_CMD_LOCAL_API_H

#include <jansson.h>

#include "vedette/status.h"

/* POSTs JSON to http://ADDRESS/PATH and waits ten seconds at most. `address` is what the
 * monitor wrote into its lock: "127.0.0.1:5000", "[::1]:5000". What it refuses comes back
 * as the error with its own words: VD_ERR_DATA for 404, VD_ERR_ARGUMENT for 400. */
enum vd_status cmd_local_api_post(const char *address, const char *path, const char *body,
                                  struct vd_error *err);

/* Gets the JSON of http://ADDRESS/PATH in the same way; the caller owns *out (NULL after
 * a failure). */
enum vd_status cmd_local_api_get(const char *address, const char *path, json_t **out,
                                 struct vd_error *err);

#endif
