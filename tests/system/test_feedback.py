"""What a person says of an event acts on the next one like it: by the command and by the
API, beside a running monitor and between two of them."""
import http.client
import sqlite3
import subprocess
from contextlib import closing

import pytest
from monitor import PATIENCE, binary, environment, wait

# Two detectors train in a moment; what is said acts on what they say as on what all say.
FAST = ("--interval", "200ms", "--warm-up", "8s", "--no-desktop", "--detector",
        "isolation_forest", "--detector", "pca")
IN_TIME = 20


def is_anomaly(event):
    return event["kind"] == "anomaly" and any(
        top["metric"].startswith("cpu") for top in event["top"])


def say(data_dir, *words, env=None):
    return subprocess.run([binary(), "feedback", "--data-dir", data_dir, *map(str, words)],
                          capture_output=True, text=True, timeout=PATIENCE,
                          env=env or environment())


def said(data_dir, *words):
    done = say(data_dir, *words)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout


def post(v, path, body, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", v.port, timeout=15)
    try:
        connection.request("POST", path, body,
                           {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class World:
    """A quiet machine whose one process runs away when it is told to."""

    def __init__(self, start_monitor, machine):
        self.start_monitor = start_monitor
        self.machine = machine
        self.burner = machine.add(4242, "burner")
        self.start()

    def start(self, *words):
        self.v = self.start_monitor("--root", self.machine.root, *FAST, *words)
        self.v.wait_ready()

    def restart(self):
        self.v.stop()
        self.start()

    def events(self):
        return [e for e in self.v.events() if is_anomaly(e)]

    def burn(self, samples):
        """Once more the same, from quiet to quiet: the events of it. Ends with its alert, or
        after so many samples."""
        before = {e["id"] for e in self.events()}

        def new():
            return [e for e in self.events() if e["id"] not in before]
        ticks = self.v.points()
        self.burner.cpu = 3.0
        wait(lambda: self.v.points() >= ticks + samples or any(e["alerted"] for e in new()),
             PATIENCE, f"an alert, or {samples} samples")
        # What is said of it later is said of these, too.
        self.v.wait_ticks(self.v.points() + 10)
        self.burner.cpu = 0.0
        wait(lambda: all(e["end"] for e in self.v.events()), PATIENCE, "the end of all events")
        return new()

    def alert(self):
        """A burst that alerts, as soon as it has stayed for a while: its event."""
        events = self.burn(150)
        alerted = [e for e in events if e["alerted"]]
        assert alerted, (events, self.v.status())
        return alerted[0]

    def is_silent(self):
        """A burst that alerts nobody, for longer than an alert takes."""
        return not any(e["alerted"] for e in self.burn(50))

    def threshold(self):
        """Once there is one."""
        return wait(lambda: self.v.status()["budget"]["threshold"], PATIENCE, "a threshold")

    def trained_again(self, act):
        """After `act` the models are made anew."""
        before = self.v.status()["training"]["last"]
        act()
        wait(lambda: self.v.status()["training"]["last"] > before, PATIENCE,
             "a training")


@pytest.fixture
def world(monitor, machine):
    return World(monitor, machine())


@pytest.mark.takes(70)
def test_normal_silences_the_same_until_it_is_undone(world, tmp_path):
    data = tmp_path / "data"
    first = world.alert()
    assert "Nothing was said" in said(data, "list")

    preview = said(data, first["id"], "normal", "--preview")
    assert "1 of these would not have." in preview
    assert "Nothing was said" in said(data, "list")
    world.trained_again(lambda: said(data, first["id"], "normal"))
    assert [e["id"] for e in world.v.events(judged=1)] == [first["id"]]
    assert world.is_silent()

    # What was learned of it is unlearned.
    world.trained_again(lambda: said(data, "undo", first["id"]))
    assert "Nothing was said" in said(data, "list")
    assert world.alert()["id"] != first["id"]
    world.v.stop()


@pytest.mark.takes(45)
def test_a_restart_keeps_what_was_said(world, tmp_path):
    first = world.alert()
    said(tmp_path / "data", first["id"], "normal")
    world.restart()
    assert f"{first['id']}  normal" in said(tmp_path / "data", "list")
    assert world.is_silent()
    world.v.stop()


@pytest.mark.takes(40)
def test_normal_silences_nothing_else(world):
    first = world.alert()
    status, _ = post(world.v, f"/api/v1/events/{first['id']}/feedback",
                     '{"feedback": "normal"}')
    assert status == 200
    written = world.machine.add(4300, "writer", cpu=0.05)
    written.write = 150e6
    event = world.v.wait_alert(IN_TIME, lambda e: e["id"] != first["id"])
    assert any(top["metric"].startswith("disk") for top in event["top"]), event
    world.v.stop()


@pytest.mark.takes(60)
def test_expected_at_this_hour(world, tmp_path):
    data = tmp_path / "data"
    first = world.alert()
    assert f"Event {first['id']} is marked as expected." in said(data, first["id"],
                                                                 "expected")
    assert world.is_silent()
    # Said of an event six hours ago it does not speak of now: the store is moved back
    # while nobody uses it.
    world.v.stop()
    move_back(data, 6 * 3600)
    world.start()
    assert world.alert()
    world.v.stop()


def move_back(data, seconds):
    with closing(sqlite3.connect(data / "vedette.db")) as db, db:
        for column in ("start", "peak", "end"):
            db.execute(f"UPDATE event SET {column} = {column} - ?", (seconds * 10**9,))


@pytest.mark.takes(45)
def test_said_without_a_monitor(world, tmp_path):
    data = tmp_path / "data"
    first = world.alert()
    world.v.stop()
    said(data, first["id"], "normal")
    assert f"{first['id']}  normal" in said(data, "list")
    world.start()
    assert world.is_silent()
    world.v.stop()


@pytest.mark.tsan
def test_real_gives_its_share_of_the_budget_back_once(world, tmp_path):
    data = tmp_path / "data"
    first = world.alert()

    path = f"/api/v1/events/{first['id']}/feedback"
    high = world.threshold()
    for _ in range(2):
        assert post(world.v, path, '{"feedback": "real"}')[0] == 200
        low = wait(lambda: (t := world.threshold()) < high - 0.15 and t, PATIENCE,
                   "a lower threshold")
    assert high - low < 0.35
    said(data, "undo", first["id"])
    wait(lambda: abs(world.threshold() - high) < 0.1, PATIENCE, "the threshold as before")
    world.v.stop()


@pytest.mark.takes(60)
def test_real_counts_once_also_where_the_models_are_learnt_anew(world, tmp_path):
    first = world.alert()
    world.alert()
    high = world.threshold()
    said(tmp_path / "data", first["id"], "real")
    low = wait(lambda: (t := world.threshold()) < high - 0.15 and t, PATIENCE,
               "a lower threshold")
    world.v.stop()
    world.start("--feature", "cpu_percent", "--feature", "cpu_memory")
    assert "has other columns" in world.v.err.text
    assert abs(world.threshold() - low) < 0.1
    world.v.stop()


def test_what_cannot_be_said(world, tmp_path):
    data = tmp_path / "data"
    event = world.alert()["id"]
    for words, message, code in (
            ((99999, "normal"), "there is no event 99999", 1),
            (("undo", event), f"nothing was said of event {event}", 1),
            ((event, "nice"), "normal, real or expected", 2),
            (("x", "normal"), "called by its number", 2),
            ((event,), "two words", 2),
            ((), "nothing to do", 2)):
        done = say(data, *words)
        assert done.returncode == code and message in done.stderr, done
        assert done.stdout == ""
    done = say(tmp_path / "nothing", event, "normal")
    assert done.returncode == 1 and done.stderr != ""
    # By the API.
    v = world.v
    assert v.get(f"/api/v1/events/{event}/preview")[0] == 400
    assert v.get(f"/api/v1/events/{event}/preview?feedback=nice")[0] == 400
    assert v.get("/api/v1/events/99999/preview?feedback=normal")[0] == 404
    answer = v.json(f"/api/v1/events/{event}/preview?feedback=normal")
    assert answer["event"] == event and "would not have" in answer["preview"]
    status, _ = post(v, f"/api/v1/events/{event}/feedback", '{"feedback": "normal"}',
                     Origin="http://example.org")
    assert status == 403
    v.stop()


def test_beside_a_monitor_without_a_dashboard(world, tmp_path):
    data = tmp_path / "data"
    event = world.alert()["id"]
    world.v.stop()
    hidden = world.start_monitor("--root", world.machine.root, *FAST, "--no-dashboard",
                                 wait=False)
    wait(lambda: "Watching" in hidden.out.text, PATIENCE, "the monitor runs")
    done = say(data, event, "normal")
    assert done.returncode == 1 and "cannot be asked" in done.stderr, done
    hidden.stop()
