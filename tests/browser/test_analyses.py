"""Tables sent by the page: upload, progress, result, history, download, delete; hostile ones
too; read by axe-core."""
import csv
import json
import math
import random
import re

import pytest
from playwright.sync_api import expect
from test_access import findings

ODD = (300, 301, 302, 650)
HOSTILE = "<img src=x onerror=document.title='broken'>"


def table(path, rows=900, seed=1, names=("cpu_percent", "disk_read_mb"), odd=ODD):
    rng = random.Random(seed)
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["timestamp", *names])
        for i in range(rows):
            values = [20 + 5 * math.sin(i / 30) + rng.gauss(0, 1), abs(rng.gauss(2, 0.3))]
            if i in odd:
                values = [96.5, 150.0]
            out.writerow([1767225600 + 60 * i, *(f"{v:.2f}" for v in values)])
    return path


def send(page, *paths):
    expect(page.get_by_role("button", name="Choose files")).to_be_enabled()
    page.set_input_files(".drop input[type=file]", [str(p) for p in paths])


def wait_result(page):
    expect(page.locator(".scored tbody tr").first).to_be_visible()


def test_upload_result_history_download_delete(open_page, live, tmp_path):
    page = open_page(live, view="analyses")
    send(page, table(tmp_path / "night at work.csv"))
    expect(page.get_by_role("heading", name="night at work.csv")).to_be_visible()
    wait_result(page)
    expect(page.locator(".figures")).to_contain_text("900")
    expect(page.locator(".charts canvas")).to_have_count(2)
    expect(page.locator(".found-events")).to_contain_text("High CPU usage detected")
    rows = page.locator(".scored tbody tr")
    assert {int(t) for t in rows.locator("td:first-child").all_inner_texts()} >= set(ODD)
    expect(page.locator(".scored tr.marked")).to_have_count(rows.count())

    with page.expect_download() as kept:
        page.get_by_role("link", name="Scored CSV").click()
    assert kept.value.suggested_filename == "night_at_work-scored.csv"
    lines = list(csv.DictReader(open(kept.value.path(), newline="")))
    assert len(lines) == 900 and all(lines[i]["is_anomaly"] == "True" for i in ODD)
    with page.expect_download() as kept:
        page.get_by_role("link", name="JSON").click()
    assert json.load(open(kept.value.path()))["events"]
    with page.expect_download() as kept:
        page.get_by_role("link", name="Report").click()
    assert "night at work.csv" in open(kept.value.path(), encoding="utf-8").read()

    page.get_by_role("link", name="Analyses", exact=True).first.click()
    line = page.locator(".analyses tbody tr", has_text="night at work.csv")
    expect(line).to_contain_text("900")
    line.get_by_role("link").click()
    wait_result(page)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete it for good").click()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    expect(page.locator("tr", has_text="night at work.csv")).to_have_count(0)


def test_another_share_is_shown_at_once(open_page, live, tmp_path):
    page = open_page(live, view="analyses")
    send(page, table(tmp_path / "share.csv", seed=2))
    wait_result(page)
    anomalies = page.locator(".figures div", has_text=re.compile("^Anomalies")).locator("dd")
    found = anomalies.inner_text()
    slider = page.get_by_role("slider")
    slider.fill("100")
    expect(anomalies).to_have_text("180")
    expect(page.locator(".pager")).to_contain_text("of 180")
    page.get_by_role("button", name="Later").click()
    expect(page.locator(".pager")).to_contain_text("51 – 100 of 180")
    page.get_by_role("button", name="As found").click()
    expect(anomalies).to_have_text(found)
    page.get_by_label("flagged only").uncheck()
    expect(page.locator(".pager")).to_contain_text("of 900")
    expect(page.locator(".scored tbody tr")).to_have_count(50)


def test_several_and_the_same_again(open_page, live, tmp_path):
    page = open_page(live, view="analyses")
    paths = [table(tmp_path / f"host {i}.csv", seed=10 + i) for i in range(4)]
    send(page, *paths)
    for path in paths:
        line = page.locator(".analyses tbody tr", has_text=path.name)
        expect(line).to_contain_text("900")
    send(page, paths[0])
    wait_result(page)
    expect(page.get_by_role("heading", name="host 0.csv")).to_be_visible()
    page.goto("#/analyses")
    expect(page.locator(".analyses tbody tr", has_text="host 0.csv")).to_have_count(1)


def test_a_drop_is_an_upload(open_page, live, tmp_path):
    page = open_page(live, view="analyses")
    text = table(tmp_path / "x.csv", seed=30).read_text()
    data = page.evaluate_handle(
        """text => { const d = new DataTransfer();
                     d.items.add(new File([text], "dropped.csv")); return d; }""", text)
    page.locator(".drop").dispatch_event("drop", {"dataTransfer": data})
    wait_result(page)
    expect(page.get_by_role("heading", name="dropped.csv")).to_be_visible()


def test_an_upload_shows_how_far_it_is_and_is_cancelled(open_page, live, tmp_path):
    page = open_page(live, view="analyses")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions",
                 {"offline": False, "latency": 0, "downloadThroughput": -1,
                  "uploadThroughput": 200_000})
    send(page, table(tmp_path / "slow.csv", rows=200_000, seed=31, odd=()))
    bar = page.get_by_role("progressbar", name="Sending slow.csv")
    expect(bar).to_be_visible()
    expect(bar).not_to_have_js_property("value", 0)
    page.get_by_role("button", name="Cancel slow.csv").click()
    expect(bar).to_have_count(0)
    expect(page.locator(".analyses", has_text="slow.csv")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 390])
def test_hostile_tables_are_text(open_page, live, tmp_path, width):
    page = open_page(live, width=width, view="analyses")
    bad = tmp_path / f"<b>bad {width}.csv"
    bad.write_bytes(b"\x00\x01\x02" * 200 + str(width).encode())
    send(page, bad)
    expect(page.get_by_role("heading", name=bad.name)).to_be_visible()
    expect(page.locator(".analysis-head")).to_contain_text("NUL byte")
    assert findings(page) == []
    page.goto("#/analyses")
    line = page.locator(".analyses tbody tr", has_text=bad.name)
    expect(line).to_contain_text("failed")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".analyses b").count() == 0
    line.get_by_role("button", name=re.compile("^Delete")).click()
    expect(line).to_have_count(0)
    good = table(tmp_path / f"{'é' * 40} {width}.csv", seed=width,
                 names=(HOSTILE, "\u202eread_mb"))
    send(page, good)
    wait_result(page)
    assert page.locator("main img").count() == 0 and page.title() != "broken"
    expect(page.locator(".charts").first).to_contain_text("<img src=x")
    assert findings(page) == []
    if width == 390:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_axe_finds_nothing_in_the_list(open_page, live, tmp_path):
    for theme in ("dark", "light"):
        page = open_page(live, view="analyses", theme=theme)
        send(page, table(tmp_path / f"{theme}.csv", seed=len(theme)))
        wait_result(page)
        assert findings(page) == []
        page.goto("#/analyses")
        expect(page.locator(".analyses tbody tr").first).to_be_visible()
        assert findings(page) == []
