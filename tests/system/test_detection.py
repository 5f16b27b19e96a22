"""Something happens on a machine: the right alert, with the right process, in time."""
import pytest
from monitor import PATIENCE, wait

FAST = ("--interval", "200ms", "--warm-up", "8s", "--no-desktop")
IN_TIME = 15    # seconds of samples from the cause to the alert


def metrics_of(event):
    return [top["metric"] for top in event["top"]]


def first_suspect(event):
    assert event["suspects"], event
    return event["suspects"][0]


def is_anomaly(event):
    return event["kind"] == "anomaly"


def watch(monitor, machine, *options):
    """A quiet machine and a monitor that has learned it."""
    m = machine()
    v = monitor("--root", m.root, *FAST, *options)
    v.wait_ready()
    return m, v


@pytest.fixture
def watched(monitor, machine):
    return watch(monitor, machine)


def check(event, metric, expected, pid, resource):
    """The event names the metric (by a prefix), what was expected, and the process."""
    tops = [t for t in event["top"] if t["metric"].startswith(metric)]
    assert tops, event
    assert tops[0]["expected"] == pytest.approx(expected, abs=max(1.0, expected)), event
    assert abs(tops[0]["z"]) > 3, event
    assert any(text.startswith(tops[0]["metric"] + ": ") and "expected ≈" in text
               for text in event["explanation"]), event
    suspect = first_suspect(event)
    assert suspect["process"]["pid"] == pid, event
    assert suspect["resource"] == resource, event
    assert suspect["share"] > 0.5, event


@pytest.mark.tsan
def test_runaway_cpu(watched):
    m, v = watched
    m.add(4242, "runaway", cpu=3.0)
    event = v.wait_alert(IN_TIME, is_anomaly)
    check(event, "cpu_percent", 9, 4242, "cpu")
    assert "CPU" in event["reason"]
    v.stop()


@pytest.mark.takes(35)
def test_memory_leak(monitor, machine):
    # It takes seconds until a leak shows: more than those have to be known.
    m, v = watch(monitor, machine, "--warm-up", "20s")
    leak = m.add(4243, "leaky", cpu=0.02, rss=10 * 2**20)
    leak.grow = 200 * 2**20
    # At its first moment a leak may be smaller than the noise of something else.
    event = v.wait_alert(IN_TIME, lambda e: is_anomaly(e) and any(
        t.startswith(("cpu_memory", "memory_")) for t in metrics_of(e)))
    assert first_suspect(event)["process"]["pid"] == 4243, event
    assert first_suspect(event)["resource"] == "memory", event
    assert "emory" in event["reason"]
    v.stop()


def test_disk_writer(watched):
    m, v = watched
    m.add(4244, "writer", cpu=0.05).write = 150e6
    event = v.wait_alert(IN_TIME, is_anomaly)
    assert any(t.startswith("disk_") and "write" in t for t in metrics_of(event)), event
    assert first_suspect(event)["process"]["pid"] == 4244, event
    assert first_suspect(event)["resource"] == "disk_write", event
    v.stop()


def test_network_flood(watched):
    m, v = watched
    m.add(4245, "flooder", cpu=0.3)
    m.sent = 60e6
    event = v.wait_alert(IN_TIME, is_anomaly)
    assert any(t.startswith("network_sent") for t in metrics_of(event)), event
    assert first_suspect(event)["process"]["pid"] == 4245, event
    v.stop()


@pytest.mark.takes(30)
def test_event_ends_with_its_cause(watched):
    m, v = watched
    m.add(4246, "burst", cpu=3.0)
    event = v.wait_alert(IN_TIME, is_anomaly)
    m.processes[4246].cpu = 0.0
    ended = wait(lambda: next((e for e in v.events() if e["id"] == event["id"] and e["end"]),
                              None), PATIENCE, "the end of the event")
    assert ended["start"] <= ended["peak"] <= ended["end"]
    v.stop()


def test_end_of_a_load_wakes_nobody(machine, monitor):
    """What was busy from the beginning and stops: noted as low, in the first minutes."""
    m = machine()
    m.add(4247, "batch", cpu=3.0)
    v = monitor("--root", m.root, *FAST)
    v.wait_ready()
    m.processes[4247].cpu = 0.0
    event = v.wait_event(IN_TIME, is_anomaly)
    assert event["top"][0]["z"] < 0 and event["severity"] == "low", event
    assert not event["alerted"] and not event["suspects"], event
    v.stop()
