"""vedette collect, on this machine."""

import csv
import fcntl
import os
import pathlib
import pty
import resource
import signal
import stat
import subprocess
import termios

import pytest
from monitor import PATIENCE, wait

STILL = pathlib.Path(__file__).resolve().parents[1] / "roots" / "laptop"


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def wait_for_rows(path, n):
    wait(lambda: path.exists() and path.read_text().count("\n") > n, PATIENCE, f"{n} rows",
         0.02)


def last_label(path):
    """Of the last whole line."""
    return path.read_text().rsplit("\n", 2)[-2][-1]


def start(program, cwd, *args):
    return subprocess.Popen([str(program), "collect", *args, "-i", "50ms"], cwd=cwd,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def test_normal_rows_have_the_seven_core_columns(vedette, tmp_path):
    result = vedette("collect", "normal", "-i", "50ms", "--duration", "3s", cwd=tmp_path)
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
    for key, label in (("a", "1"), ("n", "0")):
        process.stdin.write(key)
        process.stdin.flush()
        wait(lambda label=label: last_label(path) == label, PATIENCE, f"the label {label}")
    out, _ = process.communicate("q", timeout=PATIENCE)
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
        process.communicate(timeout=PATIENCE)
        assert process.returncode == (-9 if number == signal.SIGKILL else 0)
        assert len(rows_of(path)) >= 4


@pytest.fixture
def on_terminal(tmp_path):
    """start(*command): a process on a terminal of its own, and the terminal's other end."""
    ours, theirs = pty.openpty()
    running = []

    def take_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would be ignored

    def start(*command):
        process = subprocess.Popen(
            list(map(str, command)), cwd=tmp_path, stdin=theirs, stdout=subprocess.PIPE,
            stderr=theirs, start_new_session=True, preexec_fn=take_terminal)
        running.append(process)
        return process, ours

    yield start
    for process in running:
        process.kill()
        process.communicate()
    os.close(ours)
    os.close(theirs)


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM])
def test_the_terminal_gets_its_echo_back(program, on_terminal, tmp_path, number):
    process, terminal = on_terminal(program, "collect", "labeled", "-i", "50ms")
    wait_for_rows(tmp_path / "labeled_raw.csv", 3)
    assert not echoes(terminal)
    os.kill(process.pid, number)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and echoes(terminal)
    assert len(rows_of(tmp_path / "labeled_raw.csv")) >= 3


def test_keys_work_again_after_a_stop(program, on_terminal, tmp_path):
    """As after Ctrl-Z and fg: the shell has the terminal in between, with its own modes."""
    path = tmp_path / "labeled_raw.csv"
    process, terminal = on_terminal(program, "collect", "labeled", "-i", "50ms")
    shell_modes = termios.tcgetattr(terminal)
    shell_modes[3] |= termios.ICANON | termios.ECHO
    wait_for_rows(path, 3)
    os.kill(process.pid, signal.SIGCONT)
    wait_for_rows(path, path.read_text().count("\n") + 3)
    os.kill(process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    termios.tcsetattr(terminal, termios.TCSANOW, shell_modes)
    os.kill(process.pid, signal.SIGCONT)
    wait_for_rows(path, path.read_text().count("\n") + 3)
    assert not echoes(terminal)
    os.write(terminal, b"q")
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and echoes(terminal)


def test_q_ends_a_session_without_labels(program, on_terminal, tmp_path):
    process, terminal = on_terminal(program, "collect", "normal", "-i", "50ms")
    wait_for_rows(tmp_path / "normal_training.csv", 3)
    os.write(terminal, b"aq")
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and echoes(terminal)
    assert "label" not in rows_of(tmp_path / "normal_training.csv")[0]


def test_a_session_in_the_background_leaves_the_terminal_alone(program, on_terminal,
                                                              tmp_path):
    """Reading it, or setting its mode, would stop the program."""
    words = "collect normal -i 50ms --duration 1s"
    shell, terminal = on_terminal("bash", "-mc", f"'{program}' {words} 2>err & wait")
    wait_for_rows(tmp_path / "normal_training.csv", 3)
    os.write(terminal, b"q\n")
    shell.communicate(timeout=PATIENCE)
    assert len(rows_of(tmp_path / "normal_training.csv")) >= 5


def test_no_row_is_a_failure_that_leaves_nothing(vedette, tmp_path):
    path = tmp_path / "normal_training.csv"
    normal = ("collect", "normal", "-i", "50ms", "--duration")
    still = (*normal, "300ms", "--root", STILL)
    result = vedette(*still, cwd=tmp_path)
    assert result.returncode == 1 and "normal_training.csv: no row was" in result.stderr
    assert not list(tmp_path.glob("normal*"))
    path.write_text("old\n")
    assert vedette(*still, "--force", cwd=tmp_path).returncode == 1
    assert path.read_text() == "old\n"
    assert vedette(*normal, "2s", "--force", cwd=tmp_path).returncode == 0
    assert len(rows_of(path)) >= 3
    assert len(list(tmp_path.glob("normal*"))) == 1


def test_rows_go_into_a_pipe_and_its_end_is_told(program, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    process = start(program, tmp_path, "normal", "-o", "pipe", "--force")
    with open(tmp_path / "pipe") as pipe:
        lines = [pipe.readline() for _ in range(4)]
    _, errors = process.communicate(timeout=PATIENCE)
    assert lines[0].startswith("cpu_percent,") and lines[3].count(",") == 6
    assert process.returncode == 1 and "pipe: Broken pipe" in errors
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_full_disk_is_told_with_the_file(program, tmp_path):
    """A limit on the size of files stands for the disk."""
    result = subprocess.run(
        [str(program), "collect", "normal", "-i", "50ms", "--duration", "20s"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, restore_signals=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400)))
    assert result.returncode == 1
    assert "normal_training.csv: File too large" in result.stderr
    assert len(rows_of(tmp_path / "normal_training.csv")) >= 3


def test_wrong_use(vedette, tmp_path):
    none = vedette("collect", "normal", "--duration", "0", cwd=tmp_path)
    assert none.returncode == 2 and "--duration" in none.stderr
    assert vedette("collect", cwd=tmp_path).returncode == 2
    assert vedette("collect", "odd", cwd=tmp_path).returncode == 2
