/* What systemd says of its units, over D-Bus. The library (libsystemd) is opened at run
 * time: neither its header nor the library is needed to build, and a machine without it
 * has no such metrics. The declarations are those of its documented, stable C interface.
 *
 * An ordinary user may ask all of this. Calls wait for the answer, at most five seconds:
 * for workers only.
 */
#ifndef VD_COLLECT_SDBUS_H
#define VD_COLLECT_SDBUS_H

#include <stdbool.h>
#include <stdint.h>

#include "vedette/status.h"

typedef struct collect_sdbus collect_sdbus;

/* Connects to the system's bus (DBUS_SYSTEM_BUS_ADDRESS is honoured).
 * VD_ERR_UNAVAILABLE when there is no such library; VD_ERR_IO when nobody listens. */
enum vd_status collect_sdbus_open(collect_sdbus **out, struct vd_error *err);

/* One unit of a list. Texts are valid during the call. */
typedef void collect_sdbus_each(void *context, const char *name, const char *sub_state,
                                const char *path);

/* All units in the state "failed". */
enum vd_status collect_sdbus_failed(collect_sdbus *bus, collect_sdbus_each *each,
                                    void *context, struct vd_error *err);

/* All services that run or are being started. Before systemd 230: none, VD_OK. `each` may
 * ask on. */
enum vd_status collect_sdbus_services(collect_sdbus *bus, collect_sdbus_each *each,
                                      void *context, struct vd_error *err);

/* How often systemd restarted the service with that path since it was started by hand;
 * false when it does not say (it is gone, or systemd is older than 235). */
bool collect_sdbus_restarts(collect_sdbus *bus, const char *path, uint32_t *restarts);

void collect_sdbus_close(collect_sdbus *bus);

#endif
