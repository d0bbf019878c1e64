"""The evaluations' reports in a real browser: they fit, can be read, and their captions say what is drawn."""

import hashlib
import re
from itertools import pairwise, product

import pytest

from real_cli.report.contents import Plot, PlotKind, Report, Section, Series, Table
from real_cli.report.html import render_report
from tests.report.evaluations import write_reports
from tests.test_browser import CHROMIUM, FLAGS

pytestmark = pytest.mark.slow

NAMES = ("labels", "strategies", "pairs", "reward", "winrate", "ranking", "judge", "margin", "policies")
WIDTHS = (400, 900, 1600)
SCHEMES = ("light", "dark")
# Names of numbers, as the JSON has them; words stand in a report.
FIELD = re.compile(
    r"\b(?:num|share|mean|expected|score|margin|win|lc|length|flip|accuracy|rewards)_[a-z_]+\b|_(?:low|high)\b"
)
NEGATIVE_ZERO = re.compile(r"(?<![\w.])[-\u2212]0(?:\.0*)?%?(?![\d.])")

TEXTS = """(() => {
  const parse = color => color.match(/[\\d.]+/g).map(Number);
  const over = (top, below) => {
    const alpha = top[3] ?? 1;
    return [0, 1, 2].map(index => top[index] * alpha + below[index] * (1 - alpha));
  };
  const light = rgb => {
    const [r, g, b] = rgb.map(part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    const layers = [];
    for (let node = element; node; node = node.parentElement) {
      layers.push(parse(getComputedStyle(node).backgroundColor));
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const result = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || element.closest("script, style")) continue;
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    const look = getComputedStyle(element);
    const drawn = element instanceof SVGElement;
    const scale = drawn ? element.ownerSVGElement.getScreenCTM().a : 1;
    const paper = behind(drawn ? element.ownerSVGElement.parentElement : element);
    const ink = over(parse(drawn ? look.fill : look.color), paper);
    const [dark, bright] = [light(ink), light(paper)].sort((a, b) => a - b);
    result.push([node.textContent.trim(), parseFloat(look.fontSize) * scale, (bright + 0.05) / (dark + 0.05)]);
  }
  return result;
})()"""


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("no browser")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield program
        program.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def paths(folder):
    return write_reports(folder)


@pytest.fixture(scope="module")
def opened(browser, paths):
    """Show a report at a width and in a scheme; it is loaded once."""
    pages = {}

    def show(name, width=1600, scheme="light"):
        if name not in pages:
            pages[name] = browser.new_page()
            pages[name].goto(paths[name].as_uri())
        pages[name].set_viewport_size({"width": width, "height": 900})
        pages[name].emulate_media(media="screen", color_scheme=scheme)
        return pages[name]

    return show


UNFOLD = "document.querySelectorAll('details:not([open])').forEach(part => part.setAttribute('open', 'now'))"
FOLD = "document.querySelectorAll('details[open=now]').forEach(part => part.removeAttribute('open'))"


@pytest.mark.parametrize("name", NAMES)
def test_a_report_fits_and_can_be_read(opened, name):
    """Nothing is wider than the window, no letter under 11 pixels, and WCAG's 4.5 of contrast for every text."""
    for width, scheme in product(WIDTHS, SCHEMES):
        page = opened(name, width, scheme)
        page.evaluate(UNFOLD)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, scheme)
        texts = page.evaluate(TEXTS)
        page.evaluate(FOLD)
        assert len(texts) > 100
        assert [text for text in texts if text[1] < 11] == [], (width, scheme)
        assert [text for text in texts if text[2] < 4.5] == [], (width, scheme)


@pytest.mark.parametrize("name", NAMES)
def test_a_telephone_shows_tables_without_scrolling_sideways(opened, name):
    hidden = opened(name, 400).evaluate(
        """[...document.querySelectorAll(".scroll")].filter(box => box.scrollWidth > box.clientWidth + 1)
             .map(box => box.getAttribute("aria-label"))"""
    )
    assert hidden == []


@pytest.mark.parametrize("name", NAMES)
def test_words_and_numbers_are_for_a_person(opened, name):
    """No names of fields but in the command, no minus before a zero."""
    page = opened(name)
    page.evaluate(UNFOLD)
    text = page.locator("header, .sections").evaluate_all(
        """parts => parts.map(part => {
             part.querySelectorAll("pre").forEach(command => command.remove());
             return part.innerText;
           })"""
    )
    page.evaluate(FOLD)
    body = "\n".join(text)
    assert len(body) > 2000
    assert FIELD.findall(body) == []
    assert NEGATIVE_ZERO.findall(body) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_column_is_empty(opened, name):
    columns = opened(name).evaluate(
        """[...document.querySelectorAll("table")].flatMap(table => [...table.tHead.rows[0].cells]
             .map((head, index) => [head, ...[...table.tBodies[0].rows].map(row => row.cells[index])])
             .map(cells => cells.map(cell => cell.textContent.trim())))"""
    )
    assert len(columns) > 10
    assert [column[0] for column in columns if not set(column[1:]) - {"", "\N{EN DASH}"}] == []
    assert [column for column in columns if not column[0]] == []


FIGURES = """[...document.querySelectorAll("figure")].map(figure => {
  const marks = [...figure.querySelectorAll(".picture > svg path, .picture > svg use")];
  const styles = marks.map(mark => mark.getAttribute("style") ?? "");
  return {
    title: figure.querySelector("h3").textContent,
    caption: figure.querySelector("figcaption")?.textContent ?? "",
    bands: styles.filter(style => /opacity: 0\\.(18|09)/.test(style) && !/stroke-linejoin/.test(style)).length,
    whiskers: styles.filter(style => /stroke-width: 1\\.[24]/.test(style) && /fill: none/.test(style)).length,
    dashed: styles.filter(style => /stroke-dasharray/.test(style) && /--faint/.test(style)).length,
    isHistogram: /edges|, from/.test(figure.querySelector("thead")?.textContent ?? ""),
    intervals: figure.querySelectorAll("details .band").length,
  };
})"""


@pytest.mark.parametrize("name", NAMES)
def test_captions_say_what_is_drawn_and_n(opened, name):
    """A band, whiskers and a dashed line stand in the caption where they are drawn, and nowhere else."""
    figures = opened(name).evaluate(FIGURES)
    others = [figure for figure in figures if not figure["isHistogram"]]
    assert any(figure["whiskers"] for figure in others)
    assert any(figure["bands"] for figure in others) == (name in ("labels", "strategies", "pairs", "judge"))
    assert any(figure["dashed"] for figure in others) == (name != "labels")
    for figure in figures:
        caption = figure["caption"]
        assert re.search(r"\bn (?:=|of a point)", caption), figure
        if figure["isHistogram"]:
            assert "95% interval" not in caption
            continue
        assert ("Bands are" in caption) == bool(figure["bands"]), figure
        assert ("Whiskers are" in caption) == (bool(figure["whiskers"]) and not figure["bands"]), figure
        assert ("dashed line" in caption) == bool(figure["dashed"]), figure


@pytest.mark.parametrize("name", NAMES)
def test_a_wide_page_is_used(opened, name):
    """At 1,600 pixels a figure has another beside it, or takes the whole row with its numbers, or half a page."""
    boxes = opened(name).evaluate(
        """[...document.querySelectorAll("figure")].map(figure => {
             const box = figure.getBoundingClientRect();
             return [figure.className, !!figure.closest(".half"), box.top, box.left, box.width];
           })"""
    )
    whole = 0.95 * 1250
    lonely = [
        box
        for box in boxes
        if box[0] != "lone" and not box[1] and not [other for other in boxes if other[2] == box[2] and other is not box]
    ]
    assert lonely == []
    assert min((box[4] for box in boxes if box[0] == "lone"), default=whole) >= whole
    tops = opened(name).evaluate(
        """[...document.querySelectorAll("section.half")].map(part => part.getBoundingClientRect().top)"""
    )
    assert all(first == second for first, second in list(pairwise(tops))[::2])


@pytest.mark.parametrize("name", NAMES)
def test_the_foot_tells_what_a_report_was_made_of(opened, paths, folder, name):
    facts = opened(name).evaluate(
        """[...document.querySelectorAll("footer dt")]
             .map(head => [head.textContent, head.nextElementSibling.textContent])"""
    )
    known = dict(facts)
    assert known["command"].startswith("real eval ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", known["date"])
    assert "real-cli" in known["version"]
    assert "CPU" in known["machine"]
    path, _, rest = known["data"].partition(": ")
    data = (folder / path).read_bytes()
    count = len(data.splitlines())
    assert rest == f"{count} records, sha256 {hashlib.sha256(data).hexdigest()}"
    if name == "pairs":
        heldout = hashlib.sha256((folder / "heldout.jsonl").read_bytes()).hexdigest()
        assert known["also read"].endswith(f"heldout.jsonl: sha256 {heldout}")
        assert "--seed 0" in known["options"]


@pytest.mark.parametrize("name", NAMES)
def test_paper_gets_everything_but_folded_numbers(opened, name):
    page = opened(name, 1000, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(35, 38, 43)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1000
    assert not page.locator("details").first.is_visible()


@pytest.fixture(scope="module")
def long_names(browser, folder):
    """A page with tables whose texts are long and have few places to break."""
    name, reason = "laboratory-of-letters/model-with-a-long-name-2026", "eight decided comparisons are too few of them"
    band = (0.5, 0.25, 0.75)
    rates = Table(
        "Rates", ("model", "against", "rate", "rate low", "rate high", "wins", "losses"),
        ((name, name[::-1], *band, 8, 9), ("old", "new", *band, 8, 9)),
    )  # fmt: skip
    plot = Plot(PlotKind.bars, "Bars", "model", "share", (Series("", ("a", "b"), (0.5, 0.25)),))
    reasons = Table("Reasons", ("model", "against", "reason"), ((name, name, reason), ("old", "new", reason)))
    path = folder / "long.html"
    path.write_text(render_report(Report("t", "l", (Section("s", "", (rates, plot, reasons)),))))
    page = browser.new_page()
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("width", [900, 1600])
def test_tables_of_long_names_stay_on_the_page(long_names, width):
    long_names.set_viewport_size({"width": width, "height": 900})
    widths = long_names.evaluate("[...document.querySelectorAll('.scroll')].map(e => [e.scrollWidth, e.clientWidth])")
    assert len(widths) >= 2
    assert [pair for pair in widths if pair[0] > pair[1]] == []
    cells = long_names.evaluate("[...document.querySelectorAll('td')].map(e => e.getBoundingClientRect().width)")
    assert min(cells) > 10


def test_a_long_value_breaks_no_label_on_a_telephone(long_names):
    """The label of a row of long names is as wide as that of a row of short ones."""
    long_names.set_viewport_size({"width": 400, "height": 900})
    labels = long_names.evaluate(
        "[...document.querySelectorAll('.wide td')].map(e => [e.dataset.head, getComputedStyle(e, '::before').width])"
    )
    assert {head for head, _ in labels} == {"model", "against", "rate", "wins", "losses"}
    assert len({tuple(label) for label in labels}) == 5
