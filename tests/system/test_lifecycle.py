"""Start, stop, and everything that can go wrong with both, on the real binary."""
import csv
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from monitor import PATIENCE, Monitor, environment, replay, wait

# One detector trains in a moment, and which it is does not matter here.
FAST = ("--interval", "100ms", "--warm-up", "3s", "--no-desktop", "--detector", "mahalanobis")


def verify(data_dir):
    with closing(sqlite3.connect(data_dir / "vedette.db")) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)


def sample_times(data_dir):
    with closing(sqlite3.connect(f"file:{data_dir}/vedette.db?mode=ro", uri=True)) as db:
        return {t for (t,) in db.execute("select time from sample")}


# ---- stop ----

@pytest.mark.tsan
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_signal_flushes(monitor, machine, by):
    v = monitor(*FAST, "--root", machine().root)
    v.wait_ticks(25)
    v.stop(by)
    with open(v.data_dir / "performance_log.csv") as f:
        log = list(csv.DictReader(f))
    assert len(log) >= 25
    assert all(len(row) == len(log[0]) and None not in row.values() for row in log)
    assert int(v.out.text.split(" samples,")[0].split()[-1]) == len(log)
    summary = (v.data_dir / "performance_log.summary.txt").read_text()
    assert str(len(log)) in summary
    with open(v.data_dir / "metrics_history.csv") as f:
        assert len(list(csv.DictReader(f))) == len(log)
    verify(v.data_dir)
    assert v.err.text == "", v.said()


def test_stops_by_itself(monitor):
    v = monitor(*FAST, "--duration", "2s")
    assert v.ended() == 0, v.said()
    assert re.search(r"^\d+ samples?,", v.out.text, re.M), v.said()


def test_restart_comes_with_models(monitor):
    first = monitor(*FAST)
    first.wait_ready()
    first.stop()
    second = monitor(*FAST)
    wait(lambda: "models of the last run restored" in second.err.text, PATIENCE,
         "the models")
    wait(lambda: second.status()["points"] > 2, PATIENCE, "samples")
    assert second.status()["confidence"] > 0
    second.stop()


# ---- a place that is taken, closed or not there ----

def test_second_instance_says_so(monitor):
    v = monitor(*FAST)
    other = monitor(*FAST, wait=False)
    assert other.ended() == 1, other.said()
    assert str(v.data_dir) in other.err.text
    assert str(v.process.pid) in other.err.text, other.said()
    before = v.points()
    v.wait_ticks(before + 5)
    v.stop()


def test_port_taken(monitor, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        v = monitor(*FAST, port=port, wait=False)
        assert v.ended() == 1, v.said()
        assert str(port) in v.err.text and "in use" in v.err.text, v.said()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_only_loopback(monitor, address):
    v = monitor(*FAST, "--address", address, wait=False)
    assert v.ended() in (1, 2), v.said()
    assert f"the address {address} is not of this machine alone" in v.err.text, v.said()


def test_data_dir_is_a_file(monitor, tmp_path):
    place = tmp_path / "file"
    place.write_text("not a folder")
    v = monitor(*FAST, data_dir=place, wait=False)
    assert v.ended() == 2, v.said()
    assert str(place) in v.err.text, v.said()
    assert place.read_text() == "not a folder"


def test_data_dir_without_permission(monitor, tmp_path):
    """Root may write everywhere, except where the kernel itself refuses."""
    if os.geteuid() == 0:
        place = "/proc/vedette"
    else:
        (tmp_path / "closed").mkdir(mode=0o500)
        place = tmp_path / "closed" / "data"
    v = monitor(*FAST, data_dir=place, wait=False)
    assert v.ended() == 1, v.said()
    assert str(place) in v.err.text, v.said()


def test_configuration_error_names_the_line(monitor, tmp_path):
    config = tmp_path / "vedette.yaml"
    config.write_text("interval: 1s\nbugdet: 2\n")
    v = monitor(*FAST, config=str(config), wait=False)
    assert v.ended() == 2, v.said()
    assert f"{config}:2" in v.err.text and "bugdet" in v.err.text, v.said()


# ---- killed ----

def committed(v):
    """Times of the samples that anyone can read by now, so they were committed."""
    try:
        return sample_times(v.data_dir)
    except sqlite3.OperationalError as error:
        # Before the first start has made the tables.
        assert "no such table" in str(error) or "unable to open" in str(error), error
        return set()


@pytest.mark.takes(30)
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random_moments(tmp_path, seed):
    data = tmp_path / "data"
    chance = random.Random(seed)
    first = Monitor(data, *FAST, "--interval", "50ms")
    try:
        first.started().wait_ready()    # so that there is something to restore
        first.stop()
    finally:
        first.kill()
    seen = sample_times(data)
    kills = fresh = 0
    while kills < 5 or fresh < 25:
        assert kills < 20, f"only {fresh} samples were committed while it was watched"
        v = Monitor(data, *FAST, "--interval", "50ms")
        try:
            v.started()
            # Rows are committed five seconds at a time, later on a busy machine.
            moment = time.monotonic() + chance.uniform(0.0, 7.0) * (1 + kills // 5)
            before = len(seen)
            while v.process.poll() is None and time.monotonic() < moment:
                seen |= committed(v)
            v.process.send_signal(signal.SIGKILL)
        finally:
            v.kill()
        kills += 1
        fresh += len(seen) - before
        assert "models of the last run restored" in v.err.text, v.said()
        assert "not used" not in v.err.text and "damaged" not in v.err.text, v.said()
        verify(data)
        lost = seen - sample_times(data)
        assert not lost, f"kill {kills}: {len(lost)} committed samples are gone"


# ---- a full disk ----

@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place],
                          capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no tmpfs may be mounted: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_full_disk(monitor, small_disk):
    v = monitor(*FAST, data_dir=small_disk / "data")
    v.wait_ticks(20)
    filler = small_disk / "filler"
    with open(filler, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"\0" * 65536)
        except OSError:
            pass
    wait(lambda: "full" in v.err.text.lower() or "no space" in v.err.text.lower(), PATIENCE,
         "word of the full disk")
    before = committed(v)
    v.wait_ticks(v.points() + 20)
    said = len(v.err.lines)
    assert said < 20, f"the log repeats itself: {v.said()}"
    filler.unlink()
    count = len(before)
    wait(lambda: len(committed(v)) > count + 10, PATIENCE, "samples kept again")
    assert before <= committed(v)
    v.stop()
    verify(v.data_dir)
    assert before <= sample_times(v.data_dir)


# ---- clocks ----

def test_clock_set_back(monitor, machine, tmp_path):
    """An hour back and an hour forth again, under the running program."""
    faketime = shutil.which("faketime")
    if faketime is None:
        pytest.skip("faketime is not installed")
    library = next((p for p in ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
                                "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1")
                    if os.path.exists(p)), None)
    if library is None:
        pytest.skip("no libfaketime.so.1")
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    m = machine()
    # Behind the sandbox the library could not read its file.
    v = monitor(*FAST, "--no-sandbox", "--root", m.root, env=environment(
        LD_PRELOAD=library, FAKETIME_TIMESTAMP_FILE=str(offset), FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1"))
    v.wait_ready()
    rates = [i for i, x in enumerate(v.json("/api/v1/metrics"))
             if x["unit"] in ("MB/s", "1/s", "%")]
    for hours in ("-3600", "+0"):
        replacement = tmp_path / "next"
        replacement.write_text(hours + "\n")
        os.replace(replacement, offset)
        was = v.json("/api/v1/latest")["t"]
        jumped = wait(lambda: abs(v.json("/api/v1/latest")["t"] - was) > 3000, PATIENCE,
                      "the jump")
        assert jumped
        first = v.json("/api/v1/latest")["tick"]
        while (latest := v.json("/api/v1/latest"))["tick"] < first + 10:
            values = [latest["v"][i] for i in rates]
            assert all(x is None or x >= 0 for x in values), values
            assert all(x is None or x < 1e6 for x in values), values
    assert not [e for e in v.events() if e["kind"] == "silence"], v.events()
    v.stop()
    verify(v.data_dir)


# ---- recordings ----

def test_replay_of_labelled_rows(tmp_path, data):
    v, samples, events, _ = replay(tmp_path / "data", data / "labeled" / "labeled_raw.csv")
    assert samples == 300
    assert events >= 1
    kept = json.loads((v.data_dir / "anomalies.json").read_text())
    assert kept and all(a["reason"] for a in kept), kept


@pytest.mark.takes(20)
def test_replay_of_metrics(tmp_path, data):
    _, samples, events, _ = replay(tmp_path / "data", data / "metrics2k" / "sample_metrics2k.csv")
    assert samples == 2000
    assert events >= 1


@pytest.mark.parametrize("phase", ["cpu_surge", "memory_spike", "io_burst"])
def test_replay_of_process_records(tmp_path, data, phase):
    """A quiet phase and a loud one after it, as one recording."""
    quiet = (data / "prmon" / "prmon_baseline1.txt").read_text().splitlines()
    loud = (data / "prmon" / f"prmon_{phase}.txt").read_text().splitlines()
    time_column = quiet[0].split().index("Time")
    shift = int(quiet[-1].split()[time_column]) + 1 - int(loud[1].split()[time_column])
    moved = []
    for line in loud[1:]:
        fields = line.split()
        fields[time_column] = str(int(fields[time_column]) + shift)
        moved.append("\t".join(fields))
    file = tmp_path / "prmon.txt"
    file.write_text("\n".join(quiet + moved) + "\n")
    features = ("utime", "stime", "pss", "rss", "wchar", "read_bytes", "write_bytes")
    v, samples, _, alerts = replay(tmp_path / "data", file, "--interval", "50ms", "--warm-up", "10s",
                                   *(f"--feature={f}" for f in features))
    assert samples == len(quiet) + len(loud) - 2
    with open(v.data_dir / "performance_log.csv") as f:
        score = [float(row["score"]) for row in csv.DictReader(f) if row["score"]]
    assert min(score[-len(moved):]) < min(score[:-len(moved)]) - 0.1
    if phase == "memory_spike":
        assert alerts >= 1


# ---- hostile names ----

HOSTILE = [b"a\nb) R 1 (", b"\x1b[31mred\x1b[0m", b"<script>alert(1", b"\xff\xfe\"\\", b"x\rLOW ok"]


@pytest.mark.takes(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_process_name(monitor, machine, name):
    m = machine()
    v = monitor("--interval", "200ms", "--warm-up", "8s", "--no-desktop", "--root", m.root)
    v.wait_ready()
    m.add(6666, name, cpu=3.0)
    event = v.wait_alert(15, lambda e: any(s["process"]["pid"] == 6666 for s in e["suspects"]))
    v.stop()
    suspect = next(s for s in event["suspects"] if s["process"]["pid"] == 6666)
    assert suspect["process"]["name"] == name[:15].decode("utf-8", "replace")
    printed = v.out.text + v.err.text
    assert "(pid 6666)" in printed
    controls = {c for c in printed if (c < " " and c != "\n") or "\x7f" <= c < "\xa0"}
    assert not controls, v.said()
    line = next(s for s in printed.splitlines() if "(pid 6666)" in s)
    assert line.startswith("         "), line
    v.alert_lines()
    json.loads((v.data_dir / "anomalies.json").read_text())


def test_a_name_without_its_metric_is_told_once(monitor, machine):
    v = monitor("--root", machine().root, "--interval", "50ms", "--no-desktop",
                "--rule", "disk_busy_percent{nosuch} > 90", "--rule", "load_1 > 1e9",
                "--feature", "cpu_percent", "--feature", "filesystem_percent{/mnt/later}")
    v.wait_ticks(20)
    v.stop()
    assert v.err.text.count('the feature "filesystem_percent{/mnt/later}" waits for a metric') == 1
    assert '"cpu_percent"' not in v.err.text
    assert v.err.text.count('the rule on "disk_busy_percent{nosuch}" waits for a metric') == 1
    assert "load_1" not in v.err.text
