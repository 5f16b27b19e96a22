/* /proc/net/snmp, netstat and snmp6. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/netstat.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A counter: absent, or a number that is not negative. */
static int is_counter(double x)
{
    return isnan(x) || (x >= 0 && isfinite(x));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct collect_netstat net;

    collect_netstat_clear(&net);
    collect_netstat_parse(text, size, &net);
    collect_netstat_parse_6(text, size, &net);
    assert(is_counter(net.connections) && is_counter(net.retransmits));
    assert(is_counter(net.listen_overflows) && is_counter(net.udp_errors));
    assert(is_counter(net.udp6_errors) && is_counter(net.udp6_send_full));
    return 0;
}
