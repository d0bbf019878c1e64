"""A strategy is one file: its function and its row. Everything else follows, or is generated."""

import json
from collections import Counter
from importlib import import_module
from pkgutil import iter_modules

import pytest

from real_cli.pair import strategies
from tests.house.copied_package import CopiedPackage

LONGEST = '''"""Strategies that look at length."""

from real_cli.pair.strategies.pool import Pair, Pool
from real_cli.pair.strategies.rule import KeepRule, Rule


def choose_outer_two(pool: Pool) -> list[Pair]:
    """Choose the first response and the last.

    Args:
        pool: Reads size and quantile.

    Returns:
        One pair.

    References:
        Nobody, 2026.
    """
    return [(0, pool.size - 1)] if pool.quantile < 0.5 else [(0, 1)]


ROWS = {
    "outer-two": Rule(
        choose_outer_two, note='the "outer" ones', reads=frozenset({"quantile"}), keep=KeepRule("random", lowest=True)
    ),
    "2-outer": Rule(choose_outer_two),
    "class": Rule(choose_outer_two),
}
'''
RECORD = {"prompt": "Which?", "responses": [{"text": text} for text in ("ash", "beech", "cedar")]}


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The package with one file more."""
    package = CopiedPackage(tmp_path_factory.mktemp("copy"))
    package.add("real_cli/pair/strategies/places.py", LONGEST)
    package.renew()
    return package


def test_an_added_strategy_chooses(copied):
    """By name, with an option that it reads, and under --keep by its own order."""
    for words, pair in (
        ([], ["ash", "cedar"]),
        (["--quantile", "0.7"], ["ash", "beech"]),
        (["--keep", "1"], ["ash", "cedar"]),
    ):
        written, _ = copied.real("pair", "-s", "outer-two", *words, input=json.dumps(RECORD))
        result = json.loads(written)
        assert [response["text"] for response in result["responses"]] == pair
        assert result["strategy"] == "outer-two"


@pytest.mark.parametrize("name", ["2-outer", "class"])
def test_a_name_need_not_be_one_of_python(copied, name):
    written, _ = copied.real("pair", "-s", name, input=json.dumps(RECORD))
    assert json.loads(written)["strategy"] == name


def test_an_added_strategy_is_offered_and_refuses_what_it_does_not_read(copied):
    shown, _ = copied.real("pair", "--help")
    assert 'outer-two (the "outer" ones)' in " ".join(shown.split())
    _, messages = copied.real("pair", "-s", "outer-two", "--aepo-lambda", "2", input="", status=2)
    assert messages == "real: --aepo-lambda is read by --strategy aepo, not by outer-two; leave it out\n"
    _, messages = copied.real("pair", "-s", "outer", input="", status=2)
    assert ", outer-two, " in messages


def test_only_generated_files_change(copied):
    """And the page tells of it."""
    generated = ["man/real-pair.1", "real_cli/pair/strategy_names.py"]
    assert [path for path in copied.changed() if path != "real_cli/pair/strategies/places.py"] == generated
    page = (copied.root / "man/real-pair.1").read_text(encoding="utf-8")
    assert ".B outer\\-two\nChoose the first response and the last.\n" in page


def test_no_name_is_in_two_files():
    """The later one would take the place of the other without a word."""
    names = [module.name for module in iter_modules(strategies.__path__)]
    rows = Counter(row for name in names for row in getattr(import_module(f"{strategies.__name__}.{name}"), "ROWS", {}))
    assert set(rows) == set(strategies.STRATEGIES)
    assert set(rows.values()) == {1}
