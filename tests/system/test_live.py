"""The real machine: left alone it wakes nobody; where `vedette burn` runs away, the alert
names it, also while every core is busy already.

A machine that others keep busy has no room for one load more to be told from the rest:
the tests that need calm wait for it, two minutes in all, and are skipped then, with what
they saw.
"""
import os
import re
import subprocess
import sys
import time
import uuid

import pytest
from monitor import Monitor, binary, environment, wait

pytestmark = [pytest.mark.live, pytest.mark.slow]
IN_TIME = 15
# What is expected is said from 30 normal samples on.
WARM_UP = ("--interval", "250ms", "--warm-up", "12s", "--no-desktop")
# How long nothing may be alerted; the soak asks for more.
QUIET_SECONDS = float(os.environ.get("QUIET_SECONDS", 20))


def cpu_times():
    """(busy, all) in clock ticks."""
    with open("/proc/stat") as f:
        fields = [int(x) for x in f.readline().split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def use_for(seconds):
    """Share of the machine used in the next so many seconds."""
    before = cpu_times()
    time.sleep(seconds)
    after = cpu_times()
    return (after[0] - before[0]) / max(after[1] - before[1], 1)


patience = {"left": 120}    # seconds, of all tests together


def wait_for_calm():
    """Skips unless the machine is mostly idle for five seconds in a row."""
    while (use := use_for(5)) > 0.35:
        patience["left"] -= 5
        if patience["left"] < 0:
            pytest.skip(f"others use {100 * use:.0f} % of this machine")


@pytest.fixture
def calm():
    wait_for_calm()


@pytest.fixture
def burn():
    """burn(kind, *options): a running `vedette burn`; ended with the test."""
    running = []

    def start(*words, command=()):
        running.append(subprocess.Popen(
            [*command, binary(), "burn", "--config", "none", "--duration", "60s", *words],
            env=environment(), stdout=subprocess.DEVNULL))
        return running[-1]

    yield start
    for p in running:
        p.terminate()
        p.wait()


def check(monitor, start_load, families, *resources):
    v = monitor(*WARM_UP)
    v.wait_ready(90)
    before = use_for(3)
    if before > 0.5:
        pytest.skip(f"others use {100 * before:.0f} % of this machine by now")
    began = time.time()
    load = start_load()
    event = v.wait_alert(IN_TIME, lambda e: (
        e["kind"] == "anomaly" and e["start"] >= began - 2 and e["suspects"] and
        any(t["metric"].startswith(families) for t in e["top"])), slack=1)
    assert all(t["expected"] is not None for t in event["top"]), event
    suspect = event["suspects"][0]
    assert suspect["process"]["pid"] == load.pid, event
    assert suspect["resource"] in resources, event
    v.stop()


def test_cpu(calm, monitor, burn):
    workers = str(os.cpu_count())
    check(monitor, lambda: burn("cpu", "--workers", workers), ("cpu_", "load", "tasks"), "cpu")


def test_memory(calm, monitor, burn):
    # Touching pages this fast takes a third of the processors, too.
    check(monitor, lambda: burn("memory", "--amount", "3GiB", "--rate", "300MiB"),
          ("cpu_memory", "memory_"), "memory", "cpu")


def test_disk(calm, monitor, burn, tmp_path):
    # It writes its file and reads it back, over and over.
    check(monitor, lambda: burn("disk", "--rate", "100MiB", "--folder", str(tmp_path)),
          ("disk_", "pressure_io"), "disk_write", "disk_read")


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True)


@pytest.fixture
def far_side():
    """A network of our own: a namespace with one end of a cable, `wan0`, the other end in
    a second namespace, so that nothing of this machine's network is touched."""
    here, there = (f"vd{uuid.uuid4().hex[:8]}" for _ in range(2))
    made = ip("netns", "add", here)
    if made.returncode != 0:
        pytest.skip(f"no network namespace may be made: {made.stderr.strip()}")
    ip("netns", "add", there)
    for words in (("link", "add", "wan0", "netns", here, "type", "veth", "peer", "name",
                   "wan0", "netns", there),
                  ("-n", here, "addr", "add", "10.99.0.1/24", "dev", "wan0"),
                  ("-n", there, "addr", "add", "10.99.0.2/24", "dev", "wan0"),
                  ("-n", here, "link", "set", "lo", "up"),
                  ("-n", here, "link", "set", "wan0", "up"),
                  ("-n", there, "link", "set", "wan0", "up")):
        done = ip(*words)
        if done.returncode != 0:
            ip("netns", "del", here)
            ip("netns", "del", there)
            pytest.skip(f"no cable between namespaces: {done.stderr.strip()}")
    yield here
    ip("netns", "del", here)
    ip("netns", "del", there)


class Inside(Monitor):
    """A monitor in a network namespace: its API is asked from in there."""

    namespace = None

    def get(self, path):
        ask = ("import sys,urllib.request as u;"
               "sys.stdout.buffer.write(u.urlopen(sys.argv[1],timeout=15).read())")
        done = subprocess.run(["ip", "netns", "exec", self.namespace, sys.executable, "-c",
                               ask, f"http://127.0.0.1:{self.port}{path}"],
                              capture_output=True, timeout=30)
        return (200 if done.returncode == 0 else 500), done.stdout or done.stderr


def test_network(calm, far_side, tmp_path, burn):
    into = ("ip", "netns", "exec", far_side)
    v = Inside(tmp_path / "data", *WARM_UP, command=into)
    v.namespace = far_side
    try:
        v.started()
        v.wait_ready(90)
        load = burn("network", "--to", "10.99.0.2:9", "--rate", "60MiB", command=into)
        event = v.wait_alert(IN_TIME, lambda e: any(
            t["metric"].startswith("network_sent") for t in e["top"]), slack=1)
        # `ip netns exec` becomes the program it is given.
        assert load.pid in [s["process"]["pid"] for s in event["suspects"]], event
        v.stop()
    finally:
        v.kill()


# -- every core at 100 %, from before the monitor's first sample on --

# Learned is what is normal, which here is that all cores are busy.
LEARNED = 90
# A load that gets little of a busy machine is no longer what the test is about.
FIRST = ("nice", "-n", "-20")


@pytest.fixture
def busy(burn):
    return burn("cpu", "--workers", str(os.cpu_count()))


def room_for(gib):
    free = next(int(line.split()[1]) for line in open("/proc/meminfo")
                if line.startswith("MemAvailable:")) / 2**20
    if free < gib:
        pytest.skip(f"a leak needs {gib} GiB of memory, and {free:.1f} are free")


def names(pid, *families):
    """Accepts an event of these metrics that has the process among its suspects."""
    return lambda e: (any(t["metric"].startswith(families) for t in e["top"]) and
                      pid in [s["process"]["pid"] for s in e["suspects"]])


def test_leak_on_a_busy_machine(busy, monitor, burn):
    room_for(6)
    v = monitor(*WARM_UP)
    v.wait_ready(LEARNED)
    leak = burn("leak", "--rate", "150MB", command=FIRST)
    event = v.wait_alert(IN_TIME, names(leak.pid, "cpu_memory", "memory_"), slack=1)
    # What burned before is no cause of this.
    assert event["suspects"][0]["process"]["pid"] == leak.pid, event
    assert event["suspects"][0]["resource"] == "memory", event
    v.stop()


FILL = """
import sys, time
with open(sys.argv[1], "wb", buffering=0) as f:
    try:
        while True:
            f.write(bytes(4 << 20))
    except OSError:
        print("full", flush=True)
        time.sleep(60)
"""


def test_full_disk_on_a_busy_machine(busy, tmp_path):
    """A disk of 256 MiB in a mount namespace of the monitor's own, filled at once."""
    image, disk = tmp_path / "image", tmp_path / "disk"
    disk.mkdir()
    with open(image, "wb") as f:
        f.truncate(256 << 20)
    own = ("unshare", "--mount", "sh", "-c", f'mount -o loop "{image}" "{disk}" && exec "$@"', "sh")
    for words in (("mkfs.ext4", "-q", image), (*own, "true")):
        made = subprocess.run(words, capture_output=True, text=True)
        if made.returncode != 0:
            pytest.skip(f"no disk of our own can be mounted: {made.stderr.strip()}")
    v = Monitor(tmp_path / "data", *WARM_UP, command=own)
    filler = None
    try:
        v.started().wait_ready(LEARNED)
        filler = subprocess.Popen([*FIRST, "nsenter", "--target", str(v.process.pid), "--mount",
                                   sys.executable, "-c", FILL, disk / "file"],
                                  stdout=subprocess.PIPE, text=True)
        assert filler.stdout.readline() == "full\n"
        v.wait_alert(IN_TIME, names(filler.pid, "filesystem_"), slack=1)
        v.stop()
    finally:
        v.kill()
        if filler is not None:
            filler.kill()
            filler.wait()


def test_flood_on_a_busy_machine(busy, far_side, tmp_path, burn):
    into = ("ip", "netns", "exec", far_side)
    v = Inside(tmp_path / "data", *WARM_UP, command=into)
    v.namespace = far_side
    try:
        v.started().wait_ready(LEARNED)
        flood = burn("network", "--to", "10.99.0.2:9", "--rate", "60MiB",
                     command=(*FIRST, *into))
        v.wait_alert(IN_TIME, names(flood.pid, "network_sent"), slack=1)
        v.stop()
    finally:
        v.kill()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A monitor with nothing set that has learned this machine, for a minute."""
    wait_for_calm()
    v = Monitor(tmp_path_factory.mktemp("plain") / "data")
    try:
        v.started()
        v.wait_ready(90)
        yield v
    finally:
        v.kill()


def test_quiet_minutes_of_this_machine(plain):
    """The real machine, left alone as far as that can be known."""
    until = time.monotonic() + QUIET_SECONDS
    busiest = 0
    while time.monotonic() < until:
        busiest = max(busiest, use_for(1))
    alerts = plain.events(alerted=1)
    if busiest > 0.5:
        pytest.skip(f"others used up to {100 * busiest:.0f} % of this machine")
    assert not alerts, alerts


def test_default_settings_end_to_end(plain, calm, burn):
    """The runaway process is on the terminal."""
    load = burn("cpu", "--workers", str(os.cpu_count()))
    wait(lambda: f"(pid {load.pid})" in plain.out.text + plain.err.text, IN_TIME + 2,
         "the alert")
    said = plain.out.text + plain.err.text
    # By what is normal here or, on a machine that was busy before, by the limit.
    assert re.search(r"cpu_\w+(\{\d+\})?: [\d.]+( %)? \((high, expected ≈[\d.]+, z=|limit)", said), said
    plain.stop()
    alerts = plain.alert_lines()
    assert any(a["kind"] == "anomaly" and a["explanation"] for a in alerts), alerts
