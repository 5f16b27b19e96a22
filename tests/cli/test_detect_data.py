"""vedette detect on recorded data (VEDETTE_DATA): what docs/detect.md says was measured."""

import json

import pytest

PHASES = ["baseline1", "memory_spike", "recovery1", "cpu_surge", "recovery2", "io_burst"]


@pytest.fixture
def detect(vedette):
    def run(*args):
        result = vedette("detect", "--quiet", "--json", *args)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


def test_metrics2k_has_its_faults_as_events(detect, data):
    result = detect(data / "metrics2k" / "sample_metrics2k.csv")
    events = {(e["first"], e["last"]): e for e in result["events"]}
    for row in (25, 60, 80):
        assert any(first <= row <= last for first, last in events), row
    assert events[40, 45]["pattern"] == "leak"
    assert "High disk activity" in events[40, 45]["peak"]["reason"]
    assert events[25, 25]["peak"]["reason"].startswith(
        "High CPU usage detected | High memory consumption | High disk activity | "
        "High network traffic")
    assert result["anomalies"] == 110  # 104 rows with cpu_percent from 70 on, and the leak


def test_metrics2k_under_the_old_names(vedette, data, tmp_path):
    result = vedette("detect", "-q", "--csv-file", data / "metrics2k" / "sample_metrics2k.csv",
                     "--output-file", tmp_path / "out.csv")
    assert "Anomalies detected: 100\nAnomaly rate: 5.00%\n" in result.stdout
    header = (tmp_path / "out.csv").read_text().splitlines()[0]
    assert header.startswith("index,timestamp,is_anomaly,anomaly_score,reason,")


def prmon(data):
    return [data / "prmon" / f"prmon_{phase}.txt" for phase in PHASES]


def test_prmon_trained_on_one_quiet_phase(detect, data):
    result = detect("--train", prmon(data)[0], "--", *prmon(data))
    assert result["way"] == "ordered" and result["rows"] == 3908
    assert result["scores"]["roc_auc"] >= 0.95
    assert result["scores"]["events"] == 3 and result["scores"]["events_found"] >= 2
    assert result["scores"]["false_alarm_rate"] < 0.01


def test_prmon_as_the_original_took_it(detect, data, tmp_path):
    options = ["--contamination", 0.1, "--counters", "raw", "--trees", 100]
    flagged = {}
    for seed in (42, 1, 2):
        out = tmp_path / f"{seed}.jsonl"
        result = detect(*options, "--seed", seed, "--output", out, *prmon(data))
        assert result["way"] == "isolation_forest"
        assert result["anomalies"] == round(0.1 * result["rows"])
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        flagged[seed] = {row["index"] for row in rows if row["is_anomaly"]}
    # What the seed alone changes: the original's result differs from ours by no more.
    for other in (1, 2):
        both = flagged[42] & flagged[other]
        assert len(both) / len(flagged[42] | flagged[other]) > 0.5


@pytest.mark.parametrize("options, f1, false_alarms, missed",
                         [([], 0.80, 0.25, 0.25),
                          (["--detector", "ordered", "--contamination", 0.0005], 0.84, 0.2, 0.2)])
def test_skab_trained_on_the_first_rows(detect, data, tmp_path, options, f1, false_alarms,
                                        missed):
    total = dict.fromkeys(("tp", "fp", "tn", "fn"), 0)
    for path in sorted((data / "skab").glob("*/*.csv")):
        names, *rows = path.read_text().splitlines()
        (tmp_path / "train.csv").write_text("\n".join([names, *rows[:400]]) + "\n")
        (tmp_path / "rest.csv").write_text("\n".join([names, *rows[400:]]) + "\n")
        scores = detect("--label", "anomaly", "--train", tmp_path / "train.csv", *options,
                        tmp_path / "rest.csv")["scores"]
        for key in total:
            total[key] += scores[key]
    tp, fp, tn, fn = total.values()
    assert 2 * tp / (2 * tp + fp + fn) >= f1
    assert fp / (fp + tn) <= false_alarms and fn / (fn + tp) <= missed


@pytest.mark.parametrize("detector", ["isolation_forest", "mahalanobis", "pca",
                                      "one_class_svm", "lof"])
def test_labelled_rows_as_compare_has_them(vedette, detect, data, tmp_path, detector):
    folder = data / "labeled"
    result = vedette("compare", "--quiet", "--json", "--no-tune", "--no-plots", "--detector",
                     detector, "--contamination", 0.05, "--out", tmp_path,
                     "--train", folder / "labeled_training.csv",
                     "--normal", folder / "normal_training.csv",
                     "--test", folder / "labeled_test.csv")
    assert result.returncode == 0, result.stderr
    (compared,) = json.loads(result.stdout)
    scores = detect("--detector", detector, "--contamination", 0.05, "--train",
                    folder / "normal_training.csv", folder / "labeled_test.csv")["scores"]
    assert scores["f1"] == pytest.approx(compared["f1_score"], abs=1e-6)
    assert scores["roc_auc"] == pytest.approx(compared["roc_auc"], abs=1e-6)
