"""A machine that is busy already: what comes on top of that is told in time, with its
resource; the ordinary unrest of such a machine is not. Recordings, so time is exact."""
import math
import random

import pytest
from monitor import replay
from test_quiet import at, write_rows

IN_TIME = 15     # seconds from the cause to the alert
SEEDS = range(2)


def steady(chance, t):
    """Every core at 100 % from the start on."""
    return {"cpu": 100 - abs(chance.gauss(0, 0.2)), "memory": 0, "disk": abs(chance.gauss(0, 0.05))}


def saw(chance, t):
    """The same, and a heap that grows and is collected."""
    return {"cpu": 100 - abs(chance.gauss(0, 0.2)), "memory": 3 * (t % 20) / 20,
            "disk": abs(chance.gauss(0, 0.05))}


def jobs(chance, t):
    """A build: compilers come and go, each with its memory and its file."""
    job = random.Random(t // 7 * 1000 + 17)
    idle = t % 7 >= job.randint(5, 7)
    return {"cpu": 25 + abs(chance.gauss(0, 15)) if idle else min(100, 99 + chance.gauss(0, 1)),
            "memory": 0 if idle else job.uniform(0.3, 2.5) * chance.uniform(0.5, 1),
            "disk": abs(chance.gauss(8 if idle else 3, 5))}


NOISE = {"steady": steady, "saw-tooth": saw, "jobs": jobs}


def rows(noise, seed, n, idle=0, cause=lambda t: {}):
    """n seconds of it, after `idle` seconds of rest. `cause` adds to the second t."""
    chance = random.Random(seed)
    for t in range(n):
        now = noise(chance, t) if t >= idle else {"cpu": 4 + abs(chance.gauss(0, 1)), "memory": 0,
                                                  "disk": abs(chance.gauss(0, 0.05))}
        more = cause(t)
        yield {"timestamp": 1_700_000_000 + t,
               "cpu_percent": round(min(now["cpu"], 100), 2),
               "cpu_memory": round(35 + now["memory"] + chance.gauss(0, 0.08) + more.get("memory", 0), 3),
               "disk_read_mb": round(abs(chance.gauss(0, 0.02)), 4),
               "disk_write_mb": round(now["disk"] + more.get("disk", 0), 4),
               "network_sent_mb": round(chance.expovariate(50), 4),
               "network_recv_mb": round(chance.expovariate(30) + more.get("network", 0), 4),
               "filesystem_percent": round(60 + more.get("full", 0), 3)}


def since(start, what):
    """what(seconds since the start), from then on."""
    return lambda t: what(t - start + 1) if t >= start else {}


# 150 MB a second of 24 GiB; a disk of 10 GB that fills; 100 MB a second from the network.
CAUSES = {
    "leak": (lambda s: {"memory": 150e6 / (24 * 2**30) * 100 * s}, "cpu_memory"),
    "full disk": (lambda s: {"full": min(40, 8 * s), "disk": 800}, ("filesystem_percent", "disk_write_mb")),
    "flood": (lambda s: {"network": 100 + 3 * math.sin(s)}, "network_recv_mb"),
}


def play(tmp_path, *of, options=()):
    v, *_ = replay(tmp_path / "data", write_rows(tmp_path / "busy.csv", rows(*of)), *options)
    return v.alert_lines()


def names(alerts, metric):
    return any(text.startswith(metric) for a in alerts for text in a["explanation"])


@pytest.mark.takes(10)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("known", [60, 240])
@pytest.mark.parametrize("cause", CAUSES)
def test_trouble_on_a_busy_machine_is_told_in_time(tmp_path, cause, known, seed):
    what, metric = CAUSES[cause]
    alerts = play(tmp_path, steady, seed, known + IN_TIME, 0, since(known, what))
    assert names(alerts, metric), alerts


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rate", [0.55, 0.9])
@pytest.mark.parametrize("known", [40, 50])
def test_a_young_model_does_not_hide_a_leak(tmp_path, known, rate, seed):
    """Half a minute on which memory went up twice, by a little: to the detectors the leak
    is rare, but no rarer than that. Its course says what it is."""
    def two_steps(t):
        return 0.2 * (t > known * 0.55) + 0.2 * (t > known * 0.6)

    def leak(t):
        return {"memory": two_steps(t) + rate * max(0, t - known)}

    alerts = play(tmp_path, steady, seed, known + IN_TIME, 0, leak,
                  options=("--warm-up", "30s"))
    assert names(alerts, "cpu_memory"), alerts


@pytest.mark.takes(10)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("noise", ["saw-tooth", "jobs"])
def test_trouble_is_not_lost_in_noise(tmp_path, noise, cause, seed):
    """A leak as slow as the heap's own course takes longer, but is told."""
    what, metric = CAUSES[cause]
    alerts = play(tmp_path, NOISE[noise], seed, 300 + 3 * IN_TIME, 0, since(300, what))
    assert names(alerts, metric), alerts


@pytest.mark.takes(10)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("busy_for", [15, 50, 120])
def test_a_second_trouble_is_told_while_the_first_goes_on(tmp_path, busy_for, cause, seed):
    """The load has its own alert. What comes while that is open, or while the load is being
    adopted as the new normal, is another one."""
    what, metric = CAUSES[cause]
    start = 120 + busy_for
    alerts = play(tmp_path, steady, seed, start + IN_TIME, 120, since(start, what))
    assert names(alerts[:1], "cpu_percent"), alerts
    assert not names(alerts[:1], metric), alerts
    assert names(alerts[1:], metric), alerts


@pytest.mark.takes(20)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("noise", NOISE)
def test_a_busy_machine_wakes_nobody(tmp_path, noise, seed):
    """Half an hour. That every core is busy is a limit, and told once as one."""
    alerts = play(tmp_path, NOISE[noise], seed, 1800)
    assert all(a["source"] == "rule" for a in alerts) and len(alerts) <= 1, alerts


@pytest.mark.takes(10)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_load_that_lasts_is_told_once(tmp_path, seed):
    alerts = play(tmp_path, steady, seed, 900, 120)
    anomalies = [a for a in alerts if a["source"] != "rule"]
    assert len(anomalies) == 1 and at(anomalies[0]) < 140, alerts
