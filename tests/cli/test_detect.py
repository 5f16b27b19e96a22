"""vedette detect, on data made here: what is flagged, what is written, what is said."""

import csv
import json
import math
import os
import random
import subprocess

import pytest

NAMES = ["timestamp", "cpu_percent", "memory_percent", "disk_write_mb", "network_sent_mb"]
START = 1750000000


def quiet_row(rng):
    return [rng.gauss(20, 3), rng.gauss(40, 2), abs(rng.gauss(1, 0.3)), abs(rng.gauss(1, 0.3))]


def make_rows(n=400, seed=1, odd=()):
    """Quiet rows, one a second; `odd` maps a row to its values."""
    rng = random.Random(seed)
    rows = []
    for i in range(n):
        values = dict(odd).get(i) or quiet_row(rng)
        rows.append([START + i, *(f"{v:.3f}" for v in values)])
    return rows


SPIKE = [95, 88, 1, 250]
LEAK = {200 + i: [21, 55 + 6 * i, 45 + 8 * i, 1] for i in range(6)}


def write(path, rows, names=NAMES, separator=","):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, delimiter=separator, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    return path


def read(path, separator=","):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


@pytest.fixture
def detect(vedette):
    def run(*args, **more):
        result = vedette("detect", "--quiet", "--json", *args, **more)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


@pytest.fixture
def table(tmp_path):
    return write(tmp_path / "odd.csv", make_rows(odd={77: SPIKE, **LEAK}.items()))


def test_events_are_found_with_their_reasons(detect, table):
    result = detect(table)
    assert result["rows"] == 400 and result["way"] == "ordered"
    assert [(e["first"], e["last"]) for e in result["events"]] == [(77, 77), (200, 205)]
    spike, leak = result["events"]
    assert spike["peak"]["reason"].startswith(
        "High CPU usage detected | High memory consumption | High network traffic")
    assert "CPU: 95.0%" in spike["peak"]["severity_factors"]
    assert leak["pattern"] == "leak" and "High disk activity" in leak["peak"]["reason"]
    assert spike["peak"]["severity"] == "critical" and spike["peak"]["score"] < -0.7


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("kind", ["normal", "uniform", "walk", "counts"])
def test_a_quiet_table_has_no_anomaly(detect, tmp_path, timed, kind):
    rng = random.Random(kind)
    rows, level = [], [0] * 4
    for i in range(600):
        level = [0.95 * x + rng.gauss(0, 1) for x in level]
        values = {"normal": quiet_row(rng),
                  "uniform": [rng.uniform(5, 30) for _ in range(4)],
                  "walk": [30 + 5 * level[0] + 9 * math.sin(i / 90), *(3 + x for x in level[1:])],
                  "counts": [rng.gauss(20, 4), sum(rng.random() < 0.1 for _ in range(9)),
                             int(rng.random() < 0.03), rng.gauss(5, 1)]}[kind]
        rows.append([START + i] * timed + [f"{v:.3f}" for v in values])
    result = detect(write(tmp_path / "quiet.csv", rows, NAMES[0 if timed else 1:]))
    assert result["anomalies"] == 0 and result["events"] == []
    assert result["way"] == ("ordered" if timed else "ensemble")


def test_scored_csv_copies_the_bytes_of_the_input(vedette, detect, tmp_path, table):
    odd = table.read_text().splitlines()
    odd[5] = odd[5].replace(",", " ,").upper()  # a row as nobody would print it
    table.write_text("\n".join(odd) + "\n")
    result = vedette("detect", "-q", table, "--output", tmp_path / "scored.csv")
    assert result.returncode == 0, result.stderr
    lines = (tmp_path / "scored.csv").read_text().splitlines()
    assert lines[0] == ("index,timestamp,is_anomaly,anomaly_score,reason,input_timestamp,"
                        + ",".join(NAMES[1:]) + ",severity,severity_factors,top_features")
    for i, line in enumerate(odd[1:], 1):
        assert f",{line}," in lines[i], i
    rows = read(tmp_path / "scored.csv")
    assert rows[77]["is_anomaly"] == "True" and rows[78]["is_anomaly"] == "False"
    assert rows[77]["index"] == "77" and float(rows[77]["timestamp"]) == START + 77
    assert rows[77]["severity"] == "critical" and rows[78]["reason"] == ""
    assert rows[77]["top_features"].startswith("network_sent_mb: 250.0 (high, expected ≈1.")
    assert all(-1 <= float(row["anomaly_score"]) <= 1 for row in rows)
    assert all((row["is_anomaly"] == "True") == (float(row["anomaly_score"]) < 0) for row in rows)


def test_old_lines_and_old_names(vedette, tmp_path, table):
    result = vedette("detect", "-q", "--csv-file", table, "--output-file", tmp_path / "out.csv")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[:6] == [f"Processing CSV file: {table}",
                         f"Output will be saved to: {tmp_path / 'out.csv'}",
                         "Analysis complete!", "Total records processed: 400",
                         "Anomalies detected: 20", "Anomaly rate: 5.00%"]
    assert lines[7] == "Top anomalies with reasons:"
    assert lines[8].startswith("  1. Score: -") and " | Time: 2025-06-15 " in lines[8]
    assert lines[9].startswith("     Reason: ")
    assert lines[10].startswith("     Severity Factors: ")
    assert sum(row["is_anomaly"] == "True" for row in read(tmp_path / "out.csv")) == 20


def test_only_the_four_required_columns_and_a_text(detect, tmp_path):
    rows = [[*row[:3], *row[3:], "a text"] for row in make_rows(odd=[(50, SPIKE)])]
    result = detect(write(tmp_path / "four.csv", rows,
                          ["timestamp", "cpu_percent", "memory_percent", "disk_read_mb",
                           "network_sent_mb", "note"]))
    assert [e["first"] for e in result["events"]] == [50]
    assert {"name": "note", "why": "text"} in result["left_out"]


def test_columns_that_say_nothing_are_named(detect, tmp_path):
    rows = [[*row, 7, "" if i % 20 else 1, ""] for i, row in enumerate(make_rows())]
    result = detect(write(tmp_path / "t.csv", rows, [*NAMES, "constant", "sparse", "empty"]))
    why = {column["name"]: column["why"] for column in result["left_out"]}
    assert why == {"timestamp": "time", "constant": "constant", "sparse": "mostly empty",
                   "empty": "empty"}


@pytest.mark.parametrize("share", [0.02, 0.1, 0.25])
def test_contamination_flags_that_share(detect, table, share):
    result = detect("--contamination", share, table)
    assert result["anomalies"] == round(share * 400)
    assert result["way"] == "isolation_forest"
    assert {77, 205} <= {row["row"] for row in result["worst"]}


def test_train_tables_and_dashes(detect, tmp_path, table):
    one = write(tmp_path / "a.csv", make_rows(seed=5))
    two = write(tmp_path / "b.csv", make_rows(seed=6))
    results = [detect("--train", one, two, "--", table),
               detect("--train", one, "--train", two, table)]
    for result in results:
        assert result["learned_rows"] == 800 and result["rows"] == 400
        assert [e["first"] for e in result["events"]] == [77, 200]
    for part in ("events", "threshold", "anomalies"):
        assert results[0][part] == results[1][part]


def test_a_change_of_what_never_moved_in_training(detect, tmp_path):
    train = [[*row, 5] for row in make_rows(seed=5)]
    test = [[*row, 5 if i < 100 else 9000] for i, row in enumerate(make_rows(200, seed=6))]
    result = detect("--train", write(tmp_path / "a.csv", train, [*NAMES, "gauge"]),
                    write(tmp_path / "b.csv", test, [*NAMES, "gauge"]))
    assert [e["first"] for e in result["events"]] == [100]


def test_labels_are_compared_and_not_learned(detect, tmp_path):
    odd = {77: SPIKE, **LEAK}
    rows = [[*row, int(i in odd)] for i, row in enumerate(make_rows(odd=odd.items()))]
    result = detect(write(tmp_path / "t.csv", rows, [*NAMES, "label"]))
    scores = result["scores"]
    assert (scores["tp"], scores["fp"], scores["fn"]) == (7, 0, 0)
    assert scores["f1"] == 1 and scores["roc_auc"] == 1 and scores["average_precision"] == 1
    assert scores["events"] == 2 and scores["events_found"] == 2
    assert "label" not in [column["name"] for column in result["columns"]]


def test_a_failed_task_is_odd_whatever_the_numbers_say(detect, vedette, tmp_path):
    rows = [[*row, "timeout" if i == 30 else "ok"] for i, row in enumerate(make_rows())]
    path = write(tmp_path / "t.csv", rows, [*NAMES, "task_status"])
    (event,) = detect(path)["events"]
    assert event["first"] == 30 and event["peak"]["severity"] in ("high", "critical")
    assert event["peak"]["reason"].startswith("Task failure detected: task_status=timeout")


@pytest.mark.parametrize("names", [["cpu_usage", "memory_usage"],
                                   ["cpu_percent", "memory_percent"]])
def test_shares_from_0_to_1_are_shown_in_percent(detect, tmp_path, names):
    rows = [[row[0], float(row[1]) / 100, float(row[2]) / 100]
            for row in make_rows(odd=[(60, [97, 92, 0, 0])])]
    result = detect(write(tmp_path / "t.csv", rows, ["timestamp", *names]))
    (event,) = result["events"]
    assert "CPU: 97.0%" in event["peak"]["severity_factors"]
    assert {c["note"] for c in result["columns"]} == {"0 to 1: shown in percent"}


def test_an_idle_processor_in_percent_is_no_share(detect, tmp_path):
    rows = [[row[0], float(row[1]) / 30, row[2]] for row in make_rows()]
    result = detect(write(tmp_path / "t.csv", rows, NAMES[:3]))
    assert {c["note"] for c in result["columns"]} == {"in percent"}


def test_json_and_json_lines(vedette, detect, tmp_path, table):
    for name in ("out.json", "out.jsonl"):
        detect(table, "--output", tmp_path / name)
    whole = json.loads((tmp_path / "out.json").read_text())
    lines = [json.loads(x) for x in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert whole == lines and len(whole) == 400
    odd = whole[77]
    assert odd["index"] == 77 and odd["is_anomaly"] is True and odd["severity"] == "critical"
    assert odd["timestamp"] == START + 77 and odd["metrics"]["cpu_percent"] == 95
    assert odd["top_features"][0]["name"] == "network_sent_mb"
    assert whole[0]["is_anomaly"] is False and whole[0]["reason"] == ""


def test_json_lines_are_read_like_the_csv(detect, tmp_path, table):
    lines = [{"timestamp": int(r["timestamp"]), "metrics": {k: float(r[k]) for k in NAMES[1:]},
              "host": "a"} for r in read(table)]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(json.dumps(x) for x in lines))
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps(lines, indent=1))
    for source in (path, listed):
        result = detect(source)
        assert [(e["first"], e["last"]) for e in result["events"]] == [(77, 77), (200, 205)]
        assert "metrics.cpu_percent" in [c["name"] for c in result["columns"]]


@pytest.mark.parametrize("text, says", [('{"a": 1}\n{"a": 2\n', ":2: no JSON object"),
                                        ("[1, 2, 3]", ":1: no JSON object")])
def test_json_that_is_no_table(vedette, tmp_path, text, says):
    path = tmp_path / "bad.json"
    path.write_text(text)
    result = vedette("detect", path)
    assert result.returncode == 1 and says in result.stderr


def test_standard_input_and_output(program, table):
    with subprocess.Popen([program, "detect", "-q", "-", "-o", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        out, err = run.communicate(table.read_text(), timeout=60)
    assert run.returncode == 0, err
    assert sum(row["is_anomaly"] == "True" for row in csv.DictReader(out.splitlines())) == 7
    assert "Anomalies detected: 7" in err


def test_separators_decimals_and_missing_fields(detect, tmp_path):
    rows = [[row[0], *(x.replace(".", ",") for x in row[1:])]
            for row in make_rows(odd=[(50, SPIKE)])]
    rows[10] = rows[10][:3]
    path = write(tmp_path / "t.csv", rows, separator=";")
    result = detect(path, "--output", tmp_path / "out.csv")
    assert [e["first"] for e in result["events"]] == [50]
    out = read(tmp_path / "out.csv", ";")
    assert len(out) == 400 and all(None not in row and None not in row.values() for row in out)
    assert out[50]["cpu_percent"] == "95,000" and out[10]["disk_write_mb"] == ""


def test_names_cannot_be_formulas(detect, tmp_path):
    names = ["timestamp", "=cmd|' /C calc'!A0", "@sum", "-x", "plain"]
    result = detect(write(tmp_path / "t.csv", make_rows(odd=[(50, SPIKE)]), names),
                    "--output", tmp_path / "out.csv")
    assert result["rows"] == 400
    header, *rows = csv.reader(open(tmp_path / "out.csv", newline=""))
    assert not [name for name in header if name[0] in "=+-@"]
    for row in rows:  # the input's own cells are the input's
        assert row[4][:1] not in tuple("=+@-") and row[-1][:1] not in tuple("=+@-")


def test_old_history_has_rows_twice(detect, tmp_path):
    rows = []
    for i, row in enumerate(make_rows(300, odd=[(50, SPIKE)])):
        rows.append([*row, "False", ""])
        if i % 2 == 0:
            rows.append([*row, "False", "-0.05"])
    result = detect(write(tmp_path / "metrics_history.csv", rows,
                          [*NAMES, "is_anomaly", "anomaly_score"]),
                    "--output", tmp_path / "out.csv")
    assert result["rows"] == 300 and [e["first"] for e in result["events"]] == [50]
    out = read(tmp_path / "out.csv")
    assert [row["input_anomaly_score"] for row in out[:4]] == ["-0.05", "", "-0.05", ""]
    assert [float(row["timestamp"]) - START for row in out[:4]] == [0, 1, 2, 3]


@pytest.mark.slow    # under a sanitizer
def test_a_large_table_is_the_same_on_any_number_of_threads(detect, tmp_path):
    """More rows than are held: blocks on all threads, and the odd rows among them."""
    path = tmp_path / "large.csv"
    with open(path, "w") as file:
        file.write("cpu_percent,memory_percent,note,disk_read_mb,label\n")
        for i in range(1_020_000):
            file.write("95.0,90.0,x,150.0,1\n" if i in (1000, 900_000, 900_001) else
                       f"{20 + i % 7}.5,{40 + i % 5},\"a, b\",{1 + i * 7919 % 100 / 100},0\n")
    results = [detect(path, "--threads", threads, "--output", tmp_path / f"{threads}.csv")
               for threads in (1, 2)]
    for result in results:
        assert result["way"] == "quick" and result["rows"] == 1_020_000
        assert [(e["first"], e["last"]) for e in result["events"]] == [(1000, 1000),
                                                                     (900_000, 900_001)]
        assert result["scores"]["f1"] == 1
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    with open(tmp_path / "1.csv", newline="") as file:
        for i, row in enumerate(csv.DictReader(file)):
            assert int(row["index"]) == i
    assert row["note"] == "a, b" and row["severity"] == "normal" and None not in row

    # Without labels and without an output not all members look at all rows: it is not seen.
    plain = tmp_path / "plain.csv"
    plain.write_bytes(path.read_bytes().replace(b",label\n", b",grade\n", 1))
    whole = detect(plain, "--output", tmp_path / "plain.out")
    quick = detect(plain)
    assert whole.pop("seconds") and quick.pop("seconds")
    assert quick == whole and len(quick["events"]) == 2


def test_same_seed_same_bytes(detect, tmp_path, table):
    for name in ("a", "b"):
        detect(table, "--seed", 7, "--output", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def prmon_rows(n, load=0):
    """prmon's text: counters, and times in whole seconds at ten rows a second."""
    rows, rchar, utime = [], 6480, 0
    rng = random.Random(n + load)
    for i in range(n):
        rchar += load * rng.randrange(900, 1100)
        utime += load and i % 10 == 0
        rows.append([START + i // 10, i // 10, 20000 + rng.randrange(9) + 5000 * load,
                     23000, 0, 44000, rchar, 0, 86, 0, 0, 0, 0, 0, 0, utime, 1, 1 + load])
    return rows


PRMON = ("Time wtime pss rss swap vmem rchar read_bytes wchar write_bytes rx_bytes rx_packets "
         "tx_bytes tx_packets stime utime nprocs nthreads").split()


def test_prmon_phases(detect, tmp_path):
    quiet = write(tmp_path / "prmon_baseline.txt", prmon_rows(300), PRMON, "\t")
    surge = write(tmp_path / "prmon_cpu_surge.txt", prmon_rows(200, 1), PRMON, "\t")
    result = detect("--train", quiet, "--", quiet, surge)
    names = [column["name"] for column in result["columns"]]
    assert {"pss_rate", "pss_per_process", "cpu_efficiency", "io_rate"} <= set(names)
    assert result["scores"]["anomalies"] == 200 and result["scores"]["roc_auc"] > 0.99
    raw = detect("--counters", "raw", "--trees", 100, "--seed", 42, "--contamination", 0.1,
                 quiet, surge)
    assert raw["way"] == "isolation_forest" and abs(raw["anomalies"] - 50) <= 2
    assert "io_rate" not in [column["name"] for column in raw["columns"]]


def test_old_names_flag_a_tenth_of_prmons_rows(detect, tmp_path):
    path = write(tmp_path / "run.txt", prmon_rows(200) + prmon_rows(200, 1), PRMON, "\t")
    assert abs(detect("--csv-file", path)["anomalies"] - 40) <= 3


def test_a_phase_column(detect, tmp_path):
    rows = [[*row, "io_burst" if 200 <= i < 206 else "baseline"]
            for i, row in enumerate(make_rows(odd=LEAK.items()))]
    result = detect(write(tmp_path / "t.csv", rows, [*NAMES, "phase"]))
    assert result["scores"]["tp"] == 6 and result["scores"]["fp"] == 0


def test_a_model_of_train_is_used(vedette, detect, tmp_path, table):
    normal = write(tmp_path / "normal.csv", make_rows(seed=9))
    made = vedette("train", normal, "--detector", "mahalanobis", "--out", tmp_path / "m",
                   cwd=tmp_path)
    if made.returncode != 0:
        pytest.fail(made.stderr)
    result = detect("--model", tmp_path / "m", table)
    assert result["way"] == "model"
    assert {77, 205} <= {row["row"] for row in result["worst"]}


def test_a_failure_leaves_nothing(vedette, tmp_path, table):
    lines = table.read_text().splitlines()
    lines[300] += ",1,2,3,4"
    (tmp_path / "long.csv").write_text("\n".join(lines))
    out = tmp_path / "out.csv"
    out.write_text("what was there")
    result = vedette("detect", tmp_path / "long.csv", "--strict", "-o", out)
    assert result.returncode != 0
    assert out.read_text() == "what was there"
    assert sorted(os.listdir(tmp_path)) == ["home", "long.csv", "odd.csv", "out.csv"]


def test_long_rows_are_left_out_counted_and_kept(vedette, detect, tmp_path, table):
    lines = table.read_text().splitlines()
    lines[301] += ",1,2,3,4"
    lines[302] = lines[302].rsplit(",", 1)[0]
    path = tmp_path / "ragged.csv"
    path.write_text("\n".join(lines) + "\n")
    result = detect(path, "--rejects", tmp_path / "rejects.csv")
    assert result["rows"] == 399 and result["skipped"] == 1
    assert lines[301] in (tmp_path / "rejects.csv").read_text()
    refused = vedette("detect", path, "--strict")
    assert refused.returncode == 1 and "ragged.csv:302:" in refused.stderr


@pytest.mark.parametrize("args, says", [
    ((), "no table was given"),
    (("none.csv",), "none.csv"),
    (("--columns", "nothing", "odd.csv"), "nothing"),
    (("--detector", "nothing", "odd.csv"), "nothing"),
    (("--model", "m", "--train", "odd.csv", "odd.csv"), "--train and --model"),
])
def test_wrong_use_is_told(vedette, tmp_path, table, args, says):
    result = vedette("detect", *args, cwd=tmp_path)
    assert result.returncode in (1, 2) and says in result.stderr
    assert "vedette: " in result.stderr


def test_too_few_rows(vedette, tmp_path):
    result = vedette("detect", write(tmp_path / "t.csv", make_rows(5)))
    assert result.returncode == 1 and "5 rows are too few" in result.stderr



def week(vedette, path, *args):
    made = vedette("generate", "--quiet", *args, "--output", path)
    assert made.returncode == 0, made.stderr
    return path


def test_most_faults_of_a_week_are_events(vedette, detect, tmp_path):
    """A row in twenty is in a fault, and each night has a job that is none."""
    path = week(vedette, tmp_path / "week.csv", "--seed", 3)
    faults = [row["fault"] for row in read(path)]
    events = detect(path)["events"]
    begins = [i for i in range(1, len(faults)) if faults[i] and not faults[i - 1]]
    found = [i for i in begins
             if any(e["first"] <= next((k for k in range(i, len(faults)) if not faults[k]),
                                       len(faults)) and e["last"] >= i for e in events)]
    assert len(found) > 0.55 * len(begins)
    assert {"network_burst", "off_schedule", "cascade"} <= {faults[i] for i in found}
    false = [e for e in events if not any(faults[e["first"] - 10:e["last"] + 1])]
    assert len(false) <= 1


def test_the_job_of_each_night_is_no_event(vedette, detect, tmp_path):
    path = week(vedette, tmp_path / "quiet.csv", "--share", 0, "--seed", 11)
    assert detect(path)["events"] == []


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
@pytest.mark.parametrize("way", ["file", "pipe"])
def test_packed_json_is_read_like_the_csv(program, detect, tmp_path, table, pack, way):
    lines = [{"timestamp": int(r["timestamp"]), **{k: float(r[k]) for k in NAMES[1:]}}
             for r in read(table)]
    packed = subprocess.run([pack, "-qc"], input="\n".join(map(json.dumps, lines)).encode(),
                            stdout=subprocess.PIPE, check=True).stdout
    path = tmp_path / "in.packed"
    path.write_bytes(packed)
    if way == "file":
        result = detect(path)
    else:
        done = subprocess.run([program, "-c", "none", "detect", "-q", "--json", "-"],
                              input=packed, stdout=subprocess.PIPE, check=True)
        result = json.loads(done.stdout)
    assert [(e["first"], e["last"]) for e in result["events"]] == [(77, 77), (200, 205)]
    path.write_bytes(packed[:len(packed) // 2])
    cut = subprocess.run([program, "detect", path], capture_output=True, text=True)
    assert cut.returncode == 1 and "in.packed: it is compressed" in cut.stderr


def test_a_budget_is_of_false_alarms_a_week(detect, table):
    """A row a second: N a week are a share of N / 604800 of the rows."""
    results = [detect("--budget", budget, table) for budget in (1, 1000, 100_000)]
    for result, budget in zip(results, (1, 1000, 100_000)):
        assert result["threshold"] == pytest.approx(-math.log10(budget / 604_800))
        assert {77, 205} <= {row["row"] for row in result["worst"]}
    odd = [result["anomalies"] for result in results]
    assert odd == sorted(odd) and odd[0] < odd[2]


def test_rows_side_by_side_can_be_set(vedette, detect, table):
    first = [detect("--window-size", size, table)["events"][0]["first"] for size in (2, 30, 8192)]
    assert first == [77, 77, 77]
    assert vedette("detect", "--window-size", 8193, table).returncode == 2


def test_what_a_monitor_kept_is_looked_at_without_its_verdicts(vedette, detect, tmp_path, table):
    done = vedette("-c", "none", "monitor", "--replay", table, "--data-dir", tmp_path / "kept",
                   "--quiet")
    assert done.returncode == 0, done.stderr
    result = detect("--data-dir", tmp_path / "kept", "--last", "3650d")
    names = {column["name"] for column in result["columns"]}
    assert {"cpu_percent", "disk_write_mb"} <= names
    assert not [n for n in names if n.startswith("score") or n in ("surprise", "latency_us")]
    assert 77 in [e["first"] for e in result["events"]]
    nothing = vedette("detect", "--data-dir", tmp_path / "kept", "--last", "1s")
    assert nothing.returncode == 1 and "kept: no rows in that span" in nothing.stderr


def test_where_labels_are_from_is_said(detect, tmp_path):
    for name, values in (("label", "01"), ("phase", ["baseline", "burst"])):
        rows = [[*row, values[i == 77]] for i, row in enumerate(make_rows(odd={77: SPIKE}.items()))]
        assert detect(write(tmp_path / "t.csv", rows,
                            [*NAMES, name]))["scores"]["column"] == name
    paths = [write(tmp_path / f"{name}.txt", prmon_rows(200, load), PRMON, "\t")
             for name, load in (("baseline", 0), ("surge", 1))]
    assert detect(*paths)["scores"]["column"] == "file names"


def test_a_recording_with_phases_is_a_table_with_labels(vedette, detect, tmp_path):
    """What record writes, its column of phases too, is read as it is."""
    for phase in ("baseline", "burst"):
        done = vedette("record", "-q", "-i", "20ms", "--phase", phase, "-f",
                       tmp_path / f"{phase}.txt", "--", "sleep", "0.5", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    result = detect(tmp_path / "baseline.txt", tmp_path / "burst.txt")
    assert result["scores"]["column"] == "phase"
    assert result["scores"]["normal"] > 10 and result["scores"]["anomalies"] > 10
    assert "phase" in [column["name"] for column in result["left_out"]]


def test_a_bar_is_on_a_terminal_alone(program, tmp_path, table):
    rows = table.read_text().splitlines()
    (tmp_path / "long.csv").write_text("\n".join([rows[0], *rows[1:] * 45]) + "\n")
    seen = bytearray()
    master, slave = os.openpty()
    with subprocess.Popen([program, "-c", "none", "detect", "-q", "--detector", "ensemble",
                           tmp_path / "long.csv"], stdout=subprocess.DEVNULL,
                          stderr=slave) as run:
        os.close(slave)
        while True:
            try:
                seen += os.read(master, 65536)
            except OSError:
                break
        assert run.wait(60) == 0
    os.close(master)
    assert b" % " in seen and b"rows/s" in seen and b"s left" in seen
    assert seen.endswith(b"\r\x1b[K")
