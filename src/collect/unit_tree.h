/* The tree of control groups: which units and containers there are, and what each uses.
 * Slow (some ten system calls a unit): for workers. */
#ifndef VD_COLLECT_UNIT_TREE_H
#define VD_COLLECT_UNIT_TREE_H

#include "collect/file.h"
#include "collect/unit_use.h"
#include "record.h"

enum { COLLECT_UNITS_MAX = 1024 };

enum {
    COLLECT_UNIT_CPU,       /* % of one core */
    COLLECT_UNIT_MEMORY,    /* bytes */
    COLLECT_UNIT_READ,      /* bytes a second */
    COLLECT_UNIT_WRITE,     /* bytes a second */
    COLLECT_UNIT_THROTTLED, /* % of the periods in which its limit held it */
    COLLECT_UNIT_VALUES
};

/* One control group. */
struct collect_unit_group {
    uint64_t key; /* of its path */
    char label[RECORD_LABEL_MAX];
    struct collect_unit_use use;
    double value[COLLECT_UNIT_VALUES]; /* NaN = not known */
};

/* Zero-initialise and set root before the first use. */
struct collect_unit_tree {
    char root[COLLECT_PATH_MAX]; /* the prefix of /sys */
    char top[COLLECT_PATH_MAX];  /* of the tree; "" = to be looked for */
    int64_t before_ns;
    struct collect_unit_group before[COLLECT_UNITS_MAX], unit[COLLECT_UNITS_MAX];
    size_t n_before, n;
    size_t left_out; /* groups beyond COLLECT_UNITS_MAX */
    struct {
        uint32_t major, minor;
        bool stacked;
    } device[64];
    size_t n_devices;
};

/* Reads all of it into unit[n], sorted by label; groups of one kind (sessions) are one.
 * Rates are those since the scan before. False when there is no such tree. */
bool collect_unit_tree_scan(struct collect_unit_tree *tree, int64_t mono_ns);

#endif
