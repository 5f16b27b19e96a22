"""The configuration file: places, precedence, mistakes with their lines, secrets."""
import re

import pytest


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def shown(vedette, *args, **more):
    """`config show` as {name: (value, origin)}."""
    done = vedette("config", "show", *args, **more)
    assert done.returncode == 0, done.stderr
    rows = {}
    for line in done.stdout.splitlines():
        name, value, origin = re.match(r"(\S+) +(.*?) +(\S+)$", line).groups()
        rows[name] = (value, origin)
    return rows


def test_defaults_without_a_file(vedette):
    rows = shown(vedette, env={"XDG_CONFIG_HOME": str(vedette.home / "none")})
    assert rows["port"] == ("5000", "default")
    done = vedette("config", "check", env={"XDG_CONFIG_HOME": str(vedette.home / "none")})
    assert done.returncode == 0


def test_values_and_where_they_come_from(vedette, tmp_path):
    file = write(tmp_path / "v.yaml", "# first\nport: 5123\ninterval: 500ms\n")
    rows = shown(vedette, file)
    assert rows["port"] == ("5123", f"{file}:2")
    assert rows["interval"] == ("500ms", f"{file}:3")
    assert rows["address"][1] == "default"


def test_usual_places_and_precedence(vedette, tmp_path):
    write(vedette.home / ".config/vedette/vedette.yaml", "port: 5201\n")
    assert shown(vedette)["port"][0] == "5201"
    write(tmp_path / "xdg/vedette/vedette.yaml", "port: 5202\n")
    xdg = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    assert shown(vedette, env=xdg)["port"][0] == "5202"
    given = write(tmp_path / "given.yaml", "port: 5203\n")
    assert shown(vedette, "--config", given, env=xdg)["port"][0] == "5203"
    assert shown(vedette, "--config=none", env=xdg)["port"][0] == "5000"


def test_the_example_is_right_commented_and_not(vedette, tmp_path):
    example = vedette("config", "example").stdout
    file = write(tmp_path / "example.yaml", example)
    assert vedette("config", "check", file).returncode == 0
    assert shown(vedette, file) == shown(vedette, "--config=none")
    used = re.sub(r"^#([a-z])", r"\1", example, flags=re.M)
    used = re.sub(r"^#  -", "  -", used, flags=re.M)
    file = write(tmp_path / "used.yaml", used)
    done = vedette("config", "check", file)
    assert done.returncode == 0, done.stderr
    values = {k: v[0] for k, v in shown(vedette, file).items() if k != "webhook-file"}
    assert values == {k: v[0] for k, v in shown(vedette, "--config=none").items()}


def test_secrets_are_not_shown(vedette, tmp_path):
    secret = "https://example.org/hook/SECRET-TOKEN"
    file = write(tmp_path / "v.yaml", f"webhook: {secret}\n")
    done = vedette("config", "show", file)
    assert done.returncode == 0
    assert "SECRET-TOKEN" not in done.stdout + done.stderr
    assert re.search(r"^webhook +\(secret\)", done.stdout, re.M)


@pytest.mark.parametrize("text, place, message", [
    ("port: 5000\nprot: 1\n", "2:1", "unknown key 'prot': did you mean 'port'?"),
    ("port: 99999\n", "1:7", "port: 99999 is out of range, it must be from"),
    ("\n\ninterval: soon\n", "3:11", "interval: 'soon' is not a duration"),
    ("port:\n\tx: 2\n", "2:1", "indent with spaces"),
    ("port: [1\n", "2:1", "expected"),
    ("port: 1\nport: 2\n", "2:1", "port: is here for the second time"),
    ("dashboard: perhaps\n", "1:12", "dashboard: 'perhaps' is not true or false"),
    ("rules:\n  - {metric: cpu_percent, abvoe: 9}\n", "2:27",
     "unknown key 'abvoe' in a rule: did you mean 'above'?"),
    ("rules:\n  - cpu_percent is large\n", "2:5", "rule: rule"),
    ("rules:\n  - {metric: cpu_percent, above: 9, severity: awful}\n", "2:5", "rule: rule"),
    ("log-level: loud\n", "1:12", "is not one of debug, info, warning, error"),
    ("just words\n", "1:1", "expected \"key: value\" lines"),
])
def test_mistakes_have_line_and_column(vedette, tmp_path, text, place, message):
    file = write(tmp_path / "wrong.yaml", text)
    for args in (["config", "check", file], ["config", "show", file],
                 ["monitor", "--config", file, "--duration=1s"]):
        done = vedette(*args)
        assert done.returncode == 2, args
        assert done.stdout == ""
        assert done.stderr.startswith(f"vedette: {file}:{place}: ")
        assert message in done.stderr


def test_a_file_that_is_named_must_be_there(vedette, tmp_path):
    missing = tmp_path / "missing.yaml"
    for args in (["config", "check", missing], ["monitor", "--config", missing]):
        done = vedette(*args)
        assert done.returncode == 2
        assert f"{missing}: No such file or directory" in done.stderr


def test_help_works_beside_a_broken_file(vedette):
    write(vedette.home / ".config/vedette/vedette.yaml", "not: [valid\n")
    assert vedette("help", "monitor").returncode == 0
    assert vedette("monitor", "--help").returncode == 0
    assert vedette("version").returncode == 0
    assert vedette("config", "check").returncode == 2


def test_the_command_line_wins(vedette, tmp_path):
    """The file's bad port is set and overruled: only the address that is used counts."""
    data = tmp_path / "data"
    file = write(tmp_path / "v.yaml",
                 f"dashboard: false\ndata-dir: {data}\nduration: 30s\nalerts-log: false\n")
    done = vedette("monitor", "--config", file, "--duration=1s", "--no-desktop")
    assert done.returncode == 0, done.stderr
    assert data.is_dir()
