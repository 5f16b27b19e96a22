"""The real `vedette monitor` under a test: started on its own data directory and a port of
the kernel's choice, asked through its API, and ended with a check of how it ended.

VEDETTE names the binary, else it is the one in VEDETTE_BUILD (default build/dev).
"""
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def binary():
    if "VEDETTE" in os.environ:
        return Path(os.environ["VEDETTE"])
    path = ROOT / os.environ.get("VEDETTE_BUILD", "build/dev") / "vedette"
    assert path.exists(), f"{path} is not built: cmake --preset dev && ninja -C build/dev"
    return path


def environment(**more):
    """Nothing of the tester's own configuration, desktop or colours."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("XDG_", "DBUS_", "VEDETTE")) and k != "NO_COLOR"}
    return {**env, "LC_ALL": "C.UTF-8", "TZ": "UTC", **more}


# Seconds for what is no promise of the program: a machine that runs tests is a busy machine.
PATIENCE = 90
# The longest recording takes half a minute of a processor that it has for itself.
REPLAY_SECONDS = 900


def wait(condition, seconds, what, step=0.1):
    """The first true answer of `condition`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(step)
    return answer


class Reader(threading.Thread):
    """Keeps the lines of a pipe, so that the program is never held up by a full one."""

    def __init__(self, pipe):
        super().__init__(daemon=True)
        self.pipe = pipe
        self.lines = []
        self.start()

    def run(self):
        for line in self.pipe:
            self.lines.append(line)

    @property
    def text(self):
        return "".join(self.lines)


class Monitor:
    def __init__(self, data_dir, *options, command=(), env=None, port=0, config="none"):
        self.data_dir = Path(data_dir)
        self.port = None
        self.process = subprocess.Popen(
            [*map(str, command), binary(), "monitor", "--config", config, "--data-dir",
             data_dir, "--port", str(port), *map(str, options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8", errors="backslashreplace", env=env or environment())
        self.out = Reader(self.process.stdout)
        self.err = Reader(self.process.stderr)

    # -- start and stop --

    def started(self, seconds=PATIENCE):
        """Waits for the address; fails with what the program said when it ended."""
        def address():
            assert self.process.poll() is None, f"ended at start: {self.said()}"
            return re.search(r"^Dashboard: http://[^ ]*:(\d+)/$", self.out.text, re.M)
        self.port = int(wait(address, seconds, "the dashboard's address").group(1))
        return self

    def said(self):
        return f"\n-- stdout --\n{self.out.text}\n-- stderr --\n{self.err.text}"

    def ended(self, seconds=PATIENCE):
        """The exit code, within so many seconds."""
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s: {self.said()}") from None
        self.out.join(5)
        self.err.join(5)
        return code

    def stop(self, by=signal.SIGTERM, seconds=PATIENCE):
        self.process.send_signal(by)
        code = self.ended(seconds)
        assert code == 0, f"exit code {code}: {self.said()}"

    def kill(self):
        """For the end of a test, however it went."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    # -- questions --

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def json(self, path):
        status, body = self.get(path)
        assert status == 200, f"{path}: {status} {body!r}"
        return json.loads(body)

    def status(self):
        return self.json("/api/v1/status")

    def events(self, **query):
        """Newest first, each with everything but its flight recorder."""
        query = {"limit": 100, **query}
        return self.json("/api/v1/events?" + "&".join(f"{k}={v}" for k, v in query.items()))

    def alert_lines(self):
        """What alerts.jsonl tells, oldest first; also of a program that has ended."""
        return [json.loads(line) for line in open(self.data_dir / "alerts.jsonl")]

    def event_lines(self, change="opened"):
        """What events.jsonl tells of that change of events, oldest first."""
        lines = [json.loads(line) for line in open(self.data_dir / "events.jsonl")]
        return [line for line in lines if line["change"] == change]

    def points(self):
        return self.status()["points"]

    def wait_ready(self, seconds=PATIENCE):
        """Until the first model is there and gives verdicts."""
        return wait(lambda: self.status()["confidence"] > 0, seconds, "a first verdict")

    def wait_ticks(self, n, seconds=PATIENCE):
        return wait(lambda: self.points() >= n, seconds, f"{n} samples")

    def wait_event(self, seconds, accept, slack=6, **query):
        """The first event that is accepted, within so many seconds of samples: where others
        leave the monitor no time for its ticks they last longer, up to `slack` times."""
        last = self.points() + seconds / self.status()["interval"]
        found = []

        def find():
            over = self.points() > last
            found.extend(e for e in reversed(self.events(**query)) if accept(e))
            return found or over

        try:
            wait(find, slack * seconds, "an event")
            assert found, f"none in {seconds} s of samples"
        except AssertionError as failure:
            raise AssertionError(f"{failure}; events: "
                                 f"{json.dumps(self.events(), indent=1)[:6000]}") from None
        return found[0]

    def wait_alert(self, seconds, accept=lambda event: True, slack=6):
        """The first alerted event that is accepted, as wait_event()."""
        return self.wait_event(seconds, accept, slack, alerted=1)


def replay(data_dir, file, *options):
    """Plays a recording to its end: the monitor that did it, and its count of samples,
    events and alerts. It yields to what other tests have to see in time."""
    v = Monitor(data_dir, "--replay", file, *options, command=("nice", "-n", "10"))
    try:
        assert v.ended(REPLAY_SECONDS) == 0, v.said()
    finally:
        v.kill()
    words = v.out.text.rsplit("\n", 2)[-2].split()
    return v, int(words[0]), int(words[2]), int(words[4])
