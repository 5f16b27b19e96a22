#!/usr/bin/env python3
"""Writes a made-up machine of very many cores and processes, for --root: what a tick reads on
a large server or on a host full of containers.

    bench/crowd_tree.py DIR [CORES [PROCESSES]]      (512 and 10,000)

Half of the cores are fast and half economical, told by their capacity, so that every
collector of cores has all of them to do.
"""
import pathlib
import sys

CAPACITY = (1024, 446)


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def write_cores(root, n):
    times = "1000 0 500 100000 20 0 3 0 0 0"
    write(root, "proc/stat",
          f"cpu  {n * 1000} 0 {n * 500} {n * 100000} {n * 20} 0 {n * 3} 0 0 0\n" +
          "".join(f"cpu{i} {times}\n" for i in range(n)) +
          "intr 12345 " + "7 " * 4000 + "\nctxt 99999\nbtime 1700000000\nprocesses 5000\n"
          "procs_running 1\nprocs_blocked 0\nsoftirq 4321 1 2 3 4 5 6 7 8 9 10\n")
    write(root, "sys/devices/system/cpu/possible", f"0-{n - 1}\n")
    write(root, "sys/devices/system/cpu/present", f"0-{n - 1}\n")
    write(root, "sys/devices/system/cpu/online", f"0-{n - 1}\n")
    for i in range(n):
        core = f"sys/devices/system/cpu/cpu{i}"
        write(root, f"{core}/cpu_capacity", f"{CAPACITY[2 * i // n]}\n")
        write(root, f"{core}/cpufreq/scaling_cur_freq", f"{2000000 + i}\n")
    write(root, "proc/net/softnet_stat", f"{'00000001 ' * 13}\n" * n)


def write_processes(root, n):
    for pid in range(1, n + 1):
        write(root, f"proc/{pid}/stat",
              f"{pid} (worker) S 1 1 1 0 -1 4194304 9 0 0 0 30 12 0 0 20 0 5 0 777 4096 2560 "
              "18446744073709551615\n")
        write(root, f"proc/{pid}/io", "read_bytes: 4096\nwrite_bytes: 8192\n")
        write(root, f"proc/{pid}/cmdline", "worker\0--number\0" + str(pid))
    write(root, "proc/loadavg", f"0.42 0.40 0.38 1/{5 * n} {n}\n")


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    cores, processes = [int(word) for word in sys.argv[2:]] + [512, 10000][len(sys.argv) - 2:]
    root = pathlib.Path(sys.argv[1])
    write_cores(root, cores)
    write_processes(root, processes)
    write(root, "proc/meminfo", "MemTotal: 263000000 kB\nMemFree: 100000000 kB\n"
                                "MemAvailable: 200000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")


main()
