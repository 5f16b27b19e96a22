/* The analyses of tables that were uploaded: which there are, and their files in the
 * folder "analyses" of the data directory.
 *
 *     N.part     a table that is being received; removed when the upload is cut off
 *     ID.table   the table, until it has been analysed
 *     ID.csv     its rows with their scores
 *     ID.scores  the scores and places of the rows: see scores.h
 *     ID.result  what was found, as JSON
 *     ID.report  the same as a page of HTML, where this build can make it
 *     ID.item    its line in the list, as JSON: written last, so that what has one is
 * whole
 *
 * ID is made of the SHA-256 of the table and of the settings, so that the same table with
 * the same settings is the same analysis. All calls from the loop's thread.
 */
#ifndef VD_SHOW_SHELF_H
#define VD_SHOW_SHELF_H

#include <uv.h>

#include <stdatomic.h>

#include "os/data_dir.h"
#include "show/json.h"
#include "show/scores.h"
#include "show/server.h"

enum { SHOW_ID_SIZE = 33, SHOW_TITLE_SIZE = 256, SHOW_SHELF_MAX = 1000 };

enum show_entry_state {
    SHOW_ENTRY_WAITING,
    SHOW_ENTRY_RUNNING,
    SHOW_ENTRY_DONE,
    SHOW_ENTRY_FAILED,
};

/* One analysis. Until it is over its thread reads what is above the line. */
struct show_entry {
    char id[SHOW_ID_SIZE];
    char title[SHOW_TITLE_SIZE]; /* the table's own name */
    struct show_analysis_settings settings;
    struct show_json facts; /* {"id", "name", "size" ...}, without its end */
    const struct show_server *server;
    atomic_bool unwanted; /* it is to end */
    atomic_uint done;     /* in thousandths */
    atomic_ullong rows;
    struct show_scores_writer scores; /* the thread's own */
    atomic_bool over;                 /* the thread has written all it will */
    bool failed;                      /* set before `over` */
    struct show_json made;            /* the line in the list; likewise */
    /* ---- */
    struct show_entry *next; /* the one before it in time */
    enum show_entry_state state;
    bool deleted; /* it goes as soon as its thread has ended */
    uint64_t bytes;
    int64_t time_ns;
    struct show_json item; /* when it is over */
    uv_thread_t thread;
};

struct show_shelf {
    struct os_data_dir folder;
    struct show_entry *newest;
    size_t n;
    uint64_t bytes, bytes_max;
};

/* Opens the folder below `data` and takes in what earlier runs left; what is not whole is
 * removed. VD_ERR_IO when it cannot be used. */
enum vd_status show_shelf_open(struct show_shelf *shelf, const struct os_data_dir *data,
                               uint64_t bytes_max, struct vd_error *err);

/* Frees all entries, none of which has a thread any more; the files stay. */
void show_shelf_close(struct show_shelf *shelf);

struct show_entry *show_shelf_find(const struct show_shelf *shelf, const char *id);

/* Adds an entry, the newest; NULL without memory. */
struct show_entry *show_shelf_add(struct show_shelf *shelf, const char *id,
                                  int64_t time_ns);

/* Removes the entry and its files. It has no thread. */
void show_shelf_remove(struct show_shelf *shelf, struct show_entry *entry);

/* Counts the bytes of the entry's files anew. */
void show_shelf_weigh(struct show_shelf *shelf, struct show_entry *entry);

/* Makes room for so many more bytes: the oldest that are over go first, and the log says
 * which. False when even then there is none, on the disk or within the bound. */
bool show_shelf_make_room(struct show_shelf *shelf, uint64_t bytes);

/* "ID.csv" into name[SHOW_ID_SIZE + 8]; returns name. */
char *show_shelf_file(const char *id, const char *ending, char name[SHOW_ID_SIZE + 8]);

#endif
