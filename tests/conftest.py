"""What all tests of the program share.

VEDETTE_BUILD names the build folder (default build/dev), VEDETTE_DATA the recorded data
(default ../shared/data beside the repository).
"""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("VEDETTE_BUILD", "build/dev"))
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD
# Tests in other folders read the variable themselves, from whatever folder they run in.
os.environ["VEDETTE_BUILD"] = str(BUILD)


def pytest_configure(config):
    config.addinivalue_line("markers", "tsan: runs in the build with ThreadSanitizer too")
    config.addinivalue_line("markers", "slow: takes longer than a minute")


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


@pytest.fixture
def vedette(program, tmp_path):
    """Runs the program to its end, in an empty home; gives the CompletedProcess."""
    home = tmp_path / "home"
    home.mkdir()

    def run(*args, env=None, **more):
        clean = {k: v for k, v in os.environ.items()
                 if k not in ("NO_COLOR", "XDG_CONFIG_HOME", "COLUMNS")}
        clean.update(HOME=str(home), TERM="xterm", **(env or {}))
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([str(program), *map(str, args)], capture_output=True,
                              text=True, timeout=60, env=clean, **more)

    run.home = home
    return run
