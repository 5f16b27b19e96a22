"""vedette record with real commands: what it counts, and what it leaves on the disk."""
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest
from monitor import PATIENCE, wait

COLUMNS = ("Time wtime pss rss swap vmem rchar read_bytes wchar write_bytes rx_bytes "
           "rx_packets tx_bytes tx_packets stime utime nprocs nthreads").split()
COUNTERS = ("rchar read_bytes wchar write_bytes rx_bytes rx_packets tx_bytes tx_packets "
            "stime utime").split()


def rows_of(folder, name="prmon.txt"):
    with open(folder / name, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def summary_of(folder, name="prmon.json"):
    return json.loads((folder / name).read_text())


def cpu_of(row):
    return float(row["utime"]) + float(row["stime"])


def check_rows(rows):
    """What holds of every recording: whole rows, and counters that never fall."""
    assert len(rows) >= 2
    for row in rows:
        assert None not in row and None not in row.values()
    for name in COUNTERS:
        values = [float(row[name]) for row in rows if row.get(name)]
        assert values == sorted(values), name


@pytest.fixture
def record(vedette, tmp_path):
    """record(*words): runs to the end; gives the CompletedProcess."""
    def run(*words, **more):
        more.setdefault("cwd", tmp_path)
        return vedette("record", *words, **more)
    return run


def python(code):
    return (sys.executable, "-S", "-c", code)


# A command that starts short-lived children and prints what wait4 says of them.
CHILDREN = """
import os, resource, sys
for i in range({n}):
    pid = os.fork()
    if pid == 0:
        import time
        end = time.process_time() + {seconds}
        while time.process_time() < end:
            pass
        os._exit(0)
    os.waitpid(pid, 0)
own, dead = (resource.getrusage(who) for who in (resource.RUSAGE_SELF,
                                                 resource.RUSAGE_CHILDREN))
print(own.ru_utime + own.ru_stime + dead.ru_utime + dead.ru_stime)
"""


def test_columns_and_summary_are_those_of_prmon(record, tmp_path):
    result = record("-i", "0.1", "-u", "--", "sleep", "0.5")
    assert result.returncode == 0 and result.stdout == ""
    lines = (tmp_path / "prmon.txt").read_text().splitlines()
    assert lines[0].split("\t") == COLUMNS
    for line in lines[1:]:
        assert re.fullmatch(r"\d+(\t\d+){13}(\t\d+\.\d\d){2}(\t\d+){2}", line), line
    check_rows(rows_of(tmp_path))
    summary = summary_of(tmp_path)
    assert set(summary) == {"Avg", "HW", "Max", "Units", "prmon", "vedette"}
    assert set(summary["Max"]) == set(COLUMNS) - {"Time"}
    assert set(summary["Avg"]) == set(COLUMNS) - {"Time", "wtime", "utime", "stime"}
    assert {"CPUs", "Sockets", "CoresPerSocket", "ThreadsPerCore"} <= set(
        summary["HW"]["cpu"])
    assert summary["HW"]["mem"]["MemTotal"] > 0
    assert summary["Units"]["Max"]["pss"] == "kB"
    assert summary["Units"]["Avg"]["rchar"] == "B/s"
    assert sorted(p.name for p in tmp_path.glob("prmon*")) == ["prmon.json", "prmon.log",
                                                               "prmon.txt"]
    assert "accounting: wait4" in result.stderr and "of the devices" in result.stderr
    assert summary["vedette"]["network"]["of"] == "device"
    assert "lo" in summary["vedette"]["network"]["devices"]


def test_columns_agree_with_a_file_of_prmon(record, data, tmp_path):
    record("-i", "0.1", "--", "sleep", "0.2")
    theirs = (data / "prmon-sample" / "prmon.txt").read_text().splitlines()[0]
    assert (tmp_path / "prmon.txt").read_text().splitlines()[0] == theirs
    ours, theirs = summary_of(tmp_path), json.loads(
        (data / "prmon-sample" / "prmon.json").read_text())
    for part in ("Max", "Avg"):
        assert set(ours[part]) == set(theirs[part])
    assert set(ours["HW"]) == set(theirs["HW"]) and ours["prmon"] == theirs["prmon"]


def test_averages_are_per_second(record, tmp_path):
    """rchar over the age of the process; prmon's are a hundred times too large."""
    code = "import os, time; open('/dev/zero','rb',0).read(50_000_000); time.sleep(1)"
    assert record("-i", "0.2", "--", *python(code)).returncode == 0
    summary, rows = summary_of(tmp_path), rows_of(tmp_path)
    assert 50e6 <= summary["Max"]["rchar"] < 60e6
    seconds = summary["Max"]["rchar"] / summary["Avg"]["rchar"]
    assert 1 <= seconds < 10 and int(rows[-1]["wtime"]) <= seconds < int(
        rows[-1]["wtime"]) + 1
    assert "a hundred times" in summary["vedette"]["average"]
    mean = sum(float(row["pss"]) for row in rows[:-1]) / len(rows[:-1])
    assert summary["Avg"]["pss"] == pytest.approx(mean, abs=1)
    assert summary["Max"]["pss"] == max(int(row["pss"]) for row in rows)


@pytest.mark.parametrize("n, seconds", [(1000, 0.005), (200, 0.02)])
def test_short_lived_children_are_counted(record, tmp_path, n, seconds):
    result = record("-i", "1s", "--", *python(CHILDREN.format(n=n, seconds=seconds)))
    truth = float(result.stdout)
    rows = rows_of(tmp_path)
    check_rows(rows)
    assert truth > 0.9 * n * seconds
    assert cpu_of(rows[-1]) == pytest.approx(truth, rel=0.02)
    assert cpu_of(summary_of(tmp_path)["Max"]) == pytest.approx(truth, rel=0.02)


def test_children_that_nobody_waits_for_are_counted(record, tmp_path):
    """SIGCHLD is ignored: the kernel adds their time to nobody's; they are known as they
    were seen last."""
    code = ("import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
            "if os.fork() == 0:\n"
            "    end = time.process_time() + 1\n"
            "    while time.process_time() < end: pass\n"
            "    os._exit(0)\n"
            "time.sleep(4)\n")
    assert record("-i", "20ms", "--", *python(code)).returncode == 0
    rows = rows_of(tmp_path)
    check_rows(rows)
    assert cpu_of(rows[-1]) >= 0.9


def test_a_worker_in_a_session_of_its_own_is_counted(record, tmp_path):
    worker = "import time\nwhile time.process_time() < 1: pass"
    result = record("-i", "50ms", "--", "sh", "-c",
                    f"setsid {sys.executable} -S -c '{worker}' & exit 5")
    assert result.returncode == 5
    assert "left processes behind" in result.stderr
    rows = rows_of(tmp_path)
    check_rows(rows)
    assert cpu_of(rows[-1]) >= 0.98
    assert any(int(row["nprocs"]) == 1 for row in rows[2:])


def test_what_is_left_behind_is_left_when_its_time_is_over(record, tmp_path):
    began = time.monotonic()
    result = record("-i", "50ms", "--linger", "0.3s", "--", "sh", "-c",
                    "setsid sleep 30 > /dev/null 2>&1 &")
    assert result.returncode == 0 and time.monotonic() - began < 20
    check_rows(rows_of(tmp_path))
    assert rows_of(tmp_path)[-1]["nprocs"] == "1"


def test_shared_memory_counts_once(record, tmp_path):
    """50 processes that share 100 MB: PSS is the headline, RSS 50 times as much."""
    code = ("import os, time\nm = bytearray(os.urandom(1)) * 100_000_000\n"
            "for i in range(50):\n    if os.fork() == 0:\n"
            "        time.sleep(2)\n        os._exit(0)\n"
            "time.sleep(2)\nfor i in range(50): os.wait()\n")
    assert record("-i", "0.2", "--", *python(code)).returncode == 0
    full = [row for row in rows_of(tmp_path) if row["nprocs"] == "51"]
    assert full
    for row in full:
        assert 100e6 / 1024 <= int(row["pss"]) <= 1.6 * 100e6 / 1024
        assert int(row["rss"]) >= 50 * 100e6 / 1024


def test_memory_that_changes_hands_is_seen(record, tmp_path):
    """The child writes to all that it shares while the parent sleeps: the sum doubles."""
    code = ("import os, time\nm = bytearray(80_000_000)\nm[::4096] = b'x' * len(m[::4096])\n"
            "if os.fork() == 0:\n    time.sleep(0.5)\n    m[::4096] = b'y' * len(m[::4096])\n"
            "    time.sleep(1)\n    os._exit(0)\nos.wait()\n")
    assert record("-i", "0.1", "--", *python(code)).returncode == 0
    pss = [int(row["pss"]) for row in rows_of(tmp_path)]
    assert max(pss) >= 0.98 * 2 * 80e6 / 1024


def test_a_short_command_has_two_rows_and_its_totals(record, tmp_path):
    code = "import time\nwhile time.process_time() < 0.1: pass\nopen('/dev/null','wb').write(b'x' * 5000)"
    assert record("--", *python(code)).returncode == 0
    rows = rows_of(tmp_path)
    assert len(rows) == 2
    check_rows(rows)
    assert cpu_of(rows[-1]) >= 0.1 and int(rows[-1]["wchar"]) >= 5000
    assert int(rows[-1]["nprocs"]) == 1
    for command in (["true"], ["false"]):
        assert record("--", *command).returncode == (command == ["false"])
        assert len(rows_of(tmp_path)) == 2


def test_exit_codes(record, tmp_path):
    for code in (0, 1, 7, 255):
        assert record("-q", "--", "sh", "-c", f"exit {code}").returncode == code
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGUSR2):
        result = record("--", "sh", "-c", f"kill -{int(number)} $$")
        assert result.returncode == 128 + number
        assert f"signal {int(number)}" in result.stderr
        assert summary_of(tmp_path)["vedette"]["exit_code"] == 128 + number
    result = record("--", "/nowhere/at all")
    assert result.returncode == 127 and "/nowhere/at all: No such file" in result.stderr
    (tmp_path / "plain").write_text("text")
    result = record("--", "./plain")
    assert result.returncode == 126 and "Permission denied" in result.stderr


def test_the_command_is_not_run_by_a_shell(record, tmp_path):
    result = record("--", "echo", "$HOME; *", "-i", "--pid")
    assert result.stdout == "$HOME; * -i --pid\n"


def test_input_and_output_are_the_commands(vedette, tmp_path):
    with open(tmp_path / "in", "w+") as text:
        text.write("from outside\n")
        text.seek(0)
        result = vedette("record", "-q", "--", "cat", stdin=text, cwd=tmp_path)
    assert result.stdout == "from outside\n" and result.stderr == ""


def test_wrong_use(record, tmp_path):
    for words, message in (
            ((), "say what to record"),
            (("--pid", "1", "--", "true"), "record one thing"),
            (("--pid", "1", "--phases", "cpu"), "record one thing"),
            (("-i", "1ms", "--", "true"), "10ms"),
            (("--interval", "fast", "--", "true"), "--interval"),
            (("--phase", "a\tb", "--", "true"), "no tab"),
            (("--phases", "cpu,sleep"), "there is no phase 'sleep'"),
            (("--phases", "cpu,"), "there is no phase ''"),
            (("-l", "loud", "--", "true"), "'loud' is no level")):
        result = record(*words)
        assert result.returncode == 2 and message in result.stderr, words
    result = record("--pid", str(2**22 - 1))
    assert result.returncode == 1 and "there is no process" in result.stderr
    for option in ("-f", "-j", "-o"):
        result = record(option, "/nowhere/file", "--", "touch", "ran")
        assert result.returncode == 1 and "/nowhere/file: No such file" in result.stderr
    assert not (tmp_path / "ran").exists()


def test_names_of_files(record, tmp_path):
    result = record("-f", "rows.txt", "-j", "sum.json", "-o", "said.log", "-s", "--",
                    "true")
    assert result.returncode == 0
    assert len(rows_of(tmp_path, "rows.txt")) == 2
    assert "HW" not in summary_of(tmp_path, "sum.json")
    assert "accounting" in (tmp_path / "said.log").read_text()
    assert not list(tmp_path.glob("prmon*"))
    assert record("-f", "/dev/null", "-j", "/dev/null", "-o", "/dev/null", "--",
                  "true").returncode == 0
    assert not os.path.isfile("/dev/null")


def test_monitors_can_be_disabled(record, tmp_path):
    result = record("-d", "netmon", "-d", "nonsense", "-d", "wallmon", "--", "true",
                    env={"PRMON_DISABLE_MONITOR": "iomon,memmon"})
    assert result.returncode == 0
    assert list(rows_of(tmp_path)[0]) == ["Time", "wtime", "stime", "utime", "nprocs",
                                          "nthreads"]
    assert "there is no monitor nonsense" in result.stderr
    assert "wallmon cannot be disabled" in result.stderr
    assert set(summary_of(tmp_path)["Avg"]) == {"nprocs", "nthreads"}
    record("-d", "all", "--", "true")
    assert list(rows_of(tmp_path)[0]) == ["Time", "wtime"]


def test_fine_time_and_a_phase_are_columns_on_request(record, tmp_path):
    began = time.time()
    assert record("-i", "10ms", "--fine-time", "--phase", "my phase", "--", "sleep",
                  "1").returncode == 0
    rows = rows_of(tmp_path)
    assert list(rows[0]) == COLUMNS + ["elapsed_s", "phase"]
    assert {row["phase"] for row in rows} == {"my phase"}
    times = [float(row["elapsed_s"]) for row in rows]
    assert len(rows) >= 50 and times == sorted(times)
    assert times[0] < 0.1 and times[-1] >= 0.99
    assert all(began - 1 <= int(row["Time"]) <= time.time() + 1 for row in rows)


def test_whole_seconds_on_request(record, tmp_path):
    code = "import time\nwhile time.process_time() < 1.5: sum(range(100000))"
    record("--whole-seconds", "--", *python(code))
    assert rows_of(tmp_path)[-1]["utime"] == "1"
    assert summary_of(tmp_path)["Max"]["utime"] == 1


def test_a_name_with_blanks_and_brackets(record, tmp_path):
    """The kernel writes the name between brackets in /proc/PID/stat."""
    code = ("import ctypes, os, time\n"
            "ctypes.CDLL(None).prctl(15, b'a b) c', 0, 0, 0)\n"
            "if os.fork() == 0:\n    time.sleep(0.5)\n    os._exit(0)\n"
            "while time.process_time() < 0.3: pass\nos.wait()\n")
    assert record("-i", "0.1", "--", *python(code)).returncode == 0
    rows = rows_of(tmp_path)
    check_rows(rows)
    assert cpu_of(rows[-1]) >= 0.3 and max(int(row["nprocs"]) for row in rows) == 2
    assert int(rows[-1]["nthreads"]) <= 2


def test_threads_are_counted(record, tmp_path):
    code = ("import threading, time\n"
            "t = [threading.Thread(target=time.sleep, args=(0.6,)) for _ in range(9)]\n"
            "[x.start() for x in t]; [x.join() for x in t]")
    assert record("-i", "0.1", "--", *python(code)).returncode == 0
    rows = rows_of(tmp_path)
    assert max(int(row["nthreads"]) for row in rows) == 10
    assert max(int(row["nprocs"]) for row in rows) == 1


def test_children_of_a_thread_belong_to_the_tree(record, tmp_path):
    code = ("import threading, subprocess\n"
            "t = threading.Thread(target=subprocess.run, args=(['sleep', '0.5'],))\n"
            "t.start(); t.join()")
    assert record("-i", "0.1", "--", *python(code.replace("-S", ""))).returncode == 0
    assert max(int(row["nprocs"]) for row in rows_of(tmp_path)) == 2


def test_a_pid_is_followed_to_its_end(record, tmp_path):
    code = ("import os, time\nwhile time.process_time() < 0.2: pass\ninput()\n"
            "if os.fork() == 0:\n"
            "    end = time.process_time() + 0.5\n"
            "    while time.process_time() < end: pass\n"
            "    os._exit(0)\nos.wait()\ntime.sleep(0.3)\n")
    command = subprocess.Popen(python(code), stdin=subprocess.PIPE)
    time.sleep(1.1)
    recorder = subprocess.Popen(
        [os.environ["VEDETTE_BUILD"] + "/vedette", "record", "-i", "50ms", "--pid",
         str(command.pid)], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    wait(lambda: (tmp_path / "prmon.txt").exists() and len(rows_of(tmp_path)) >= 3,
         PATIENCE, "rows")
    command.communicate(b"\n", timeout=PATIENCE)
    _, said = recorder.communicate(timeout=PATIENCE)
    assert recorder.returncode == 0 and "accounting: /proc" in said
    rows = rows_of(tmp_path)
    check_rows(rows)
    assert int(rows[0]["wtime"]) >= 1 and cpu_of(rows[0]) >= 0.18
    assert cpu_of(rows[-1]) >= 0.65 and max(int(row["nprocs"]) for row in rows) == 2


def test_the_recording_can_be_read_and_learned_from(record, vedette, tmp_path):
    """By this program's own reader of tables, as any file of prmon."""
    code = "import time\nfor i in range(30): time.sleep(0.02); x = [0] * (i * 10000)"
    assert record("-i", "20ms", "--fine-time", "--phase", "p", "--",
                  *python(code)).returncode == 0
    done = vedette("train", tmp_path / "prmon.txt", "-o", tmp_path / "m", cwd=tmp_path)
    assert "counter" in done.stderr + done.stdout
    assert "elapsed" in done.stderr + done.stdout


@pytest.fixture
def for_everybody(program):
    """The program where every user can run it: a checkout may lie below a folder that is
    its owner's alone."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        yield shutil.copy(program, folder)


def test_an_ordinary_user_in_a_container_is_told_what_is_used(for_everybody, tmp_path):
    """No capability is needed, and one line says what counts the ended."""
    if os.getuid() != 0:
        pytest.skip("is an ordinary user already")
    tmp_path.chmod(0o777)

    def become_nobody():
        os.chdir(tmp_path)
        os.setgid(65534)
        os.setuid(65534)

    result = subprocess.run(
        [for_everybody, "record", "-i", "1s", "--config", "none", "--",
         "/usr/bin/python3", "-S", "-c", CHILDREN.format(n=100, seconds=0.005)],
        preexec_fn=become_nobody,
        capture_output=True, text=True, timeout=PATIENCE, check=False)
    if result.returncode in (1, 126, 127):
        pytest.skip(f"not for everybody: {result.stderr[-200:]}")
    assert result.returncode == 0, result.stderr
    assert len([line for line in result.stderr.splitlines() if "accounting" in line]) == 1
    assert cpu_of(rows_of(tmp_path)[-1]) == pytest.approx(float(result.stdout), rel=0.02)


def test_what_belongs_to_someone_else_is_empty_and_told(for_everybody, tmp_path):
    """Memory and I/O of a process of root, for nobody; its CPU time is everybody's."""
    if os.getuid() != 0:
        pytest.skip("needs a process of another user")
    tmp_path.chmod(0o777)

    def become_nobody():
        os.chdir(tmp_path)
        os.setgid(65534)
        os.setuid(65534)

    with subprocess.Popen(["sleep", "60"]) as other:
        recorder = subprocess.Popen(
            [for_everybody, "record", "-i", "50ms", "--config", "none", "--pid",
             str(other.pid)], preexec_fn=become_nobody, stderr=subprocess.PIPE, text=True)
        wait(lambda: recorder.poll() is not None or (
            (tmp_path / "prmon.txt").exists() and len(rows_of(tmp_path)) >= 3), PATIENCE,
            "rows")
        if recorder.poll() is not None and "Permission denied" in recorder.communicate()[1]:
            pytest.skip("the program is not everybody's")
        other.kill()
        _, said = recorder.communicate(timeout=PATIENCE)
    row = rows_of(tmp_path)[0]
    assert row["pss"] == row["swap"] == row["rchar"] == row["write_bytes"] == ""
    assert int(row["rss"]) > 0 and row["nprocs"] == "1" and row["utime"] == "0.00"
    assert said.count("belongs to someone else") == 2
    summary = summary_of(tmp_path)
    assert summary["Max"]["pss"] is None and summary["Avg"]["rchar"] is None


def test_a_network_namespace_of_its_own_is_said_and_exact(record, tmp_path):
    code = ("import socket, subprocess, time\n"
            "subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)\n"
            "time.sleep(0.5)\n"
            "s = socket.socket(type=socket.SOCK_DGRAM)\n"
            "for i in range(100): s.sendto(b'x' * 972, ('127.0.0.1', 9))\n"
            "time.sleep(0.3)\n")
    result = record("-i", "0.1", "--", "unshare", "-n", sys.executable, "-c", code)
    if result.returncode != 0:
        pytest.skip(f"no namespace can be made here: {result.stderr[-200:]}")
    assert summary_of(tmp_path)["vedette"]["network"]["of"] == "namespace"
    last = rows_of(tmp_path)[-1]
    assert int(last["tx_packets"]) >= 100
    # Each is answered by one of 576 bytes that nobody listens.
    assert 100 * 1000 <= int(last["tx_bytes"]) <= 100 * 1576 + 2000


def test_devices_can_be_chosen(record, tmp_path):
    code = ("import socket\ns = socket.socket(type=socket.SOCK_DGRAM)\n"
            "for i in range(100): s.sendto(b'x' * 972, ('127.0.0.1', 9))")
    record("-n", "lo", "--", sys.executable, "-c", code)
    assert int(rows_of(tmp_path)[-1]["tx_bytes"]) >= 100 * 1000
    assert summary_of(tmp_path)["vedette"]["network"]["devices"] == ["lo"]
    record("-n", "nowhere0", "--", sys.executable, "-c", code)
    assert rows_of(tmp_path)[-1]["tx_bytes"] == "0"


def test_pss_at_every_nth_row_and_the_cost(record, tmp_path):
    code = "import time\nm = []\nfor i in range(40): m.append(b'x' * 1_000_000); time.sleep(0.02)"
    record("-i", "20ms", "--pss-every", "10", "--", *python(code))
    pss = [row["pss"] for row in rows_of(tmp_path)]
    rss = [row["rss"] for row in rows_of(tmp_path)]
    assert 3 <= len(set(pss)) <= len(pss) / 10 + 2 and len(set(rss)) > 2 * len(set(pss))
    own = summary_of(tmp_path)["vedette"]
    assert 0 < own["cpu_ms_per_row"] < 1000 and own["rows"] == len(pss)
    assert own["cpu_s_of_recorder"] == pytest.approx(
        own["cpu_ms_per_row"] * own["rows"] / 1000, rel=0.05)


def test_gpu_columns_come_with_a_driver(record, program, tmp_path):
    stubs = list(program.parent.rglob("*nvml_stub.so"))
    if not stubs:
        pytest.skip("the stand-in for NVIDIA's library is not built")
    stub = stubs[0]
    result = record("-i", "0.1", "--nvml", stub, "--", "sleep", "0.5")
    assert result.returncode == 0
    rows = rows_of(tmp_path)
    assert list(rows[0])[2:7] == ["gpufbmem", "gpumempct", "gpusmpct", "ngpus", "pss"]
    first = os.stat("/proc/self/ns/pid").st_ino == 0xEFFFFFFC
    # It knows none of our processes: 0 on the machine itself, unknown in a container.
    assert {row["gpufbmem"] for row in rows} == {"0" if first else ""}
    assert ("other numbers than this container" in result.stderr) == (not first)
    result = record("-d", "nvidiamon", "--nvml", stub, "--", "true")
    assert "gpufbmem" not in rows_of(tmp_path)[0]
