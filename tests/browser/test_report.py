"""The page of vedette detect --report in a real Chromium: from the disk, without a server."""
import json
import re

import pytest
from playwright.sync_api import expect

HOSTILE = ["</script><script>document.title='broken'</script>", "<img src=x onerror=alert(2)>",
           "\"><b>bold</b>", "\u202eevil\a", "a\nb", "javascript:alert(1)", "{{7*7}}", "é" * 150]


@pytest.fixture
def report(vedette, tmp_path):
    """report(*words, names=...): the path of a report on made-up rows."""
    def make(*words, names=(), n=3000):
        rows, path = tmp_path / "rows.csv", tmp_path / "report.html"
        assert vedette("generate", "--rows", n, "-o", rows, "--force").returncode == 0
        lines = rows.read_text().splitlines()
        head = lines[0].split(",")
        head[1:1 + len(names)] = ['"' + name.replace('"', '""') + '"' for name in names]
        rows.write_text("\n".join([",".join(head), *lines[1:]]) + "\n")
        done = vedette("detect", rows, "--contamination", "0.05", "--report", path, *words)
        assert done.returncode == 0, done.stderr
        return path
    return make


@pytest.fixture
def open_report(chromium):
    """open_report(path, theme="dark") -> the page; nothing may go wrong in it, and nothing
    but the file itself is asked for."""
    contexts, wrong = [], []

    def open_one(path, theme="dark", width=1440):
        context = chromium.new_context(viewport={"width": width, "height": 900},
                                       color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: wrong.append(f"console: {m.text}"))
        page.on("pageerror", lambda e: wrong.append(f"exception: {e}"))
        page.on("dialog", lambda d: (wrong.append(f"dialog: {d.message}"), d.dismiss()))
        page.on("request", lambda r: r.url == path.as_uri() or r.url.startswith("data:")
                or wrong.append(f"request: {r.url}"))
        page.goto(path.as_uri())
        expect(page.locator("canvas").first).to_be_visible()
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert wrong == []


def test_a_report_shows_what_was_found(report, open_report):
    page = open_report(report())
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"rows\.csv$"))
    expect(page.locator(".verdict")).to_contain_text("150 rows of 3,000")
    expect(page.locator("canvas")).to_have_count(12)
    events = page.get_by_role("region", name="Events").locator("tbody tr")
    worst = page.get_by_role("region", name="The worst rows").locator("tbody tr")
    expect(worst).to_have_count(50)
    page.get_by_role("button", name="More").last.click()
    expect(worst).to_have_count(150)
    # An event is looked at closely, and left again.
    events.first.get_by_role("button").click()
    expect(page.get_by_role("status").filter(has_text="Charts show")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(".zoomed")).to_have_count(0)
    scores = events.locator("td:nth-child(5)").all_inner_texts()
    assert scores == sorted(scores, reverse=True)  # with a minus, the worst first
    page.get_by_label("Order").select_option("time")
    times = events.locator("td:first-child").all_inner_texts()
    assert times == sorted(times)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_names_from_a_file_are_text(report, open_report, theme):
    page = open_report(report(names=HOSTILE), theme)
    titles = page.locator(".chart-title").all_inner_texts()
    assert any("onerror=alert(2)" in title for title in titles)
    assert page.locator("img, b.num ~ b, main script, .chart-title b").count() == 0
    assert page.title().startswith("vedette: ")


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_it_fits_every_screen(report, open_report, width):
    page = open_report(report(names=HOSTILE), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_theme_is_changed_and_paper_is_white(report, open_report, tmp_path):
    page = open_report(report())
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light colours").click()
    assert page.evaluate(ground) != dark
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(ground) == dark
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    expect(page.get_by_role("button", name="Light colours")).to_be_hidden()
    page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").stat().st_size > 50000


def data_text(page):
    return re.search(r'id="data">(.*?)</script>', page, re.S).group(1)


def change(path, changes):
    """Puts other data into a report."""
    page = path.read_text()
    data = json.loads(data_text(page))
    changes(data)
    path.write_text(page.replace(data_text(page), json.dumps(data).replace("<", "\\u003c")))


def test_rows_without_times_are_counted(report, open_report):
    path = report()
    change(path, lambda data: data["buckets"].update(t=[None] * 1000))
    page = open_report(path)
    first = page.get_by_role("region", name="Events").locator("tbody td").first
    expect(first).to_contain_text("row ")


def to_the_bounds(data):
    """What is found in ten million rows, at the bounds of src/batch/analyse.h."""
    some, worst = data["events"], data["worst"]
    data["events"] = [[i * 1000, *some[i % len(some)][1:]] for i in range(10000)]
    data["worst"] = [[i, *worst[i % len(worst)][1:]] for i in range(1000)]


def test_ten_thousand_events_open_within_two_seconds(report, open_report):
    """Of the page's own thread: what else the machine does meanwhile does not count."""
    path = report()
    change(path, to_the_bounds)
    page = open_report(path)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.reload()
    expect(page.get_by_role("region", name="Events").locator("tbody tr")).to_have_count(50)
    figures = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    assert 0 < figures["TaskDuration"] < 2, figures
