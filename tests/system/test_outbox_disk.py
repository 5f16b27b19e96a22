"""Alerts that wait while the disk is full, or while the database is set aside."""
import os
import sqlite3
import subprocess

import pytest
from monitor import PATIENCE, wait
from receiver import Receiver, free_port
from test_outbox import HIGH, LOW, memory, receiver_of, rows, watch  # noqa: F401

PAGE = 4096


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MB for the data directory."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a file system")
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", place],
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot mount here: {done.stderr}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(place):
    """To the last byte."""
    with open(place / "ballast", "wb", buffering=0) as file:
        for size in (65536, PAGE, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError as full:
                assert full.errno == 28


@pytest.mark.takes(20)
def test_a_full_disk_keeps_no_alert_back(watch, memory, small_disk):  # noqa: F811
    """An alert before, one told while nothing can be written, and all of it kept when
    there is room again."""
    port = free_port()
    v = watch(f"http://127.0.0.1:{port}/", data_dir=small_disk / "d")
    v.wait_ticks(10)
    fill(small_disk)
    memory.set(LOW)
    wait(lambda: "disk is full" in v.err.text, PATIENCE, "a word of the full disk")
    wait(lambda: receiver_of(v)["retried"] > 0, PATIENCE, "a first try")
    with Receiver(port=port) as r:
        wait(lambda: r.log, PATIENCE, "the alert")
        assert r.log == [(1, "opened")]
        memory.set(HIGH)
        wait(lambda: len(r.log) == 2, PATIENCE, "its end")
        assert r.log[1] == (1, "ended")
    assert v.process.poll() is None
    (small_disk / "ballast").unlink()
    wait(lambda: "writes again" in v.err.text, PATIENCE, "a word that it writes again")
    # What waited is written: the event with its end, and nothing is owed any more.
    wait(lambda: rows(v, "SELECT id, end IS NULL FROM event WHERE kind='rule'") == [(1, 0)],
         PATIENCE, "the event")
    wait(lambda: rows(v, "SELECT count(*) FROM outbox") == [(0,)], PATIENCE, "an empty outbox")
    v.stop()


def garble(v):
    """All but the first page, in place, and what is in the log beside it."""
    for name, begin in (("vedette.db", PAGE), ("vedette.db-wal", 32)):
        path = v.data_dir / name
        if path.exists() and path.stat().st_size > begin:
            with open(path, "r+b") as file:
                file.seek(begin)
                file.write(os.urandom(path.stat().st_size - begin))


def owed(v):
    """Receivers and events; None of a database that is being made."""
    try:
        return rows(v, "SELECT receiver, event FROM outbox JOIN event ON id=event")
    except sqlite3.Error:
        return None


def broken(v):
    return sorted(v.data_dir.glob("vedette.db.broken-*"))


@pytest.mark.takes(20)
def test_alerts_that_wait_outlive_the_database(watch, memory):  # noqa: F811
    """It is set aside while the program runs: what waits is told, in order."""
    port = free_port()
    v = watch(f"http://127.0.0.1:{port}/")
    memory.set(LOW)
    wait(lambda: receiver_of(v)["retried"] > 0, PATIENCE, "a first try")
    garble(v)
    wait(lambda: v.get("/api/v1/events?limit=100") and broken(v), PATIENCE,
         "that it is set aside", 0.5)
    memory.set(HIGH)
    with Receiver(port=port) as r:
        wait(lambda: len(r.log) == 2, PATIENCE, "both")
        assert r.log == [(1, "opened"), (1, "ended")]
    v.stop()


@pytest.mark.parametrize("by", [garble, lambda v: [
    os.rename(path, path.with_name("away-" + path.name))
    for path in v.data_dir.glob("vedette.db*")]], ids=["garbled", "moved away"])
def test_what_waits_is_in_the_next_database_too(watch, memory, by):  # noqa: F811
    """Another one is written while the program runs, and a kill follows: the receiver is
    still owed both."""
    port = free_port()
    v = watch(f"http://127.0.0.1:{port}/")
    memory.set(LOW)
    wait(lambda: receiver_of(v)["retried"] > 0, 20, "a first try")
    before = (v.data_dir / "vedette.db").stat().st_ino
    by(v)

    def is_another():
        v.get("/api/v1/events?limit=100")
        path = v.data_dir / "vedette.db"
        return path.exists() and path.stat().st_ino != before

    wait(is_another, 60, "another database", 0.5)
    wait(lambda: owed(v) == [("webhook", 1)], 30, "what the receiver is owed, in it")
    v.kill()
    v = watch(f"http://127.0.0.1:{port}/")
    with Receiver(port=port) as r:
        wait(lambda: r.log == [(1, "opened")], 60, "the alert")
        memory.set(HIGH)
        wait(lambda: r.log == [(1, "opened"), (1, "ended")], 60, "its end")
    wait(lambda: owed(v) == [], 30, "an empty outbox")
    v.stop()


def test_after_a_database_that_was_lost_ids_are_new(watch, memory):  # noqa: F811
    """Set aside at start: the receiver knows event 1, and hears of the one that holds now
    under an id that it does not know."""
    with Receiver() as r:
        v = watch(r.url)
        memory.set(LOW)
        wait(lambda: r.log == [(1, "opened")], PATIENCE, "the alert")
        v.stop()
        garble(v)
        v = watch(r.url)
        assert len(broken(v)) == 1
        wait(lambda: len(r.log) == 2, PATIENCE, "another alert")
        (again, change) = r.log[1]
        assert change == "opened" and again > 1_700_000_000
        memory.set(HIGH)
        wait(lambda: len(r.log) == 3, PATIENCE, "its end")
        assert r.log[2] == (again, "ended")
        v.stop()
