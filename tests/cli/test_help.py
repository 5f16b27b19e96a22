"""Help, version, exit codes, manual pages: what a person meets first."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

COLOR = re.compile(r"\x1b\[[0-9;]*m")


def names(vedette):
    return vedette("help", "--names").stdout.split()


def test_every_command_has_help_that_fits(vedette):
    commands = names(vedette)
    assert {"monitor", "config", "completion", "help", "version"} <= set(commands)
    for columns in (40, 80, 100):
        for command in commands:
            done = vedette("help", command, env={"COLUMNS": str(columns)})
            assert done.returncode == 0 and done.stderr == ""
            assert done.stdout.startswith(f"Usage: vedette {command} [OPTION...]")
            prose = done.stdout.split("\nExamples\n")[0].splitlines()[1:]
            long = [line for line in prose if len(line) > columns and " --" not in line
                    and len(line.split()) > 1]
            assert long == []


def test_help_is_the_same_by_every_way(vedette):
    for command in names(vedette):
        texts = {vedette("help", command).stdout, vedette(command, "--help").stdout,
                 vedette(command, "-h").stdout,
                 vedette(command, "--help", "--color=auto").stdout}
        assert len(texts) == 1, command


def test_program_help_lists_all_commands(vedette):
    done = vedette("--help")
    assert done.returncode == 0 and done.stderr == ""
    for command in names(vedette):
        assert re.search(rf"^  {command} +[A-Z]", done.stdout, re.M), command


def test_options_of_monitor_show_default_and_group(vedette):
    text = vedette("help", "monitor").stdout
    assert re.search(r"--port=\S+.*\n?.*5000", text)
    assert "--[no-]dashboard " in text  # on, unless it is switched off
    assert "\nAlerts\n" in text and "\nAll commands\n" in text and "\nExamples\n" in text


def test_version(vedette):
    for args in (["--version"], ["-V"], ["version"], ["monitor", "--version"]):
        done = vedette(*args)
        assert done.returncode == 0
        assert re.fullmatch(r"vedette \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("args, message", [
    (["moniter"], "unknown command 'moniter': did you mean 'monitor'?"),
    (["mon"], "unknown command 'mon': did you mean 'monitor'?"),
    (["qqqqqqq"], "unknown command 'qqqqqqq'\n"),
    (["monitor", "--prot=1"], "unknown option --prot: did you mean --port?"),
    (["monitor", "--qqqqqqqqq"], "unknown option --qqqqqqqqq\n"),
    (["monitor", "-y"], "unknown option -y\n"),
    (["--prt", "monitor"], "unknown option --prt\n"),
    (["monitor", "--port"], "--port: a value is missing"),
    (["monitor", "--port=70000"], "--port: 70000 is out of range, it must be from 0 to"),
    (["monitor", "--port", "x1"], "--port: 'x1' is not a whole number"),
    (["monitor", "--interval=5lightyears"], "'5lightyears' is not a duration such as"),
    (["monitor", "--interval=1ms"], "it must be from 50ms to 1h"),
    (["monitor", "--desktop=maybe"], "--desktop takes no value"),
    (["monitor", "--color=pink"], "'pink' is not one of auto, always, never"),
    (["--log-level=loud", "version"], "is not one of debug, info, warning, error"),
    (["monitor", "--rule=cpu_percent"], "--rule: rule \"cpu_percent\""),
    (["monitor", "word"], "monitor takes no argument 'word'"),
    (["help", "nothing"], "unknown command 'nothing'"),
    (["completion", "tcsh"], "expected one of bash, zsh, fish"),
    (["config", "chekc"], "expected 'config check'"),
])
def test_wrong_use_is_told_and_ends_with_2(vedette, args, message):
    done = vedette(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("vedette: ")
    assert message in done.stderr
    assert "Try 'vedette help" in done.stderr


def test_no_command_shows_the_commands_and_ends_with_2(vedette):
    done = vedette()
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("Usage: vedette")


def test_output_that_cannot_be_written_is_a_failure(program):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program, "help"], stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=60)
    assert done.returncode == 1
    assert "could not be written" in done.stderr


def on_terminal(program, *args, columns=60, env=None):
    """What the program writes to a terminal of that width."""
    pid, fd = pty.fork()
    if pid == 0:
        clean = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        clean.update({"TERM": "xterm", **(env or {})})
        os.execve(program, [str(program), *args], clean)
    import fcntl
    import struct
    import termios
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    text, end = b"", time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            block = os.read(fd, 65536)
        except OSError:
            break
        if not block:
            break
        text += block
    # Not the other way round: closing hangs up on a child that is still ending.
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    assert os.waitstatus_to_exitcode(status) == 0
    return text.decode().replace("\r\n", "\n")


def test_colours_are_for_terminals_that_want_them(program, vedette):
    assert COLOR.search(on_terminal(program, "help"))
    assert not COLOR.search(on_terminal(program, "help", env={"NO_COLOR": "1"}))
    assert not COLOR.search(on_terminal(program, "help", env={"TERM": "dumb"}))
    assert not COLOR.search(on_terminal(program, "help", "--color=never"))
    assert not COLOR.search(vedette("help").stdout)
    assert COLOR.search(vedette("help", "--color=always", env={"NO_COLOR": "1"}).stdout)
    colored = vedette("--color", "always", "help", "monitor").stdout
    assert COLOR.sub("", colored) == vedette("help", "monitor").stdout


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_manual_pages_are_without_fault(vedette, tmp_path):
    for command in [None, *names(vedette)]:
        done = vedette("help", "--man", *([command] if command else []))
        assert done.returncode == 0
        page = tmp_path / "page.1"
        page.write_text(done.stdout)
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page],
                              capture_output=True, text=True)
        assert lint.returncode == 0, lint.stdout
        shown = subprocess.run(["mandoc", "-T", "utf8", page], capture_output=True,
                               text=True, check=True).stdout
        plain = re.sub(r".\x08", "", shown)
        assert "EXIT STATUS" in plain and "NAME" in plain


def test_every_option_is_in_the_manual_and_the_markdown(vedette):
    markdown = vedette("help", "--markdown").stdout
    for command in names(vedette):
        options = set(re.findall(r"^ +(?:-\w, )?--(?:\[no-\])?([a-z-]+)", vedette(
            "help", command, env={"COLUMNS": "100"}).stdout, re.M))
        page = vedette("help", "--man", command).stdout.replace("\\-", "-")
        program_page = vedette("help", "--man").stdout.replace("\\-", "-")
        assert options
        for option in options:
            assert f"--{option}" in page or f"--{option}" in program_page
            assert f"`--{option}" in markdown or f"`--[no-]{option}`" in markdown


@pytest.mark.parametrize("args, code, message", [
    (["probe", "--root", "/nonexistent"], 2, "--root: cannot read /nonexistent: No such"),
    (["monitor", "--root", "/etc/passwd"], 2, "--root: /etc/passwd is not a folder"),
    (["monitor", "--detector", "guess"], 2, "choose from isolation_forest, "),
    (["store", "polish"], 2, "unknown word polish: write info, clean or export"),
    (["monitor", "--no-store", "--replay", "/etc/passwd"], 1,
     "fields, the first line 1"),
])
def test_a_mistake_is_named_with_what_to_do(vedette, args, code, message):
    done = vedette(*args)
    assert done.returncode == code
    assert message in done.stderr
