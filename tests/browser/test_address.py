"""What is chosen stands in the address: reloading keeps it, going back takes it back, and an
address that is none says so."""

import re

import pytest
from monitor import wait
from playwright.sync_api import expect


def pressed(page, name):
    return page.get_by_role("button", name=name, exact=True)


def test_the_range_is_kept_and_taken_back(page):
    pressed(page, "1 h").click()
    expect(page).to_have_url(re.compile(r"#/overview\?range=3600$"))
    page.reload()
    expect(pressed(page, "1 h")).to_have_attribute("aria-pressed", "true")
    pressed(page, "1 min").click()
    page.go_back()
    expect(pressed(page, "1 h")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(pressed(page, "5 min")).to_have_attribute("aria-pressed", "true")


def test_a_zoom_is_kept_and_taken_back(page):
    box = page.locator("figure .u-over").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, middle, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"from=\d+\.\d&to=\d+\.\d"))
    shown = page.locator(".zoomed").inner_text()
    page.reload()
    minute = re.search(r"\d\d:\d\d", shown)[0]
    expect(page.locator(".zoomed")).to_have_text(re.compile(minute))
    page.go_back()
    expect(page.locator(".zoomed")).to_have_count(0)


def test_filters_of_events_are_kept(page):
    page.goto("/#/events")
    page.get_by_label("alerted only").check()
    page.get_by_label("Kind").select_option("rule")
    pressed(page, "low").click()
    page.locator("[data-filter]").fill("disk x")
    expect(page).to_have_url(re.compile(r"alerted=1&kind=rule&hide=low&q=disk\+x$"))
    page.reload()
    expect(page.get_by_label("alerted only")).to_be_checked()
    expect(page.get_by_label("Kind")).to_have_value("rule")
    expect(pressed(page, "low")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-filter]")).to_have_value("disk x")
    page.go_back()
    expect(pressed(page, "low")).to_have_attribute("aria-pressed", "true")


def test_filter_and_order_of_processes_are_kept(page):
    page.goto("/#/processes")
    page.locator("[data-filter]").fill("vedette")
    page.locator("th", has_text="Memory").get_by_role("button").click()
    page.reload()
    expect(page.locator("[data-filter]")).to_have_value("vedette")
    expect(page.locator("th", has_text="Memory")).to_have_attribute("aria-sort", "descending")


@pytest.mark.parametrize("address", ["nonsense", "overview/17", "events/abc", "events/0",
                                     "cores/1/2"])
def test_an_address_that_is_none_says_so(page, address):
    page.goto(f"/#/{address}")
    expect(page.get_by_role("heading", level=1)).to_have_text("No such page")
    expect(page.locator("main")).to_contain_text(f"#/{address}")
    page.get_by_role("link", name="Go to the overview").click()
    expect(page.locator(".verdict").first).to_be_visible()


def test_times_are_of_the_zone_that_is_chosen(open_page, live):
    page = open_page(live, timezone_id="Asia/Tokyo")
    hour = page.locator(".at-clock")
    expect(page.locator(".zone")).to_contain_text("UTC+09:00")
    here = hour.inner_text()
    zone = page.locator(".zone select")
    zone.select_option("utc")
    expect(page.locator(".zone > span")).to_have_text("UTC")
    there = hour.inner_text()
    assert (int(here[:2]) - int(there[:2])) % 24 in (9, 10) or here[3:5] > there[3:5]
    zone.select_option("host")
    expect(page.locator(".zone > span")).to_have_text("UTC")  # the tests' monitors run in UTC
    page.reload()
    expect(page.locator(".zone > span")).to_have_text("UTC")
    zone.select_option("browser")
    expect(page.locator(".zone > span")).to_have_text("UTC+09:00")


def test_a_long_range_begins_where_the_data_does(page, live):
    """Minutes of data in seven days are drawn as minutes."""
    live.wait_ticks(100, 60)
    pressed(page, "7 d").click()
    expect(page.locator(".since")).to_contain_text("all there is, since", timeout=30_000)

    def axis():  # the first chart's window, in seconds
        with page.expect_response(lambda r: "/api/v1/history" in r.url and r.ok,
                                  timeout=40_000) as answer:
            pass
        body = answer.value.json()
        return body["to"] - body["from"]

    wait(lambda: axis() < 86400, 60, "the window is as long as the data")
