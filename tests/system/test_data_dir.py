"""The data directory and the sandbox, as the running program has them."""
import json
import os
import signal
import stat
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("VEDETTE_BUILD", ROOT / "build" / "dev"))
QUIET = ("-c", "none", "--no-desktop")


def run(*words, timeout=20, **more):
    return subprocess.run([BUILD / "vedette", "monitor", *QUIET, *map(str, words)],
                          capture_output=True, text=True, timeout=timeout, **more)


@pytest.mark.parametrize("name", [
    "vedette.db", "vedette.db-wal", "vedette.db-shm", "alerts.jsonl", "events.jsonl",
    "performance_log.csv", "metrics_history.csv", "anomalies.json", "system_monitor.log", "models/monitor.1.model"])
@pytest.mark.parametrize("kind", ["pipe", "link", "hard link"])
def test_what_is_no_file_of_ours_is_told_and_not_touched(tmp_path, name, kind):
    data = tmp_path / "d"
    (data / "models").mkdir(parents=True)
    data.chmod(0o700)
    victim = tmp_path / "victim"
    victim.write_text("IMPORTANT")
    if kind == "pipe":
        os.mkfifo(data / name)
    elif kind == "link":
        (data / name).symlink_to(victim)
    else:
        (data / name).hardlink_to(victim)
    done = run("-d", data, "--no-dashboard", "--duration", "1s")
    assert done.returncode == 0, done.stderr
    assert f"{data / name} " in done.stderr and "not touched" in done.stderr
    assert victim.read_text() == "IMPORTANT"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to give a folder away")
def test_a_folder_of_somebody_else_is_refused(tmp_path):
    data = tmp_path / "d"
    data.mkdir(mode=0o700)
    os.chown(data, 65534, 65534)
    done = run("-d", data, "--no-dashboard", "--duration", "1s")
    assert done.returncode == 1 and "belongs to user 65534" in done.stderr
    assert list(data.iterdir()) == []


def test_every_file_is_ours_alone(tmp_path):
    done = run("-d", tmp_path / "d", "--no-dashboard", "--duration", "1s", umask=0)
    assert done.returncode == 0, done.stderr
    for path in [tmp_path / "d", *(tmp_path / "d").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_recording_from_standard_input_is_read_behind_the_sandbox(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("timestamp,cpu_percent\n" +
                    "".join(f"{1700000000 + i},{i % 7}\n" for i in range(100)))
    for name in ("-", "/dev/stdin", path):
        with open(path) as file:
            done = run("--replay", name, "--no-store", stdin=file)
        assert done.returncode == 0 and "100 samples" in done.stdout, done.stderr


@pytest.mark.parametrize("files", [10, 16, 20, 24, 30, 64])
def test_with_few_descriptors_it_says_so_and_does_not_spin(tmp_path, files):
    start = os.times()
    done = subprocess.run(
        ["bash", "-c", f"ulimit -n {files}; exec \"$@\"", "-", BUILD / "vedette", "monitor",
         *QUIET, "--port", "0", "-d", tmp_path / "d", "--duration", "2s"],
        capture_output=True, text=True, timeout=30)
    end = os.times()
    assert done.returncode in (0, 1)
    assert done.returncode == 0 or "error: " in done.stderr
    assert end.children_user + end.children_system < \
        start.children_user + start.children_system + 1.5


def test_a_helper_that_dies_is_told_of_once(tmp_path):
    with subprocess.Popen([BUILD / "vedette", "monitor", *QUIET, "--port", "0", "-d",
                           tmp_path / "d", "--interval", "100ms"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as monitor:
        monitor.stdout.readline()
        children = Path(f"/proc/{monitor.pid}/task/{monitor.pid}/children")
        helpers = [int(pid) for pid in children.read_text().split()
                   if Path(f"/proc/{pid}/comm").read_text() == "vedette-peek\n"]
        if not helpers:
            monitor.terminate()
            pytest.skip("no sandbox here, and no helper")
        os.kill(helpers[0], signal.SIGKILL)
        assert "helper that looks into processes is gone" in monitor.stderr.readline()
        log = tmp_path / "d" / "performance_log.csv"
        rows = len(log.read_text().splitlines())
        until = time.monotonic() + 20
        while len(log.read_text().splitlines()) < rows + 20:
            assert time.monotonic() < until
            time.sleep(0.1)
        monitor.terminate()
        assert "helper" not in monitor.communicate(timeout=20)[1]
        assert monitor.returncode == 0


def test_a_directory_that_is_removed_is_told_and_what_is_lost_counted(tmp_path):
    data = tmp_path / "d"
    with subprocess.Popen([BUILD / "vedette", "monitor", *QUIET, "--port", "0", "-d", data,
                           "--interval", "100ms"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as monitor:
        url = monitor.stdout.readline().split()[-1]
        assert monitor.stdout.readline().split()[-1] == str(data)
        status = Path(f"/proc/{monitor.pid}/status").read_text()
        sandbox = monitor.stdout.readline()
        if "seccomp (" in sandbox:
            assert "Seccomp:\t2" in status
        if sandbox.strip() != "Sandbox:   off":
            assert "NoNewPrivs:\t1" in status and f"CapEff:\t{0:016x}" in status
        for path in sorted(data.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        data.rmdir()
        until = time.monotonic() + 30
        while True:
            with urllib.request.urlopen(url + "api/v1/status", timeout=10) as answer:
                sinks = json.load(answer)["sinks"]
            lost = {s["name"]: s["lost"] for s in sinks}
            if lost["sqlite"] and lost["performance_log"] and lost["metrics_history"]:
                break
            assert time.monotonic() < until, lost
            time.sleep(0.2)
        monitor.terminate()
        assert "was removed: nothing is kept any more" in monitor.communicate(timeout=20)[1]
