"""However a recording ends, and whoever is sent which signal: what is on the disk is whole,
and what was counted stays counted."""
import csv
import json
import os
import pty
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from monitor import PATIENCE, wait

COUNTERS = ("rchar", "read_bytes", "wchar", "write_bytes", "stime", "utime")
ROUNDS = int(os.environ.get("RECORD_ROUNDS", "40"))


def rows_of(folder):
    with open(folder / "prmon.txt", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def is_whole(folder):
    """Whole lines in the table; what there is of a summary parses."""
    text = (folder / "prmon.txt").read_text()
    assert text == "" or text.endswith("\n")
    lines = text.splitlines()
    assert {line.count("\t") for line in lines} <= {17}
    for name in ("prmon.json", "prmon.json_snapshot"):
        if (folder / name).exists():
            assert "Max" in json.loads((folder / name).read_text())
    return lines


def kill_group(leader):
    """Nobody's group but that of a process we started."""
    assert leader > 1
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def expect_signals():
    """In a child: what nohup or a shell's & had ignored ends it again."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def start(program, tmp_path):
    """start(*words): a running recorder in tmp_path, in a group of its own."""
    running = []

    def run(*words, **more):
        (tmp_path / "prmon.txt").unlink(missing_ok=True)
        more = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE, "cwd": tmp_path, "text": True,
                "start_new_session": True, "preexec_fn": expect_signals, **more}
        process = subprocess.Popen([str(program), "record", *map(str, words)], **more)
        running.append(process)
        return process

    yield run
    for process in running:
        kill_group(process.pid)
        process.communicate()


def command_of(process):
    """The pid of the command that a recorder has started."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return int(wait(lambda: path.read_text().split(), PATIENCE, "the command")[0])


def wait_for_rows(folder, n):
    def enough():
        path = folder / "prmon.txt"
        return path.exists() and path.read_text().count("\n") > n
    wait(enough, PATIENCE, f"{n} rows", 0.01)


def test_a_killed_recorder_leaves_whole_lines(start, tmp_path):
    chance = random.Random(1)
    for _ in range(ROUNDS):
        process = start("-q", "-i", "10ms", "--", "sleep", "30")
        wait_for_rows(tmp_path, 1)
        time.sleep(chance.random() * 0.05)
        process.kill()
        process.wait(PATIENCE)
        kill_group(process.pid)
        assert len(is_whole(tmp_path)) >= 2
        assert not (tmp_path / "prmon.json").exists()


def test_an_old_summary_does_not_outlive_the_next_recording(start, tmp_path):
    start("-q", "--", "true").communicate(timeout=PATIENCE)
    assert (tmp_path / "prmon.json").exists()
    process = start("-q", "-i", "10ms", "--", "sleep", "30")
    wait_for_rows(tmp_path, 2)
    assert not (tmp_path / "prmon.json").exists()
    wait((tmp_path / "prmon.json_snapshot").exists, PATIENCE, "a snapshot")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert json.loads((tmp_path / "prmon.json").read_text())["vedette"]["exit_code"] == 143
    assert not (tmp_path / "prmon.json_snapshot").exists()


WORKER = """
import os, sys, time
for i in range(4):
    if os.fork() == 0:
        break
data = b"x" * 4096
out = os.open("/dev/null", os.O_WRONLY)
while True:
    os.write(out, data)
"""


def test_a_killed_tree_keeps_its_counters(start, tmp_path):
    """All its processes at once, at any moment of a sample."""
    chance = random.Random(2)
    for _ in range(max(ROUNDS // 4, 5)):
        process = start("-q", "-i", "10ms", "--", "setsid", sys.executable, "-S", "-c",
                        WORKER)
        wait_for_rows(tmp_path, 3)
        wait(lambda: int(rows_of(tmp_path)[-1]["wchar"]) > 0, PATIENCE, "writes", 0.01)
        time.sleep(chance.random() * 0.1)
        kill_group(command_of(process))
        assert process.wait(PATIENCE) == 128 + signal.SIGKILL
        is_whole(tmp_path)
        rows = rows_of(tmp_path)
        for name in COUNTERS:
            values = [float(row[name]) for row in rows]
            assert values == sorted(values), name
        assert int(rows[-1]["wchar"]) > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                                    signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
                                    signal.SIGWINCH])
def test_a_signal_reaches_the_command_once(start, tmp_path, number):
    code = ("import signal, sys, time\n"
            "got = []\n"
            f"signal.signal({int(number)}, lambda *_: got.append(1))\n"
            "print('ready', flush=True)\n"
            "while not got: time.sleep(0.01)\n"
            "time.sleep(0.2)\nsys.exit(40 + len(got))\n")
    process = start("-i", "50ms", "--", sys.executable, "-S", "-c", code)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 41
    assert len(is_whole(tmp_path)) >= 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                                    signal.SIGQUIT])
def test_a_command_that_a_signal_ends(start, tmp_path, number):
    process = start("-i", "50ms", "--", "sleep", "30")
    wait_for_rows(tmp_path, 1)
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert json.loads((tmp_path / "prmon.json").read_text())["vedette"]["exit_code"] == \
        128 + number


def test_usr1_ends_the_recording_of_a_command_that_does_not_expect_it(start, tmp_path):
    process = start("-i", "50ms", "--", "sleep", "30")
    wait_for_rows(tmp_path, 1)
    command = command_of(process)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(PATIENCE) == 0
    summary = json.loads((tmp_path / "prmon.json").read_text())
    assert summary["vedette"]["exit_code"] is None
    assert Path(f"/proc/{command}/comm").read_text() == "sleep\n"  # it goes on


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_recording_of_a_pid(start, tmp_path, number):
    with subprocess.Popen(["sleep", "30"]) as other:
        process = start("-i", "50ms", "--pid", other.pid)
        wait_for_rows(tmp_path, 2)
        process.send_signal(number)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0 and other.poll() is None
        other.kill()
    assert "Max" in json.loads((tmp_path / "prmon.json").read_text())
    is_whole(tmp_path)


def test_ctrl_c_comes_from_the_terminal_and_is_not_doubled(program, tmp_path):
    """The terminal sends it to the whole group, so the recorder must not."""
    code = ("import signal, sys, time\n"
            "got = []\n"
            "signal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
            "print('ready', flush=True)\n"
            "while not got: time.sleep(0.01)\n"
            "time.sleep(0.3)\nsys.exit(40 + len(got))\n")
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            os.chdir(tmp_path)
            os.execv(program, [str(program), "record", "-q", "-i", "50ms", "--",
                               sys.executable, "-S", "-c", code])
        finally:
            os._exit(1)
    text = b""
    while b"ready" not in text:
        text += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 41
    os.close(terminal)


def test_nohup_children_and_an_ignored_sigchld(start, tmp_path):
    """A parent may leave SIGCHLD ignored: then nobody could be waited for."""
    process = start("-i", "50ms", "--", sys.executable, "-S", "-c",
                    "import time\nwhile time.process_time() < 0.3: pass",
                    preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    row = rows_of(tmp_path)[-1]
    assert float(row["utime"]) + float(row["stime"]) >= 0.3


def test_a_full_disk_is_told_and_leaves_whole_lines(start, tmp_path):
    process = start("-i", "10ms", "-o", "/dev/null", "-j", "/dev/null", "--", "sleep", "1",
                    restore_signals=False,  # SIGXFSZ stays ignored
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700)))
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and "File too large" in said
    assert len(is_whole(tmp_path)) >= 3
