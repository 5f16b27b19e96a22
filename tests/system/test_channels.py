"""Alert channels against what they talk to: a real notification daemon under a private
X server and session bus, and real HTTP servers that fail, hang and recover.

VEDETTE_BUILD names the build directory (default build/dev).
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("VEDETTE_BUILD", ROOT / "build" / "dev"))
DRIVER = BUILD / "store_driver"


def alert(*words, env=None):
    return subprocess.Popen([DRIVER, "alert", *map(str, words)], env=env,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def counters(out):
    return {line.split()[0]: tuple(map(int, line.split()[1:])) for line in out.splitlines()}


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time: " + what
        time.sleep(0.02)


# ---- webhook ----

class Server:
    """Answers with the given codes in turn, the last one for ever; "hang" answers not."""

    def __init__(self, *answers, retry_after=None):
        self.answers = list(answers)
        self.paths = set()
        self.bodies = []
        self.times = []
        self.release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.times.append(time.monotonic())
                outer.paths.add(self.path)
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                if answer == "hang":
                    outer.release.wait(30)
                    return
                outer.bodies.append((answer, self.headers, json.loads(body)))
                self.send_response(answer)
                if answer == 302:
                    self.send_header("Location", "/elsewhere")
                if retry_after is not None:
                    self.send_header("Retry-After", str(retry_after))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_port}/hook?token=s3cret"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.mark.tsan
def test_webhook_retries_until_the_server_takes_it():
    with Server(500, 503, 200) as server:
        process = alert(1, 6000, "webhook=" + server.url)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0
        assert counters(out)["webhook"] == (1, 2, 0, 0)
        assert [code for code, _, _ in server.bodies] == [500, 503, 200]
        # At least a second, then a quarter of the outage.
        gaps = [b - a for a, b in zip(server.times, server.times[1:])]
        assert all(0.9 < gap < 3 for gap in gaps)
        assert err.count("the server answered") == 1
        assert "the server answered 500" in err and "works again" in err
        assert "s3cret" not in err
        headers, body = server.bodies[-1][1:]
        assert headers["Content-Type"] == "application/json"
        assert body["host"] == "testhost" and body["change"] == "opened"
        assert body["event"]["severity"] == "high"
        assert body["event"]["suspects"][0]["name"] == "burn\\x1b[2J"
        assert body["text"].startswith("high on testhost: High CPU usage")


@pytest.mark.parametrize("code", [400, 413, 422])
def test_webhook_gives_up_a_message_that_is_refused(code):
    with Server(code) as server:
        out, err = alert(2, 700, "webhook=" + server.url).communicate(timeout=30)
        assert counters(out)["webhook"] == (0, 0, 2, 0)
        assert len(server.bodies) == 2
        for event in (1, 2):
            assert f"gave up telling that event {event} opened: the server answered {code}" in err


@pytest.mark.parametrize("code", [401, 403, 404, 302])
def test_webhook_tries_again_while_its_address_is_refused(code):
    """A receiver that is being deployed anew says 404 for a while. A redirect is an answer
    like any other: nobody goes there."""
    with Server(code, code, 200) as server:
        out, err = alert(1, 5000, "webhook=" + server.url).communicate(timeout=30)
        assert counters(out)["webhook"] == (1, 2, 0, 0)
        assert len(server.bodies) == 3
        assert err.count(f"the server answered {code}") == 1 and "works again" in err
        assert server.paths == {"/hook?token=s3cret"}


@pytest.mark.parametrize("code", [429, 503])
def test_webhook_waits_as_long_as_it_is_asked_to(code):
    with Server(code, 200, retry_after=4) as server:
        out, _ = alert(1, 7000, "webhook=" + server.url).communicate(timeout=30)
        assert counters(out)["webhook"] == (1, 1, 0, 0)
        assert 3.9 < server.times[1] - server.times[0] < 6


def test_webhook_outbox_is_bounded_and_counts_what_leaves():
    with Server("hang") as server:
        process = alert(3000, 0, "webhook=" + server.url, "timeout=20", "close=0.5")
        out, err = process.communicate(timeout=30)
        sent, _, lost, waiting = counters(out)["webhook"]
        assert sent == 0 and 200 < waiting < 300
        # One may be under way, and neither wait nor be lost yet.
        assert lost + waiting in (2999, 3000)
        assert err.count("its outbox is full") == 1
        assert f"{waiting} alerts could not be told" in err


def test_webhook_server_comes_up_later():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = alert(1, 5000, f"webhook=http://127.0.0.1:{port}/")
    # Nobody listens for the first try.
    assert "webhook: " in process.stderr.readline()
    with Server(200) as server:
        server.http.socket.close()
        late = ThreadingHTTPServer(("127.0.0.1", port), server.http.RequestHandlerClass)
        threading.Thread(target=late.serve_forever, daemon=True).start()
        out, _ = process.communicate(timeout=30)
        late.shutdown()
        late.server_close()
        sent, retried, lost, _ = counters(out)["webhook"]
        assert (sent, lost) == (1, 0) and retried >= 1
        assert len(server.bodies) == 1


@pytest.mark.tsan
def test_a_hanging_server_delays_nobody():
    with Server("hang") as server:
        begin = time.monotonic()
        process = alert(200, 0, "webhook=" + server.url, "timeout=20", "close=0.5")
        out, _ = process.communicate(timeout=30)
        # 200 sends and an orderly end, while not one request was answered.
        assert time.monotonic() - begin < 5
        assert counters(out)["webhook"] == (0, 0, 0, 200)
        assert process.returncode == 0


def test_time_out_is_a_retry():
    with Server("hang", 200) as server:
        out, err = alert(1, 4000, "webhook=" + server.url, "timeout=0.5").communicate(
            timeout=30)
        assert counters(out)["webhook"] == (1, 1, 0, 0), err
        assert "imeout" in err or "timed out" in err


# ---- desktop ----

needs_desktop = pytest.mark.skipif(
    not all(map(shutil.which, ("dbus-daemon", "Xvfb", "dunst", "dunstctl"))),
    reason="dbus-daemon, Xvfb and dunst are needed: apt-get install dbus xvfb dunst")


class Desktop:
    """A session bus, an X server and a notification daemon of our own."""

    def __init__(self, directory):
        self.directory = directory
        self.processes = []

    def start(self, *command, env=None, pass_fds=()):
        log = open(self.directory / (Path(command[0]).name + ".log"), "w")
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log,
                                   pass_fds=pass_fds)
        log.close()
        self.processes.append(process)
        return process

    def __enter__(self):
        socket_path = self.directory / "bus"
        config = self.directory / "session.conf"
        config.write_text(f"""<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket_path}</listen>
<auth>EXTERNAL</auth><policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>""")
        self.bus = self.start("dbus-daemon", f"--config-file={config}", "--nofork")
        wait_for(socket_path.exists, 10, "the session bus")
        read_end, write_end = os.pipe()
        self.start("Xvfb", "-displayfd", str(write_end), "-screen", "0", "640x480x24",
                   pass_fds=(write_end,))
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            display = pipe.readline().strip()
        assert display, "Xvfb gave no display"
        self.env = dict(os.environ, DISPLAY=":" + display,
                        DBUS_SESSION_BUS_ADDRESS=f"unix:path={socket_path}",
                        XDG_CONFIG_HOME=str(self.directory), HOME=str(self.directory))
        self.dunst = self.start("dunst", env=self.env)
        wait_for(self.answers, 10, "dunst")
        return self

    def answers(self):
        return subprocess.run(["dunstctl", "is-paused"], env=self.env,
                              capture_output=True).returncode == 0

    def shown(self):
        """What dunst has shown, oldest first."""
        subprocess.run(["dunstctl", "close-all"], env=self.env, check=True)
        text = subprocess.run(["dunstctl", "history"], env=self.env, check=True,
                              capture_output=True, text=True).stdout
        rows = json.loads(text)["data"][0]
        return [{key: value["data"] for key, value in row.items()} for row in rows][::-1]

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
                process.wait(10)


@needs_desktop
def test_desktop_notification_is_shown(tmp_path):
    with Desktop(tmp_path) as desktop:
        out, err = alert(1, 2000, "desktop", env=desktop.env).communicate(timeout=30)
        assert counters(out)["desktop"] == (1, 0, 0, 0), err
        shown = desktop.shown()
        assert len(shown) == 1
        assert shown[0]["appname"] == "vedette"
        assert shown[0]["summary"] == "High CPU usage <b>detected</b> 1"
        assert "cpu_percent: 97.1 (high, expected ≈9.4, z=8.8)" in shown[0]["body"]
        # A process that calls itself "\x1b[2J" steers nothing, here neither.
        assert "burn\\x1b[2J (pid 4242): 80 % of the cpu excess" in shown[0]["body"]


@needs_desktop
def test_desktop_that_ends_does_not_take_us_along(tmp_path):
    with Desktop(tmp_path) as desktop:
        process = alert(6, 800, "desktop", env=desktop.env)
        wait_for(lambda: len(desktop.shown()) >= 1, 20, "the first notification")
        desktop.bus.send_signal(signal.SIGKILL)
        desktop.bus.wait()
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        sent, _, lost, _ = counters(out)["desktop"]
        assert sent >= 1 and sent + lost == 6
        assert "the terminal bell rings instead" in err


@needs_desktop
def test_notification_daemon_that_comes_back(tmp_path):
    with Desktop(tmp_path) as desktop:
        desktop.dunst.terminate()
        desktop.dunst.wait()
        process = alert(12, 500, "desktop", env=desktop.env)
        wait_for(lambda: "bell" in process.stderr.readline(), 20, "the fall-back")
        desktop.dunst = desktop.start("dunst", env=desktop.env)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        wait_for(desktop.answers, 10, "dunst")
        assert len(desktop.shown()) >= 1
        assert counters(out)["desktop"][0] >= 1
