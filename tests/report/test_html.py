"""Reports as HTML: whole, safe, the same bytes, and nothing from elsewhere."""

import dataclasses
import math
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from real_cli.errors import RealError, UsageError
from real_cli.installing import install_extra
from real_cli.report.contents import Plot, PlotKind, Report, Section, Series
from real_cli.report.html import check_report, render_report, write_report
from real_cli.report.numbers import NUM_ROWS, numbers_of
from real_cli.report.plots import DRAWINGS, draw, legend, short_name, tick
from real_cli.report.svg import COLORS
from tests.report.reports import BARS, CURVE, HISTOGRAM, PLOTS, REPORT, SCRIPT


class Page(HTMLParser):
    """What a browser sees: elements with their attributes, and the text outside style and script."""

    VOID = frozenset({"meta", "link", "img", "br", "hr", "input"})

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.words.append(data)


@pytest.fixture(scope="module")
def html():
    return render_report(REPORT)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_each_kind_of_plot_has_a_drawing():
    """The enum and the table say the same."""
    assert set(DRAWINGS) == set(PlotKind)
    assert {plot.kind for plot in PLOTS} == set(PlotKind)


def test_markup_in_the_data_stays_text(html, page):
    """A prompt, a title, a bar's name, a series and an axis with tags: one script, ours, and no handler."""
    assert page.open == []
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    text = "".join(page.words)
    assert text.count(SCRIPT) >= 3
    assert "alert(1)" not in html.split("<script>")[-1]


def test_nothing_comes_from_elsewhere(html, page):
    """No address but fragments of the page and the empty icon; the policy forbids the rest."""
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "action", "srcset", "data")
    ]
    assert [value for value in addresses if not value.startswith("#")] == ["data:,"]
    assert not re.search(r"https?://|@import|//[a-z]+\.", html)
    assert all(value.startswith("url(#") for value in re.findall(r"url\([^)]*\)", html))
    policy = next(attributes["content"] for _, attributes in page.elements if "http-equiv" in attributes)
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy


def test_references_inside_a_page_lead_somewhere_and_to_one_place(page):
    """matplotlib names its parts alike in every figure; in one page they would be mixed up."""
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = {attributes["href"][1:] for tag, attributes in page.elements if tag == "use"}
    values = [value or "" for _, attributes in page.elements for value in attributes.values()]
    used |= {name for value in values for name in re.findall(r"url\(#(.*?)\)", value)}
    assert used == set(ids)


def test_colors_are_the_pages_own(html):
    """Both schemes define each color that plots use, and plots use no other."""
    svg = "".join(re.findall(r"<svg viewBox.*?</svg>", html, re.DOTALL))
    assert not re.findall(r"#[0-9a-fA-F]{6}\b", svg)
    used = set(re.findall(r"var\(--([\w-]+)\)", svg))
    assert used <= set(COLORS)
    assert {"ink", "line-1", "line-2"} <= used
    style = (files("real_cli") / "report" / "assets" / "style.css").read_text()
    for color in COLORS:
        assert len(re.findall(rf"--{color}: #[0-9a-f]{{6}};", style)) == 2


def luminance(color):
    """Relative luminance, WCAG 2.2."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colors_stand_out(scheme):
    """WCAG 2.2: graphics have a contrast of 3 or more to what is behind them, small letters 4.5."""
    style = (files("real_cli") / "report" / "assets" / "style.css").read_text()
    result = {name: values for name, values in _colors(style).items() if len(values) == 2}
    for name, values in result.items():
        least = 3.0 if name.startswith("line-") else 4.5 if name in ("ink", "quiet", "link") else 0
        for behind in ("paper", "card"):
            dark, light = sorted([luminance(values[scheme]), luminance(result[behind][scheme])])
            assert (light + 0.05) / (dark + 0.05) >= least, (name, behind)
    assert len([name for name in result if name.startswith("line-")]) == 6


def _colors(style):
    colors = {}
    for name, value in re.findall(r"--([\w-]+): (#[0-9a-f]{6});", style):
        colors.setdefault(name, []).append(value)
    return colors


def test_the_same_report_is_the_same_bytes(html, tmp_path):
    """In another process too: no clock, no random names."""
    code = (
        "import sys; from pathlib import Path; from tests.report.reports import REPORT\n"
        "from real_cli.report.html import write_report; write_report(Path(sys.argv[1]), REPORT)"
    )
    path = tmp_path / "report.html"
    subprocess.run([sys.executable, "-W", "error", "-c", code, path], check=True)
    assert path.read_text(encoding="utf-8") == html


def test_every_number_of_a_plot_is_listed(page):
    """What is drawn can be read: counts beneath a histogram, intervals beside a curve."""
    assert numbers_of(HISTOGRAM).rows == ((0.0, 0.25, 4), (0.25, 0.5, 9), (0.5, 1.0, 2))
    assert numbers_of(HISTOGRAM).columns == ("cosine, from", "to", "pairs")
    table = numbers_of(CURVE)
    assert table.columns == ("series", CURVE.x_label, "expected flips, $x^2$", "low", "high", "n")
    assert table.rows[0] == ("easy", 0.1, 0.1, 0.05, 0.2, 10)
    assert table.rows[3] == (CURVE.series[1].name, 0.1, 0.2, None, None, None)
    values = {float(attributes["data-value"]) for _, attributes in page.elements if "data-value" in attributes}
    assert {0.1, 0.3, 9.0} <= values
    assert "[0.050, 0.200]" in "".join(page.words)  # an interval stands beside its number


def test_of_a_long_curve_every_so_many_rows_are_listed():
    """1,000 steps: every third is in the list, all are drawn."""
    steps = tuple(range(1000))
    plot = Plot(PlotKind.curve, "Loss", "step", "loss", (Series("", steps, steps),))
    table = numbers_of(plot)
    assert table.rows[:2] == ((0, 0), (3, 3))
    assert len(table.rows) == 334 <= NUM_ROWS
    assert table.note == "One row of every 3 of 1,000."


def test_missing_numbers_are_a_dash(page):
    """None is neither 0 nor an empty cell."""
    assert "\N{EN DASH}" in "".join(page.words)
    assert not re.search(r"\b(nan|None|inf)\b", "".join(page.words).replace("None", "", 1))


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.kind)
def test_drawings_hold_up_with_little_to_draw(plot):
    """No number at all is no picture; one number, equal numbers and numbers without end do not stop it."""
    series = plot.series[0]
    nothing = dataclasses.replace(series, y=(None,) * len(series.y), low=(), high=())
    assert draw(dataclasses.replace(plot, series=(nothing,)), "p") == ""
    assert draw(dataclasses.replace(plot, series=()), "p") == ""
    same = dataclasses.replace(series, y=(0.5,) * len(series.y), low=(), high=())
    assert draw(dataclasses.replace(plot, series=(same,)), "p").startswith("<svg")
    zero = dataclasses.replace(series, y=(0,) * len(series.y), counts=(0,) * len(series.counts))
    assert draw(dataclasses.replace(plot, series=(zero,)), "p").startswith("<svg")
    odd = dataclasses.replace(series, y=(0.5, math.inf, math.nan, None, 0.1)[: len(series.y)])
    assert "nan" not in draw(dataclasses.replace(plot, series=(odd,)), "p")
    many = tuple(dataclasses.replace(same, name=str(number)) for number in range(9))
    assert len(legend(dataclasses.replace(plot, series=many))) == 9
    assert draw(dataclasses.replace(plot, series=many), "p").startswith("<svg")


def test_two_lines_never_look_the_same():
    """Nine series: the colors come around, the dashes differ."""
    many = tuple(Series(str(number), (1,), (1,)) for number in range(36))
    looks = [(entry["color"], entry["dashes"]) for entry in legend(dataclasses.replace(CURVE, series=many))]
    assert len(set(looks)) == 36


def test_a_dollar_is_a_dollar():
    """No formula is read into a label."""
    assert ">expected flips, $x^2$<" in draw(CURVE, "p")


def test_one_series_needs_no_legend():
    """The title says what it is."""
    assert legend(BARS) == []


def test_bars_say_their_names_and_numbers():
    """The long name loses its middle; the number at the right is the bar's, signs and all."""
    svg = draw(BARS, "p")
    for text in ("ptbetriebswerk", "0.400", "-0.100", "نموذج", "日本語のモデル"):
        assert text in svg
    assert short_name("HuggingFaceTB/SmolLM2-135M-Instruct") == ["HuggingFaceTB/Smol", "LM2-135M-Instruct"]
    assert short_name("easy pairs, least similar") == ["easy pairs, least", "similar"]
    assert short_name("") == [""]


def test_settings_of_matplotlib_are_left_alone():
    """A library of the same process draws as it did before; a user's own settings do not reach us."""
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    first = draw(HISTOGRAM, "p")
    assert dict(mpl.rcParams) == before
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "lines.linewidth": 9}):
        assert draw(HISTOGRAM, "p") == first


def test_numbers_at_an_axis_are_short():
    """20,000 is 20k; a half is a half; below zero the sign is a minus."""
    assert [tick(value) for value in (0.5, 9999, 20000, 2.5e6, -40000)] == ["0.5", "9999", "20k", "2.5M", "\u221240k"]


def test_a_report_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    """A failure while drawing leaves what was there."""
    path = tmp_path / "report.html"
    path.write_text("old")
    broken = Report("t", "l", (Section("s", "", (dataclasses.replace(HISTOGRAM, kind="no such kind"),)),))
    with pytest.raises(KeyError):
        write_report(path, broken)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_no_report_is_no_work(tmp_path):
    """Without --report nothing is imported and nothing is written."""
    check_report(None)
    write_report(None, REPORT)
    code = (
        "import sys; from pathlib import Path; import real_cli.report.html as r; r.check_report(None);"
        f"r.check_report(Path({str(tmp_path / 'r.html')!r})); r.write_report(None, None);"
        "print([name for name in ('matplotlib', 'jinja2', 'numpy') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_report_that_cannot_be_is_told_before_the_work(tmp_path, monkeypatch):
    """The libraries, the name, the folder."""
    check_report(tmp_path / "report.HTML")
    with pytest.raises(
        UsageError, match=r"^--report .*pairs.jsonl: a report is HTML; give it a name that ends in .html$"
    ):
        check_report(tmp_path / "pairs.jsonl")
    with pytest.raises(RealError, match="no such folder"):
        check_report(tmp_path / "missing" / "report.html")
    monkeypatch.setattr("real_cli.report.html.find_spec", lambda name: None if name == "matplotlib" else object())
    with pytest.raises(UsageError, match=f"^--report needs matplotlib; {re.escape(install_extra('report'))}$"):
        check_report(tmp_path / "report.html")


def test_eight_plots_take_less_than_two_seconds():
    """The libraries are loaded already."""
    sections = (Section("s", "", PLOTS * 2),)
    started = time.process_time()
    render_report(Report("t", "l", sections))
    assert time.process_time() - started < 2


def test_notes_begin_as_they_are_said():
    """A model called ref stays ref: a note may begin with a name of the data."""
    page = render_report(Report("t", "l", (), notes=("ref: 3 ties <b>",)))
    assert "<li>ref: 3 ties &lt;b&gt;</li>" in page
