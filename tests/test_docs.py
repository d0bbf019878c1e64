"""What is written about the program is what the program is: man pages and tables, made from the code."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from real_cli import __version__
from real_cli.docs import man_pages
from real_cli.pair.choices import Strategy
from real_cli.records.layouts import LAYOUTS, adapt_prompt
from real_cli.train.loss_names import LOSSES
from real_cli.train.losses import OBJECTIVES
from real_cli.train.objective import Need
from real_cli.train.options import TrainOptions
from real_cli.train.presets import PRESETS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_man_pages_and_tables_are_up_to_date():
    """Renew them with: python -m real_cli.docs."""
    difference = man_pages.differences()
    assert not difference, f"{difference}\nnot up to date; renew with: {man_pages.RENEW}"


@pytest.mark.parametrize("page", sorted((ROOT / "man").glob("*.[157]")), ids=lambda path: path.stem)
def test_man_pages_are_clean(page):
    """As groff and mandoc see them, where these are installed."""
    checks = [["groff", "-man", "-Tutf8", "-ww", "-Wbreak", "-z"], ["mandoc", "-T", "lint"]]
    for check in checks:
        if shutil.which(check[0]):
            done = subprocess.run([*check, str(page)], capture_output=True, text=True)
            assert (done.stdout + done.stderr).strip() == ""


@pytest.mark.parametrize("page", sorted((ROOT / "man").glob("*.[157]")), ids=lambda path: path.name)
def test_what_is_pasted_from_a_page_has_straight_quotes(page):
    """Roff makes a bare apostrophe or backquote round; a shell reads that otherwise."""
    blocks = re.findall(r"^\.nf\n(.*?)^\.fi", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert [block for block in blocks if re.search("['`]", block)] == []


# They read no records.
UNSTREAMED = ("real init", "real help")


def test_every_command_has_a_page_a_help_and_a_row():
    """Nothing is added to the app without being written about."""
    for command in man_pages.commands():
        assert (ROOT / "man" / f"{command.page}.1").exists()
        assert f"| `{command.words}` |" in README
        assert "Examples:" in command.command.help
        assert re.search(r"^(Streams|Buffers)\b", command.command.help, re.MULTILINE) or command.words in UNSTREAMED
        for parameter in command.command.get_params(command.context):
            assert parameter.help, f"{command.words} {parameter.name} has no help"


@pytest.mark.parametrize(
    ("page", "name"), [*(("pair.1", name) for name in Strategy), *(("losses.7", name) for name in LOSSES)]
)
def test_every_strategy_and_loss_has_an_entry(page, name):
    """In real-pair(1) and in real-losses(7), made from their tables."""
    page = "real-losses.7" if name in list(LOSSES) else "real-pair.1"
    text = re.sub(r"\\f.|\\(?=-)", "", (ROOT / "man" / page).read_text(encoding="utf-8"))
    assert re.search(rf"^\.TP.*\n(?:\.B )?{re.escape(name)}$", text, re.MULTILINE)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_has_a_paragraph_that_says_what_it_reads(name):
    """Formula, fields, reference, options with their defaults, paper; made from the table and the docstring."""
    row = OBJECTIVES[name]
    formula, *others = re.split(r"\n\.(?:IP|br)\n", paragraphs_of("OBJECTIVES")[name])
    assert formula
    facts = [line for line in others if re.match("Reads|Reference model:|Options:|Source:", line)]
    assert len(facts) == 4
    assert len(others) > 4, "the docstring has no explanation"
    reads, reference, options, source = (" ".join(fact.split()) for fact in facts)
    assert all(column.name in reads for column in row.columns)
    assert reference.startswith("Reference model: yes" if Need.reference in row.needs else "Reference model: no")
    assert [f"--{knob.replace('_', '-')}" for knob in row.knobs] == re.findall("--[a-z-]+", options)
    assert re.search(r"20\d\d", source)


def test_every_preset_has_a_line():
    """Its loss is always said; the rest where it differs."""
    paragraphs = paragraphs_of("PRESETS")
    assert list(paragraphs) == list(PRESETS)
    for name, preset in PRESETS.items():
        assert f"--loss {preset['loss']}" in paragraphs[name]
    assert "--learning-rate" not in paragraphs["magpie-align"]  # its 1e-6 is the default


def test_the_man_page_has_the_groups_of_the_help():
    """In the same order."""
    page = (ROOT / "man" / "real-train-dpo.1").read_text(encoding="utf-8")
    assert re.findall(r"^\.SS (.*)$", page, re.MULTILINE) == ["Required", "Arguments", *TrainOptions.GROUPS]


@pytest.mark.parametrize("command", man_pages.commands(), ids=lambda command: command.page)
def test_a_page_lists_under_required_what_is_required_and_names_each_option(command):
    """What is needed is all that stands under that title; -h is an option too, and no page names itself."""
    page = re.sub(r"\\(?=-)|\\:", "", (ROOT / "man" / f"{command.page}.1").read_text(encoding="utf-8"))
    options = page.partition("\n.SH OPTIONS\n")[2].partition("\n.SH ")[0]
    grouped = man_pages.sections(command.command, command.context)
    required = options.partition(".SS Required\n")[2].partition("\n.SS ")[0]
    assert f"\n{required}".count("\n.B ") == len(grouped.get("Required", ()))
    assert "\n.B -h, --help\n" in options
    assert f"\n.BR {command.page} (1)" not in page.partition("\n.SH SEE ALSO")[2]


def test_the_prompts_that_the_manual_names_are_read():
    """Prompts alone, in fields of any of these names."""
    page = (ROOT / "man" / "real-records.5.md").read_text(encoding="utf-8")
    sentence = page.partition("read prompts alone: ")[2].partition(".")[0]
    names = re.findall(r"`(\w+)`", sentence)
    assert len(names) == 11
    turns = [{"role": "user", "content": "Why?"}]
    for name in names:
        value = turns if f"`{name}`" in sentence.partition("conversation in")[2] else "Why?"
        assert adapt_prompt({name: value}).record["prompt"] == value


def paragraphs_of(section):
    """Read the tagged paragraphs of a section of real-losses(7), without type faces."""
    page = re.sub(r"\\f.|\\(?=-)", "", (ROOT / "man" / "real-losses.7").read_text(encoding="utf-8"))
    text = page.partition(f"\n.SH {section}")[2].partition("\n.SH ")[0]
    parts = [part.partition("\n") for part in text.split("\n.TP 7\n")[1:]]
    return {tag: body for tag, _, body in parts}


def test_no_hole_is_left_in_the_documents():
    """Figures are filled in from a run; a mark that no table fills is a hole."""
    for path in (ROOT / "README.md", *(ROOT / "man").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<!-- (.*?): made by .*? -->\n<!-- end of \1 -->", text), path


def test_every_layout_is_in_the_manual():
    """The table is generated; the order is that of detection."""
    page = (ROOT / "man" / "real-records.5.md").read_text(encoding="utf-8")
    places = [page.index(f"| {layout.name} |") for layout in LAYOUTS]
    assert places == sorted(places)


def test_the_version_is_written_once_and_the_changelog_knows_it():
    """pyproject takes it from the package."""
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert __version__ not in (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[tool.")[0].split("trl")[0]


def test_check_mode_names_the_command_that_renews(monkeypatch, capsys):
    """A page that is behind is shown as a diff, with what to do."""
    monkeypatch.setattr(man_pages, "documents", lambda: {"man/real.1": "something else\n"})
    assert man_pages.main(["--check"]) == 1
    assert "renew with: python -m real_cli.docs" in capsys.readouterr().out
