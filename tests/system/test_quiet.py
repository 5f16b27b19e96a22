"""On a quiet machine nobody is woken."""
import csv
import datetime
import math
import random
import time

import pytest
from monitor import replay

HOURS = 2


def quiet_rows(seed):
    """Two hours at 1 Hz of a machine that works a little: correlated noise, a job every
    ten minutes from the start on, long tails. No two hours of it are alike."""
    chance = random.Random(seed)
    cpu = 0.0
    for t in range(HOURS * 3600):
        cpu = 0.9 * cpu + chance.gauss(0, 1.0)
        job = 12 if t % 600 < 4 else 0
        use = max(0.3, 9 + cpu + job)
        yield {
            "timestamp": 1_700_000_000 + t,
            "cpu_percent": round(min(100, use), 2),
            "cpu_freq": round(2400 + 8 * use + chance.gauss(0, 25), 1),
            "cpu_memory": round(41 + 0.5 * math.sin(t / 900) + chance.gauss(0, 0.08), 3),
            "cpu_temp": round(44 + 0.2 * use + chance.gauss(0, 0.4), 1),
            "disk_read_mb": round(abs(chance.gauss(0, 0.02)) + (2 if job else 0), 4),
            "disk_write_mb": round(chance.expovariate(4) + (1 if job else 0), 4),
            "network_sent_mb": round(chance.expovariate(50), 4),
            "network_recv_mb": round(chance.expovariate(30), 4),
        }


def write_rows(file, rows):
    with open(file, "w", newline="") as f:
        rows = list(rows)
        writer = csv.DictWriter(f, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


@pytest.mark.takes(45)
@pytest.mark.parametrize("seed", [1])
def test_two_quiet_hours_raise_no_alert(tmp_path, seed):
    file = write_rows(tmp_path / "quiet.csv", quiet_rows(seed))
    v, samples, _, alerts = replay(tmp_path / "data", file, "--no-store")
    assert (samples, alerts) == (HOURS * 3600, 0), v.said()


@pytest.mark.takes(15)
def test_recorded_normal_rows_raise_no_alert(tmp_path, data):
    """Twenty minutes of a real laptop that its owner called normal."""
    file = data / "labeled" / "normal_training.csv"
    v, samples, _, alerts = replay(tmp_path / "data", file, "--no-store")
    assert (samples, alerts) == (1200, 0), v.said()


@pytest.mark.takes(60)
def test_quiet_minute_of_a_made_up_machine(monitor, machine):
    """The live path, with /proc, rates and processes: 300 samples, none alerted."""
    m = machine(step=0.1)
    v = monitor("--interval", "200ms", "--warm-up", "10s", "--no-desktop", "--root", m.root)
    v.wait_ticks(300)
    assert not v.events(alerted=1), v.events()
    v.stop()


def job_rows(hangs_at):
    """A machine on which a job takes a third of the processor for ten seconds, every five
    minutes, until it hangs."""
    chance = random.Random(5)
    for t in range(hangs_at + 300):
        works = t % 300 < 10 or t >= hangs_at
        yield {"timestamp": 1_700_000_000 + t,
               "cpu_percent": round(3 + abs(chance.gauss(0, 0.5)) + (35 if works else 0), 2),
               "cpu_memory": round(41 + chance.gauss(0, 0.08), 3),
               "disk_read_mb": round(abs(chance.gauss(0, 0.02)), 4)}


def at(line):
    """Seconds since the recording began."""
    return datetime.datetime.fromisoformat(line["time"]).timestamp() - 1_700_000_000


@pytest.mark.takes(45)
def test_a_job_that_comes_back_is_a_habit_until_it_hangs(tmp_path):
    hangs_at = 7200
    file = write_rows(tmp_path / "jobs.csv", job_rows(hangs_at))
    v, *_ = replay(tmp_path / "data", file)
    lines = v.event_lines()
    alerts = [at(line) for line in v.alert_lines()]
    assert alerts[0] < 600, alerts
    assert not [line for line in lines if 4300 < at(line) < hangs_at], lines
    assert [t for t in alerts if hangs_at <= t < hangs_at + 60], alerts
    during = [line["kind"] for line in lines if at(line) >= hangs_at]
    assert during == ["anomaly"], "nor has what is normal changed"


KNOWN = 120    # seconds that a young monitor has seen


def young_rows(seed, then):
    """Two minutes of a machine at rest, then what `then` adds to it, second by second."""
    chance = random.Random(seed)
    for t, (cpu, memory) in enumerate([(0, 0)] * KNOWN + then):
        yield {"timestamp": 1_700_000_000 + t,
               "cpu_percent": round(4 + abs(chance.gauss(0, 1)) + cpu, 2),
               "cpu_memory": round(41 + chance.gauss(0, 0.08) + memory, 3),
               "disk_read_mb": round(abs(chance.gauss(0, 0.02)), 4)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("then, alerted", [
    pytest.param([(90, 1 + t) for t in range(7)] + [(0, 7)] * 20, False, id="program-start"),
    pytest.param([(90, 7)] * 9, True, id="runaway"),
    pytest.param([(0, 1.2 * t) for t in range(13)], True, id="leak"),
])
def test_a_young_monitor_waits_for_what_stays(tmp_path, seed, then, alerted):
    file = write_rows(tmp_path / "young.csv", young_rows(seed, then))
    v, *_ = replay(tmp_path / "data", file)
    lines = v.event_lines()
    assert [at(line) for line in lines if at(line) >= KNOWN], "nor is it overlooked"
    assert not [line for line in lines if at(line) < KNOWN], lines
    assert bool(v.alert_lines()) == alerted, lines
