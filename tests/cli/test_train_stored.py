"""vedette train --data-dir: what a monitor has kept becomes a model that it can use."""
import csv
import random
import re
import sqlite3

import pytest
from monitor import PATIENCE, wait

# Fifty rows before the first model: a metric is no judge before it has thirty values, and a
# busy machine leaves some out.
FAST = ("--interval", "100ms", "--warm-up", "5s", "--no-desktop")


def train(vedette, *words, code=0):
    done = vedette("train", "--config", "none", *words)
    assert done.returncode == code, done
    return done


def counts(done):
    """What the line about the rows says, by name."""
    names = ("quiet", "all", "real", "normal", "expected", "unjudged", "incomplete")
    found = re.search(r"(\d+) of (\d+) quiet rows; of events (\d+) real, (\d+) normal,"
                      r" (\d+) expected; left out: (\d+) of events without feedback, (\d+) incomplete",
                      done.stderr)
    assert found, done
    found = dict(zip(names, map(int, found.groups())))
    # Below the bound all quiet rows are taken.
    assert found["quiet"] == found.pop("all")
    return found


def shown(vedette, model):
    """What is in a bundle."""
    assert vedette("model", "verify", model).returncode == 0
    done = vedette("model", "show", model)
    assert done.returncode == 0, done
    return done.stdout


@pytest.fixture
def replayed(vedette, tmp_path):
    """The data directory of a monitor that watched two metrics, one of them in a column that
    never moves besides, for 400 s; and its samples' times."""
    rng = random.Random(3)
    with open(tmp_path / "rows.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "cpu_percent", "cpu_memory", "gpu_percent"])
        for i in range(400):
            rows.writerow([f"2026-11-20 10:{i // 60:02}:{i % 60:02}",
                           f"{rng.gauss(10, 2):.2f}", f"{rng.gauss(40, 1):.2f}", 0])
    data = tmp_path / "data"
    done = vedette("monitor", "--config", "none", "--replay", tmp_path / "rows.csv",
                   "--data-dir", data, "--no-desktop")
    assert done.returncode == 0, done
    with sqlite3.connect(data / "vedette.db") as db:
        times = [row[0] for row in db.execute("SELECT time FROM sample ORDER BY time")]
        db.execute("DELETE FROM event")
    db.close()
    assert len(times) == 400
    return data, times


def put_event(data, number, start, end, kind="anomaly", feedback=""):
    with sqlite3.connect(data / "vedette.db") as db:
        db.execute("INSERT INTO event(id, start, peak, end, severity, score, confidence,"
                   " alerted, kind, pattern, reason, feedback)"
                   " VALUES(?, ?, ?, ?, 3, -0.6, 1, 1, ?, 'step', 'made up', ?)",
                   (number, start, start, end, kind, feedback))
    db.close()


def test_rows_of_events_are_labelled_or_left_out(vedette, replayed, tmp_path):
    data, t = replayed
    model = tmp_path / "m.vedette"
    few = ("--detector", "isolation_forest", "--detector", "random_forest")

    # One that was asked for could not be trained; the bundle holds the other.
    done = train(vedette, "--data-dir", data, *few, "-o", model, code=1)
    plain = counts(done)
    assert plain["quiet"] + plain["incomplete"] == 400 and plain["incomplete"] < 5
    assert sum(plain.values()) == 400
    assert "no samples of a real event" in done.stderr
    assert "random_forest learns from labels and there are none" in done.stderr
    assert "1 detectors, 2 columns" in done.stdout

    # A rule's event holds all its samples, whatever their scores are.
    put_event(data, 1, t[300], t[309])
    put_event(data, 2, t[320], t[324], "rule", "real")
    put_event(data, 3, t[330], t[332], "rule", "normal")
    put_event(data, 4, t[340], t[346], "rule", "expected")
    put_event(data, 5, t[350], t[355], "rule")
    put_event(data, 6, t[360], None, "drift")
    done = train(vedette, "--data-dir", data, *few, "-o", model)
    said = counts(done)
    assert said == {**plain, "quiet": plain["quiet"] - 25, "real": 5, "normal": 3,
                    "expected": 7, "unjudged": 10}
    n = said["quiet"] + 3
    assert f"2 detectors, 2 columns, trained on {n + 12} rows ({n} of them normal)" \
        in done.stdout

    # What was said last holds, and an open event reaches to the last sample.
    put_event(data, 7, t[318], t[322], "rule", "normal")
    put_event(data, 8, t[395], None)
    last = counts(train(vedette, "--data-dir", data, *few, "-o", model))
    assert (last["real"], last["normal"], last["unjudged"]) == (2, 3 + 5, 10 + 5)

    assert counts(train(vedette, "--data-dir", data, "--last", "99s", *few,
                        "-o", model))["quiet"] < 100


def test_wrong_use(vedette, replayed, tmp_path):
    data, _ = replayed
    for words, code, text in (
            (("x.csv", "--data-dir", data), 2, "a file or --data-dir, not both"),
            (("--data-dir", data, "--label", "odd"), 2, "--label is for a file"),
            (("--data-dir", data, "--normal", "x.csv"), 2, "--normal is for a file"),
            ((), 2, "one file to learn from, or --data-dir"),
            (("--data-dir", tmp_path / "none"), 1, "there is no "),
            (("--data-dir", data, "--last", "10s"), 1, "quiet samples: at least 20")):
        assert text in train(vedette, *words, code=code).stderr, words
    with sqlite3.connect(data / "vedette.db") as db:
        db.execute("DELETE FROM sample")
    db.close()
    assert " 0 quiet samples" in train(vedette, "--data-dir", data, code=1).stderr


def test_the_monitors_own_folder_in_the_file_is_not_trained_on(vedette, tmp_path):
    (tmp_path / "vedette.yaml").write_text(f"data-dir: {tmp_path}/data\n")
    (tmp_path / "rows.csv").write_text(
        "a,b\n" + "".join(f"{i % 7},{i % 5}\n" for i in range(60)))
    done = vedette("train", "--config", tmp_path / "vedette.yaml", "--detector", "pca",
                   tmp_path / "rows.csv", "-o", tmp_path / "m.vedette")
    assert done.returncode == 0, done


@pytest.mark.takes(40)
@pytest.mark.trains
def test_beside_a_monitor_and_into_the_next(monitor, machine, vedette, tmp_path):
    m = machine()
    burner = m.add(4242, "burner")
    v = monitor("--root", m.root, *FAST)
    v.wait_ready()
    burner.cpu = 3.0
    event = v.wait_alert(30)["id"]
    ticks = v.points()
    v.wait_ticks(ticks + 20)
    burner.cpu = 0.0
    wait(lambda: v.json(f"/api/v1/events/{event}")["end"], PATIENCE, "its end")
    done = vedette("feedback", "--data-dir", v.data_dir, event, "real")
    assert done.returncode == 0, done

    model = tmp_path / "own.vedette"
    done = train(vedette, "--data-dir", v.data_dir, "--detector", "isolation_forest",
                 "--detector", "random_forest", "-o", model)
    n = counts(done)
    assert n["quiet"] >= 20 and n["real"] >= 5, n
    text = shown(vedette, model)
    assert "random_forest" in text and "isolation_forest" in text
    assert v.process.poll() is None
    v.stop()

    v = monitor("--root", m.root, *FAST, "--model", model, data_dir=tmp_path / "next")

    def forest():
        found = v.json("/api/v1/latest")["detectors"]
        return next((d for d in found if d["name"] == "random_forest" and d["ready"]), None)
    v.wait_ready()
    assert wait(forest, PATIENCE, "the forest's verdicts")["raw"] < 0.5
    burner.cpu = 3.0
    # A sample with a gap has no verdict.
    wait(lambda: (found := forest()) and found["raw"] > 0.5, PATIENCE,
         "it knows the burner")
    v.stop()
