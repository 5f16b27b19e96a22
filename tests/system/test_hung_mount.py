"""A mount whose server does not answer: a real FUSE file system that nobody serves.

Whoever asks it how full it is waits until its descriptor is closed. The monitor's ticks must
go on, and it must be told which mount it is."""
import json
import subprocess
import sys
import time

import pytest

# In a mount namespace of its own: makes the mount, runs the program with it, ends it.
HOLDER = """
import ctypes, os, subprocess, sys
point, seconds, program = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
if libc.unshare(CLONE_NEWNS) or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None):
    sys.exit(77)
try:
    fuse = os.open("/dev/fuse", os.O_RDWR)
except OSError:
    sys.exit(77)
options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
if libc.mount(b"nas:/export", point.encode(), b"fuse.sshfs", 6, options):
    sys.exit(77)
child = subprocess.Popen(program, stdout=subprocess.PIPE)
out, _ = child.communicate(timeout=seconds)
os.close(fuse)
sys.stdout.buffer.write(out)
sys.exit(child.returncode)
"""


def test_ticks_go_on_and_it_is_told(program, tmp_path):
    point = tmp_path / "mnt"
    point.mkdir()
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", HOLDER, str(point), "60", str(program), "probe", "--json",
         "--only", "filesystems", "--only", "loadavg", "--repeat", "12",
         "--interval", "0.5s"], capture_output=True, timeout=90)
    if done.returncode == 77:
        pytest.skip("this machine lets nobody mount a FUSE file system")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    collectors = {c["name"]: c for c in seen["collectors"]}
    assert str(point) in collectors["filesystems"]["error"]
    assert collectors["loadavg"]["error"] is None
    assert collectors["filesystems"]["max_us"] < 500_000
    assert time.monotonic() - began < 30
    values = {(m["name"], m["label"]): m["value"] for m in seen["metrics"]}
    assert values.get(("filesystem_percent", str(point))) is None
