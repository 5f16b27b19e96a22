/* Desktop notifications through libnotify, which is loaded when the first alert goes out:
 * until then its GLib costs nothing, and a machine without it needs nothing. Where there
 * is no library, no session bus or no one who shows notifications, the terminal bell
 * rings instead.
 *
 * No main loop of GLib runs here, so a bus that goes away ends no process; each
 * notification connects anew.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/channel.h"
#include "os/utf8.h"

/* Repeats the layout of GError, as no header of GLib is used. */
struct g_error {
    unsigned domain;
    int code;
    char *message;
};

/* Holds the library and its functions. The names are those of the library. */
struct desktop {
    struct alert_place place;
    void *library;
    bool told; /* that the bell rings instead */

    int (*notify_init)(const char *name);
    void (*notify_uninit)(void);
    void *(*notify_notification_new)(const char *summary, const char *body,
                                     const char *icon);
    void (*notify_notification_set_urgency)(void *notification, int urgency);
    int (*notify_notification_show)(void *notification, struct g_error **error);
    void (*g_object_unref)(void *object);
    void (*g_error_free)(struct g_error *error);
};

static bool wanted(const struct alert_channels_config *config)
{
    return config->desktop;
}

/* A bus that GLib can connect to without starting one of its own. */
static bool has_session_bus(void)
{
    const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char path[256];

    if (address != NULL && address[0] != '\0')
        return true;
    if (runtime != NULL)
        snprintf(path, sizeof path, "%s/bus", runtime);
    else
        snprintf(path, sizeof path, "/run/user/%u/bus", (unsigned)getuid());
    return access(path, R_OK | W_OK) == 0;
}

/* Finds the functions in the library. A missing one means that it is of another kind. */
static bool load(struct desktop *d)
{
    const struct {
        const char *name;
        void *to; /* a pointer to the function pointer */
    } symbol[] = {
        {"notify_init", &d->notify_init},
        {"notify_uninit", &d->notify_uninit},
        {"notify_notification_new", &d->notify_notification_new},
        {"notify_notification_set_urgency", &d->notify_notification_set_urgency},
        {"notify_notification_show", &d->notify_notification_show},
        {"g_object_unref", &d->g_object_unref},
        {"g_error_free", &d->g_error_free},
    };

    if (d->library == NULL)
        d->library = dlopen("libnotify.so.4", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; d->library != NULL && i < sizeof symbol / sizeof symbol[0]; i++) {
        void *found = dlsym(d->library, symbol[i].name);

        if (found == NULL)
            return false;
        memcpy(symbol[i].to, &found, sizeof found);
    }
    return d->library != NULL;
}

/* Makes the channel without touching the desktop, which may not be there yet. */
static enum os_outbox_result create(void **out, const struct alert_place *place,
                                    struct vd_error *err)
{
    struct desktop *d = calloc(1, sizeof *d);

    if (d == NULL) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
        return OS_OUTBOX_LATER;
    }
    d->place = *place;
    *out = d;
    return OS_OUTBOX_DONE;
}

/* Appends text to the body, which is Pango markup: what looks like a tag is made
 * harmless. It is cut to fit. */
static void append_markup(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);

    for (; *text != '\0' && used + 6 < size; text++) {
        const char *entity = *text == '<'   ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '&' ? "&amp;"
                                            : NULL;

        used += (size_t)(entity ? snprintf(out + used, size - used, "%s", entity)
                                : snprintf(out + used, size - used, "%c", *text));
    }
}

/* Writes the deviations and the first two suspects: a notification is small. */
static void make_body(const struct record_event *event, char *body, size_t size)
{
    char line[512];

    body[0] = '\0';
    for (size_t i = 0; i < event->n_top && i < RECORD_TOP; i++) {
        append_markup(body, size,
                      os_utf8_visible(event->explanation[i], line, sizeof line));
        append_markup(body, size, "\n");
    }
    for (size_t i = 0; i < event->n_suspects && i < 2; i++) {
        append_markup(body, size, alert_suspect_line(event, i, line, sizeof line));
        append_markup(body, size, "\n");
    }
}

/* Shows one notification. The names in it are visible text by now. */
static bool show(struct desktop *d, const struct alert_notice *notice,
                 struct vd_error *err)
{
    static const int urgency[] = {0, 0, 1, 1, 2}; /* low, normal, critical */
    struct g_error *error = NULL;
    void *notification;
    char headline[640], body[2048];
    bool shown;

    make_body(&notice->event, body, sizeof body);
    notification = d->notify_notification_new(
        alert_headline(notice, headline, sizeof headline), body, "dialog-warning");
    d->notify_notification_set_urgency(notification, urgency[notice->event.severity]);
    shown = d->notify_notification_show(notification, &error) != 0;
    d->g_object_unref(notification);
    if (!shown)
        vd_error_set(err, VD_ERR_UNAVAILABLE, NULL, "%.200s",
                     error != NULL ? error->message : "nobody shows notifications");
    if (error != NULL)
        d->g_error_free(error);
    return shown;
}

/* Notifies from the start each time: the desktop may have gone and come back
 * meanwhile. */
static bool notify(struct desktop *d, const struct alert_notice *notice,
                   struct vd_error *err)
{
    bool shown;

    if (!has_session_bus()) {
        vd_error_set(err, VD_ERR_UNAVAILABLE, NULL, "there is no session bus");
        return false;
    }
    if (!load(d)) {
        vd_error_set(err, VD_ERR_UNAVAILABLE, "install libnotify4",
                     "libnotify.so.4 cannot be loaded");
        return false;
    }
    d->notify_init("vedette");
    shown = show(d, notice, err);
    d->notify_uninit();
    return shown;
}

/* Sends a notice, or rings the bell where the desktop cannot show it. An end is no reason
 * to interrupt anybody. */
static struct os_outbox_answer send(void *channel, const struct alert_notice *notice,
                                    struct vd_error *err)
{
    struct desktop *d = channel;
    struct vd_error why = {0};

    /* An end is no reason to interrupt anybody. */
    if (notice->change != RECORD_EVENT_OPENED || notify(d, notice, &why))
        return (struct os_outbox_answer){.result = OS_OUTBOX_DONE};
    if (!d->told)
        os_log_tell(&d->place.config->log, OS_LOG_INFO,
                    "desktop: %s%s%s: the terminal bell rings instead", why.text,
                    why.hint[0] != '\0' ? "; " : "", why.hint);
    d->told = true;
    /* With the bell switched on it has rung already. */
    if (d->place.config->bell)
        return (struct os_outbox_answer){.result = OS_OUTBOX_DONE};
    return alert_ring(d->place.config->fd, err);
}

/* The library stays loaded: GLib cannot be unloaded. */
const struct alert_channel alert_channel_desktop = {
    .name = "desktop",
    .waiting_max = 32,
    .wanted = wanted,
    .create = create,
    .send = send,
    .destroy = free,
};
