"""A report in a real browser, headless: it is there, it fits, it fetches nothing."""

import os
import shutil

import pytest

from real_cli.report.html import write_report
from tests.report.reports import PLOTS, REPORT

pytestmark = pytest.mark.slow

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("REAL_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is on the path; REAL_CHROMIUM names one elsewhere")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield program
        program.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, REPORT)
    return path.as_uri()


@pytest.fixture
def opened(browser, address):
    """Open the report in a window of some width; what it asks for and complains of is kept."""
    pages = []

    def open_page(width=1600, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
        page.goto(address)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()


def test_plots_are_there_and_nothing_is_fetched(opened, address):
    """Each picture has a size, and marks in it that can be seen."""
    page = opened()
    pictures = page.locator(".picture > svg")
    assert pictures.count() == len(PLOTS)
    for index in range(len(PLOTS)):
        box = pictures.nth(index).bounding_box()
        assert box["width"] > 300
        assert box["height"] > 90
        marks = pictures.nth(index).evaluate(
            """svg => [...svg.querySelectorAll("path, use")].filter(mark => {
                 const box = mark.getBoundingClientRect(), look = getComputedStyle(mark);
                 const seen = [look.fill, look.stroke].some(paint => paint.startsWith("rgb"));
                 return seen && box.width + box.height > 3;
               }).length"""
        )
        assert marks > 10
    assert [url for url in page.asked if url not in (address, "data:,")] == []
    assert page.complaints == []


@pytest.mark.parametrize("width", [400, 1600])
def test_a_page_fits_its_window(opened, width):
    """Also with all numbers unfolded; no letter of a plot is cut off or lies on another."""
    page = opened(width)
    for fold in page.locator("summary").all():
        fold.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        """[...document.querySelectorAll(".picture > svg")].flatMap(svg => {
             const frame = svg.getBoundingClientRect();
             return [...svg.querySelectorAll("text")].filter(text => {
               const box = text.getBoundingClientRect();
               return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
             }).map(text => text.textContent);
           })"""
    )
    assert outside == []
    sizes = page.evaluate(
        """[...document.querySelectorAll(".picture > svg text")].map(text => text.getBoundingClientRect())
             .map(box => Math.min(box.width, box.height)).filter(size => size > 0)"""
    )
    assert len(sizes) > 30
    overlapping = page.evaluate(
        """[...document.querySelectorAll(".picture > svg")].flatMap(svg => {
             const texts = [...svg.querySelectorAll("text")];
             const boxes = texts.map(text => [text.textContent, text.getBoundingClientRect()]);
             return boxes.flatMap(([one, a], index) => boxes.slice(index + 1).filter(([, b]) =>
               Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
               Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3).map(([other]) => [one, other]));
           })"""
    )
    assert overlapping == []
    assert page.complaints == []


def test_plots_stand_beside_each_other_where_there_is_room(opened):
    """One a row on a telephone, two on a desk."""
    for width, number in ((400, 1), (1600, 2)):
        tops = opened(width).evaluate(
            """[...document.querySelectorAll("figure")].map(figure => figure.getBoundingClientRect().top)"""
        )
        assert max(tops.count(top) for top in tops) == number


def test_a_click_on_a_head_sorts(opened):
    """By number, largest first, then smallest first, what is missing last; by word; with the keyboard too."""
    page = opened()
    table = page.locator("section").nth(1).locator("table").first

    def column(number):
        return table.locator(f"tbody tr td:nth-child({number})").all_inner_texts()

    assert column(2) == ["1,200", "30", "4"]
    share = table.get_by_role("button", name="share")
    share.click()
    assert column(3) == ["0.500", "0.482", "\N{EN DASH}"]
    assert table.locator("th").nth(2).get_attribute("aria-sort") == "descending"
    share.press("Enter")
    assert column(3) == ["0.482", "0.500", "\N{EN DASH}"]
    assert table.locator("th").nth(2).get_attribute("aria-sort") == "ascending"
    table.get_by_role("button", name="decile").click()
    assert column(1) == ["a", "b", "c"]
    assert table.locator("th[aria-sort]").count() == 1
    table.get_by_role("button", name="n", exact=True).click()
    assert column(2) == ["1,200", "30", "4"]


def test_a_dark_screen_gets_a_dark_page(opened):
    """Paper and lines change with the scheme."""
    colors = [
        opened(scheme=scheme).evaluate(
            """[getComputedStyle(document.body).backgroundColor,
                getComputedStyle(document.querySelector(".picture > svg path[style*='line-1']")).fill,
                getComputedStyle(document.querySelector(".picture > svg text")).fill]"""
        )
        for scheme in ("light", "dark")
    ]
    assert all(light != dark for light, dark in zip(*colors, strict=True))
    assert "rgb(21, 23, 26)" in colors[1]
