"""Units of systemd that fail or are started again and again, asked of a real systemd."""
import json

import pytest

import systemd
from monitor import wait

UNIT = "[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n[Service]\n"

UNITS = {
    "good.service": UNIT + "ExecStart=/bin/sleep 600\n",
    "bad.service": UNIT + "ExecStart=/bin/false\n",
    "loop.service": UNIT + "ExecStart=/bin/sh -c 'sleep 1; exit 3'\nRestart=always\n"
                           "RestartSec=200ms\n",
    "a-name-that-is-far-too-long-for-a-label-of-eighty-bytes-because-somebody-"
    "generated-it-one.service": UNIT + "ExecStart=/bin/false\n",
    "a-name-that-is-far-too-long-for-a-label-of-eighty-bytes-because-somebody-"
    "generated-it-two.service": UNIT + "ExecStart=/bin/false\n",
    "done.service": UNIT + "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n",
}

PROBE = """[Unit]
DefaultDependencies=no
After=dbus.socket
[Service]
User={user}
ExecStart=/run/vedette probe --only systemd --only units --repeat 16 --json
StandardOutput=file:{folder}/out/{user}.json
StandardError=file:{folder}/out/{user}.err
"""


MONITOR = """[Unit]
DefaultDependencies=no
After=dbus.socket
[Service]
User={user}
ExecStart=/run/vedette monitor --config none --data-dir /run/out/data --no-dashboard \\
    --no-desktop --interval 200ms
StandardOutput=file:{folder}/out/monitor.txt
StandardError=file:{folder}/out/monitor.err
"""

# Fails when the test says so.
LATER = (UNIT + "Type=oneshot\nExecStart=/bin/sh -c 'until [ -e {folder}/out/fail ]; do "
         "sleep 0.2; done; exit 3'\n")


def alerts(folder):
    """The lines of alerts.jsonl that are whole."""
    try:
        return (folder / "out/data/alerts.jsonl").read_text().split("\n")[:-1]
    except OSError:
        return []


@pytest.mark.skipif(systemd.missing() is not None, reason=str(systemd.missing()))
@pytest.mark.parametrize("user", ["root", "nobody"])
def test_a_running_monitor_alerts(program, tmp_path, user):
    """By the built-in rules: of a unit that has failed, of one that fails later, and of one
    that is started again and again; and of nothing that is well."""
    machine = systemd.Systemd(tmp_path, {
        **{name: UNITS[name] for name in ("good.service", "bad.service", "loop.service")},
        "later.service": LATER.format(folder=tmp_path),
        "monitor.service": MONITOR.format(user=user, folder=tmp_path)}, program)
    (tmp_path / "out").chmod(0o777)
    machine.start()

    def told(words):
        assert machine.process.poll() is None, machine.log
        return any(words in line for line in alerts(tmp_path))

    def what_was_said():
        return "\n".join([machine.log, *alerts(tmp_path), *(
            (tmp_path / "out" / name).read_text() if (tmp_path / "out" / name).exists() else name
            for name in ("monitor.txt", "monitor.err"))])

    try:
        for words in ("Unit bad.service has failed",
                      "Unit loop.service is started again and again"):
            try:
                wait(lambda: told(words), 60, words)
            except AssertionError as failure:
                raise AssertionError(f"{failure}: {what_was_said()}") from None
        assert not told("later.service")
        (tmp_path / "out/fail").touch()
        wait(lambda: told("Unit later.service has failed"), 60, "the unit that fails later")
        assert not told("good.service") and not told("Unit monitor.service")
    finally:
        machine.stop()


@pytest.mark.skipif(systemd.missing() is not None, reason=str(systemd.missing()))
@pytest.mark.parametrize("user", ["root", "nobody"])
def test_failed_and_restarting(program, tmp_path, user):
    probe = PROBE.format(user=user, folder=tmp_path)
    machine = systemd.Systemd(tmp_path, {**UNITS, "probe.service": probe}, program).start()
    out = tmp_path / "out" / f"{user}.json"

    def answer():
        try:
            return json.loads(out.read_text())
        except (OSError, ValueError):
            assert machine.process.poll() is None, machine.log
            return None

    try:
        seen = wait(answer, 60, f"a probe's answer; {machine.log}")
    finally:
        machine.stop()
    value = {m["name"] + f"{{{m['label']}}}" * (m["label"] != ""): m["value"]
             for m in seen["metrics"]}
    assert value["units_failed"] == 3
    assert value["unit_failed{bad.service}"] == 1
    assert value["unit_failed{loop.service}"] == 0
    assert value["unit_restarts{loop.service}"] >= 3
    assert value["unit_restarts{bad.service}"] == 0
    long = [name for name in value if name.startswith("unit_failed{a-name")]
    assert len(long) == 2 and all(value[name] == 1 for name in long)
    assert value["unit_cpu_percent{init.scope}"] > 0  # it starts loop.service again
    assert not any("unit_failed{good.service" in name or "done.service" in name
                   for name in value)
