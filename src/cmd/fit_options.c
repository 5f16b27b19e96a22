/* What the options of training say, as the library wants it. */
#include "cmd/fit_options.h"

#include <string.h>
#include <unistd.h>

/* Turns 0 threads into one for each processor that is on line. */
struct vd_fit_params fit_options_params(const struct fit_options *options)
{
    struct vd_fit_params params = vd_fit_params_default();
    long threads = options->threads;

    params.seed = (uint64_t)options->seed;
    params.threads = (unsigned)(threads > 0 ? threads : sysconf(_SC_NPROCESSORS_ONLN));
    params.xgboost_library = options->xgboost;
    return params;
}

bool fit_options_ask_for(const struct fit_options *options,
                         const struct vd_detector_info *info)
{
    for (size_t i = 0; i < options->detectors.n; i++)
        if (strcmp(options->detectors.at[i], info->name) == 0)
            return true;
    return false;
}
