"""`vedette probe` on made-up machines of the field cases: the values that their README's
table calls right. What that says in words alone is written out in WORDS below.

A tree may be slow to change under the program when other tests load the machine, and rates
are per second: a case that is wrong is tried again, three times at most.
"""
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

DATA = pathlib.Path(os.environ.get(
    "VEDETTE_DATA", pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"))
TABLE = DATA / "field" / "README.md"
TOLERANCE = 0.03
TRIES = 8    # what is wrong is wrong each time; what a busy machine delays is not

SHORT = {"user": "cpu_user_percent", "system": "cpu_system_percent",
         "steal": "cpu_steal_percent"}


def rows():
    """name, right value: of each host of the table."""
    if not TABLE.is_file():
        return []
    found = re.findall(r"^\| ([a-z0-9-]+) \| (.+) \| [^|]* \|$", TABLE.read_text(), re.M)
    return [(name, right) for name, right in found if (DATA / "field/host" / name).is_dir()]


class Values:
    """What probe said of a machine."""

    def __init__(self, metrics):
        self.all = {m["name"] + (f"{{{m['label']}}}" if m["label"] else ""): m["value"]
                    for m in metrics}

    def __getitem__(self, name):
        value = self.all.get(name)
        return math.nan if value is None else value

    def has(self, name):
        return name in self.all

    def is_none(self, name):
        return math.isnan(self[name])

    def near(self, name, *wanted, none=False):
        """One of the values, or none where that is right too."""
        if self.is_none(name):
            return none
        return any(abs(self[name] - x) <= max(TOLERANCE * abs(x), 1e-9) for x in wanted)

    def within(self, name, least, most, none=True):
        return none if self.is_none(name) else least <= self[name] <= most

    def count(self, family):
        return sum(re.fullmatch(re.escape(family) + r"\{.*\}", name) is not None and
                   value is not None for name, value in self.all.items())

    def ends(self, family, end):
        return [x for x in self.all if x.startswith(family + "{") and x.endswith(end + "}")]


# What the table does not say as "metric number", "at most" or "exists".
WORDS = {
    "cpu-steal-underflow-onset": lambda v: v.near("cpu_percent", 50, none=True) and
    v.is_none("cpu_steal_percent"),
    "cpu-user-steps-back": lambda v: v.near("cpu_system_percent", 20) and
    (v.is_none("cpu_percent") or v["cpu_percent"] >= v["cpu_system_percent"] - 1e-9),
    "mem-zfs-arc": lambda v: v.near("cpu_memory", 42.2) and
    v.near("memory_available_gb", 18.5),
    "mem-lxc-available-over-total": lambda v:
    v["memory_available_gb"] <= v["memory_total_gb"] and v.within("cpu_memory", 0, 1.1),
    "mem-lxc-available-is-free": lambda v: v["memory_available_gb"] >= 2.87 * 0.97 and
    v.near("cpu_memory", 28),
    "mem-no-available-shmem": lambda v: v.within("memory_available_gb", 0, 1e3) and
    v.within("cpu_memory", 0, 93.75 * 1.03),
    "mem-huge-available": lambda v: v.near("memory_available_gb", 4.27, none=True),
    "mem-huge-committed": lambda v: v.is_none("memory_committed_gb"),
    "freq-cpu-gap": lambda v: v.near("cpu_freq", 2500) and v.count("cpu_core_freq") == 8,
    "temp-two-amd-sockets": lambda v: v.near("cpu_temp", 91) and
    v.count("temperature") >= 2,
    "temp-40-cores-2-sockets": lambda v: v.near("cpu_temp", 92) and
    v.ends("temperature", "Package id 1") and v.ends("temperature", "Composite"),
    "temp-two-nvme": lambda v: {40.85, 79.85} <= {
        round(x, 2) for name, x in v.all.items() if "nvme" in name and x is not None},
    "temp-jetson": lambda v: v.near("cpu_temp", 52.5) and
    not any("PMIC" in name for name in v.all),
    "temp-rk3588-package": lambda v: v.near("cpu_temp", 80, 45),
    "net-wrap32": lambda v: v.near("network_recv_mb", 10, none=True) and
    v.is_none("network_recv_mb") == v.is_none("network_recv_mb{eth0}"),
    "fs-network-fuse": lambda v: all(
        v.has(f"filesystem_percent{{/mnt/{x}}}") for x in ("g", "c", "pool", "j")),
    "fs-pod-nfs-long-names": lambda v: len(v.ends("filesystem_percent", "/data")) == 1 and
    len(v.ends("filesystem_percent", "/logs")) == 1,
}


def clauses(right):
    """(metric, "is"|"at most"|"exists", number, none allowed) of a row's text."""
    found = []
    none = re.search(r"\bor none\b", right) is not None
    text = re.sub(r"\([^)]*\)", "", right)
    name = r"(?<![\w{])([a-z][a-z0-9_]*(?:\{[^}]+\})?|/[a-z/]*)"
    for metric, number in re.findall(name + r" (\d+(?:\.\d+)?)\b", text):
        if "_" in metric or metric in SHORT:
            found.append((SHORT.get(metric, metric), "is", float(number), none))
    for metric, number in re.findall(name + r" at most (\d+(?:\.\d+)?)\b", text):
        found.append((metric, "at most", float(number), False))
    for metric in re.findall(name + r" +exists\b", text):
        where = f"filesystem_percent{{{metric}}}" if metric.startswith("/") else metric
        found.append((where, "exists", None, False))
    return found


def holds(values, clause):
    metric, kind, number, none = clause
    if kind == "exists":
        return values.has(metric)
    if kind == "at most":
        return values.within(metric, 0, number, none=False)
    return values.near(metric, number, none=none)


def settings(folder):
    """The shell variables of the file `case`."""
    return dict(re.findall(r"^(\w+)='?(.*?)'?$", (folder / "case").read_text(), re.M))


def put(source, target):
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    subprocess.run(["chmod", "-R", "u+w", str(target)], check=True)


def probe(program, folder, tree):
    case = settings(folder)
    put(folder / "root", tree)
    (tree / "proc").mkdir(exist_ok=True)
    began = time.monotonic()
    process = subprocess.Popen(
        [str(program), "probe", "--json", "--root", str(tree), *case["only"].split(),
         "--repeat", case["repeat"], "--interval", case["interval"] + "s"],
        stdout=subprocess.PIPE, text=True)
    if (folder / "later").is_dir():
        half = float(case["interval"]) / 2
        time.sleep(max(0, began + half - time.monotonic()))
        put(folder / "later", tree)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return Values(json.loads(out)["metrics"])


def judge(values, name, right):
    """What is wrong, as text."""
    if name in WORDS:
        return [] if WORDS[name](values) else [right]
    wanted = clauses(right)
    assert wanted, f"nothing to check was understood of {name}: {right}"
    return [str(clause) for clause in wanted if not holds(values, clause)]


@pytest.mark.parametrize("name, right", rows() or [pytest.param(
    "none", "", marks=pytest.mark.skip(f"no field cases at {DATA} (VEDETTE_DATA)"))])
def test_host(program, tmp_path, name, right):
    wrong = []
    for i in range(TRIES):
        values = probe(program, DATA / "field/host" / name, tmp_path / str(i))
        wrong = judge(values, name, right)
        if not wrong:
            return
    shown = {k: v for k, v in values.all.items() if v is not None}
    pytest.fail(f"{name}: wrong {wrong}; {shown}")


def test_the_table_is_read():
    """Clauses are found as people mean them, whatever stands around."""
    assert clauses("disk_read_mb 10 and disk_read_mb{sda} 10 (field 9 is not used)") == [
        ("disk_read_mb", "is", 10, False), ("disk_read_mb{sda}", "is", 10, False)]
    assert clauses("network_recv_mb 10 or none; not 0") == [
        ("network_recv_mb", "is", 10, True)]
    assert clauses("disk_busy_percent{sda} at most 100") == [
        ("disk_busy_percent{sda}", "at most", 100, False)]
    assert clauses("/data exists") == [
        ("filesystem_percent{/data}", "exists", None, False)]
    assert clauses("cpu_percent 50, user 30, system 20 (steal did not move)") == [
        ("cpu_percent", "is", 50, False), ("cpu_user_percent", "is", 30, False),
        ("cpu_system_percent", "is", 20, False)]
