"""Detectors that learn from labels in the monitor: out of a bundle, or by feedback."""
import csv
import json
import random
import subprocess
import urllib.request

import pytest
from monitor import PATIENCE, binary, environment, wait

FAST = ("--interval", "200ms", "--warm-up", "8s", "--no-desktop")
TAUGHT = {"random_forest", "agent", "ensemble"}     # XGBoost where it is installed
ALL = TAUGHT | {"isolation_forest", "lof", "pca"}


def vedette(*words, cwd):
    return subprocess.run([binary(), *map(str, words)], capture_output=True, text=True,
                          timeout=120, cwd=cwd, env=environment())


def detectors(v):
    return {d["name"]: d for d in v.json("/api/v1/latest")["detectors"]}


def said_by_forest(v):
    """0 for a sample with a gap, of which it says nothing."""
    return detectors(v)["random_forest"]["raw"] or 0


def ready(v):
    return {name for name, d in detectors(v).items() if d["ready"]}


def train(folder, columns, *options):
    """A bundle of made-up rows: every fifth is busy and full."""
    rng = random.Random(1)
    with open(folder / "rows.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*columns, "label"])
        for i in range(250):
            odd = i % 5 == 0
            rows.writerow([f"{rng.gauss(85 if odd else 9, 3):.2f}",
                           f"{rng.gauss(30 if odd else 13, 1):.2f}", int(odd)])
    # What they are taught with is not the matter here, and choosing it takes minutes.
    done = vedette("train", "rows.csv", "-o", "model.vedette", "--no-tune", *options,
                   cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "model.vedette"


def start_and_fail(folder, model, *options):
    return vedette("monitor", "--config", "none", "--data-dir", folder / "refused", "--port",
                   0, "--model", model, *options, cwd=folder)


def test_a_model_that_does_not_fit_is_refused(tmp_path):
    foreign = train(tmp_path, ("cpu_percent", "heartbeats"), "--detector", "random_forest")
    done = start_and_fail(tmp_path, foreign)
    assert done.returncode == 1, done
    assert '"heartbeats"' in done.stderr and "does not collect" in done.stderr

    plain = train(tmp_path, ("cpu_percent", "cpu_memory"), "--detector", "isolation_forest")
    done = start_and_fail(tmp_path, plain)
    assert done.returncode == 1, done
    assert "learned from labels" in done.stderr

    done = start_and_fail(tmp_path, tmp_path / "none.vedette")
    assert done.returncode == 2 and "none.vedette" in done.stderr, done
    plain.write_bytes(plain.read_bytes()[:-9])
    done = start_and_fail(tmp_path, plain)
    assert done.returncode == 2 and "model.vedette" in done.stderr, done


@pytest.mark.takes(30)
def test_a_model_brings_in_its_detectors(monitor, machine, tmp_path):
    taught = ("random_forest", "agent")
    model = train(tmp_path, ("cpu_percent", "cpu_memory"),
                  *(word for name in taught for word in ("--detector", name)))
    m = machine()
    burner = m.add(4242, "burner")
    v = monitor("--root", m.root, *FAST, "--model", model)
    v.wait_ready()
    # Not before they are calibrated on this machine's own quiet rows.
    wait(lambda: {*taught, "isolation_forest"} <= ready(v), PATIENCE, "verdicts of all")
    listed = {d["name"]: d for d in v.status()["detectors"]}
    assert all(listed[name]["average_us"] > 0 for name in taught)
    assert "xgboost" not in listed, "it is not in the model"
    quiet = detectors(v)["random_forest"]
    assert quiet["raw"] < 0.5 and quiet["surprise"] < 1.4, quiet
    burner.cpu = 3.0
    burner.rss = 4 * 2**30
    wait(lambda: said_by_forest(v) > 0.5, PATIENCE, "the forest's verdict")
    wait(lambda: v.events(alerted=1), PATIENCE, "an alert")
    v.stop()


def say(v, event, word):
    request = urllib.request.Request(
        f"http://127.0.0.1:{v.port}/api/v1/events/{event}/feedback",
        json.dumps({"feedback": word}).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=15) as answer:
        assert answer.status == 200


@pytest.mark.takes(50)
def test_real_and_quiet_rows_teach_them(monitor, machine):
    m = machine()
    burner = m.add(4242, "burner", cpu=0.0)
    v = monitor("--root", m.root, *FAST)
    v.wait_ready()
    assert "random_forest" not in detectors(v)
    burner.cpu = 3.0
    event = v.wait_alert(30)["id"]
    v.wait_ticks(v.points() + 10)
    burner.cpu = 0.0
    wait(lambda: v.json(f"/api/v1/events/{event}")["end"], PATIENCE, "its end")

    say(v, event, "normal")
    wait(lambda: "random_forest" in detectors(v), PATIENCE, "the detectors are listed")
    assert not {"random_forest", "agent"} & ready(v), "there is one class only"

    say(v, event, "real")
    wait(lambda: ALL <= ready(v), 120, "verdicts with both classes")
    assert ALL <= {d["name"] for d in v.status()["detectors"]}
    assert said_by_forest(v) < 0.5
    burner.cpu = 3.0
    wait(lambda: said_by_forest(v) > 0.5, PATIENCE, "it is known again")
    burner.cpu = 0.0

    # Labels outlive the run, and what is undone is gone.
    v.stop()
    v = monitor("--root", m.root, *FAST)
    wait(lambda: v.points() > 0 and TAUGHT <= ready(v), 120, "verdicts after a restart")
    say(v, event, "")
    wait(lambda: "random_forest" not in detectors(v), PATIENCE, "nothing is left of it")
    v.stop()
