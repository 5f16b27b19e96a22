"""A logrotate that moves every file of a running monitor away and sends SIGHUP: new ones
begin, and every row is in one of the two places."""
import signal
import sqlite3
from contextlib import closing

from monitor import PATIENCE, wait

TABLES = ("performance_log.csv", "metrics_history.csv")
OPTIONS = ("--interval", "100ms", "--no-desktop", "--rule", "cpu_percent >= 0 for 1s critical")


def count(folder, name):
    """Rows of a file, or of the samples of the database."""
    if name != "vedette.db":
        return len((folder / name).read_text().splitlines()) - 1
    with closing(sqlite3.connect(f"file:{folder / name}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name='sample'").fetchone():
            return 0  # it is being made
        return db.execute("SELECT count(*) FROM sample").fetchone()[0]


def has_rows(folder, name, n):
    return (folder / name).exists() and count(folder, name) >= n


def move_all(v, old):
    old.mkdir(0o700)
    for path in sorted(v.data_dir.iterdir()):
        if path.is_file() and path.name != "vedette.lock":
            path.rename(old / path.name)


def test_sighup_after_every_file_was_moved(monitor, tmp_path):
    v = monitor(*OPTIONS)
    wait(lambda: has_rows(v.data_dir, TABLES[0], 30) and (v.data_dir / "alerts.jsonl").stat()
         .st_size > 0, PATIENCE, "rows and an alert")
    places = []
    for k in range(2):
        places.append(tmp_path / f"old{k}")
        move_all(v, places[-1])
        v.process.send_signal(signal.SIGHUP)
        for name in (*TABLES, "vedette.db"):
            wait(lambda name=name: has_rows(v.data_dir, name, 20), PATIENCE, f"a new {name}")
        wait((v.data_dir / "system_monitor.log").exists, PATIENCE, "a new log")
    points = v.points()
    sinks = {s["name"]: s for s in v.status()["sinks"]}
    v.stop()
    places.append(v.data_dir)
    assert all(s["lost"] == 0 and s["unavailable"] is None for s in sinks.values()), sinks
    total = {name: sum(count(p, name) for p in places) for name in (*TABLES, "vedette.db")}
    assert len(set(total.values())) == 1 and total[TABLES[0]] >= points, (total, points)
    # What was moved is whole, and is not written any more.
    for place in places:
        with closing(sqlite3.connect(place / "vedette.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert "could not be" not in v.err.text and "broken" not in v.err.text, v.said()
