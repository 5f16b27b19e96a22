/* One sample of what is recorded, as a row of prmon's columns. */
#ifndef VD_RECORDING_SAMPLER_H
#define VD_RECORDING_SAMPLER_H

#include "collect/nvml.h"
#include "collect/process_tree.h"
#include "collect/tree_network.h"
#include "format/prmon.h"
#include "recording/plan.h"

/* Zero-initialise. */
struct recording_sampler {
    collect_tree *tree;
    bool waits; /* for members of the tree, which are this process's children */
    struct collect_tree_network network;
    collect_nvml *nvml;  /* NULL = no such driver */
    bool numbers_differ; /* the driver's process numbers are not those seen here */
    struct collect_gpu_use gpu;
    int64_t gpu_ns;                      /* monotonic: when it was read */
    int64_t start_ns;                    /* monotonic: the first sample */
    struct collect_tree_use use;         /* of the last one */
    double before[FORMAT_PRMON_COLUMNS]; /* the last row that was measured */
    bool has_before;
};

/* Opens what is read, and takes the columns that this machine does not have out of
 * `prmon`. Release after a failure, too. */
enum vd_status recording_sampler_open(struct recording_sampler *sampler,
                                      const struct recording_plan *plan, int pid,
                                      bool waits, struct format_prmon *prmon,
                                      struct vd_error *err);

/* Fills a row. Returns false when no process ran any more: then memory and counts are
 * those of the row before. */
bool recording_sampler_read(struct recording_sampler *sampler,
                            double value[FORMAT_PRMON_COLUMNS]);

void recording_sampler_close(struct recording_sampler *sampler);

#endif
