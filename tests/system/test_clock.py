"""The wall clock is set while the monitor runs, and between two runs: nothing that is kept
is lost, and what is asked for is answered."""
import os
import random
import shutil
import sqlite3
import subprocess
import time

import pytest
from monitor import PATIENCE, environment, replay, wait

DAY = 86400
YEAR = 365 * DAY


def faketime_library():
    if shutil.which("faketime") is None:
        pytest.skip("faketime is not installed")
    done = subprocess.run(["faketime", "-m", "-f", "+0", "printenv", "LD_PRELOAD"],
                          capture_output=True, text=True)
    return done.stdout.strip()


class Clock:
    """The wall clock of the programs started with `env`."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.set(0)
        self.env = environment(LD_PRELOAD=faketime_library(),
                               FAKETIME_TIMESTAMP_FILE=str(self.file), FAKETIME_NO_CACHE="1",
                               FAKETIME_DONT_FAKE_MONOTONIC="1",
                               ASAN_OPTIONS="verify_asan_link_order=0")

    def set(self, seconds):
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        os.replace(new, self.file)


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


def times(v, where="1"):
    with sqlite3.connect(f"file:{v.data_dir}/vedette.db?mode=ro", uri=True) as db:
        return [row[0] / 1e9 for row in
                db.execute(f"SELECT time FROM sample WHERE {where} ORDER BY time")]


# The sandbox would hide the file that the clock is set by.
OPTIONS = ["--no-sandbox", "--interval", "50ms", "--no-desktop", "--keep-raw", "30min",
           "--keep-minutes", "1h", "--keep-hours", "1d", "--warm-up", "1s",
           "--detector", "mahalanobis"]


def wait_rows(v, n, near):
    """`n` rows around that time by the wall clock of the test."""
    wait(lambda: len([t for t in times(v) if abs(t - near) < 600]) >= n, PATIENCE, f"{n} rows")


@pytest.mark.takes(35)
@pytest.mark.parametrize("ahead", [7200, 10 * DAY, 3 * YEAR])
def test_a_clock_that_is_ahead_deletes_nothing(monitor, clock, ahead):
    """Retention of half an hour, and a clock that is far beyond it: the clean-up that comes at
    once after the first rows, and again after a restart, takes nothing of the past."""
    v = monitor(*OPTIONS, env=clock.env)
    now = time.time()
    wait_rows(v, 40, now)
    clock.set(ahead)
    wait_rows(v, 40, now + ahead)
    v.stop()
    before = len([t for t in times(v) if t < now + 600])
    assert before >= 40
    # A start with the clock still ahead cleans up as its first rows are there.
    v = monitor(*OPTIONS, env=clock.env, data_dir=v.data_dir)
    wait(lambda: len([t for t in times(v) if t > now + ahead - 600]) >= 120, PATIENCE,
         "more rows")
    v.stop()
    assert len([t for t in times(v) if t < now + 600]) == before
    # And the command that cleans up does not believe it either.
    subprocess.run([v.process.args[0], "store", "clean", "--config", "none", "--data-dir",
                    v.data_dir, "--keep-raw", "30min"], env=clock.env, check=True,
                   capture_output=True)
    assert len([t for t in times(v) if t < now + 600]) == before
    # The clock is right again: rows go on, and the page shows what is now.
    clock.set(0)
    v = monitor(*OPTIONS, env=clock.env, data_dir=v.data_dir)
    v.wait_ticks(40)
    v.stop()
    assert len([t for t in times(v) if t < now + 600]) >= before + 40


@pytest.mark.takes(15)
@pytest.mark.parametrize("back", [30, 3600, YEAR])
def test_a_clock_that_goes_back(monitor, clock, back):
    """Rows keep being written, none clashes with one that is there, and a range that is
    asked for is answered with what was written then."""
    v = monitor(*OPTIONS, env=clock.env)
    now = time.time()
    wait_rows(v, 40, now)
    clock.set(-back)
    lost = v.points()
    wait(lambda: len([t for t in times(v) if abs(t - (now - back)) < 60 + back / 4]) >= 40,
         PATIENCE, "rows of the past")
    v.wait_ticks(lost + 40)
    series = v.json(f"/api/v1/history?metric=cpu_memory&from={now - back - 60}"
                    f"&to={now - back + 120}&points=500")
    shown = series["t"]
    assert shown == sorted(shown) and len(shown) >= 2
    assert all(now - back - 61 <= t <= now - back + 121 for t in shown)
    v.stop()
    assert "could not be kept" not in v.out.text
    assert len(times(v)) >= 80


@pytest.mark.parametrize("step", [-3600, -7, -600])
def test_an_event_does_not_end_before_it_starts(tmp_path, step):
    """Local time that goes back in the course of an event: an hour is the end of summer time,
    minutes are a clock that was set, seconds are rows that came late. It stays one event."""
    at, rows = 1_770_000_000, ["timestamp,cpu_percent,memory_percent"]
    chance = random.Random(step)
    for i in range(1500):
        if i == 1200:
            at += step
        odd = 1180 <= i < 1240
        rows.append(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(at + i))},"
                    f"{chance.gauss(95 if odd else 10, 1):.2f},"
                    f"{chance.gauss(85 if odd else 40, 0.3):.2f}")
    file = tmp_path / "r.csv"
    file.write_text("\n".join(rows) + "\n")
    v, samples, events, _ = replay(tmp_path / "d", file, "--no-dashboard", "--no-desktop")
    assert (samples, events) == (1500, 1)
    with sqlite3.connect(v.data_dir / "vedette.db") as db:
        spans = db.execute("SELECT start, end FROM event WHERE kind = 'anomaly'").fetchall()
    assert len(spans) == 1
    for start, end in spans:
        assert end is None or 10e9 <= end - start <= 80e9
    assert 60e9 <= spans[0][1] - spans[0][0]
