"""What happens to the machine and to the monitor is seen in the page."""

import re
import subprocess
import sys
import time

import pytest
from monitor import PATIENCE, wait
from playwright.sync_api import expect
from test_access import findings

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


def test_hostile_names_are_text(open_page, live, hostile_process):
    page = open_page(live, view="processes")
    page.locator("[data-filter]").fill(str(hostile_process))
    row = page.locator("table.processes tbody tr", has_text=str(hostile_process)).first
    expect(row.locator(".process-name")).to_have_text("<b>\u240a<img src=x")
    expect(row.locator("td.command")).to_contain_text("<img src=x onerror=")
    assert "\n" not in row.locator("td.command").text_content()
    assert "\u202e" not in row.text_content()
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.querySelectorAll('main img, main b img').length") == 0


def test_an_anomaly_appears_with_its_reason_and_its_process(monitor, machine, open_page):
    """A runaway process on a quiet machine: alerted within 15 s of samples it is on the page,
    without a reload, with the metric, the reason and the process."""
    quiet = machine()
    one = monitor("--root", quiet.root, "--interval", "200ms", "--warm-up", "8s",
                  "--no-desktop")
    page = open_page(one, view="events")
    one.wait_ready()
    expect(page.locator(".log-row")).to_have_count(0)
    quiet.add(4242, b"<i>runaway\n", cpu=3.0)
    row = page.locator(".log-row", has_text="4242").first
    one.wait_alert(15)
    expect(row).to_be_visible()
    expect(row).to_contain_text("CPU")
    expect(row).to_contain_text(re.compile("CPU time used.*expected ≈"))
    expect(row).to_contain_text("<i>runaway\u240a")
    row.locator(".log-reason").click()
    expect(page.locator("h1")).to_contain_text("CPU")
    expect(page.locator(".suspects li").first).to_contain_text("4242")
    expect(page.locator(".why")).to_contain_text("instead of about")
    expect(page.locator(".around canvas").first).to_be_visible()
    elsewhere = open_page(one, view="events")
    for theme in ("light", "dark"):
        for shown in (page, elsewhere):
            shown.emulate_media(color_scheme=theme)
            assert findings(shown) == [], theme
    look_at_the_recorder(page, 4242)
    give_feedback(page, one, elsewhere)
    for open_one in (page, elsewhere):
        open_one.close()  # it would try again, and the console say so
    one.stop()


def look_at_the_recorder(page, pid):
    slider = page.get_by_role("slider")
    expect(slider).to_be_visible()
    page.get_by_role("button", name="Peak").click()
    expect(page.locator("tr.marked", has_text=str(pid))).to_be_visible()
    before = slider.get_attribute("aria-valuetext")
    slider.focus()
    page.keyboard.press("Home")
    wait(lambda: slider.get_attribute("aria-valuetext") != before, PATIENCE, "the slider moves")
    assert "before" in slider.get_attribute("aria-valuetext")


def give_feedback(page, monitor, elsewhere):
    """By key, with what it would change beside each answer; undone again. A page that is
    open elsewhere shows it without a reload."""
    event = int(page.url.rsplit("/", 1)[1])
    row = page.locator(".judge li")
    expect(row).to_have_count(3)
    expect(page.locator(".judge-preview", has_text="in the last 7 days")).to_have_count(3)
    expect(row.first).to_contain_text("1 of these would not have.")
    expect(row.first.get_by_role("link")).to_have_attribute("href", f"#/events/{event}")
    page.get_by_role("button", name="Normal", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Marked as normal.")).to_be_visible()
    expect(elsewhere.locator(".log-row")).to_contain_text("marked normal")
    wait(lambda: monitor.json(f"/api/v1/events/{event}")["feedback"] == "normal", PATIENCE,
         "the feedback is stored")
    page.get_by_role("link", name="All that was said").click()
    expect(page.get_by_label("marked only")).to_be_checked()
    expect(page.locator(".log-row")).to_have_count(1)
    expect(page.locator(".log-row")).to_contain_text("marked normal")
    page.locator(".log-reason").click()
    expect(page.locator(".judge li").last).to_contain_text("would alert again")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    expect(elsewhere.locator(".log-row")).not_to_contain_text("marked")
    wait(lambda: monitor.json(f"/api/v1/events/{event}")["feedback"] == "", PATIENCE,
         "the feedback is taken back")
    expect(page.locator(".judge-preview", has_text="in the last 7 days")).to_have_count(3)


def test_a_restart_is_shown_and_the_page_comes_back(monitor, open_page, tmp_path):
    options = ("--interval", "200ms", "--warm-up", "8s", "--no-desktop")
    first = monitor(*options)
    page = open_page(first, offline=True)
    page.evaluate("window.loadedOnce = true")
    light = page.locator("[data-connection]")
    first.stop()
    expect(light).to_have_attribute("data-connection", "down")
    expect(page.locator(".notice-down")).to_contain_text("does not answer")
    with page.expect_request(lambda r: "/api/v1/history" in r.url, timeout=60_000):
        second = monitor(*options, port=first.port)
        expect(light).to_have_attribute("data-connection", "live", timeout=60_000)
    expect(page.locator(".notice-down")).to_have_count(0)
    clock = page.locator(".at-clock")
    shown = clock.inner_text()
    wait(lambda: clock.inner_text() != shown, PATIENCE, "the clock moves again")
    assert page.evaluate("window.loadedOnce") is True
    second.stop()


def test_a_tab_that_slept_shows_what_it_missed(open_page, live):
    """A frozen page hears nothing; when it wakes it asks the store, or finds the ticks
    waiting. Either way the newest tick is on the screen within seconds."""
    page = open_page(live, timezone_id="UTC")
    clock = page.locator(".at-clock")
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    live.wait_ticks(live.points() + 30, 60)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    newest = live.json("/api/v1/latest")["t"]

    def caught_up():
        return clock.inner_text() >= time.strftime("%H:%M:%S", time.gmtime(newest))

    wait(caught_up, PATIENCE, "the newest tick is shown")


def test_the_page_leaves_the_cpu_alone(open_page, live):
    """At five ticks a second with all charts of the overview in motion."""
    page = open_page(live)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def busy():
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "TaskDuration")

    before, at = busy(), time.monotonic()
    live.wait_ticks(live.points() + 25, 60)
    share = (busy() - before) / (time.monotonic() - at)
    assert share < 0.6, f"{share:.0%} of a core at five ticks a second"
