"""What all tests of the program share.

VEDETTE_BUILD names the build folder (default build/dev), VEDETTE_DATA the recorded data
(default ../shared/data beside the repository).
"""
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "helpers"))

from machine import Machine  # noqa: E402
from monitor import Monitor  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("VEDETTE_BUILD", "build/dev"))
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD
# Tests in other folders read the variable themselves, from whatever folder they run in.
os.environ["VEDETTE_BUILD"] = str(BUILD)


def pytest_configure(config):
    config.addinivalue_line("markers", "tsan: runs in the build with ThreadSanitizer too")
    config.addinivalue_line("markers", "slow: takes longer than a minute")
    config.addinivalue_line("markers", "trains: most of it is training, which the unit "
                                       "tests do in the builds with sanitizers")
    config.addinivalue_line("markers", "live: loads the real machine")
    config.addinivalue_line("markers", "takes(seconds): is begun before what takes less")


def pytest_collection_modifyitems(items):
    """What takes long first: else the last of them runs alone in the end."""
    def seconds(item):
        mark = item.get_closest_marker("takes")
        return mark.args[0] if mark else 0

    items.sort(key=seconds, reverse=True)


@pytest.fixture(scope="session")
def program():
    path = BUILD / "vedette"
    assert path.exists(), f"{path} is not built: cmake --preset dev && ninja -C build/dev"
    return path


@pytest.fixture(scope="session")
def data():
    path = pathlib.Path(os.environ.get("VEDETTE_DATA", ROOT / ".." / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"recorded data is not at {path} (VEDETTE_DATA)")
    return path.resolve()


# Runs a command from a process that is small itself: a child has at least the memory of the
# one that forked it in its peak, and a worker of the tests may be large.
MEASURE = """import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)"""


@pytest.fixture
def vedette(program, tmp_path):
    """Runs the program to its end, in an empty home; gives the CompletedProcess. With
    `measured` its peak_kb is the most memory that the program had."""
    home = tmp_path / "home"
    home.mkdir()

    def run(*args, env=None, measured=False, **more):
        clean = {k: v for k, v in os.environ.items()
                 if k not in ("NO_COLOR", "XDG_CONFIG_HOME", "COLUMNS")}
        clean.update({"HOME": str(home), "TERM": "xterm", **(env or {})})
        more = {"stdin": subprocess.DEVNULL, "timeout": 300, **more}
        peak = home / "peak"
        through = [sys.executable, "-S", "-c", MEASURE, str(peak)] if measured else []
        done = subprocess.run([*through, str(program), *map(str, args)], capture_output=True,
                              text=True, env=clean, **more)
        if measured:
            done.peak_kb = int(peak.read_text())
        return done

    run.home = home
    return run


@pytest.fixture
def monitor(tmp_path):
    """monitor(*options, **how): a running `vedette monitor` with a data directory of its
    own and a port of the kernel's choice; killed when the test ends, however it ends."""
    running = []

    def start(*options, data_dir=None, wait=True, **how):
        running.append(Monitor(data_dir or tmp_path / "data", *options, **how))
        return running[-1].started() if wait else running[-1]

    yield start
    for m in running:
        m.kill()


@pytest.fixture
def machine(tmp_path):
    """machine(**how): a made-up machine below tmp_path / "root"."""
    running = []

    def start(**how):
        running.append(Machine(tmp_path / "root", **how))
        return running[-1]

    yield start
    for m in running:
        m.close()
