"""What happens to the machine and to the monitor is seen in the page."""

import pathlib
import re
import subprocess
import sys
import time

import pytest
from conftest import Monitor, binary, until
from playwright.sync_api import expect

HOSTILE = "<img src=x onerror=window.hacked=1>\n\u202egnp.exe"


@pytest.fixture
def hostile_process():
    """A process whose name and command line are markup, line breaks and an override of the
    writing direction."""
    code = ("import ctypes, time\n"
            "ctypes.CDLL(None).prctl(15, b'<b>\\n<img src=x', 0, 0, 0)\n"
            "print('named', flush=True)\n"
            "time.sleep(600)\n")
    process = subprocess.Popen([sys.executable, "-c", code, HOSTILE],
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "named\n"
    yield process.pid
    process.kill()
    process.wait()


def test_hostile_names_are_text(open_page, monitor, hostile_process):
    page = open_page(monitor.url, view="processes")
    page.locator("[data-filter]").fill(str(hostile_process))
    row = page.locator("table.processes tbody tr", has_text=str(hostile_process)).first
    expect(row.locator(".process-name")).to_have_text("<b>\u240a<img src=x")
    expect(row.locator("td.command")).to_contain_text("<img src=x onerror=")
    assert "\n" not in row.locator("td.command").text_content()
    assert "\u202e" not in row.text_content()
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.querySelectorAll('main img, main b img').length") == 0


def anonymous_gb():
    """Memory of programs as the metric memory_anonymous_gb counts it."""
    text = pathlib.Path("/proc/meminfo").read_text()
    return int(re.search(r"^AnonPages: +(\d+) kB", text, re.M)[1]) / 1048576


def test_an_anomaly_appears_with_its_reason_and_its_process(tmp_path, open_page):
    """A burner takes memory beyond a limit: what the page shows of it must name the metric
    and the burner. A limit, because the learned verdict depends on what else the machine
    did meanwhile; the tests of the program look at that one."""
    limit = anonymous_gb() + 1
    monitor = Monitor(tmp_path, "--interval", "200ms", "--warm-up", "10s",
                      "--rule", f"memory_anonymous_gb > {limit:.2f} for 1s high")
    page = open_page(monitor.url, view="events")
    ticks = monitor.json("latest")["tick"]
    until(lambda: monitor.json("latest")["tick"] > ticks + 10)
    burner = subprocess.Popen([binary(), "burn", "memory", "--amount", "1536MiB",
                               "--duration", "60s"], stdout=subprocess.DEVNULL)
    try:
        row = page.locator(".log-row", has_text="limit: memory_anonymous_gb").first
        expect(row).to_be_visible(timeout=30_000)
        expect(row).to_contain_text("high")
        row.locator(".log-reason").click()
        expect(page.locator("h1")).to_contain_text("memory_anonymous_gb")
        suspects = page.locator(".suspects")
        expect(suspects).to_contain_text(str(burner.pid))
        expect(suspects).to_contain_text("vedette")
        expect(page.locator(".why, .why-text")).to_contain_text("memory")
        look_at_the_recorder(page, burner.pid)
        give_feedback(page, monitor)
    finally:
        burner.terminate()
        burner.wait()
    monitor.stop()


def look_at_the_recorder(page, pid):
    slider = page.get_by_role("slider")
    expect(slider).to_be_visible()
    page.get_by_role("button", name="Peak").click()
    expect(page.locator("tr.marked", has_text=str(pid))).to_be_visible()
    before = slider.get_attribute("aria-valuetext")
    slider.focus()
    page.keyboard.press("Home")
    until(lambda: slider.get_attribute("aria-valuetext") != before)
    assert "before" in slider.get_attribute("aria-valuetext")


def give_feedback(page, monitor):
    event = int(page.url.rsplit("/", 1)[1])
    page.get_by_role("button", name="Real", exact=True).click()
    expect(page.get_by_text("Marked as real.")).to_be_visible()
    until(lambda: monitor.json(f"events/{event}")["feedback"] == "real")
    expect(page.get_by_text("Marked as real.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    until(lambda: monitor.json(f"events/{event}")["feedback"] == "")


def test_a_restart_is_shown_and_the_page_comes_back(tmp_path, open_page):
    monitor = Monitor(tmp_path, "--interval", "200ms", "--warm-up", "10s")
    page = open_page(monitor.url, offline=True)
    page.evaluate("window.loadedOnce = true")
    light = page.locator("[data-connection]")
    monitor.stop()
    expect(light).to_have_attribute("data-connection", "down")
    expect(page.locator(".notice-down")).to_contain_text("does not answer")
    with page.expect_request(lambda r: "/api/v1/history" in r.url, timeout=60_000):
        monitor.start()
        expect(light).to_have_attribute("data-connection", "live", timeout=60_000)
    expect(page.locator(".notice-down")).to_have_count(0)
    clock = page.locator(".facts dd").last
    shown = clock.inner_text()
    until(lambda: clock.inner_text() != shown)
    assert page.evaluate("window.loadedOnce") is True
    monitor.stop()


def test_a_tab_that_slept_shows_what_it_missed(open_page, monitor):
    """A frozen page hears nothing; when it wakes it asks the store, or finds the ticks
    waiting. Either way the newest tick is on the screen within seconds."""
    page = open_page(monitor.url)
    clock = page.locator(".facts dd").last
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    ticks = monitor.json("latest")["tick"]
    until(lambda: monitor.json("latest")["tick"] > ticks + 30, 60)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    newest = monitor.json("latest")["t"]

    def caught_up():
        shown = clock.inner_text()
        return shown >= time.strftime("%H:%M:%S", time.localtime(newest))

    until(caught_up)


def test_the_page_leaves_the_cpu_alone(open_page, monitor):
    """At five ticks a second with all charts of the overview in motion."""
    page = open_page(monitor.url)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def busy():
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "TaskDuration")

    before, at = busy(), time.monotonic()
    ticks = monitor.json("latest")["tick"]
    until(lambda: monitor.json("latest")["tick"] > ticks + 25, 60)
    share = (busy() - before) / (time.monotonic() - at)
    assert share < 0.6, f"{share:.0%} of a core at five ticks a second"
