"""For those who see little or use no mouse: axe-core finds nothing in any view, charts are
read by keys, what scrolls can be reached."""

import pathlib
import re

import pytest
from monitor import PATIENCE, wait
from playwright.sync_api import expect
from test_views import VIEWS

AXE = (pathlib.Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core"
       / "axe.min.js")
RUN = """async () => {
    const found = await axe.run(document, {resultTypes: ["violations"]});
    return found.violations.map(v => `${v.id}: ${v.help}\\n` +
        v.nodes.slice(0, 4).map(n => `    ${n.html.slice(0, 160)}\\n    ${n.failureSummary}`)
            .join("\\n"));
}"""


def findings(page):
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return page.evaluate(RUN)


@pytest.mark.parametrize("view", [*VIEWS, "nonsense"])
def test_axe_finds_nothing(open_page, live, view):
    live.wait_ready(60)
    page = open_page(live, view=view)
    expect(page.locator("main .panel").first).to_be_visible()
    expect(page.locator("main .empty strong", has_text="Looking")).to_have_count(0)
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        assert findings(page) == [], theme


@pytest.mark.parametrize("width", [390])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_on_a_phone(open_page, live, view, width):
    page = open_page(live, width=width, height=844, view=view)
    expect(page.locator("main .panel").first).to_be_visible()
    assert findings(page) == []


def test_axe_finds_nothing_in_the_help(page):
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert findings(page) == []


@pytest.mark.parametrize("view", [*VIEWS, "nonsense"])
def test_every_view_has_one_heading_of_its_own(page, view):
    page.goto(f"/#/{view}")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)


def test_a_chart_is_read_by_keys(page, live):
    live.wait_ticks(30, 60)
    chart = page.locator("figure", has_text="CPU").first.locator(".chart-canvas")
    chart.focus()
    page.keyboard.press("ArrowLeft")
    said = page.locator("figure", has_text="CPU").first.locator("[aria-live]")
    expect(said).to_have_text(re.compile(r"^\d\d:\d\d:\d\d: all [\d.]+ %, user "))
    first = said.inner_text()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    expect(said).not_to_have_text(first)
    page.keyboard.press("End")
    expect(said).to_have_text(re.compile(r"^\d\d:\d\d:\d\d: all"))


@pytest.mark.parametrize("view", ["processes", "detectors"])
def test_tables_on_a_phone_show_that_they_scroll(open_page, live, view):
    page = open_page(live, width=390, height=844, view=view)
    table = page.locator(".scroll").first
    expect(table).to_be_visible()
    expect(table.locator("tbody tr").first).to_be_visible()
    assert table.evaluate("e => e.scrollWidth > e.clientWidth")
    assert "gradient" in table.evaluate("e => getComputedStyle(e).backgroundImage")
    table.focus()
    page.keyboard.press("ArrowRight")
    wait(lambda: table.evaluate("e => e.scrollLeft") > 0, PATIENCE, "the table scrolls")
