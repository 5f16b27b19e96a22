"""/proc mounted with hidepid, for real: who does not see the processes of others is told so,
and who sees them all the same (root, the group of gid=) is not."""
import json
import os
import subprocess
import sys

import pytest

# As process 1 of namespaces of its own, which belongs to root: mounts /proc with the
# options and runs the program as somebody else. The program is opened first, for a user
# who may not even reach its folder.
HOLDER = """
import os, subprocess, sys
options, user, group, program = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
if subprocess.run(["mount", "-o", "remount," + options, "/proc"]).returncode:
    sys.exit(77)
file = os.open(program[0], os.O_RDONLY)
child = os.fork()
if child == 0:
    os.chdir("/")
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
    os.execve(file, program, {"PATH": "/usr/bin:/bin"})
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
NOBODY, READERS = 65534, 4242


def probe(program, options, user, group):
    """What the collector of processes says, and how many of them it sees."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount /proc")
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", sys.executable, "-c",
         HOLDER, options, str(user), str(group), str(program), "probe", "--json", "--only",
         "processes", "--repeat", "1"], capture_output=True, text=True, timeout=60)
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip(f"this machine lets nobody mount /proc so: {done.stderr}")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    count, = (m["value"] for m in seen["metrics"] if m["name"] == "processes")
    return seen["collectors"][0], count


@pytest.mark.parametrize("options", ["hidepid=1", "hidepid=2", "hidepid=2,gid=4242",
                                     "hidepid=4"])
def test_who_sees_nobody_else_is_told(program, options):
    collector, count = probe(program, options, NOBODY, NOBODY)
    assert count == 1
    assert collector["error"].startswith("other users' processes are hidden (hidepid=")
    assert "suspects" in collector["error"]


@pytest.mark.parametrize("options, user, group", [
    ("hidepid=2", 0, 0),
    ("hidepid=2", 0, READERS),          # by its capability
    ("hidepid=2,gid=4242", NOBODY, READERS),
    ("hidepid=1,gid=4242", NOBODY, READERS),
    ("hidepid=0", NOBODY, NOBODY),
])
def test_who_sees_the_others_is_not(program, options, user, group):
    collector, count = probe(program, options, user, group)
    assert count >= 2
    assert collector["error"] is None
    assert ("cannot be read" in collector["note"]) == (user != 0)
