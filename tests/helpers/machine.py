"""A machine of our own making: a tree with /proc and /sys that a thread keeps up to date
as a kernel would, with quiet noise of a known seed and loads that a test switches on.
What a noisy neighbour does to the real machine does not reach it. Files are replaced by
renaming, as the program expects of a tree that is not the kernel's.
"""
import contextlib
import os
import random
import threading
import time

HZ = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1024 * 1024


class Process:
    """One process of the machine."""

    def __init__(self, pid, comm, cpu=0.0, rss=20 * MIB, start=None):
        self.pid, self.comm = pid, comm
        self.cpu = cpu              # share of one core
        self.rss = rss              # bytes
        self.grow = 0               # bytes per second
        self.read = self.write = 0  # bytes per second, to storage
        self.ticks = 0.0
        self.read_bytes = self.write_bytes = 0.0
        self.start = start
        self.has_folder = False


class Machine:
    CORES = 4
    MEMORY = 16 * 1024 * MIB

    def __init__(self, root, seed=1, step=0.05):
        self.root = os.fspath(root)
        self.random = random.Random(seed)
        self.step = step
        self.processes = {}
        self.received = self.sent = 0       # extra traffic, bytes per second
        self.noise = {}
        self.idle_ticks = [1e6 * (i + 1) for i in range(self.CORES)]
        self.user_ticks = [1e5 * (i + 1) for i in range(self.CORES)]
        self.system_ticks = [3e4 * (i + 1) for i in range(self.CORES)]
        self.total = dict.fromkeys(("read", "written", "received", "sent"), 1e9)
        self.switches = self.forks = 1e6
        self.uptime = 40000.0
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        for pid, comm, cpu in ((1, "init", 0.0), (211, "sshd", 0.001), (340, "cron", 0.0),
                               (512, "postgres", 0.03), (700, "web server", 0.05)):
            self.add(pid, comm, cpu)
        for folder in ("proc/net", "proc/pressure", "sys/block/sda",
                       "sys/class/net/eth0/device"):
            os.makedirs(os.path.join(self.root, folder), exist_ok=True)
        self.advance(1)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def add(self, pid, comm, cpu=0.0, **more):
        process = Process(pid, comm, cpu, start=int(self.uptime * HZ), **more)
        with self.lock:
            self.processes[pid] = process
        return process

    def close(self):
        self.stopping.set()
        self.thread.join()

    def run(self):
        self.come_first()
        before = time.monotonic()
        while not self.stopping.wait(self.step):
            now = time.monotonic()
            with self.lock:
                self.advance(now - before)
            before = now

    @staticmethod
    def come_first():
        """A kernel is not late because processes are busy: neither is this thread, where it
        may ask for that."""
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -10)

    # -- what happens in `seconds` --

    def waver(self, name, mean, sigma, keep=0.8):
        """An autoregressive noise around `mean`, never below 0."""
        x = self.noise.get(name, 0.0)
        self.noise[name] = x = keep * x + self.random.gauss(0, sigma) * (1 - keep * keep) ** .5
        return max(0.0, mean + x)

    def advance(self, seconds):
        self.uptime += seconds
        used = self.waver("cpu", 0.30, 0.08)
        for p in self.processes.values():
            share = p.cpu * (1 + self.random.gauss(0, 0.05))
            p.ticks += max(0.0, share) * seconds * HZ
            p.rss = max(PAGE, p.rss + p.grow * seconds)
            p.read_bytes += p.read * seconds
            p.write_bytes += p.write * seconds
            used += p.cpu
        used = min(used, self.CORES)
        for i in range(self.CORES):
            share = min(1.0, used / self.CORES * (1 + self.random.gauss(0, 0.05)))
            self.user_ticks[i] += 0.7 * share * seconds * HZ
            self.system_ticks[i] += 0.3 * share * seconds * HZ
            self.idle_ticks[i] += (1 - share) * seconds * HZ
        ours = list(self.processes.values())
        self.total["read"] += seconds * (self.waver("read", 2e4, 1e4) +
                                         sum(p.read for p in ours))
        self.total["written"] += seconds * (self.waver("written", 3e5, 1e5) +
                                            sum(p.write for p in ours))
        self.total["received"] += seconds * (self.waver("received", 5e4, 1e4) + self.received)
        self.total["sent"] += seconds * (self.waver("sent", 2e4, 5e3) + self.sent)
        self.switches += seconds * self.waver("switches", 900, 60)
        self.forks += seconds * self.waver("forks", 1.5, 0.5)
        self.write_tree()

    # -- as files --

    def put(self, name, text):
        path = f"{self.root}/{name}"
        with open(path + "~", "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.rename(path + "~", path)

    def write_tree(self):
        cores = [f"{u:.0f} 0 {s:.0f} {i:.0f} 0 0 0 0 0 0" for u, s, i in
                 zip(self.user_ticks, self.system_ticks, self.idle_ticks)]
        total = (f"{sum(self.user_ticks):.0f} 0 {sum(self.system_ticks):.0f} "
                 f"{sum(self.idle_ticks):.0f} 0 0 0 0 0 0")
        running = 1 + round(sum(p.cpu for p in self.processes.values()))
        self.put("proc/stat", f"cpu  {total}\n" +
                 "".join(f"cpu{i} {c}\n" for i, c in enumerate(cores)) +
                 f"ctxt {self.switches:.0f}\nbtime 1700000000\nprocesses {self.forks:.0f}\n"
                 f"procs_running {running}\nprocs_blocked 0\n")
        taken = sum(p.rss for p in self.processes.values()) + 2000 * MIB
        taken += self.waver("memory", 50 * MIB, 10 * MIB)
        free = max(0, self.MEMORY - taken)
        self.put("proc/meminfo", f"MemTotal: {self.MEMORY // 1024} kB\n"
                 f"MemFree: {free / 1024:.0f} kB\nMemAvailable: {free / 1024:.0f} kB\n"
                 "Buffers: 0 kB\nCached: 0 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
                 f"Dirty: {self.waver('dirty', 900, 200):.0f} kB\n")
        self.put("proc/loadavg", "0.42 0.40 0.38 1/120 "
                 f"{max(self.processes)}\n")
        self.put("proc/diskstats", "   8  0 sda "
                 f"{self.total['read'] / 16384:.0f} 0 {self.total['read'] / 512:.0f} 900 "
                 f"{self.total['written'] / 16384:.0f} 0 {self.total['written'] / 512:.0f} "
                 f"900 0 {self.total['written'] / 1e6:.0f} 1800\n")
        self.put("proc/net/dev", "Inter-|   Receive  |  Transmit\n face |bytes packets\n"
                 f"  eth0: {self.total['received']:.0f} {self.total['received'] / 1000:.0f} "
                 f"0 0 0 0 0 0 {self.total['sent']:.0f} {self.total['sent'] / 1000:.0f} "
                 "0 0 0 0 0 0\n")
        for p in self.processes.values():
            self.write_process(p)

    def write_process(self, p):
        comm = p.comm if isinstance(p.comm, bytes) else p.comm.encode()
        folder = f"proc/{p.pid}"
        if not p.has_folder:
            os.makedirs(f"{self.root}/{folder}", exist_ok=True)
            self.put(f"{folder}/cmdline", comm + b"\0")
            p.has_folder = True
        self.put(f"{folder}/stat",
                 f"{p.pid} (".encode() + comm[:15] +
                 f") S 1 1 1 0 -1 4194304 0 0 0 0 {p.ticks:.0f} 0 0 0 20 0 1 0 {p.start} "
                 f"{p.rss:.0f} {p.rss / PAGE:.0f} 18446744073709551615 0 0 0\n".encode())
        self.put(f"{folder}/io", f"read_bytes: {p.read_bytes:.0f}\n"
                 f"write_bytes: {p.write_bytes:.0f}\ncancelled_write_bytes: 0\n")
