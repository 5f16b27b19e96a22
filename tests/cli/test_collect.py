"""vedette collect, on this machine."""

import csv
import os
import signal
import subprocess
import time


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def wait_for_rows(path, n, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().count("\n") > n:
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} has no {n} rows after {seconds} s")


def start(program, cwd, *args):
    return subprocess.Popen([str(program), "collect", *args, "-i", "50ms"], cwd=cwd,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def test_normal_rows_have_the_seven_core_columns(vedette, tmp_path):
    result = vedette("collect", "normal", "-i", "50ms", "--duration", "1s", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    rows = rows_of(tmp_path / "normal_training.csv")
    assert len(rows) >= 5
    assert list(rows[0]) == ["cpu_percent", "cpu_freq", "cpu_memory", "cpu_temp",
                             "gpu_percent", "gpu_memory", "gpu_temp"]
    assert all(0 <= float(row["cpu_percent"]) <= 100 for row in rows)
    assert all(0 < float(row["cpu_memory"]) <= 100 for row in rows)
    again = vedette("collect", "normal", "--duration", "1s", cwd=tmp_path)
    assert again.returncode == 1 and "--force" in again.stderr
    assert rows_of(tmp_path / "normal_training.csv") == rows


def test_keys_set_the_label_and_q_saves(program, tmp_path):
    path = tmp_path / "labeled_raw.csv"
    process = start(program, tmp_path, "labeled")
    wait_for_rows(path, 5)
    process.stdin.write("a")
    process.stdin.flush()
    wait_for_rows(path, path.read_text().count("\n") + 5)
    process.stdin.write("n")
    process.stdin.flush()
    wait_for_rows(path, path.read_text().count("\n") + 5)
    out, _ = process.communicate("q", timeout=20)
    assert process.returncode == 0
    labels = [row["label"] for row in rows_of(path)]
    assert labels[0] == "0" and labels[-1] == "0" and "1" in labels
    assert "".join(labels).strip("0").strip("1") == ""
    assert f"{labels.count('1')} of them anomalies" in out


def test_a_signal_keeps_what_was_collected(program, tmp_path):
    path = tmp_path / "normal_training.csv"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        path.unlink(missing_ok=True)
        process = start(program, tmp_path, "normal")
        wait_for_rows(path, 5)
        os.kill(process.pid, number)
        process.communicate(timeout=20)
        assert process.returncode == (-9 if number == signal.SIGKILL else 0)
        assert len(rows_of(path)) >= 4


def test_wrong_use(vedette, tmp_path):
    assert vedette("collect", cwd=tmp_path).returncode == 2
    assert vedette("collect", "odd", cwd=tmp_path).returncode == 2
