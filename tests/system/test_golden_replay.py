"""Two made-up recordings through `vedette monitor --replay` with a fixed seed give the
events that they gave before, byte for byte: what moves code must not move a verdict.

A commit that changes verdicts or their words on purpose renews the files and says so:

    VEDETTE_RENEW=1 .venv/bin/python -m pytest tests/system/test_golden_replay.py
"""
import datetime
import json
import os
import random

import pytest

from monitor import ROOT, replay

GOLDEN = ROOT / "tests" / "golden" / "replay"
START = datetime.datetime(2026, 3, 10, 8, tzinfo=datetime.timezone.utc)


def workstation(rng, t):
    """A second of somebody's machine: bursts of work, then a runaway process at 900 s, a
    leak from 1500 s, a flood of the network at 2300 s and a copy job every ten minutes."""
    busy = rng.random() < 0.06
    copies = t % 600 in range(240, 262)
    cpu = 7 + 3 * rng.random() + (22 * rng.random() if busy else 0)
    memory = 41 + 0.4 * rng.random()
    read, write, sent, received = (rng.expovariate(1 / scale) for scale in (0.3, 0.5, 0.02, 0.1))
    if 900 <= t < 935:
        cpu = 97 + 2 * rng.random()
    if 1500 <= t < 1700:
        memory += (t - 1500) * 0.22
    if 2300 <= t < 2325:
        received += 85 + 10 * rng.random()
    if copies:
        read, write = read + 60 * rng.random(), write + 55 * rng.random()
    return {"cpu_percent": cpu, "cpu_frequency": 2400 + 900 * rng.random(),
            "memory_percent": memory, "memory_available_gb": 15.6 * (100 - memory) / 100,
            "disk_read_mb": read, "disk_write_mb": write,
            "network_sent_mb": sent, "network_recv_mb": received}


def appliance(rng, t):
    """A second of a still machine with two metrics nobody knows by name: one stops moving at
    1000 s, the other jumps at 1600 s and stays, which is the new normal in the end."""
    flow = 4.2 if 1000 <= t < 1090 else 4 + 0.5 * rng.random()
    pressure = 12 + 0.05 * rng.random() + (3 if t >= 1600 else 0)
    return {"cpu_percent": 3 + rng.random(), "cpu_memory": 22 + 0.05 * rng.random(),
            "flow": flow, "pressure": pressure}


def record(path, machine, seconds, seed):
    rng = random.Random(seed)
    with open(path, "w", encoding="ascii") as out:
        for t in range(seconds):
            row = machine(rng, t)
            if t == 0:
                print("timestamp", *row, sep=",", file=out)
            time = (START + datetime.timedelta(seconds=t)).isoformat()
            print(time, *(f"{value:.3f}" for value in row.values()), sep=",", file=out)


@pytest.mark.takes(20)
@pytest.mark.parametrize("machine, seconds, options", [
    (workstation, 3000, ["--rule", "cpu_percent > 95 for 10s critical", "--budget", 7]),
    (appliance, 3600, ["--feature", "flow", "--feature", "pressure", "--adopt", "10min"]),
])
def test_events_are_as_before(tmp_path, machine, seconds, options):
    recording = tmp_path / "recording.csv"
    record(recording, machine, seconds, seed=12)
    _, samples, events, alerts = replay(tmp_path / "data", recording, "--seed", 12,
                                        "--no-desktop", "--no-dashboard", *options)
    assert samples == seconds
    assert events >= 2 and alerts >= 1
    for name in "anomalies.json", "alerts.jsonl", "events.jsonl":
        got = (tmp_path / "data" / name).read_text()
        golden = GOLDEN / machine.__name__ / name
        if os.environ.get("VEDETTE_RENEW"):
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(got)
        assert got == golden.read_text(), f"{golden} differs"
    assert len(json.loads((tmp_path / "data" / "anomalies.json").read_text())) >= 1
