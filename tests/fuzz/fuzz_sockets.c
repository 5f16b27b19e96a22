/* /proc/net/sockstat, softnet_stat and /proc/sys/fs/file-nr. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/limits.h"
#include "collect/sockstat.h"
#include "collect/softnet.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_count(double x)
{
    return isnan(x) || (x >= 0 && isfinite(x));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct collect_sockstat sockets;
    struct collect_file_handles files;
    struct collect_softnet net;
    double percent;

    collect_sockstat_clear(&sockets);
    collect_sockstat_parse(text, size, &sockets);
    assert(is_count(sockets.used) && is_count(sockets.tcp) && is_count(sockets.tcp6));
    collect_softnet_parse(text, size, &net);
    assert(is_count(net.dropped) && is_count(net.squeezed));
    assert((net.cores == 0) == isnan(net.dropped) && net.cores <= size);
    collect_file_handles_parse(text, size, &files);
    percent = collect_limit_percent(files.used, files.limit);
    assert(is_count(files.used) && (isnan(percent) || (percent >= 0 && percent <= 100)));
    return 0;
}
