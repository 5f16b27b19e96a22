"""The page in a real Chromium on the real binary (tests/conftest.py says which).

The browser is $VEDETTE_CHROMIUM, else chromium from the PATH, else the one that Playwright
brought.
"""
import os
import shutil

import pytest
from monitor import Monitor
from playwright.sync_api import expect, sync_playwright

BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update",
                   "--disable-sync"]
PATIENCE_MS = 60_000  # machines that run tests are busy machines

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def live(tmp_path_factory):
    """A monitor on the real machine for the tests that only look: five ticks a second, a
    short warm-up."""
    one = Monitor(tmp_path_factory.mktemp("live") / "data", "--interval", "200ms",
                  "--warm-up", "8s", "--no-desktop").started()
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
    """open_page(monitor, width=1440, theme="dark") -> a live page; at the end of the test
    nothing may have gone wrong in it, unless the test says `offline=True`: a refused
    connection is reported by the browser itself."""
    opened = []
    contexts = []

    def open_one(monitor, width=1440, height=900, theme="dark", view="", offline=False,
                 **options):
        url = f"http://127.0.0.1:{monitor.port}/"
        context = chromium.new_context(base_url=url, viewport={"width": width, "height": height},
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
def page(open_page, live):
    return open_page(live)
