"""Alerts that arrive: the real program and real receivers, over outages, restarts and
kills."""
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from monitor import PATIENCE, ROOT, environment, wait
from receiver import BEHAVIOURS, Receiver, free_port

DRIVER = ROOT / os.environ.get("VEDETTE_BUILD", "build/dev") / "store_driver"
LOW, HIGH = 1500000, 8192000  # kB; the rule is at 2 GB


class Memory:
    """A copy of a machine whose available memory the test sets."""

    def __init__(self, place):
        self.root = place / "root"
        shutil.copytree(ROOT / "tests/roots/laptop", self.root, symlinks=True)
        self.set(HIGH)

    def set(self, kb):
        file = self.root / "proc/meminfo"
        text = re.sub(r"(?m)^MemAvailable:.*$", f"MemAvailable: {kb} kB", file.read_text())
        new = file.with_name("meminfo.new")
        new.write_text(text)
        new.rename(file)


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path)


@pytest.fixture
def watch(monitor, memory):
    def start(url, *options, **how):
        return monitor("--root", memory.root, "--interval", "200ms", "--no-desktop",
                       "--rule", "memory_available_gb < 2 for 1s critical", "--webhook", url,
                       *options, **how)
    return start


def end(v, by):
    if by == signal.SIGKILL:
        v.kill()
    else:
        v.stop(by)


def receiver_of(v, name="webhook"):
    return next(r for r in v.status()["receivers"] if r["name"] == name)


def rows(v, what):
    with closing(sqlite3.connect(f"file:{v.data_dir}/vedette.db?mode=ro", uri=True)) as db:
        return db.execute(what).fetchall()


BY = pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])


# ---- restarts ----

@BY
@pytest.mark.takes(20)
def test_what_ended_while_nobody_watched_is_told(watch, memory, by):
    with Receiver() as r:
        v = watch(r.url)
        memory.set(LOW)
        wait(lambda: r.log, PATIENCE, "the alert")
        # A row after the opening, so that there is a time at which it was seen to hold.
        wait(lambda: rows(v, "SELECT max(time) > (SELECT start FROM event) + 3e9 FROM sample")
             == [(1,)], PATIENCE, "rows")
        end(v, by)
        stopped = time.time()
        memory.set(HIGH)
        v = watch(r.url)
        wait(lambda: len(r.log) == 2, PATIENCE, "the end")
        assert r.log == [(1, "opened"), (1, "ended")]
        # It ended when it was seen last, not when somebody looked again.
        assert r.events[1]["start"] + 2 < r.events[1]["end"] <= stopped
        assert rows(v, "SELECT id, alerted, end IS NULL FROM event WHERE kind='rule'") == [
            (1, 1, 0)]
        wait(lambda: rows(v, "SELECT count(*) FROM outbox") == [(0,)], PATIENCE, "an empty outbox")
        v.stop()


@BY
@pytest.mark.takes(30)
def test_what_still_holds_goes_on_under_its_id(watch, memory, by):
    with Receiver() as r:
        v = watch(r.url)
        memory.set(LOW)
        wait(lambda: r.log, PATIENCE, "the alert")
        begun = v.events(alerted=1)[0]["start"]
        end(v, by)
        v = watch(r.url)
        # Longer than an event waits for its condition.
        v.wait_ticks(70)
        assert r.log == [(1, "opened")]
        event = v.events(alerted=1)
        assert [(e["id"], e["start"], e["end"]) for e in event] == [(1, begun, None)]
        memory.set(HIGH)
        wait(lambda: len(r.log) == 2, PATIENCE, "the end")
        assert r.log == [(1, "opened"), (1, "ended")]
        assert r.events[1]["end"] > begun + 10
        v.stop()


@pytest.mark.parametrize("after", [LOW, HIGH])
@BY
@pytest.mark.takes(20)
def test_a_kill_before_delivery_loses_nothing(watch, memory, by, after):
    port = free_port()
    v = watch(f"http://127.0.0.1:{port}/")
    memory.set(LOW)
    wait(lambda: receiver_of(v)["retried"] > 0, PATIENCE, "a first try")
    end(v, by)
    if by == signal.SIGTERM:
        assert "1 alert waits for the next start" in v.err.text, v.said()
    memory.set(after)
    with Receiver(port=port) as r:
        v = watch(r.url)
        wait(lambda: r.log, PATIENCE, "the alert")
        assert r.log[0] == (1, "opened") and r.events[0]["end"] is None
        if after == HIGH:
            wait(lambda: len(r.log) == 2, PATIENCE, "the end")
        else:
            v.wait_ticks(70)
        assert r.log == [(1, "opened"), (1, "ended")][:1 + (after == HIGH)]
        v.stop()


def test_a_receiver_that_is_wanted_no_more_is_owed_nothing(watch, monitor, memory):
    v = watch(f"http://127.0.0.1:{free_port()}/")
    memory.set(LOW)
    wait(lambda: receiver_of(v)["retried"] > 0, PATIENCE, "a first try")
    v.kill()
    v = monitor("--root", memory.root, "--no-desktop")
    wait(lambda: "event 1 opened was not told, and cannot be now" in v.err.text,
         PATIENCE, "a word")
    wait(lambda: rows(v, "SELECT count(*) FROM outbox") == [(0,)], PATIENCE, "an empty outbox")
    v.stop()


def test_without_a_store_it_says_so(watch, memory):
    port = free_port()
    v = watch(f"http://127.0.0.1:{port}/", "--no-store")
    assert "kept in memory alone" in v.err.text, v.said()
    memory.set(LOW)
    wait(lambda: receiver_of(v)["retried"] > 0, PATIENCE, "a first try")
    assert receiver_of(v)["kept"] is False
    with Receiver(port=port) as r:
        wait(lambda: r.log == [(1, "opened")], PATIENCE, "the alert")
    v.stop()


# ---- outages ----

@pytest.mark.takes(50)
def test_an_outage_is_named_and_over_in_time(watch, memory):
    port = free_port()
    v = watch(f"http://127.0.0.1:{port}/")
    memory.set(LOW)
    down = wait(lambda: (r := receiver_of(v))["state"] == "failing" and r, PATIENCE, "its name")
    begun = time.monotonic()
    assert down["waiting"] == 1 and "onnect" in down["error"] and down["kept"]
    while time.monotonic() - begun < 35:
        time.sleep(1)
        assert v.process.poll() is None
    memory.set(HIGH)
    metrics = v.get("/metrics")[1].decode()
    assert 'vedette_receiver_waiting{receiver="webhook"} 1' in metrics
    assert float(re.search(r'failing_seconds\{receiver="webhook"\} (\S+)', metrics)[1]) > 30
    with Receiver(port=port) as r:
        wait(lambda: len(r.log) == 2, 35 / 4 + 15, "both, a quarter of the outage later")
        assert r.log == [(1, "opened"), (1, "ended")]
        assert wait(lambda: receiver_of(v)["state"] == "well", PATIENCE, "well")
        v.stop()
    assert v.err.text.count("webhook: failing") == 1, v.said()
    assert v.err.text.count("webhook: works again") == 1, v.said()


def test_a_dead_receiver_delays_no_other(watch, memory):
    with Receiver("hang") as r:
        v = watch(r.url)
        memory.set(LOW)
        begun = time.monotonic()
        wait(lambda: "CRITICAL" in v.err.text, PATIENCE, "the terminal")
        assert receiver_of(v)["retried"] == 0, "the first try has not even ended"
        # While the first try hangs it is slow, and said to be.
        wait(lambda: receiver_of(v)["state"] == "slow", PATIENCE, "its state")
        assert time.monotonic() - begun < 30
        assert receiver_of(v, "terminal")["sent"] == 1
        v.kill()


@pytest.mark.parametrize("behave", sorted(BEHAVIOURS))
def test_whatever_a_receiver_does_is_bounded(behave):
    """An answer whose head says 200 is an answer; all else is tried again."""
    taken = behave in ("ok", "endless body", "drip body", "cut body", "gzip bomb",
                       "length without a body")
    with Receiver(behave) as r:
        out = subprocess.run([DRIVER, "alert", "1", "3500", "webhook=" + r.url, "timeout=1",
                              "close=0.5"], capture_output=True, text=True, timeout=30)
        assert out.returncode == 0, out.stderr
        sent, retried, lost, waiting = map(int, out.stdout.split()[1:])
        assert (sent, waiting, lost) == ((1, 0, 0) if taken else (0, 1, 0)), out.stderr
        assert (retried > 0) == (not taken)
        assert set(r.log) == {(1, "opened")}
        assert all("/hook" in request for request in r.requests)
        assert "s3cret" not in out.stderr


def test_one_that_flaps_hears_all_in_order():
    behave = ["500", "ok", "reset", "ok", "garbage", "500", "ok"]
    with Receiver(behave) as r:
        out = subprocess.run([DRIVER, "alert", "6", "1500", "webhook=" + r.url, "timeout=1"],
                             capture_output=True, text=True, timeout=60)
        assert [int(n) for n in out.stdout.split()[1:]][::2] == [6, 0], out.stderr
        told = [i for (i, _) in r.log]
        assert told == sorted(told) and set(told) == set(range(1, 7))


# ---- proxies ----

@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.8.7", "localhost", "LOCALHOST", "[::1]",
                                  "127.1", "user:secret@127.0.0.1"])
def test_loopback_goes_through_no_proxy(host):
    address = "::1" if host == "[::1]" else "0.0.0.0"
    try:
        r = Receiver(address=address)
    except OSError:
        pytest.skip("no IPv6 here")
    dead = f"http://127.0.0.1:{free_port()}"
    with r:
        out = subprocess.run(
            [DRIVER, "alert", "1", "1500", f"webhook=http://{host}:{r.port}/"],
            env=environment(http_proxy=dead, https_proxy=dead, ALL_PROXY=dead),
            capture_output=True, text=True, timeout=30)
        assert r.log == [(1, "opened")], out.stderr


def test_others_go_through_the_proxy():
    with Receiver() as proxy:
        out = subprocess.run(
            [DRIVER, "alert", "1", "1500", "webhook=http://receiver.invalid/x"],
            env=environment(http_proxy=f"http://127.0.0.1:{proxy.port}", no_proxy=""),
            capture_output=True, text=True, timeout=30)
        assert proxy.requests == ["POST http://receiver.invalid/x HTTP/1.1"], out.stderr
