/* Opens libsystemd by dlopen(3), finds each function by name and speaks to the manager on
 * the system bus. What a manager does not answer is a failure of that call alone. */
#include "collect/sdbus.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Of sd-bus.h: functions return a negative errno on failure; the objects are opaque. */
typedef struct sd_bus sd_bus;
typedef struct sd_bus_message sd_bus_message;

struct collect_sdbus {
    void *library;
    sd_bus *bus;
    int (*open_system)(sd_bus **bus);
    int (*set_timeout)(sd_bus *bus, uint64_t us);
    int (*call)(sd_bus *bus, const char *service, const char *path, const char *interface,
                const char *member, void *error, sd_bus_message **reply,
                const char *types, ...);
    int (*enter)(sd_bus_message *message, char type, const char *contents);
    int (*leave)(sd_bus_message *message);
    int (*read)(sd_bus_message *message, const char *types, ...);
    int (*property)(sd_bus *bus, const char *service, const char *path,
                    const char *interface, const char *member, void *error, char type,
                    void *value);
    sd_bus_message *(*unref_message)(sd_bus_message *message);
    void (*close)(sd_bus *bus);
    sd_bus *(*unref)(sd_bus *bus);
};

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    {"sd_bus_open_system", offsetof(struct collect_sdbus, open_system)},
    {"sd_bus_set_method_call_timeout", offsetof(struct collect_sdbus, set_timeout)},
    {"sd_bus_call_method", offsetof(struct collect_sdbus, call)},
    {"sd_bus_message_enter_container", offsetof(struct collect_sdbus, enter)},
    {"sd_bus_message_exit_container", offsetof(struct collect_sdbus, leave)},
    {"sd_bus_message_read", offsetof(struct collect_sdbus, read)},
    {"sd_bus_get_property_trivial", offsetof(struct collect_sdbus, property)},
    {"sd_bus_message_unref", offsetof(struct collect_sdbus, unref_message)},
    {"sd_bus_close", offsetof(struct collect_sdbus, close)},
    {"sd_bus_unref", offsetof(struct collect_sdbus, unref)},
};

/* The manager's address on the bus. */
static const char service[] = "org.freedesktop.systemd1",
                  manager_path[] = "/org/freedesktop/systemd1",
                  manager[] = "org.freedesktop.systemd1.Manager";

/* A manager that takes five seconds for an answer is in trouble itself. */
static const uint64_t timeout_us = 5000000;

/* ISO C has no conversion from object to function pointers; POSIX says that the bytes of
 * what dlsym gives are those of the function pointer. */
static bool find_functions(collect_sdbus *bus)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *symbol = dlsym(bus->library, functions[i].name);

        memcpy((char *)bus + functions[i].offset, &symbol, sizeof symbol);
        /* The time-out came with systemd 239; without it calls wait for 25 seconds. */
        if (symbol == NULL &&
            functions[i].offset != offsetof(struct collect_sdbus, set_timeout))
            return false;
    }
    return true;
}

static enum vd_status fail(const char *what, int code, struct vd_error *err)
{
    return vd_error_set(err, code == -ENOMEM ? VD_ERR_MEMORY : VD_ERR_IO, NULL,
                        "cannot %s: %s", what, strerror(-code));
}

enum vd_status collect_sdbus_open(collect_sdbus **out, struct vd_error *err)
{
    collect_sdbus *bus = calloc(1, sizeof *bus);
    enum vd_status status = VD_ERR_UNAVAILABLE;
    int code;

    *out = NULL;
    if (bus == NULL)
        return VD_ERR_MEMORY;
    bus->library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (bus->library == NULL || !find_functions(bus))
        goto out;
    code = bus->open_system(&bus->bus);
    if (code < 0) {
        bus->bus = NULL;
        status = fail("reach systemd over D-Bus", code, err);
        goto out;
    }
    if (bus->set_timeout != NULL)
        bus->set_timeout(bus->bus, timeout_us);
    *out = bus;
    return VD_OK;
out:
    collect_sdbus_close(bus);
    return status;
}

/* Hands each unit of a reply to `each`; returns 0 or a negative errno. The reply is
 * a(ssssssouso): name, description, load state, state, sub state, followed unit, path,
 * job, its type, its path. The strings live as long as the reply. */
static int go_through(collect_sdbus *bus, sd_bus_message *reply, collect_sdbus_each *each,
                      void *context)
{
    const char *name, *description, *load, *state, *sub, *followed, *path, *type, *job;
    uint32_t id;
    int code = bus->enter(reply, 'a', "(ssssssouso)");

    if (code < 0)
        return code;
    while ((code = bus->read(reply, "(ssssssouso)", &name, &description, &load, &state,
                             &sub, &followed, &path, &id, &type, &job)) > 0)
        each(context, name, sub, path);
    return code < 0 ? code : bus->leave(reply);
}

enum vd_status collect_sdbus_failed(collect_sdbus *bus, collect_sdbus_each *each,
                                    void *context, struct vd_error *err)
{
    sd_bus_message *reply = NULL;
    int code = bus->call(bus->bus, service, manager_path, manager, "ListUnitsFiltered",
                         NULL, &reply, "as", 1, "failed");

    if (code >= 0)
        code = go_through(bus, reply, each, context);
    bus->unref_message(reply);
    return code < 0 ? fail("list the failed units of systemd", code, err) : VD_OK;
}

/* Old managers do not know the call: then there are no services, and no error. */
enum vd_status collect_sdbus_services(collect_sdbus *bus, collect_sdbus_each *each,
                                      void *context, struct vd_error *err)
{
    sd_bus_message *reply = NULL;
    int code = bus->call(bus->bus, service, manager_path, manager, "ListUnitsByPatterns",
                         NULL, &reply, "asas", 2, "active", "activating", 1, "*.service");

    if (code == -EBADR || code == -ENOSYS) /* it does not know the call */
        return VD_OK;
    if (code >= 0)
        code = go_through(bus, reply, each, context);
    bus->unref_message(reply);
    return code < 0 ? fail("list the services of systemd", code, err) : VD_OK;
}

bool collect_sdbus_restarts(collect_sdbus *bus, const char *path, uint32_t *restarts)
{
    return bus->property(bus->bus, service, path, "org.freedesktop.systemd1.Service",
                         "NRestarts", NULL, 'u', restarts) >= 0;
}

void collect_sdbus_close(collect_sdbus *bus)
{
    if (bus == NULL)
        return;
    if (bus->bus != NULL) {
        bus->close(bus->bus);
        bus->unref(bus->bus);
    }
    /* The library stays: it has destructors of threads, and unloading it gains nothing.
     */
    free(bus);
}
