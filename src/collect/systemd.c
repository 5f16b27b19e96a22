/* Units of systemd that failed, and services that it starts again and again. A worker
 * asks every few seconds. Metrics exist for units that are in trouble or were not long
 * ago, up to NAMES_MAX; what is beyond is counted together as "(others)".
 */
#include "collect/sdbus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "collect/unit_name.h"
#include "collect/worker.h"

enum { FAILED, RESTARTS, UNIT_ROWS };

static const struct record_metric failed_row =
    COLLECT_ROW("units_failed", "", SERVICES, 0.5, GAUGE, 1,
                "Units of systemd that have failed and stay so.");

static const struct record_metric unit_rows[UNIT_ROWS] = {
    [FAILED] = COLLECT_ROW_OF("unit", "unit_failed", "", SERVICES, 1, GAUGE, 1,
                              "1 = this unit of systemd has failed."),
    [RESTARTS] = COLLECT_ROW_OF("unit", "unit_restarts", "", SERVICES, 1, GAUGE, 1,
                                "Times within ten minutes that systemd started this "
                                "service again."),
};

enum {
    NAMES_MAX = 64,     /* units with metrics */
    SERVICES_MAX = 512, /* services whose restarts are counted */
    RECENT = 8          /* restarts of one unit that are remembered */
};

/* A failed unit stays failed, so five seconds lose nothing. Ten minutes are the window
 * that the help of unit_restarts names; a manager silent for half a minute hangs. */
static const int64_t period_ns = 5000000000, window_ns = 600000000000,
                     stale_ns = 30000000000;

static const char others[] = "(others)";

/* A service whose restarts are counted. */
struct service {
    char name[RECORD_LABEL_MAX];
    uint32_t restarts;
    int64_t at_ns[RECENT]; /* when the last of them were noticed; 0 = none */
    unsigned next;
    bool seen; /* by this scan */
};

/* What a scan found of one unit in trouble. */
struct trouble {
    char name[RECORD_LABEL_MAX];
    double value[UNIT_ROWS];
};

/* Belongs to the worker while it runs. */
struct scan {
    collect_sdbus *bus; /* NULL = not connected */
    int64_t now_ns;
    struct service service[SERVICES_MAX];
    size_t n_services, left_out;
    struct trouble trouble[NAMES_MAX];
    size_t n_troubles;
    double failed, more_failed; /* more: beyond the table */
    enum vd_status status;
    struct vd_error error;
};

struct systemd_collector {
    collect_worker *worker;
    struct scan *scan;
    bool live, threads, waiting;
    int64_t started_ns; /* 0 = never */
    size_t failed_id;   /* COLLECT_NO_METRIC until systemd answered */
    double failed;
    struct shown {
        char name[RECORD_LABEL_MAX];
        double value[UNIT_ROWS];
        size_t id[UNIT_ROWS]; /* COLLECT_NO_METRIC: there is no room */
        int64_t trouble_ns;   /* when it was in trouble last */
    } shown[NAMES_MAX + 1];
    size_t n;
    enum vd_status status;
    struct vd_error error;
};

/* ---- the work ---- */

/* Finds the entry of that unit, or makes one; NULL when there is no room. */
static struct trouble *trouble_of(struct scan *scan, const char *name)
{
    struct trouble *trouble;

    for (size_t i = 0; i < scan->n_troubles; i++)
        if (strcmp(scan->trouble[i].name, name) == 0)
            return &scan->trouble[i];
    if (scan->n_troubles == NAMES_MAX)
        return NULL;
    trouble = &scan->trouble[scan->n_troubles++];
    *trouble = (struct trouble){.value = {0, 0}};
    memcpy(trouble->name, name, sizeof trouble->name);
    return trouble;
}

/* Is called for each failed unit. Those beyond the table are counted. */
static void take_failed(void *context, const char *name, const char *sub_state,
                        const char *path)
{
    struct scan *scan = context;
    char label[RECORD_LABEL_MAX];
    struct trouble *trouble;

    (void)sub_state;
    (void)path;
    scan->failed++;
    trouble = trouble_of(scan, collect_unit_label(name, label));
    if (trouble != NULL)
        trouble->value[FAILED] = 1;
    else
        scan->more_failed++;
}

/* Finds the service or adds it, which sets *fresh; NULL when there is no room. */
static struct service *service_of(struct scan *scan, const char *name, bool *fresh)
{
    struct service *service;

    for (size_t i = 0; i < scan->n_services; i++)
        if (strcmp(scan->service[i].name, name) == 0)
            return &scan->service[i];
    if (scan->n_services == SERVICES_MAX)
        return NULL;
    service = &scan->service[scan->n_services++];
    *service = (struct service){0};
    memcpy(service->name, name, sizeof service->name);
    *fresh = true;
    return service;
}

/* Is called for each running service, and notes when its count of restarts grew. What it
 * was when the service was seen first is the past and no news. A unit that has "exited"
 * is done, and systemd does not start it again by itself. */
static void take_service(void *context, const char *name, const char *sub_state,
                         const char *path)
{
    struct scan *scan = context;
    char label[RECORD_LABEL_MAX];
    struct service *service;
    bool fresh = false;
    uint32_t restarts;

    if (strcmp(sub_state, "exited") == 0 ||
        !collect_sdbus_restarts(scan->bus, path, &restarts))
        return;
    service = service_of(scan, collect_unit_label(name, label), &fresh);
    if (service == NULL) {
        scan->left_out++;
        return;
    }
    service->seen = true;
    if (!fresh && restarts > service->restarts)
        for (uint32_t i = service->restarts;
             i < restarts && i < service->restarts + RECENT; i++)
            service->at_ns[service->next++ % RECENT] = scan->now_ns;
    service->restarts = restarts;
}

/* Counts the restarts within the window, of the last RECENT ones. */
static double recent_restarts(const struct service *service, int64_t now_ns)
{
    double n = 0;

    for (int i = 0; i < RECENT; i++)
        n += service->at_ns[i] != 0 && now_ns - service->at_ns[i] < window_ns;
    return n;
}

/* Tells of the services that were started again lately, and forgets those that stopped.
 * That waits until their restarts are old, because between two starts a service may be in
 * a state that is not listed. */
static void count_restarts(struct scan *scan)
{
    size_t kept = 0;

    for (size_t i = 0; i < scan->n_services; i++) {
        struct service *service = &scan->service[i];
        double recent = recent_restarts(service, scan->now_ns);
        struct trouble *trouble = recent > 0 ? trouble_of(scan, service->name) : NULL;

        if (trouble != NULL)
            trouble->value[RESTARTS] = recent;
        if (service->seen || recent > 0) {
            if (kept != i)
                scan->service[kept] = *service;
            kept++;
        }
    }
    scan->n_services = kept;
}

/* Asks the manager for failed units first, so that these get the places in the table. */
static enum vd_status ask(struct scan *scan)
{
    enum vd_status status = VD_OK;

    if (scan->bus == NULL)
        status = collect_sdbus_open(&scan->bus, &scan->error);
    if (status == VD_OK)
        status = collect_sdbus_failed(scan->bus, take_failed, scan, &scan->error);
    if (status == VD_OK)
        status = collect_sdbus_services(scan->bus, take_service, scan, &scan->error);
    return status;
}

static void work(void *context)
{
    struct scan *scan = context;

    vd_error_clear(&scan->error);
    scan->n_troubles = scan->left_out = 0;
    scan->failed = scan->more_failed = 0;
    for (size_t i = 0; i < scan->n_services; i++)
        scan->service[i].seen = false;
    scan->status = ask(scan);
    if (scan->status != VD_OK) {
        /* Whatever went wrong, a new connection is made next time. */
        collect_sdbus_close(scan->bus);
        scan->bus = NULL;
        return;
    }
    count_restarts(scan);
}

static void free_scan(void *context)
{
    struct scan *scan = context;

    collect_sdbus_close(scan->bus);
    free(scan);
}

/* ---- the tick's side ---- */

/* Tells whether systemd runs this machine, by the convention of sd_booted(3). Without it
 * nobody is asked, since the bus would try to start it. An address says that there is one
 * to be asked. */
static bool is_booted(void)
{
    return access("/run/systemd/system", F_OK) == 0 ||
           getenv("DBUS_SYSTEM_BUS_ADDRESS") != NULL;
}

/* Finds the unit among those shown, or adds it. When the places are used up it counts as
 * "(others)", for which one more is kept, so the index is always good. */
static size_t shown_of(struct systemd_collector *self, struct record_sample *sample,
                       const char *name)
{
    size_t i = 0;

    while (i < self->n && strcmp(self->shown[i].name, name) != 0)
        i++;
    if (i < self->n)
        return i;
    if (i >= NAMES_MAX && strcmp(name, others) != 0)
        return shown_of(self, sample, others);
    snprintf(self->shown[i].name, sizeof self->shown[i].name, "%s", name);
    collect_show(sample, unit_rows, UNIT_ROWS, name, self->shown[i].id);
    self->shown[i].trouble_ns = sample->mono_ns;
    self->shown[i].value[FAILED] = self->shown[i].value[RESTARTS] = 0;
    self->n++;
    return i;
}

/* Lets go of the units that have been well for as long as restarts count, and tries again
 * to give metrics to those that found no room. Returns how many have none. */
static size_t make_room(struct systemd_collector *self, struct record_sample *sample)
{
    size_t kept = 0, without = 0;

    for (size_t i = 0; i < self->n; i++) {
        struct shown *shown = &self->shown[i];

        if (shown->value[FAILED] > 0 || shown->value[RESTARTS] > 0)
            shown->trouble_ns = sample->mono_ns;
        if (sample->mono_ns - shown->trouble_ns >= window_ns) {
            collect_hide(sample->schema, shown->id, UNIT_ROWS);
            continue;
        }
        if (shown->id[FAILED] == COLLECT_NO_METRIC)
            without +=
                !collect_show(sample, unit_rows, UNIT_ROWS, shown->name, shown->id);
        if (kept++ != i)
            self->shown[kept - 1] = *shown;
    }
    self->n = kept;
    return without;
}

/* Takes over what the scan found. The values were set to 0 before: a unit that is not
 * listed is well. */
static void take_troubles(struct systemd_collector *self, struct record_sample *sample)
{
    const struct scan *scan = self->scan;
    size_t without;

    if (self->failed_id == COLLECT_NO_METRIC)
        collect_add_rows_now(sample, &failed_row, 1, NULL, &self->failed_id);
    self->failed = scan->failed;
    for (size_t i = 0; i < scan->n_troubles; i++) {
        const struct trouble *trouble = &scan->trouble[i];
        double *value = self->shown[shown_of(self, sample, trouble->name)].value;

        value[FAILED] += trouble->value[FAILED];
        value[RESTARTS] = fmax(value[RESTARTS], trouble->value[RESTARTS]);
    }
    if (scan->more_failed > 0)
        self->shown[shown_of(self, sample, others)].value[FAILED] += scan->more_failed;
    without = make_room(self, sample);
    if (without > 0)
        self->status = collect_left_out(&self->error, "units in trouble", without);
    else if (scan->left_out > 0)
        self->status =
            vd_error_set(&self->error, VD_ERR_LIMIT, NULL,
                         "%zu services beyond %d: their restarts are not counted",
                         scan->left_out, SERVICES_MAX);
}

/* Takes over a scan that has ended. When it failed all values are unknown, not 0. */
static void take(struct systemd_collector *self, struct record_sample *sample)
{
    bool good = self->scan->status == VD_OK;

    self->waiting = false;
    self->status = self->scan->status;
    self->error = self->scan->error;
    self->failed = NAN;
    for (size_t i = 0; i < self->n; i++)
        self->shown[i].value[FAILED] = self->shown[i].value[RESTARTS] = good ? 0 : NAN;
    if (good)
        take_troubles(self, sample);
    else if (self->status == VD_ERR_UNAVAILABLE) /* no library, no metrics */
        self->status = VD_OK;
}

static void start(struct systemd_collector *self, struct record_sample *sample)
{
    self->started_ns = sample->mono_ns;
    if (!is_booted())
        return;
    self->scan->now_ns = sample->mono_ns;
    self->waiting = collect_worker_start(self->worker);
    if (self->waiting && !self->threads)
        take(self, sample);
}

static enum vd_status read_systemd(void *context, struct record_sample *sample,
                                   struct vd_error *err)
{
    struct systemd_collector *self = context;
    bool running = self->waiting && collect_worker_is_running(self->worker);
    int64_t age = sample->mono_ns - self->started_ns;

    if (!self->live)
        return VD_OK;
    if (self->waiting && !running)
        take(self, sample);
    if (!running && (self->started_ns == 0 || age >= period_ns))
        start(self, sample);
    if (running && age > stale_ns)
        return vd_error_set(err, VD_ERR_IO, NULL, "systemd does not answer");
    collect_put(sample, self->failed_id, self->failed);
    for (size_t i = 0; i < self->n; i++)
        for (int k = 0; k < UNIT_ROWS; k++)
            collect_put(sample, self->shown[i].id[k], self->shown[i].value[k]);
    if (self->status != VD_OK && err != NULL)
        *err = self->error;
    return self->status;
}

static void destroy(void *context)
{
    struct systemd_collector *self = context;

    if (self == NULL)
        return;
    collect_worker_free(self->worker);
    free(self);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct systemd_collector *self = calloc(1, sizeof *self);
    struct scan *scan = calloc(1, sizeof *scan);

    (void)schema;
    (void)err;
    if (self == NULL || scan == NULL) {
        free(self);
        free(scan);
        return VD_ERR_MEMORY;
    }
    self->live = collect_root_is_live(config->root);
    self->threads = config->threads;
    self->scan = scan;
    self->failed = NAN;
    self->failed_id = COLLECT_NO_METRIC;
    if (collect_worker_new(&self->worker, work, free_scan, scan, config->threads) !=
        VD_OK) {
        destroy(self);
        return VD_ERR_MEMORY;
    }
    *out = self;
    return VD_OK;
}

const struct collect_type collect_systemd = {
    .name = "systemd",
    .summary = "units of systemd that failed or start again and again",
    .rows = {COLLECT_TABLE(unit_rows), {&failed_row, 1}},
    .create = create,
    .read = read_systemd,
    .destroy = destroy,
};
