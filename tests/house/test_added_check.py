"""A check of `real eval pairs` is one file, or a row of one: everything else follows, or is generated."""

import json

import pytest

from tests.house.copied_package import CopiedPackage

PATH = "real_cli/evaluate/pairs/checks/loudness.py"
LOUDNESS = '''"""Checks of how loud responses are."""

from real_cli.evaluate.pairs.checks.check import Check, as_byte, count_rows
from real_cli.report.contents import VerdictLevel

ROWS = (
    Check(
        "shouting",
        VerdictLevel.doubtful,
        "a response is in capitals alone",
        "The policy learns to shout.",
        lambda view: as_byte(any(text.isupper() for text in view.texts)),
        count_rows,
    ),
)
'''
PAIRS = [
    {"prompt": "Who?", "chosen": "You and me.", "rejected": "You."},
    {"prompt": "Why?", "chosen": "No idea.", "rejected": "BECAUSE!"},
]
INPUT = "".join(f"{json.dumps(record)}\n" for record in PAIRS)


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The package with one file more."""
    package = CopiedPackage(tmp_path_factory.mktemp("copy"))
    package.add(PATH, LOUDNESS)
    package.renew()
    return package


def test_an_added_check_finds_tells_mends_and_shuts_the_gate(copied, tmp_path):
    sound = tmp_path / "sound.jsonl"
    words = ["--fail-on", "doubtful", "--drop", "shouting", "--sound", sound]
    written, messages = copied.real("eval", "pairs", *words, input=INPUT, status=3)
    verdict = next(row for row in json.loads(written)["verdicts"] if row["check"] == "shouting")
    assert (verdict["level"], verdict["num_pairs"], verdict["places"]) == ("doubtful", 1, ["<stdin>:2"])
    assert "real: doubtful: shouting (1 of 2 pairs" in messages
    assert [json.loads(line) for line in sound.read_text().splitlines()] == PAIRS[:1]


def test_only_its_page_changes(copied):
    assert [path for path in copied.changed() if path != PATH] == ["man/real-eval-pairs.1"]
    assert ".B shouting" in (copied.root / "man/real-eval-pairs.1").read_text()
