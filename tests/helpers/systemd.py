"""A real systemd with units of the test's own, as process 1 of namespaces of its own.

It can write nowhere but below its folder: the root and /sys are read-only to it, /run is
its own, and it knows no unit but those in the folder, so nothing of the machine's own
start runs (tmpfiles would empty /tmp). What it starts lives in one control group, and all
of it ends with the test.
"""
import os
import pathlib
import shutil
import signal
import subprocess

INNER = """
set -euo pipefail
D=$1
mount --make-rprivate /
places="/ /etc /home /root /tmp /usr /var"
for place in $places; do [ "$place" = / ] || mount --bind "$place" "$place"; done
mount --bind "$D" "$D"
for place in $places /sys; do mount -o remount,bind,ro "$place"; done
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for place in $places; do
    if touch "$place/.vedette-test" 2>/dev/null; then
        rm -f "$place/.vedette-test"
        echo "$place can be written" >&2
        exit 1
    fi
done
mkdir -p /run/dbus /run/systemd/system
install -m 755 "$3" /run/vedette  # where every user may run it
mkdir /run/out                     # and where one may write whom the test lets
mount --bind "$D/out" /run/out
export container=test SYSTEMD_UNIT_PATH="$D/units" SYSTEMD_LOG_LEVEL=notice
exec "$2" --unit=all.target --log-target=console --show-status=no
"""

DBUS = """[Unit]
DefaultDependencies=no
[Service]
Type=notify
ExecStart={dbus} --system --address=systemd: --nofork --nopidfile --systemd-activation
"""

SOCKET = """[Unit]
DefaultDependencies=no
[Socket]
ListenStream=/run/dbus/system_bus_socket
"""


def groups():
    """The root of the second version's tree; None = there is none."""
    for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(f"{path}/cgroup.controllers"):
            return pathlib.Path(path)
    return None


def missing():
    """Why it cannot be tried here; None = it can."""
    if os.geteuid() != 0:
        return "not root"
    if not os.path.exists("/lib/systemd/systemd") or not shutil.which("dbus-daemon"):
        return "systemd and dbus are not installed"
    if groups() is None:
        return "no control groups of version 2"
    return None


class Systemd:
    def __init__(self, folder, units, program):
        """`units` maps names to texts; each is started with systemd. They find `program`
        as /run/vedette and the folder's `out` as /run/out."""
        self.folder = pathlib.Path(folder)
        self.program = program
        for name in ("units", "out"):
            (self.folder / name).mkdir()
        units = {"dbus.service": DBUS.format(dbus=shutil.which("dbus-daemon")),
                 "dbus.socket": SOCKET, **units}
        started = " ".join(units)
        units["all.target"] = f"[Unit]\nDefaultDependencies=no\nWants={started}\n"
        for name, text in units.items():
            (self.folder / "units" / name).write_text(text)
        (self.folder / "inner.sh").write_text(INNER)
        self.group = groups() / f"vedette-test-{os.getpid()}-{self.folder.name}"
        self.process = None

    def start(self):
        self.group.mkdir()
        enter = f'echo $$ > "{self.group}/cgroup.procs" && exec "$@"'
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", enter, "enter", "unshare", "--mount", "--pid", "--cgroup",
                 "--uts", "--ipc", "--fork", "--kill-child", "bash",
                 str(self.folder / "inner.sh"), str(self.folder), "/lib/systemd/systemd",
                 str(self.program)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        return self

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        kill = self.group / "cgroup.kill"
        if kill.exists():
            kill.write_text("1")
        for path, _, _ in os.walk(self.group, topdown=False):
            for _ in range(100):
                try:
                    os.rmdir(path)
                    break
                except OSError:
                    signal.sigtimedwait([], 0.05)
