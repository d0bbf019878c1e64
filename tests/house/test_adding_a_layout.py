"""A layout is added with one file that is written by hand: its reader, its row, and no list of names."""

import json

import pytest

from tests.house.copied_package import CopiedPackage

DUEL = '''\
"""Duels: two answers under their judges' names, and who won."""

from real_cli.records.public.comparisons import decide
from real_cli.records.public.layout import PREFERENCE, Layout
from real_cli.records.record import Record


def tell_duel(record: Record) -> Record:
    """Read a duel: `won` is 'red' or 'blue'."""
    sides = ({"text": record["red_says"]}, {"text": record["blue_says"]})
    uses = ["duel", "red_says", "blue_says", "won"]
    return decide(record, uses, record["duel"], sides, int(record["won"] == "blue"))


ROWS = (
    Layout(
        "duels",
        "`duel`, `red_says`, `blue_says`, `won`",
        PREFERENCE,
        lambda r: {"duel", "red_says", "blue_says", "won"} <= r.keys(),
        tell_duel,
        ("duel", "red_says", "blue_says", "won"),
    ),
)
'''
RECORD = {"id": 7, "duel": "Which bird is blue?", "red_says": "The gull.", "blue_says": "The jay.", "won": "blue"}


@pytest.fixture
def package(tmp_path):
    copy = CopiedPackage(tmp_path / "copy")
    copy.add("real_cli/records/public/sets/duels.py", DUEL)
    return copy


def test_a_file_in_the_folder_is_a_layout_that_pair_reads(package):
    """Before there was the file, `real pair` knew none with these fields."""
    line = json.dumps(RECORD) + "\n"
    written, _ = package.real("pair", "-s", "all", "-q", input=line)
    result = json.loads(written)
    assert (result["id"], result["prompt"], result["chosen"], result["rejected"]) == (
        *(7, "Which bird is blue?"),
        *("The jay.", "The gull."),
    )
    (package.root / "real_cli/records/public/sets/duels.py").unlink()
    _, notes = package.real("pair", "-s", "all", "-q", input=line, status=1)
    assert "no known layout" in notes


def test_the_manual_knows_it(package):
    """The row says what the table of layouts has."""
    package.renew()
    page = (package.root / "man/real-records.5.md").read_text(encoding="utf-8")
    assert "\n| duels | `duel`, `red_says`, `blue_says`, `won` | preference |\n" in page
    assert [path for path in package.changed() if path.endswith((".py", ".mk"))] == [
        "real_cli/records/public/sets/duels.py"
    ]
