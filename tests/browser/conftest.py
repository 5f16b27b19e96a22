"""The page in a real Chromium on the real binary.

The binary is $VEDETTE_BUILD/vedette, else the newest build/*/vedette. The browser is
$VEDETTE_CHROMIUM, else chromium from the PATH, else the one that Playwright brought.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import urllib.request

import pytest
from playwright.sync_api import expect, sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update",
                   "--disable-sync"]
PATIENCE_MS = 20_000  # machines that run tests are busy machines

expect.set_options(timeout=PATIENCE_MS)


def binary():
    if "VEDETTE_BUILD" in os.environ:
        return pathlib.Path(os.environ["VEDETTE_BUILD"]) / "vedette"
    found = sorted(ROOT.glob("build/*/vedette"), key=lambda p: p.stat().st_mtime)
    assert found, "no build/*/vedette: build first"
    return found[-1]


class Monitor:
    """A running `vedette monitor`; stop() checks that it ends well."""

    def __init__(self, folder, *options, port=0):
        self.folder = folder
        self.options = options
        self.log = folder / "output.txt"
        self.port = port
        self.start()

    def start(self):
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [binary(), "--config", "none", "monitor", "--port", str(self.port),
                 "--data-dir", self.folder / "data", "--no-desktop", *self.options],
                stdout=log, stderr=subprocess.STDOUT)
        until(lambda: self.address() is not None or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()
        self.url = self.address()
        self.port = int(re.search(r":(\d+)/", self.url)[1])

    def address(self):
        found = re.search(r"http://127\.0\.0\.1:\d+/", self.log.read_text())
        return found and found[0]

    def json(self, path):
        with urllib.request.urlopen(f"{self.url}api/v1/{path}", timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.log.read_text()


def until(condition, seconds=30):
    """Polls until the condition holds; its last value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert value, f"not within {seconds} s"
    return value


@pytest.fixture(scope="session")
def monitor(tmp_path_factory):
    """One monitor for the tests that only look: five ticks a second, a short warm-up."""
    one = Monitor(tmp_path_factory.mktemp("monitor"), "--interval", "200ms",
                  "--warm-up", "10s")
    yield one
    one.stop()


@pytest.fixture(scope="session")
def chromium():
    path = os.environ.get("VEDETTE_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_OPTIONS)
        yield browser
        browser.close()


class Opened:
    """A page with what went wrong in it: console errors, exceptions, foreign requests."""

    def __init__(self, page, origin):
        self.page = page
        self.origin = origin
        self.wrong = []
        page.on("console", lambda m: m.type in ("error", "warning")
                and self.wrong.append(f"console: {m.text}"))
        page.on("pageerror", lambda e: self.wrong.append(f"exception: {e}"))
        page.on("request", self.check_request)
        page.on("dialog", self.refuse_dialog)

    def check_request(self, request):
        # Nothing may come from elsewhere; pictures in data: addresses are within the page.
        if not request.url.startswith((self.origin, "data:")):
            self.wrong.append(f"request: {request.url}")

    def refuse_dialog(self, dialog):
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def open_page(chromium):
    """open_page(url, width=1440, theme="dark") -> a live page; at the end of the test
    nothing may have gone wrong in it, unless the test says `offline=True`: a refused
    connection is reported by the browser itself."""
    opened = []
    contexts = []

    def open_one(url, width=1440, height=900, theme="dark", view="", offline=False,
                 **options):
        context = chromium.new_context(viewport={"width": width, "height": height},
                                       color_scheme=theme, **options)
        contexts.append(context)
        one = Opened(context.new_page(), url)
        one.offline = offline
        opened.append(one)
        one.page.goto(f"{url}#/{view}")
        expect(one.page.locator("[data-connection]")).to_have_attribute(
            "data-connection", "live")
        return one.page

    yield open_one
    for context in contexts:
        context.close()
    for one in opened:
        wrong = [w for w in one.wrong
                 if not (one.offline and ("ERR_CONNECTION_REFUSED" in w
                                          or "WebSocket connection" in w
                                          or "Failed to load resource" in w))]
        assert wrong == []


@pytest.fixture
def page(open_page, monitor):
    return open_page(monitor.url)
