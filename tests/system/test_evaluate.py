"""vedette evaluate nab: its result files, its table, and what it says of bad input."""
import csv
import json
import shutil

ROWS = [("2014-04-01 %02d:%02d:00" % (i // 12, i % 12 * 5), 20 + i % 7) for i in range(288)]


def write_series(path, rows=ROWS):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        file.write("timestamp,value\n")
        file.writelines(f"{time},{value}\n" for time, value in rows)


def with_spike():
    return [(time, 900 if 200 <= i < 210 else value) for i, (time, value) in enumerate(ROWS)]


def test_result_files_are_nabs(vedette, tmp_path):
    write_series(tmp_path / "data/realSomething/spike.csv", with_spike())
    windows = {"realSomething/spike.csv": [["2014-04-01 16:30:00.000000",
                                            "2014-04-01 18:00:00.000000"]]}
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/combined_windows.json").write_text(json.dumps(windows))
    done = vedette("evaluate", "nab", tmp_path / "data", "--out", tmp_path / "results")
    assert done.returncode == 0, done.stderr
    assert "realSomething/spike.csv" in done.stdout
    assert "1 of 1 windows caught" in done.stdout
    for profile in ("standard", "reward_low_FP_rate", "reward_low_FN_rate"):
        assert profile in done.stdout
    result = tmp_path / "results/vedette/realSomething/vedette_spike.csv"
    with open(result, newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["timestamp", "value", "anomaly_score", "label"]
    assert [(r["timestamp"], r["value"]) for r in rows] == \
        [(time, str(value)) for time, value in with_spike()]
    assert all(0 <= float(r["anomaly_score"]) <= 1 for r in rows)
    assert [i for i, r in enumerate(rows) if r["label"] == "1"] == list(range(198, 217))
    assert any(float(r["anomaly_score"]) >= 0.5 for r in rows[200:203])
    assert all(float(r["anomaly_score"]) == 0 for r in rows[:43])


def test_without_windows_there_are_no_points(vedette, tmp_path):
    write_series(tmp_path / "data/a.csv")
    done = vedette("evaluate", "nab", tmp_path / "data")
    assert done.returncode == 0
    assert "no points" in done.stdout
    assert list(tmp_path.glob("vedette")) == []


def test_bad_input_has_a_message(vedette, tmp_path):
    (tmp_path / "empty").mkdir()
    done = vedette("evaluate", "nab", tmp_path / "empty")
    assert done.returncode == 1 and "no .csv file" in done.stderr
    done = vedette("evaluate", "nab", tmp_path / "missing")
    assert done.returncode == 1 and "missing" in done.stderr
    assert vedette("evaluate").returncode == 2
    assert vedette("evaluate", "nabb", tmp_path).returncode == 2
    write_series(tmp_path / "data/good.csv")
    (tmp_path / "data/other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "data/time.csv").write_text("timestamp,value\nyesterday,2\n")
    (tmp_path / "data/number.csv").write_text("timestamp,value\n2014-04-01 00:00:00,x\n")
    (tmp_path / "data/nothing.csv").write_text("")
    done = vedette("evaluate", "nab", tmp_path / "data", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "other.csv: not a series of NAB" in done.stderr
    assert "time.csv:2: no time stamp" in done.stderr
    assert (tmp_path / "out/vedette/vedette_good.csv").exists()
    assert (tmp_path / "out/vedette/vedette_number.csv").exists()
    (tmp_path / "data/windows.json").write_text("{")
    done = vedette("evaluate", "nab", tmp_path / "data")
    assert done.returncode == 1 and "windows.json: line 1" in done.stderr
    (tmp_path / "data/windows.json").write_text("[]")
    done = vedette("evaluate", "nab", tmp_path / "data")
    assert done.returncode == 1 and "windows.json: line 1: not an object" in done.stderr
    for name, reason in (("none.json", "No such file or directory"),
                         ("empty", "Is a directory"), ("", "No such file or directory")):
        file = tmp_path / name if name else ""
        done = vedette("evaluate", "nab", tmp_path / "data", "--windows", file)
        assert done.returncode == 1
        assert f"{file}: {reason}" in done.stderr and "line" not in done.stderr


def test_unwritable_results(vedette, tmp_path):
    write_series(tmp_path / "data/a.csv")
    (tmp_path / "file").write_text("")
    done = vedette("evaluate", "nab", tmp_path / "data", "--out", tmp_path / "file")
    assert done.returncode == 1 and "file: Not a directory" in done.stderr
    assert done.stdout == "", "said before any series is run"


def test_results_replace_older_ones_whole(vedette, tmp_path):
    """A reader who has the old file open keeps it."""
    write_series(tmp_path / "data/a/b.csv")
    result = tmp_path / "out/deep/vedette/a/vedette_b.csv"
    for _ in range(2):
        old = open(result) if result.exists() else None
        done = vedette("evaluate", "nab", tmp_path / "data", "--out", tmp_path / "out/deep")
        assert done.returncode == 0, done.stderr
    with old:
        assert len(old.readlines()) == 1 + len(ROWS)
    assert [p.name for p in result.parent.iterdir()] == ["vedette_b.csv"]


def test_recorded_series_reach_the_goal(vedette, data, tmp_path):
    shutil.copytree(data / "nab", tmp_path / "nab")
    done = vedette("evaluate", "nab", tmp_path / "nab", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    line = next(x for x in done.stdout.splitlines() if x.startswith("standard"))
    assert float(line.split()[1]) >= 76
    series = [p for p in (tmp_path / "nab").rglob("*.csv")]
    assert len(list((tmp_path / "out/vedette").rglob("vedette_*.csv"))) == len(series)
