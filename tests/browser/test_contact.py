"""A monitor that is gone is seen in the page: by its title, its icon, its colour and its
clock, and by what it no longer claims."""

import re
import signal
import time

import pytest
from monitor import wait
from playwright.sync_api import expect

OPTIONS = ("--interval", "200ms", "--warm-up", "8s", "--no-desktop")
#: What says that there is nothing: nobody can know that without contact.
CLAIMS = re.compile("No events|Quiet|None at the moment|No recording|Nothing recorded"
                    "|Nothing unusual|No process|No such event")


def gone(page):
    """Waits until the page says it, and gives since when."""
    expect(page.locator(".notice-down")).to_contain_text("No contact since", timeout=30_000)
    expect(page.locator(".page.lost")).to_have_count(1)
    wait(lambda: page.title().startswith("No contact"), 10, "the title")
    assert page.locator("link[rel=icon]").get_attribute("href").startswith("data:image/svg")
    return re.search(r"since (\d\d:\d\d:\d\d)", page.locator(".notice-down").inner_text())[1]


def looks_gray(page):
    return "grayscale" in page.evaluate(
        "getComputedStyle(document.querySelector('main')).filter")


def stands_still(page):
    """The counters, over a time in which some would have moved."""
    def figures():
        return page.locator(".facts").inner_text() + page.locator("main").inner_text()

    before, end = figures(), time.monotonic() + 3
    while time.monotonic() < end:
        assert figures() == before
        page.wait_for_timeout(250)


def is_back(page):
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live",
                                                                timeout=60_000)
    expect(page.locator(".notice-down")).to_have_count(0)
    expect(page.locator(".page.lost")).to_have_count(0)
    wait(lambda: "No contact" not in page.title(), 10, "the title is as before")
    assert page.locator("link[rel=icon]").get_attribute("href") == "favicon.svg"
    assert not looks_gray(page)
    clock = page.locator(".at-clock")
    shown = clock.inner_text()
    wait(lambda: clock.inner_text() != shown, 20, "the clock moves again")


def test_a_killed_monitor_is_seen_and_the_next_one_too(monitor, open_page):
    first = monitor(*OPTIONS)
    page = open_page(first, offline=True, timezone_id="UTC")
    page.evaluate("window.loadedOnce = true")
    first.wait_ticks(10, 20)
    killed = time.strftime("%H:%M:%S", time.gmtime())
    first.process.kill()
    first.process.wait()
    since = gone(page)
    assert abs(seconds_of(since) - seconds_of(killed)) <= 3
    assert looks_gray(page)
    expect(page.locator("[data-connection]")).to_have_text("no contact")
    stands_still(page)
    second = monitor(*OPTIONS, port=first.port)
    is_back(page)
    assert page.evaluate("window.loadedOnce") is True
    second.stop()


def seconds_of(clock):
    h, m, s = map(int, clock.split(":"))
    return h * 3600 + m * 60 + s


def test_a_stopped_monitor_is_seen_and_goes_on(monitor, open_page):
    """It takes connections and says nothing, as a machine that is frozen does."""
    one = monitor(*OPTIONS)
    page = open_page(one, offline=True)
    one.wait_ticks(10, 20)
    one.process.send_signal(signal.SIGSTOP)
    try:
        gone(page)
        assert looks_gray(page)
        stands_still(page)
    finally:
        one.process.send_signal(signal.SIGCONT)
    is_back(page)
    one.stop()


@pytest.mark.parametrize("view", ["overview", "events", "processes", "detectors", "cores",
                                  "metrics"])
def test_without_contact_nothing_is_called_empty(monitor, open_page, view):
    one = monitor(*OPTIONS)
    page = open_page(one, offline=True)
    one.wait_ticks(5, 20)
    one.process.kill()
    one.process.wait()
    gone(page)
    page.evaluate(f"location.hash = '#/{view}'")
    expect(page.locator("main .panel").first).to_be_visible()
    page.wait_for_timeout(1500)  # what it asks for in vain
    text = page.locator("main").inner_text()
    assert not CLAIMS.search(text), text


def test_an_event_that_cannot_be_asked_for_may_well_exist(monitor, open_page):
    one = monitor(*OPTIONS)
    page = open_page(one, offline=True)
    one.process.kill()
    one.process.wait()
    gone(page)
    page.evaluate("location.hash = '#/events/1'")
    expect(page.locator("main .empty")).to_contain_text("no contact since")
    assert not CLAIMS.search(page.locator("main").inner_text())
