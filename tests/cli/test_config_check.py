"""`config check` and `monitor` refuse the same, with the line; secrets stay secret."""
import os
import re

import pytest

RULE = "rule: there is no metric"


def refused(vedette, file, *places):
    """What both say of the file; each begins with its place."""
    for args in (["config", "check", file], ["config", "show", file],
                 ["-c", file, "monitor", "--duration=1s"]):
        done = vedette(*args)
        assert done.returncode == 2, (args, done.stdout, done.stderr)
        assert done.stdout == "", args
        assert done.stderr.startswith(places), (args, done.stderr)
    assert not list(vedette.home.iterdir())
    return done.stderr


@pytest.mark.parametrize("text, place, message", [
    ("address: 0.0.0.0\n", "1:10", "not of this machine alone"),
    ("address: 192.168.1.5\n", "1:10", "not of this machine alone"),
    ("address: '::'\n", "1:10", "not of this machine alone"),
    ("address: 127.0.0.1:5000\n", "1:10", "not of this machine alone"),
    ("address: ''\n", "1:10", "not of this machine alone"),
    ("detector: nosuch\n", "1:11", '"nosuch" is no detector'),
    ("detectors:\n  - pca\n  - isolation_forst\n", "3:5", "did you mean 'isolation_forest'?"),
    ("detectors: [pca, pca]\n", "1:18", "pca is here for the second time"),
    ("detectors: [xgboost]\n", "1:13", "xgboost learns from labels only"),
    ("webhook: '127.0.0.1:5255'\n", "1:10", "no http or https URL"),
    ("webhook: ftp://x/y\n", "1:10", "no http or https URL"),
    ("webhook: 'http://a b/'\n", "1:10", "has a space"),
    ("webhook: |\n  http://127.0.0.1/\n", "1:10", "a line end"),
    ("webhook: http://\n", "1:10", "names no host"),
    ("webhook: http://:80/x\n", "1:10", "names no host"),
    ("webhook: http://a:99999/\n", "1:10", "no port from 1 to 65535"),
    ("webhook: http://me:pass@/x\n", "1:10", "names no host"),
    ("webhook: {flie: x}\n", "1:10", "expected a value or {file: PATH}"),
    ("webhook: {file: /nonexistent/hook}\n", "1:17", "No such file"),
    ("webhook: {file: /}\n", "1:17", "is no regular file"),
    ("webhook: {file: /dev/zero}\n", "1:17", "is no regular file"),
    ("port: 1\nmodel: /nonexistent/m.vdm\n", "2:8", "/nonexistent/m.vdm: No such file"),
    ("model: /etc/passwd\n", "1:8", "model: /etc/passwd: "),
    ("model: ''\n", "1:8", "model: "),
    ("replay: /nonexistent.csv\n", "1:9", "replay: cannot open /nonexistent.csv"),
    ("replay: /etc\n", "1:9", "replay: /etc is a directory"),
    ("data-dir: /etc/passwd\n", "1:11", "data-dir: /etc/passwd is no folder"),
    ("data-dir: /etc/passwd/below/it\n", "1:11", "data-dir: /etc/passwd"),
    ("data-dir: ''\n", "1:11", "data-dir: the path is empty"),
    ("rules:\n  - cpu_percent > 5\n  - cpu_percnt > 5\n", "3:5",
     "\"cpu_percnt\" on any machine: did you mean 'cpu_percent'?"),
    ("rules: [{metric: disk_bussy_percent, above: 9}]\n", "1:9",
     "did you mean 'disk_busy_percent'?"),
    ("rules: [\"disk_bussy_percent{sda} > 9\"]\n", "1:9",
     "did you mean 'disk_busy_percent'?"),
    ("rules: [xyzzy > 9]\n", "1:9", "'vedette probe' lists the metrics"),
    ("rule: xyzzy > 9\n", "1:7", RULE),
    ("features: [cpu_percent, gpu_tmp]\n", "1:25", "did you mean 'gpu_temp'?"),
    ("rules: [cpu_percent > 5 for -5s]\n", "1:9", '"-5s" is not a duration'),
    ("rules: [{metric: cpu_percent, above: 5, for: -1min}]\n", "1:41", "not a duration"),
    ("rules: [cpu_percent > 0x10]\n", "1:9", '"0x10" is not a number'),
    ("rules: [cpu_percent > inf]\n", "1:9", '"inf" is not a number'),
    ("rules: 5\n", "1:8", "rule: rule \"5\""),
    ("rules: {a: b}\n", "1:9", "unknown key 'a' in a rule"),
    ("rules: [" + ", ".join(["cpu_percent > 5"] * 70) + "]\n", "1:", "at most 64 rules"),
    ("features: [" + ", ".join(["cpu_percent"] * 17) + "]\n", "1:", "at most 16 metrics"),
    ("interval: -1s\n", "1:11", "'-1s' is not a duration"),
    ("interval: [1s]\n", "1:11", "expected one value"),
    ("interval: {a: 1}\n", "1:11", "expected one value"),
    ("port: 5000.5\n", "1:7", "not a whole number"),
    ("port: 99999999999999999999\n", "1:7", "whole number"),
    ("port: -1\n", "1:7", "out of range"),
    ("budget: 1e999\n", "1:9", "not a number"),
    ("budget: nan\n", "1:9", "not a number"),
    ("max-disk: 1e308TB\n", "1:11", "not a size"),
    ("\t\t\n", "1:1", "indent with spaces"),
    ("webhok: http://a/\n", "1:1", "did you mean 'webhook'?"),
])
def test_both_refuse_with_the_line(vedette, tmp_path, text, place, message):
    file = tmp_path / "v.yaml"
    file.write_text(text)
    file.chmod(0o600)
    said = refused(vedette, file, f"vedette: {file}:{place}")
    assert message in said
    assert len(said) < 700


DURATIONS = ["duration", "interval", "warm-up", "retrain", "backfill", "adopt", "cooldown",
             "keep-raw", "keep-minutes", "keep-hours"]
NONE = ["-1s", "-0.5h", "1h-30min", "nan", "inf", "1e999s", "1e308w", "5 parsecs", "s", "0x10s"]


@pytest.mark.parametrize("name, value", [(name, "-1s") for name in DURATIONS] +
                         [(DURATIONS[k], value) for k, value in enumerate(NONE)])
def test_durations_that_are_none(vedette, tmp_path, name, value):
    file = tmp_path / "v.yaml"
    file.write_text(f"{name}: {value}\n")
    done = vedette("config", "check", file)
    assert done.returncode == 2
    assert f"{file}:1:{len(name) + 3}: {name}: " in done.stderr
    done = vedette("-c", "none", "monitor", f"--{name}={value}")
    assert done.returncode == 2
    assert done.stderr.startswith(f"vedette: --{name}: ")


@pytest.mark.parametrize("option, message", [
    (["--rule", "cpu_percnt > 5"], "--rule: there is no metric \"cpu_percnt\""),
    (["--feature", "gpu_tmp"], "--feature: there is no metric \"gpu_tmp\""),
    (["--detector", "nosuch"], "--detector: \"nosuch\" is no detector"),
    (["--address", "0.0.0.0"], "--address: the address 0.0.0.0"),
    (["--model", "/nonexistent"], "--model: /nonexistent: No such file"),
    (["--replay", "/nonexistent"], "--replay: cannot open /nonexistent"),
    (["--webhook", "ftp://x/y"], "--webhook: the webhook is no http"),
])
def test_the_command_line_is_told_alike(vedette, tmp_path, option, message):
    done = vedette("-c", "none", "monitor", "-d", tmp_path / "d", "--duration=1s", *option)
    assert done.returncode == 2
    assert done.stderr.startswith(f"vedette: {message}"), done.stderr


def test_the_fault_of_the_line_is_not_blamed_on_the_file(vedette, tmp_path):
    file = tmp_path / "v.yaml"
    file.write_text("rules: [cpu_percent > 5]\n")
    done = vedette("-c", file, "monitor", "--rule", "nosuch > 1", "--duration=1s")
    assert done.stderr.startswith("vedette: --rule: there is no metric")


@pytest.mark.parametrize("text", [
    "", "\n", "# nothing\n", "---\n",
    "rules: [memory_percent > 95, 'disk_busy_percent{nosuch} > 5', gpu_temp > 90]\n",
    "features: [cpu_percent, 'filesystem_percent{/not/mounted}', cpu_p_percent]\n",
    "detectors: [pca, lof]\naddress: '::1'\nport: 0\n",
    "webhook: https://[::1]:443/x\n", "webhook: http://me:pass@host/x?y#z\n",
    "address:\nwebhook: ~\nmodel: null\n", "data-dir: not/there/yet\n",
])
def test_what_may_come_is_accepted(vedette, tmp_path, text):
    file = tmp_path / "v.yaml"
    file.write_text(text)
    file.chmod(0o600)
    done = vedette("config", "check", file, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{file}: ok\n"), done.stderr
    assert done.stderr == ""


def test_a_recording_has_names_of_its_own(vedette, tmp_path):
    rows = "time,queue_depth,cpu_percent\n"
    rows += "".join(f"2026-01-01T00:00:{i:02},{i % 7},{i % 5}\n" for i in range(60))
    (tmp_path / "r.csv").write_text(rows)
    file = tmp_path / "v.yaml"
    file.write_text("replay: r.csv\nrules:\n  - queue_depth > 5\n  - gpu_temp > 5\n")
    assert vedette("config", "check", file, cwd=tmp_path).returncode == 0
    file.write_text("replay: r.csv\nrules:\n  - queue_dept > 5\n")
    done = vedette("config", "check", file, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (f"vedette: {file}:3:5: rule: there is no metric \"queue_dept\": "
                           "did you mean 'queue_depth'?\n")
    done = vedette("-c", file, "monitor", "--no-store", cwd=tmp_path)
    assert done.returncode != 0
    assert "did you mean 'queue_depth'?" in done.stderr
    (tmp_path / "r.csv").write_text("no table\n")
    done = vedette("config", "check", file, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"vedette: {file}:1:9: replay: ")


# ---- secrets ----

TOKEN = "xoxb-9f8e7d6c5b4a3210"
URL = f"http://127.0.0.1:9/services/{TOKEN}"


def run_once(vedette, tmp_path, *options):
    done = vedette(*options, "monitor", "-d", tmp_path / "data", "--no-desktop", "-p", "0",
                   "--duration=1s")
    return done


def nowhere(tmp_path, done):
    """The secret is in no output and in no file of the data directory."""
    assert TOKEN not in done.stdout + done.stderr
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("mode, told", [(0o600, False), (0o640, False), (0o644, True),
                                        (0o604, True)])
def test_a_file_that_all_can_read_is_told_of(vedette, tmp_path, mode, told):
    plain, hook, by_file = (tmp_path / n for n in ("plain.yaml", "hook", "by_file.yaml"))
    plain.write_text(f"webhook: {URL}\n")
    hook.write_text(f"{URL}\n")
    by_file.write_text(f"webhook:\n  file: {hook}\n")
    by_file.chmod(0o644)
    for file in (plain, hook):
        file.chmod(mode)
    for config, secret in ((plain, plain), (by_file, hook)):
        for done in (vedette("config", "check", config),
                     run_once(vedette, tmp_path, "-c", config)):
            assert done.returncode == 0, done.stderr
            lines = re.findall(f".*{re.escape(str(secret))} holds a secret.*", done.stderr)
            assert len(lines) == told, done.stderr
            assert not told or (f"(mode {mode:04o})" in lines[0] and
                                f"chmod o-r {secret}" in lines[0])
            nowhere(tmp_path, done)


def test_without_a_secret_any_mode_will_do(vedette, tmp_path):
    file = tmp_path / "v.yaml"
    file.write_text("port: 5001\nwebhook: ''\n")
    file.chmod(0o644)
    done = vedette("config", "check", file)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("url, told", [
    (URL, True), ("http://127.0.0.1:9/hook?key=1", True), ("http://me:pw@127.0.0.1:9/", True),
    ("http://127.0.0.1:9/hook", False), ("http://127.0.0.1:9/", False),
    ("http://127.0.0.1:9", False),
])
def test_ps_shows_the_command_line(vedette, tmp_path, url, told):
    done = vedette("-c", "none", "monitor", "-d", tmp_path / "data", "--no-desktop", "-p", "0",
                   "--duration=1s", "--webhook", url)
    assert done.returncode == 0
    assert done.stderr.count("(ps) shows this secret") == told
    assert not told or "--webhook-file FILE" in done.stderr
    nowhere(tmp_path, done)


@pytest.mark.parametrize("content, code, message", [
    (URL, 0, ""), (URL + "\n", 0, ""), (URL + "\r\n", 0, ""),
    ("", 2, "is empty"), ("\n", 2, "is empty"), (URL + "\n" + URL, 2, "more than the one line"),
    ("a\0b", 2, "more than the one line"), ("x" * 5000, 2, "more than 4095 bytes"),
    ("ftp://x/" + TOKEN, 2, "no http or https URL"), (URL + " \n", 2, "has a space"),
])
def test_a_secret_from_a_file(vedette, tmp_path, content, code, message):
    hook = tmp_path / "hook"
    hook.write_text(content, newline="")
    hook.chmod(0o600)
    done = vedette("-c", "none", "monitor", "-d", tmp_path / "data", "--no-desktop", "-p", "0",
                   "--duration=1s", "--webhook-file", hook)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert not code or done.stderr.startswith("vedette: --webhook-file: ")
    assert "(ps)" not in done.stderr
    nowhere(tmp_path, done)
    file = tmp_path / "v.yaml"
    file.write_text(f"webhook: {{file: {hook}}}\n")
    done = vedette("config", "show", file)
    assert done.returncode == code
    assert message in done.stderr
    assert code or re.search(r"^webhook +\(secret\)", done.stdout, re.M)
    nowhere(tmp_path, done)


def test_a_fifo_is_no_secret(vedette, tmp_path):
    os.mkfifo(tmp_path / "hook")
    done = vedette("-c", "none", "monitor", "--webhook-file", tmp_path / "hook", timeout=10)
    assert done.returncode == 2
    assert "is no regular file" in done.stderr
