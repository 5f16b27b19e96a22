"""vedette record with loads of its own making, and with a verdict while it runs."""
import csv
import json
import os
import pty
import re
import select
import subprocess
import sys

import pytest


def rows_of(folder):
    with open(folder / "prmon.txt", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_phases_are_labelled_and_do_what_they_say(vedette, tmp_path):
    result = vedette("record", "-i", "50ms", "--fine-time", "--phases",
                     "baseline,memory,recovery,cpu,recovery,io", "--phase-time", "1s",
                     "--amount", "32MiB", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    rows = rows_of(tmp_path)
    order = [rows[0]["phase"]]
    for row in rows:
        if row["phase"] != order[-1]:
            order.append(row["phase"])
    assert order == ["baseline", "memory", "recovery", "cpu", "recovery", "io"]

    def values(phase, column):
        """Of a phase, without the row in which the load changes."""
        return [float(row[column]) for before, row in zip(rows, rows[1:])
                if row["phase"] == before["phase"] == phase]

    assert max(values("baseline", "pss")) < 8000
    assert max(values("memory", "pss")) > 32 * 1024
    assert min(values("recovery", "pss")) < 8000
    cpu = [u + s for u, s in zip(values("cpu", "utime"), values("cpu", "stime"))]
    assert cpu[-1] - cpu[0] > 0.1
    written = values("io", "write_bytes")
    assert written[-1] - written[0] > 1e6
    assert not list(tmp_path.glob("vedette-burn*"))


def test_a_change_is_told_while_it_is_recorded(vedette, tmp_path):
    result = vedette("record", "-i", "20ms", "--detect", "--fine-time", "--phases",
                     "baseline,memory,recovery", "--phase-time", "2s", "--amount", "64MiB",
                     cwd=tmp_path)
    assert result.returncode == 0
    told = re.search(r"([\d.]+) s: unusual: (\S+) ", result.stderr)
    assert told and 2 <= float(told.group(1)) < 3.5
    odd = json.loads((tmp_path / "prmon.json").read_text())["vedette"]["anomalies"]
    assert len(odd) == 1 and odd[0]["text"].startswith("unusual: ") and odd[0]["end"]
    assert "normal again" in result.stderr


def test_a_steady_job_has_no_anomaly(vedette, tmp_path):
    code = ("import time\nend = time.time() + 5\n"
            "while time.time() < end:\n    time.sleep(0.01)")
    result = vedette("record", "-i", "20ms", "--detect", "--", sys.executable, "-S", "-c",
                     code, cwd=tmp_path)
    assert "unusual" not in result.stderr
    assert json.loads((tmp_path / "prmon.json").read_text())["vedette"]["anomalies"] == []


def on_terminal(program, cwd, *words):
    """What the program writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([str(program), "record", *words], cwd=cwd, stdin=theirs,
                               stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    text = b""
    while True:
        if not select.select([ours], [], [], 60)[0]:
            break
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    assert process.wait(60) == 0
    return text.decode()


@pytest.mark.parametrize("words, line, chart", [
    (("--phases", "cpu"), True, False),
    (("--phases", "cpu", "--live", "never"), False, False),
    (("--phases", "cpu", "--live", "chart"), True, True),
    (("--", "sleep", "1"), False, False),
    (("--live", "line", "--", "sleep", "1"), True, False),
])
def test_what_a_terminal_shows(program, tmp_path, words, line, chart):
    text = on_terminal(program, tmp_path, "-i", "50ms", "--phase-time", "1s", *words)
    assert bool(re.search(r"CPU \d+ %, PSS \S+ [kM]B, 1 process, ", text)) == line
    assert ("\x1b[11A" in text) == chart


def test_the_live_cpu_is_the_difference_of_the_columns(program, tmp_path):
    text = on_terminal(program, tmp_path, "-i", "250ms", "--fine-time", "--phases", "cpu",
                       "--phase-time", "2s")
    rows = rows_of(tmp_path)
    shown = [int(n) for n in re.findall(r"CPU (\d+) %", text)]
    steps = []
    for before, row in zip(rows, rows[1:]):
        used = sum(float(row[c]) - float(before[c]) for c in ("utime", "stime"))
        seconds = float(row["elapsed_s"]) - float(before["elapsed_s"])
        if seconds > 0:  # the last row may come with the one before
            steps.append(100 * used / seconds)
    assert len(shown) >= 4 and max(shown) > 5
    for percent in shown[1:]:
        assert any(abs(percent - step) <= 9 for step in steps), (percent, steps)
