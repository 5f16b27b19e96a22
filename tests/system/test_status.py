"""vedette status and vedette events beside a real monitor, and without one."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from monitor import Reader, binary, environment, wait

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"
FAST = ("--interval", "100ms", "--no-desktop")
RULE = ("--rule", "cpu_percent >= 0 for 1s critical")
BUSY = ("--rule", "cpu_percent > 60 for 1s critical")


def run(*words, **env):
    return subprocess.run([binary(), "-c", "none", *map(str, words)], capture_output=True,
                          text=True, timeout=60, env=environment(**env),
                          stdin=subprocess.DEVNULL)


def status(data, *words, **env):
    return run("status", "-d", data, *words, **env)


def events(data, *words, **env):
    return run("events", "-d", data, *words, **env)


def open_event(v):
    return wait(lambda: v.events(open=1), 20, "an event that is open")[0]


def test_all_is_well_is_zero_and_a_limit_is_three(monitor, tmp_path, machine):
    data = tmp_path / "data"
    v = monitor("--root", machine().root, *FAST)
    v.wait_ticks(3, 20)
    done = status(data)
    assert done.returncode == 0 and done.stderr == "", done
    assert "\x1b" not in done.stdout
    for row in ("Open events  none", "Machine      up ", "Monitor      vedette ", "Confidence ",
                "Budget       0 of 1 ", "Detectors ", "Collectors   all well", "Receivers ",
                "Store        sqlite: ", "Dropped      0"):
        assert row in done.stdout, done.stdout
    assert json.loads(status(data, "--json").stdout)["well"] is True
    v.stop()

    v = monitor("--root", tmp_path / "root", *FAST, *RULE)
    event = open_event(v)
    done = status(data)
    assert done.returncode == 3, done
    assert done.stdout.splitlines()[0].endswith(": A limit is exceeded")
    assert event["reason"][:20] in done.stdout
    told = json.loads(status(data, "-j").stdout)
    assert told["well"] is False and told["verdict"] == "A limit is exceeded"
    assert [e["id"] for e in told["open"]] == [event["id"]]
    assert re.fullmatch(TIME, told["started"]) and re.fullmatch(TIME, told["open"][0]["start"])
    v.stop()
    done = status(data)
    assert done.returncode == 1 and done.stdout == "" and "no monitor runs" in done.stderr


def test_a_monitor_without_a_store_is_found_by_its_port(monitor, tmp_path):
    v = monitor("--no-store", *FAST)
    home = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    done = run("status", "--port", v.port, **home)
    assert done.returncode == 0 and "Store        off" in done.stdout, done
    done = status(tmp_path / "data", "--port", v.port)
    assert done.returncode == 1, "another directory's monitor is not shown for it"
    v.stop()
    done = run("status", "--port", v.port, **home)
    assert done.returncode == 1 and f":{v.port}" in done.stderr, done


def test_a_monitor_without_a_dashboard_cannot_be_asked(monitor, tmp_path):
    v = monitor(*FAST, "--no-dashboard", wait=False)
    wait(lambda: "Watching" in v.out.text, 30, "the monitor runs")
    done = status(tmp_path / "data")
    assert done.returncode == 1 and "cannot be asked" in done.stderr, done
    assert events(tmp_path / "data").returncode == 0, "its store can be read"
    v.stop()


@pytest.mark.parametrize("words, message", [
    (("status", "extra"), "takes no argument"),
    (("status", "--port", "70000"), "--port"),
    (("events", "1", "2"), "one number is enough"),
    (("events", "-1"), "unknown option"),
    (("events", "0"), "not the number"),
    (("events", "99999999999999999999"), "not the number"),
    (("events", "1x"), "not the number"),
    (("events", "1", "--follow"), "for the list"),
    (("events", "--since", "soon"), "is no time"),
    (("events", "--since", ""), "is no time"),
    (("events", "--lines", "1001"), "--lines"),
])
def test_wrong_use(tmp_path, words, message):
    done = run(*words, HOME=str(tmp_path))
    assert done.returncode == 2 and message in done.stderr, done
    assert done.stdout == ""


def test_the_list_and_one_event_are_the_same_with_and_without_a_monitor(monitor, machine,
                                                                       tmp_path):
    data = tmp_path / "data"
    m = machine()
    load = m.add(4200, "burn", cpu=3.5)
    v = monitor("--root", m.root, *FAST, *BUSY)
    event = open_event(v)
    wait(lambda: v.json(f"/api/v1/events/{event['id']}")["recorder"], 60, "its recorder")
    load.cpu = 0
    wait(lambda: not v.events(open=1), 30, "the event is closed")
    asked = json.loads(events(data, "--json").stdout)
    assert [e["id"] for e in asked] == [event["id"]] and asked[0]["end"] is not None
    v.stop()
    alone = json.loads(events(data, "--json").stdout)
    for told in (asked, alone):  # a share of the cores, which are other ones in the fixture
        for suspect in told[0]["suspects"]:
            del suspect["process"]["suspicious"]
    assert asked == alone
    v = monitor("--root", m.root, *FAST)
    whole = events(data, event["id"]).stdout
    v.stop()
    assert whole == events(data, event["id"]).stdout
    for row in (f"Event {event['id']}: CRITICAL", "Kind        rule", "Alerted     yes",
                "Deviations", "Flight recorder", " moments, "):
        assert row in whole, whole
    assert re.search(rf"^Began +{TIME}$", whole, re.M), whole
    line = events(data).stdout
    assert re.match(rf"{TIME}  CRITICAL +{event['id']}  alert +\S", line), line
    assert events(data, "--since", "now").stdout == ""
    assert events(data, "--since", "1h").stdout == line
    assert events(data, "--since", asked[0]["start"]).stdout == line
    done = events(data, 99)
    assert done.returncode == 1 and "no event 99" in done.stderr


def test_the_newest_is_last_and_since_takes_what_was_open(monitor, tmp_path, machine):
    data = tmp_path / "data"
    m = machine()
    load = m.add(4200, "burn", cpu=3.5)
    v = monitor("--root", m.root, *FAST, *BUSY)
    first = open_event(v)["id"]
    load.cpu = 0
    wait(lambda: not v.events(open=1), 30, "the end of the first")
    load.cpu = 3.5
    second = open_event(v)["id"]
    ids = [e["id"] for e in json.loads(events(data, "-j").stdout)]
    assert ids == [first, second]
    assert [e["id"] for e in json.loads(events(data, "-j", "-n", 1).stdout)] == [second]
    now = [e["id"] for e in json.loads(events(data, "-j", "--since", "now").stdout)]
    assert now == [second], "one that is open is open now"
    v.stop()


# ---- follow ----

class Follower:
    def __init__(self, data, *words):
        self.process = subprocess.Popen(
            [binary(), "-c", "none", "events", "--follow", "-d", data, *map(str, words)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=environment())
        self.out, self.err = Reader(self.process.stdout), Reader(self.process.stderr)

    def stop(self, by):
        self.process.send_signal(by)
        code = self.process.wait(timeout=10)
        self.out.join(5)
        return code


@pytest.fixture
def follow():
    running = []

    def start(*words):
        running.append(Follower(*words))
        return running[-1]

    yield start
    for f in running:
        if f.process.poll() is None:
            f.process.kill()
            f.process.wait()


def test_follow_outlives_a_restart(monitor, machine, tmp_path, follow):
    data = tmp_path / "data"
    m = machine()
    load = m.add(4200, "burn", cpu=3.5)
    v = monitor("--root", m.root, *FAST, *BUSY)
    lines, objects = follow(data), follow(data, "--json")
    event = open_event(v)["id"]
    wait(lambda: f" {event}  alert" in lines.out.text, 20, "the opening")
    v.stop()
    wait(lambda: "no contact since " in lines.err.text, 20, "that the monitor is gone")
    v = monitor("--root", m.root, *FAST, *BUSY)
    wait(lambda: "in contact again since " in lines.err.text, 20, "that it is back")
    load.cpu = 0
    wait(lambda: "ENDED" in lines.out.text, 60, "the end")
    wait(lambda: '"ended"' in objects.out.text, 10, "the end as JSON")
    assert lines.stop(signal.SIGINT) == 0 and objects.stop(signal.SIGTERM) == 0
    v.stop()
    told = [json.loads(line) for line in objects.out.lines]
    mine = [t["change"] for t in told if t["event"]["id"] == event]
    assert mine[0] in ("opened", "updated", "ended") and mine[-1] == "ended"
    assert re.fullmatch(TIME, told[-1]["event"]["end"])
    assert lines.err.text.count("in contact again") <= 2, lines.err.text
    assert f"{event}" in lines.out.lines[-1] and re.match(TIME, lines.out.lines[-1])


def test_follow_waits_for_a_monitor_and_ends_with_its_reader(monitor, tmp_path, follow):
    f = follow(tmp_path / "data")
    reader = subprocess.Popen(["head", "-1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    ends = subprocess.Popen([binary(), "-c", "none", "events", "-f", "-d", tmp_path / "data"],
                            stdin=subprocess.DEVNULL, stdout=reader.stdin,
                            stderr=subprocess.DEVNULL, env=environment())
    reader.stdin.close()
    try:
        wait(lambda: "no contact" in f.err.text, 20, "that there is none")
        v = monitor(*FAST, *RULE)
        open_event(v)
        wait(lambda: f.out.text != "", 20, "the event")
        wait(lambda: ends.poll() is not None, 20, "the end of the one that nobody reads")
        assert f.process.poll() is None
        v.stop()
    finally:
        for process in (ends, reader):
            process.kill()
            process.wait()


# ---- a terminal ----

def on_terminal(columns, *words, **env):
    """What a terminal of so many columns gets."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {k: v for k, v in environment().items() if k != "COLUMNS"}
    process = subprocess.Popen([binary(), "-c", "none", *map(str, words)], stdin=follower,
                               stdout=follower, stderr=subprocess.DEVNULL,
                               env={**clean, "TERM": "xterm", **env})
    os.close(follower)
    text, deadline = b"", time.monotonic() + 30
    while time.monotonic() < deadline:
        if select.select([leader], [], [], 0.2)[0]:
            try:
                text += os.read(leader, 65536)
            except OSError:
                break
        elif process.poll() is not None:
            break
    os.close(leader)
    process.wait(timeout=10)
    return text.decode()


HOSTILE = b"evil\x1b]0;owned\x07\x1b[2J\xff\xe2\x80\xaeab"


def test_terminals_colours_and_hostile_names(monitor, machine, tmp_path):
    data = tmp_path / "data"
    m = machine()
    m.add(6666, HOSTILE, cpu=3.5)
    v = monitor("--root", m.root, *FAST, *BUSY)
    event = open_event(v)["id"]
    v.stop()
    for columns in (40, 80, 100):
        for words in (("events",), ("events", event)):
            shown = on_terminal(columns, *words, "-d", data)
            assert "\x1b[1;31mCRITICAL\x1b[0m" in shown, shown
            plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
            assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u202e]", plain)
            long = [line for line in plain.splitlines()
                    if len(line) > columns and len(line.split()) > 2
                    and not re.search(r"moments|processes; |PID| \d+\.\d ", line)
                    and not re.match(rf"{TIME} ", line)]
            assert not long, long
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(80, "events", "-d", data, **env)
    assert "\x1b" not in events(data, event).stdout
    assert "\x1b[" in events(data, "--color", "always").stdout


def test_status_names_what_fails(monitor, tmp_path):
    v = monitor(*FAST, *RULE, "--webhook", "http://127.0.0.1:9/hook")
    open_event(v)
    wait(lambda: "webhook: failing" in status(tmp_path / "data").stdout, 30, "the receiver")
    shown = status(tmp_path / "data").stdout
    assert re.search(r"webhook: failing; 0 sent, \d+ retried, [1-9]\d* waiting", shown), shown
    v.stop()
