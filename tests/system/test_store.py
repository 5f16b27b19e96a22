"""The store when things go wrong: killed at any moment, on a full disk, with a broken file.

VEDETTE_BUILD names the build directory (default build/dev).
"""
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("VEDETTE_BUILD", ROOT / "build" / "dev"))
DRIVER = BUILD / "store_driver"
BASE = 1_700_000_000
SECOND = 1_000_000_000
METRICS = 50


def push(directory, start, count, pause_us, *more):
    return subprocess.Popen(
        [DRIVER, "push", directory, str(start), str(count), str(pause_us), *map(str, more)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process, timeout=60):
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err


def ticks_of(directory):
    """The tick numbers in the database, after its own integrity check."""
    with closing(sqlite3.connect(Path(directory) / "vedette.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [t // SECOND - BASE for (t,) in
                db.execute("SELECT time FROM sample ORDER BY time")]


def check_text_files(directory):
    """Whole lines only, in the shape that their readers expect."""
    rows = (Path(directory) / "performance_log.csv").read_text().splitlines()
    assert all(len(row.split(",")) == 14 for row in rows)
    rows = (Path(directory) / "metrics_history.csv").read_text().splitlines()
    assert all(len(row.split(",")) == 11 for row in rows)
    for line in (Path(directory) / "alerts.jsonl").read_text().splitlines():
        assert json.loads(line)["kind"] == "anomaly"
    events = json.loads((Path(directory) / "anomalies.json").read_text())
    assert all(event["severity"] == "high" for event in events)


@pytest.mark.tsan
def test_kill_at_random_moments_loses_no_committed_row(tmp_path):
    seed = int(os.environ.get("VEDETTE_SEED", time.time_ns() % 2**32))
    print(f"VEDETTE_SEED={seed}")
    rng = random.Random(seed)
    committed = set()
    start = 0
    for round_ in range(20):
        writer = push(tmp_path, start, 100_000, 500)
        # Let it commit something, then kill it in the middle of whatever it does.
        assert writer.stdout.readline().startswith("acked ")
        time.sleep(rng.uniform(0, 0.15))
        writer.send_signal(signal.SIGKILL)
        _, out, err = finish(writer)
        assert "broken" not in err, err
        # A line may be cut by the kill: only whole ones count.
        acked = [int(n) for n in re.findall(r"^acked (\d+)\n", out, re.M)]
        committed |= set(range(start, start + max(acked, default=1)))
        found = set(ticks_of(tmp_path))
        assert committed <= found, f"round {round_}: lost {sorted(committed - found)[:5]}"
        start = max(found) + 1
    code, out, err = finish(push(tmp_path, start, 50, 0))
    assert code == 0 and "done 50 0 0" in out, out + err
    assert committed <= set(ticks_of(tmp_path))
    check_text_files(tmp_path)


def test_minutes_are_right_after_kills(tmp_path):
    start = 0
    for _ in range(3):
        writer = push(tmp_path, start, 100_000, 300)
        while int((writer.stdout.readline() or "acked 999").split()[1]) < 150:
            pass
        writer.kill()
        finish(writer)
        start = max(ticks_of(tmp_path)) + 1
    assert finish(push(tmp_path, start, 100, 0))[0] == 0
    with closing(sqlite3.connect(tmp_path / "vedette.db")) as db:
        ticks = [t // SECOND for (t,) in db.execute("SELECT time FROM sample")]
        minutes = db.execute("SELECT time, value FROM minute ORDER BY time").fetchall()
    last = max(ticks) // 60
    assert {t // 60 for t in ticks} - {last} == {t // SECOND // 60 for t, _ in minutes}
    for time_ns, blob in minutes:
        inside = [t - BASE for t in ticks if t // 60 == time_ns // SECOND // 60]
        count, mean, low, high = struct.unpack_from("<Ifff", blob, 0)
        values = [k % 1000 for k in inside]
        assert count == len(inside)
        assert (low, high) == (min(values), max(values))
        assert mean == pytest.approx(sum(values) / len(values), rel=1e-5)


@pytest.fixture
def small_disk(tmp_path):
    """Four megabytes of tmpfs; needs root."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place],
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("a small file system cannot be mounted here: " + done.stderr.strip())
    yield place
    subprocess.run(["umount", place], check=True)


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time: " + what
        time.sleep(0.02)


@pytest.mark.tsan
def test_full_disk_loses_no_committed_row_and_recovers(small_disk):
    data = small_disk / "data"
    err_path = small_disk.parent / "stderr"
    with open(err_path, "w") as err:
        writer = subprocess.Popen([DRIVER, "push", data, "0", "600", "20000"],
                                  stdout=subprocess.PIPE, stderr=err, text=True)
    assert writer.stdout.readline().startswith("acked ")
    ballast = small_disk / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 65536):
                pass
        except OSError:
            pass
        try:
            while file.write(b"x"):
                pass
        except OSError:
            pass
    wait_for(lambda: "sqlite: cannot" in err_path.read_text(), 30, "word of the full disk")
    assert "disk is full" in err_path.read_text()
    before = ticks_of_copy(data, small_disk.parent / "copy")
    ballast.unlink()
    out, _ = writer.communicate(timeout=120)
    said = err_path.read_text()
    assert writer.returncode == 0, said
    assert "sqlite: writes again" in said
    # The queue held what came meanwhile: nothing at all is missing.
    sent, retried, lost = map(int, re.search(r"done (\d+) (\d+) (\d+)", out).groups())
    assert (sent, lost) == (600, 0) and retried > 0
    assert before <= set(ticks_of(data)) == set(range(600))
    check_text_files(data)


def ticks_of_copy(data, copy):
    """Reads a copy: reading may want to write beside the database."""
    shutil.copytree(data, copy)
    return set(ticks_of(copy))


def test_starts_on_a_full_disk_and_recovers(small_disk):
    ballast = small_disk / "ballast"
    data = small_disk / "data"
    data.mkdir(mode=0o700)
    with open(ballast, "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    writer = push(data, 0, 300, 10000)
    time.sleep(0.5)  # how long it stays full; the outcome does not hang on it
    ballast.unlink()
    code, out, err = finish(writer)
    assert code == 0, err
    assert "done 300 " in out and out.split()[-1] == "0", out + err
    assert set(ticks_of(data)) == set(range(300))
    check_text_files(data)


@pytest.mark.takes(20)
def test_bounded_disk(tmp_path):
    limit = 8_000_000
    code, out, err = finish(push(tmp_path, 0, 60_000, 100, 10**9), timeout=120)
    assert code == 0 and "done " in out, err
    # The next start has a limit and cuts the oldest.
    before = ticks_of(tmp_path)
    database = tmp_path / "vedette.db"
    assert database.stat().st_size > 1.2 * limit
    writer = push(tmp_path, 60_000, 100_000, 100_000, limit)
    drain = threading.Thread(target=writer.stdout.read)
    drain.start()
    wait_for(lambda: database.stat().st_size <= limit - 4_000_000, 60, "a smaller file")
    writer.terminate()
    drain.join()
    writer.wait()
    ticks = ticks_of(tmp_path)
    assert before[0] < ticks[0] < 60_000 <= ticks[-1]
    assert ticks == [t for t in before if t >= ticks[0]] + \
        list(range(60_000, ticks[-1] + 1))


def corrupt(path):
    size = path.stat().st_size
    with open(path, "r+b") as file:
        for at in range(4096, size, 4096):
            file.seek(at)
            file.write(b"\xa5" * 512)


def test_broken_database_is_set_aside_with_a_word(tmp_path):
    writer = push(tmp_path, 0, 100_000, 200)
    while int(writer.stdout.readline().split()[1]) < 4000:
        pass
    writer.kill()
    finish(writer)
    assert (tmp_path / "vedette.db-wal").stat().st_size > 0
    corrupt(tmp_path / "vedette.db")
    corrupt(tmp_path / "vedette.db-wal")
    code, out, err = finish(push(tmp_path, 200_000, 20, 0))
    assert code == 0 and "done 20 " in out, out + err
    assert "the database is broken" in err and ".broken-" in err
    assert len([p for p in tmp_path.glob("vedette.db.broken-*")]) >= 1
    assert ticks_of(tmp_path) == list(range(200_000, 200_020))


@pytest.mark.tsan
def test_not_a_database_is_set_aside(tmp_path):
    (tmp_path / "vedette.db").write_bytes(b"this is no database" * 500)
    code, out, err = finish(push(tmp_path, 0, 20, 0))
    assert code == 0 and "done 20 " in out
    assert "the database is broken" in err
    assert [p.read_bytes()[:4] for p in tmp_path.glob("vedette.db.broken-*")] == [b"this"]


def test_newer_database_is_left_alone(tmp_path):
    with closing(sqlite3.connect(tmp_path / "vedette.db")) as db:
        db.execute("CREATE TABLE future(x)")
        db.execute("PRAGMA user_version=99")
        db.commit()
    before = (tmp_path / "vedette.db").read_bytes()
    code, out, err = finish(push(tmp_path, 0, 20, 0))
    assert code == 0
    assert "sqlite is off" in err and "newer vedette" in err
    with closing(sqlite3.connect(tmp_path / "vedette.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)
        assert [r[0] for r in db.execute("SELECT name FROM sqlite_master")] == ["future"]
    assert len(before) > 0


def test_event_ids_grow_over_restarts(tmp_path):
    for start in (0, 1000, 2000):
        assert finish(push(tmp_path, start, 70, 0))[0] == 0
    with closing(sqlite3.connect(tmp_path / "vedette.db")) as db:
        ids = [i for (i,) in db.execute("SELECT id FROM event ORDER BY id")]
        assert ids == list(range(1, 31))
        # Whether those that were left open go on is for who watches to say.
        assert db.execute("SELECT count(*) FROM event WHERE end IS NULL").fetchone()[0] == 30
