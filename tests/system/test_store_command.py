"""vedette store: info, clean, export, beside a running writer and without one."""
import csv
import os
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("VEDETTE_BUILD", ROOT / "build" / "dev"))
BASE = 1_700_000_000


def push(directory, start, count, pause_us=0):
    return subprocess.Popen(
        [BUILD / "store_driver", "push", directory, str(start), str(count), str(pause_us)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def filled(tmp_path):
    """Ten minutes of ticks in November 2023."""
    writer = push(tmp_path / "data", 0, 600, 300)
    out, err = writer.communicate(timeout=60)
    assert writer.returncode == 0 and "done 600 0 0" in out, out + err
    return tmp_path / "data"


def store(vedette, *words):
    done = vedette("store", *words, env={"TZ": "UTC"})
    return done.returncode, done.stdout, done.stderr


def test_info_tells_sizes_counts_and_spans(vedette, filled):
    code, out, err = store(vedette, "info", "-d", filled)
    assert code == 0, err
    assert re.search(r"samples +600 rows +2023-11-14T22:13:20.000\+00:00 \.\. 2023-11-14T22:23:19.000\+00:00", out)
    assert re.search(r"minutes +10 rows", out)
    assert re.search(r"events +86 of which 86 alerted", out)
    assert re.search(r"performance_log\.csv +\d+", out)
    assert "In use by" not in out


def test_info_and_export_beside_a_writer_and_clean_says_why_not(vedette, filled):
    writer = push(filled, 600, 100_000, 1000)
    try:
        for _ in range(20):
            assert writer.stdout.readline().startswith("acked ")
        code, out, err = store(vedette, "info", "-d", filled)
        assert code == 0 and f"pid {writer.pid}" in out, err
        code, out, err = store(vedette, "export", "-d", filled, "--from", BASE,
                               "--to", BASE + 600, "-m", "cpu_percent")
        assert code == 0 and len(out.splitlines()) == 601, err
        code, out, err = store(vedette, "clean", "-d", filled)
        assert code == 1
        assert f"pid {writer.pid}" in err and "cleans up by itself" in err
        code, out, err = store(vedette, "clean", "-d", filled, "--dry-run")
        would = re.match(r"Would delete (\d+) samples", out)
        assert code == 0 and int(would[1]) >= 600, out + err
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
    code, out, _ = store(vedette, "clean", "-d", filled, "--dry-run")
    assert code == 0


def test_clean_deletes_what_is_old(vedette, filled):
    code, out, err = store(vedette, "clean", "-d", filled, "--keep-raw", "1h",
                           "--keep-minutes", "3650d", "--keep-hours", "3650d")
    assert code == 0, err
    assert out == "Deleted 600 samples, 0 minutes, 0 hours, 0 events\n"
    with closing(sqlite3.connect(filled / "vedette.db")) as db:
        assert db.execute("SELECT count(*) FROM sample").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM minute").fetchone() == (10,)
        assert db.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    code, out, _ = store(vedette, "clean", "-d", filled)
    assert out == "Deleted 0 samples, 10 minutes, 0 hours, 86 events\n"
    with closing(sqlite3.connect(filled / "vedette.db")) as db:
        for table in ("event", "deviation", "suspect"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


DAY = 86400


@pytest.mark.parametrize("ahead, kept, said", [
    (10 * DAY, 600, True),  # the clock of this test shows what the leap shows, and more
    (time.time() - BASE + 30 * DAY, 0, False),  # ... is right again
], ids=["and a clock that shows it", "and a clock that is right"])
def test_clean_does_not_believe_a_leap_and_does_what_it_is_told(vedette, filled, ahead, kept,
                                                                said):
    """A minute of rows after a leap that is longer."""
    writer = push(filled, int(ahead), 60)
    writer.communicate(timeout=60)
    code, out, err = store(vedette, "clean", "-d", filled, "--keep-raw", "1h", "--dry-run")
    assert code == 0 and out.startswith(f"Would delete {600 - kept} samples"), out + err
    assert ("ages count from 2023-11-14T22:2" in err) == said, err
    assert store(vedette, "clean", "-d", filled, "--keep-raw", "1h")[0] == 0
    with closing(sqlite3.connect(filled / "vedette.db")) as db:
        assert db.execute("SELECT count(*) FROM sample").fetchone() == (kept + 60,)
    code, out, err = store(vedette, "clean", "-d", filled, "--keep-raw", "1h",
                           "--now", BASE + int(ahead) + 30)
    assert code == 0 and err == "" and f"Deleted {kept} samples" in out, out + err


# What a newer format has brought, taken away.
WITHOUT = {3: "".join(f"ALTER TABLE event DROP COLUMN {name};" for name in (
                  "limit_since", "limit_for", "limit_value", "limit_above", "rule", "note")) +
              "ALTER TABLE suspect DROP COLUMN of_use;",
           2: "ALTER TABLE suspect DROP COLUMN major_faults_s;"
              "ALTER TABLE suspect DROP COLUMN swap_bytes;",
           1: "DROP TABLE outbox;"}


@pytest.fixture(params=[1, 2, 3])
def older(filled, request):
    """As an older vedette left it."""
    with closing(sqlite3.connect(filled / "vedette.db")) as db:
        db.executescript("".join(WITHOUT[k] for k in range(3, request.param - 1, -1)) +
                         f"PRAGMA user_version={request.param}")
    return filled


def version(directory):
    with closing(sqlite3.connect(directory / "vedette.db")) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def test_what_an_older_vedette_wrote_is_read_as_it_is(vedette, older, tmp_path):
    code, out, err = store(vedette, "info", "-d", older)
    assert code == 0 and re.search(r"samples +600 rows", out), err
    code, out, err = store(vedette, "export", "-d", older, "--from", BASE, "--to", BASE + 600)
    assert code == 0 and len(out.splitlines()) == 601, err
    code, out, err = store(vedette, "clean", "-d", older, "--dry-run")
    assert code == 0 and out.startswith("Would delete 600 samples"), err
    done = vedette("train", "--config", "none", "--data-dir", older, "--detector", "pca",
                   "-o", tmp_path / "m.vedette")
    # Read whole: all of these rows are of events.
    assert "0 quiet samples: at least 20" in done.stderr, done
    assert version(older) in WITHOUT
    # What writes brings it up to date.
    done = vedette("feedback", "--config", "none", "--data-dir", older, 1, "real")
    assert done.returncode == 0, done
    assert version(older) == 4


def test_what_an_older_vedette_never_wrote_is_told(vedette, older):
    with closing(sqlite3.connect(older / "vedette.db")) as db:
        db.execute("CREATE TABLE zzz(x)")
    code, _, err = store(vedette, "export", "-d", older, "--from", BASE, "--to", BASE + 600)
    assert code == 1 and 'the table "zzz"' in err


def test_export_gives_the_values(vedette, filled, tmp_path):
    path = tmp_path / "out.csv"
    code, _, err = store(vedette, "export", "-d", filled, "--from", "2023-11-14 22:14:00",
                         "--to", "2023-11-14 22:15", "-o", path, "-m", "cpu_percent",
                         "-m", "disk_busy_percent{sd3}")
    assert code == 0, err
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    assert list(rows[0]) == ["timestamp", "cpu_percent", "disk_busy_percent{sd3}"]
    assert rows[0] == {"timestamp": "2023-11-14T22:14:00.000+00:00", "cpu_percent": "40",
                       "disk_busy_percent{sd3}": "43"}
    # A family is all of its members; the minute tier has means.
    code, out, err = store(vedette, "export", "-d", filled, "--from", BASE, "--to",
                           BASE + 600, "--tier", "minute", "-m", "disk_busy_percent")
    rows = list(csv.DictReader(out.splitlines()))
    assert len(rows) == 9 and len(rows[0]) == 50, err
    assert float(rows[0]["disk_busy_percent{sd1}"]) == pytest.approx(1 + (40 + 99) / 2)


@pytest.mark.parametrize("words, code, text", [
    ((), 2, "info, clean or export"),
    (("nonsense",), 2, "info, clean or export"),
    (("info", "more"), 2, "one word"),
    (("export", "--from", "yesterday-ish"), 2, "is no time"),
    (("clean", "--now", "tomorrow"), 2, "--now: \"tomorrow\" is no time"),
    (("export", "--from", "2024-01-01", "--to", "2023-01-01"), 2, "ends before"),
    (("export", "--from", "2020-01-01", "--to", "2020-01-02"), 0, "no rows"),
])
def test_wrong_use(vedette, filled, words, code, text):
    found, _, err = store(vedette, *words, "-d", filled)
    assert found == code and text in err


def test_no_directory_and_no_database(vedette, tmp_path):
    code, _, err = store(vedette, "info", "-d", tmp_path / "none")
    assert code == 1 and "cannot read" in err
    (tmp_path / "empty").mkdir()
    assert store(vedette, "info", "-d", tmp_path / "empty")[0] == 0
    for word in ("clean", "export"):
        code, _, err = store(vedette, word, "-d", tmp_path / "empty")
        assert code == 1 and "there is no" in err


def test_export_to_a_full_disk_says_so(vedette, filled):
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is not there")
    code, _, err = store(vedette, "export", "-d", filled, "--from", BASE, "--to", BASE + 600,
                         "-o", "/dev/full")
    assert code == 1 and "No space left" in err


def test_the_history_file_can_be_played_back(vedette, program, tmp_path):
    """What monitor writes as metrics_history.csv, monitor reads."""
    data = tmp_path / "data"
    watch = subprocess.Popen([program, "monitor", "-d", data, "--no-dashboard",
                              "--no-terminal", "--interval", "100ms"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    history = data / "metrics_history.csv"
    end = time.monotonic() + 30
    while not history.exists() or history.read_text().count("\n") < 30:
        assert time.monotonic() < end
        time.sleep(0.05)
    watch.terminate()
    assert watch.wait(20) == 0, watch.stderr.read()
    rows = history.read_text().count("\n") - 1
    done = vedette("monitor", "--replay", history, "-d", tmp_path / "replay",
                   "--no-dashboard")
    assert done.returncode == 0, done.stderr
    again = (tmp_path / "replay" / "metrics_history.csv").read_text().splitlines()
    assert len(again) - 1 == rows
    before = history.read_text().splitlines()
    # cpu_percent of a row in the middle is the same number.
    assert again[20].split(",")[1] == before[20].split(",")[1]
