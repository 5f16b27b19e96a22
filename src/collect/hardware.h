/* What a machine is made of, for the head of a recording. */
#ifndef VD_COLLECT_HARDWARE_H
#define VD_COLLECT_HARDWARE_H

struct collect_hardware {
    char model[128];   /* of the processor; "" = the kernel does not say */
    int cpus, sockets; /* 0 = not known */
    int cores_per_socket, threads_per_core;
    double memory_kib; /* NaN = not known */
};

/* Reads /proc and /sys below `root` (NULL = this machine). */
void collect_hardware_read(struct collect_hardware *hardware, const char *root);

#endif
