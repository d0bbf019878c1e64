"""real-evidence(7) says what the kept outcomes say, and nothing that was not run."""

import json

import pytest

from tests.evidence import FOLDER, pack, read_run, unpack
from tests.evidence import __main__ as evidence
from tests.evidence.flip import flipped

KEPT = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def rows_of(strategy, margins, **tags):
    """Make the rows of a policy."""
    known = {"num_tokens_chosen": 4, "num_tokens_rejected": 2, "likelihood_margin": 0.5, "rewards_chosen": 0.1}
    return [
        {"prompt_key": f"{number:016x}", "is_correct": margin > 0, "margin": margin, **known, "strategy": strategy}
        | tags
        for number, margin in enumerate(margins)
    ]


def test_the_page_is_made_of_the_kept_outcomes():
    """Renew it with: python -m tests.evidence."""
    text = evidence.MANUAL.read_text(encoding="utf-8")
    assert KEPT
    assert [name for name in evidence.PARTS if f"<!-- {name}: made by {evidence.RENEW} -->" in text] == [
        name for name in evidence.PARTS if name in KEPT
    ]
    assert evidence.renewed(text) == text, f"renew with: {evidence.RENEW}"


def test_another_outcome_makes_another_page(monkeypatch):
    """Each policy prefers the other response."""
    text = evidence.MANUAL.read_text(encoding="utf-8")

    def turned(name):
        run = read_run(name)
        return run._replace(
            rows=[row | {"margin": -row["margin"], "is_correct": row["margin"] < 0} for row in run.rows]
        )

    monkeypatch.setattr(evidence, "read_run", turned)
    assert evidence.renewed(text) != text


@pytest.mark.parametrize("name", KEPT)
def test_no_text_is_kept(name):
    """Keys of prompts and numbers; no file is larger than half a megabyte."""
    path = FOLDER / f"{name}.jsonl"
    head, prompts, *cells = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert head["commands"]
    assert all(len(key) == 16 and int(key, 16) >= 0 for key in prompts["prompt_key"])
    assert cells
    texts = [value for cell in cells for value in cell.values() if isinstance(value, str)]
    assert max(map(len, texts)) < 40
    assert path.stat().st_size < 500_000


def test_packed_rows_come_back():
    """With the digits that are kept."""
    rows = rows_of("easy", [0.25, -1.5], seed=1) + rows_of("hard", [2.0, 0.0], seed=2)
    assert list(unpack(list(pack(rows)))) == rows


def test_a_verdict_needs_the_test_behind_it():
    """A strategy that is right on every pair, at three seeds, is better; one like random is undecided, with what n."""
    budgets = (10, 20)

    def study(shares):
        return [
            row
            for strategy, right in shares.items()
            for budget in budgets
            for seed in (1, 2, 3)
            for row in rows_of(
                strategy,
                [1.0 if (number * 7 + seed * 3) % 60 < right else -1.0 for number in range(60)],
                budget=budget,
                seed=seed,
            )
        ]

    assert "**reproduced**" in evidence.budget_part(study({"easy": 57, "random": 20}))
    assert "**refuted**" in evidence.budget_part(study({"easy": 20, "random": 57}))
    assert "**undecided**" in evidence.budget_part(study({"easy": 31, "random": 30}))


def test_a_missing_run_is_told():
    """The table is partial, and says so."""
    rows = [
        row
        for strategy, seeds in {"easy": (1, 2), "random": (1, 2, 3)}.items()
        for seed in seeds
        for row in rows_of(strategy, [1.0, -1.0] * 10, budget=5, seed=seed)
    ]
    assert "The table is partial: 1 run" in evidence.budget_part(rows)


@pytest.mark.parametrize("name", evidence.PARTS)
def test_each_part_can_be_made_of_what_its_runs_write(name):
    """Also of the runs that are still to come: of these tags, as the Makefile and the recipes put them on."""
    compared = {
        "compare": ({"method": "dpo"}, {"method": "ipo"}),
        "noise": ({"method": "random-dpo-0"}, {"method": "easy-robust-30"}),
    }
    base, other = compared.get(name, ({"strategy": "random", "budget": 5}, {"strategy": "easy", "budget": 5}))
    rows = [
        row | tags
        for tags, right in ((base, 4), (other, 16))
        for seed in (1, 2)
        for row in rows_of("", [1.0 if number < right + seed else -1.0 for number in range(20)], seed=seed)
    ]
    part = evidence.PARTS[name](list(unpack(list(pack(rows)))))
    assert "+60.0" in part


def test_labels_are_flipped_in_so_many_pairs():
    """Which ones, the seed says; the others stay."""
    pairs = [{"chosen": f"a{number}", "rejected": f"b{number}"} for number in range(20)]
    once, again, other = (list(flipped(pairs, 20, seed)) for seed in (1, 1, 2))
    assert once == again != other
    assert sum(pair["chosen"].startswith("b") for pair in once) == 4
    assert list(flipped(pairs, 0, 1)) == pairs
