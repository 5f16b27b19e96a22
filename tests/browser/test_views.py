"""Every view on the real binary: there, alive, reachable by keys, and within its width."""

import re

import pytest
from monitor import PATIENCE, wait
from playwright.sync_api import expect

VIEWS = ["overview", "cores", "detectors", "events", "processes", "metrics",
         "analyses"]


def test_values_move_without_reload(page):
    page.evaluate("window.loadedOnce = true")
    clock = page.locator(".facts").get_by_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    first = clock.inner_text()
    wait(lambda: clock.inner_text() != first, PATIENCE, "the clock moves")
    # Not the gauge of the CPU: that one rests at 100 % on a machine that runs tests.
    card = page.locator(".card", has_text="Context switches").locator(".card-value")
    seen = set()
    wait(lambda: seen.add(card.inner_text()) or len(seen) >= 3, PATIENCE, "the value moves")
    assert page.evaluate("window.loadedOnce") is True


def test_charts_are_drawn(page):
    """Pixels of the CPU chart's canvas differ from its ground, and change."""
    figure = page.locator("figure", has_text="CPU").first
    canvas = figure.locator("canvas")
    expect(canvas).to_be_visible()
    picture = "c => c.toDataURL().length"
    first = canvas.evaluate(picture)
    assert first > 2000  # an empty canvas packs into a few hundred
    data = canvas.evaluate("c => c.toDataURL()")
    wait(lambda: canvas.evaluate("c => c.toDataURL()") != data, PATIENCE, "the line moves")


def test_header_says_what_runs(page, live):
    status = live.json("/api/v1/status")
    header = page.locator("header.top")
    expect(header).to_contain_text(status["host"])
    expect(header.get_by_role("status")).to_have_text("live")
    expect(header).to_contain_text("every 200 ms", use_inner_text=True)


def test_what_is_absent_is_named_once(page, live):
    latest = live.json("/api/v1/latest")["v"]
    names = [m["name"] for m in live.json("/api/v1/metrics")]
    if latest[names.index("cpu_temp")] is None:
        expect(page.locator(".absent")).to_contain_text("temperature")
        expect(page.locator(".gauge", has_text="Temperature")).to_have_count(0)
    else:
        expect(page.locator(".gauge", has_text="Temperature")).to_have_count(1)


@pytest.mark.parametrize("number", range(1, 7))
def test_keys_open_the_views(page, number):
    page.keyboard.press(str(number))
    expect(page).to_have_url(re.compile(rf"#/{VIEWS[number - 1]}$"))
    tab = page.locator(".tabs a[aria-current=page]")
    expect(tab).to_have_attribute("href", f"#/{VIEWS[number - 1]}")


def test_pause_stops_the_page_and_not_the_monitor(page, live):
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Resume").first).to_be_visible()
    clock = page.locator(".at-clock")
    shown = clock.inner_text()
    ticks = live.json("/api/v1/latest")["tick"]
    wait(lambda: live.json("/api/v1/latest")["tick"] >= ticks + 15, PATIENCE,
         "the monitor goes on")
    assert clock.inner_text() == shown
    page.keyboard.press("p")
    wait(lambda: clock.inner_text() != shown, PATIENCE, "the page catches up")


def test_a_pause_before_the_first_draw_rests_on_what_came(chromium, live):
    """Pressed at the very moment the light turns live, by a script in the page."""
    with chromium.new_page(base_url=f"http://127.0.0.1:{live.port}/") as page:
        page.add_init_script("""
            new MutationObserver(() => {
                const light = document.querySelector("[data-connection=live]");
                if (light === null || window.pressed) return;
                window.pressed = true;
                document.querySelector(".tool[aria-pressed]").click();
            }).observe(document, {subtree: true, childList: true, attributes: true});""")
        page.goto("/")
        expect(page.get_by_role("button", name="Resume").first).to_be_visible()
        expect(page.locator("main .panel").first).to_be_visible()
        expect(page.locator(".at-clock")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))


def test_clear_hides_and_brings_back(page):
    page.keyboard.press("c")
    notice = page.locator(".notice", has_text="Charts start at")
    expect(notice).to_be_visible()
    notice.get_by_role("button").click()
    expect(notice).to_have_count(0)


def test_help_opens_and_closes_by_key(page):
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_slash_goes_to_the_filter(page):
    page.keyboard.press("5")
    expect(page.locator("[data-filter]")).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("[data-filter]")).to_be_focused()
    page.keyboard.type("1")  # typed into the field, not taken for a view
    expect(page).to_have_url(re.compile(r"#/processes\?q=1$"))
    page.keyboard.press("Escape")
    expect(page.locator("[data-filter]")).not_to_be_focused()


def ground(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_theme_follows_the_system_and_the_toggle_is_remembered(open_page, live):
    page = open_page(live, theme="light")
    light = ground(page)
    page.emulate_media(color_scheme="dark")
    wait(lambda: ground(page) != light, PATIENCE, "the system's dark theme")
    dark = ground(page)
    page.keyboard.press("t")
    wait(lambda: ground(page) == light, PATIENCE, "the light theme by key")
    page.reload()
    wait(lambda: ground(page) == light, PATIENCE, "the theme chosen before")
    page.keyboard.press("t")
    wait(lambda: ground(page) == dark, PATIENCE, "the dark theme by key")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_shows_every_view_without_sideways_scrolling(open_page, live, view,
                                                             theme):
    page = open_page(live, width=390, height=844, theme=theme, view=view)
    expect(page.locator("main .panel").first).to_be_visible()
    width, wide = page.evaluate(
        "[document.documentElement.scrollWidth,"
        " [...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, .choice')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className)]")
    assert width <= 390
    assert wide == []


def test_a_long_range_comes_from_the_store(page):
    # A question that a newer one overtakes is given up, so the answer is waited for.
    with page.expect_response(lambda r: "/api/v1/history" in r.url and r.ok):
        page.get_by_role("button", name="24 h", exact=True).click()
    expect(page.get_by_role("button", name="24 h", exact=True)).to_have_attribute(
        "aria-pressed", "true")


def test_dragging_zooms_and_escape_leaves(page):
    box = page.locator("figure .u-over").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, middle, steps=5)
    page.mouse.up()
    expect(page.locator(".zoomed")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".zoomed")).to_have_count(0)


def test_metrics_can_be_picked_and_the_address_keeps_them(page, live):
    page.goto("/#/metrics")
    page.locator("[data-filter]").fill("load_1")
    page.get_by_role("checkbox", name=re.compile("mean of 1 minute")).check()
    expect(page).to_have_url(re.compile(r"#/metrics/cpu_percent/load_1\?q=load_1$"))
    page.reload()
    expect(page.locator("figure", has_text="mean of 1 minute")).to_have_count(1)
    expect(page.locator(".figures-table th[scope=row]")).to_have_count(2)


def test_detectors_have_a_row_each(page, live):
    live.wait_ready(60)
    page.goto("/#/detectors")
    table = page.locator("table").first
    for detector in live.json("/api/v1/status")["detectors"]:
        expect(table).to_contain_text(detector["title"])
    expect(table.locator("tr", has_text="waits for a label").first).to_be_visible()
    expect(page.locator(".agreement")).to_contain_text(re.compile(r"\d of \d"))


def test_processes_sort_by_any_column(page, live):
    page.goto("/#/processes")
    head = page.locator("th", has_text="PID")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    pids = [int(text) for text in
            page.locator("table.processes tbody td:first-child").all_inner_texts()]
    assert len(pids) > 1
    assert pids == sorted(pids)


def test_everything_that_acts_has_a_name(page, live):
    for view in VIEWS:
        page.goto(f"/#/{view}")
        expect(page.locator("main .panel").first).to_be_visible()
        nameless = page.evaluate("""
            [...document.querySelectorAll('button, a[href], input, select')]
                .filter(e => !(e.getAttribute('aria-label') || e.textContent.trim()
                               || e.closest('label')?.textContent.trim()))
                .map(e => e.outerHTML)""")
        assert nameless == [], view


def test_event_filters_ask_the_store_and_keep_their_state(page):
    page.goto("/#/events")
    with page.expect_request(lambda r: "alerted=1" in r.url) as asked:
        page.get_by_label("alerted only").check()
    assert asked.value.response().ok
    with page.expect_request(lambda r: "kind=drift" in r.url) as asked:
        page.get_by_label("Kind").select_option("drift")
    assert asked.value.response().ok
    chip = page.get_by_role("button", name="low", exact=True)
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".log-row.sev-low")).to_have_count(0)


def test_paper_is_light_whatever_the_theme(open_page, live):
    page = open_page(live, theme="dark")
    expect(page.locator(".panel").first).to_be_visible()
    panel = "getComputedStyle(document.querySelector('.panel')).backgroundColor"
    assert page.evaluate(panel) != "rgb(255, 255, 255)"
    page.emulate_media(media="print")
    wait(lambda: page.evaluate(panel) == "rgb(255, 255, 255)", PATIENCE, "light panels")
    expect(page.locator(".tabs")).to_be_hidden()
