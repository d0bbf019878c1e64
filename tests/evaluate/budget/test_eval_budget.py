"""`real eval budget` as a user runs it: what it reads, what it refuses, what it says of grids that are not whole."""

import json

import numpy as np
import pytest

from real_cli.evaluate.budget.report import budget_report
from tests.evaluate.budget.curves import rows_of, simulate
from tests.train.training import run, write_rows

BUDGETS = (40, 160, 400)
ACCURACIES = {("random", budget): share for budget, share in zip(BUDGETS, (0.55, 0.62, 0.65), strict=True)}
ACCURACIES |= {("easy", budget): 0.02 + ACCURACIES["random", budget] for budget in BUDGETS}
ACCURACIES |= {("all", 800): 0.68}


@pytest.fixture(scope="module")
def outcomes():
    return simulate(np.random.default_rng(1), ACCURACIES, num_prompts=60)


@pytest.fixture(scope="module")
def rows(outcomes):
    return rows_of(outcomes)


def measure(*words, rows=None, status=0):
    lines, messages = run("eval", "budget", *words, rows=rows, status=status)
    return (lines[0] if lines else None), messages


def by_cell(rows):
    return {(row["strategy"], row["budget"]): row for row in rows}


def without(rows, **fields):
    return [row for row in rows if any(row[name] != value for name, value in fields.items())]


def test_cells_differences_areas_and_savings_are_those_of_the_rows(outcomes, rows):
    summary, messages = measure(rows=rows)
    counts = {name: summary[name] for name in ("num_rows", "num_runs", "num_prompts", "num_prompts_left_out")}
    assert counts == {"num_rows": 21 * 60, "num_runs": 21, "num_prompts": 60, "num_prompts_left_out": 0}
    cells, differences = by_cell(summary["cells"]), by_cell(summary["differences"])
    assert list(cells) == sorted(ACCURACIES)
    for key, cell in cells.items():
        assert cell["accuracy"] == pytest.approx(outcomes[key].mean())
        assert cell["margin"] == pytest.approx(outcomes[key].mean() - 0.4 + 0.0305)
        assert cell["accuracy_low"] < cell["accuracy"] < cell["accuracy_high"]
        assert cell["margin_low"] < cell["margin"] < cell["margin_high"]
    gaps = [outcomes["easy", budget].mean() - outcomes["random", budget].mean() for budget in BUDGETS]
    assert list(differences) == [("easy", budget) for budget in BUDGETS]
    assert [row["accuracy"] for row in differences.values()] == pytest.approx(gaps)
    (area,) = summary["areas"]
    logs = np.log([*BUDGETS, 800])
    assert area["area"] == pytest.approx(np.trapezoid([*gaps, 0.0], logs) / (logs[-1] - logs[0]))
    assert (area["smallest_budget"], area["largest_budget"], area["num_budgets"]) == (40, 800, 4)
    assert area["area_low"] < area["area"] < area["area_high"]
    savings = by_cell(summary["savings"])
    assert list(savings) == [("easy", budget) for budget in BUDGETS]
    assert savings["easy", 40]["accuracy"] == pytest.approx(outcomes["easy", 40].mean())
    assert summary["notes"] == []
    assert messages == ""


def test_holms_correction_is_of_all_tests_of_a_kind(rows):
    hard = [row | {"strategy": "hard", "policy": f"x{row['policy']}"} for row in rows if row["strategy"] == "easy"]
    summary, _ = measure(rows=rows + hard)
    first, second = (row for row in summary["areas"])
    assert (first["strategy"], second["strategy"]) == ("easy", "hard")
    assert first["p_value"] == second["p_value"]
    assert first["p_holm"] == pytest.approx(min(1.0, 2 * first["p_value"]))
    smallest = min(summary["differences"], key=lambda row: row["p_value"])
    assert smallest["p_holm"] == pytest.approx(min(1.0, 6 * smallest["p_value"]))


def test_runs_on_the_whole_pool_belong_to_every_strategy_and_take_part_once(rows):
    whole, _ = measure(rows=rows)
    renamed = [row | {"strategy": "pool"} if row["strategy"] == "all" else row for row in rows]
    named, _ = measure("--shared", "pool", rows=renamed)
    assert named["areas"] == whole["areas"]
    assert named["savings"] == whole["savings"]
    alone, _ = measure(rows=renamed)  # a strategy among others, at a budget that no other has
    assert by_cell(alone["savings"])["pool", 800]["is_reached"] is False
    assert [row["strategy"] for row in alone["areas"]] == ["easy"]
    assert alone["areas"][0]["largest_budget"] == 400
    assert any("'pool' and 'random' have no budget in common" in note for note in alone["notes"])


def test_a_pool_that_both_have_is_each_ones_alone(rows):
    """Where a strategy has runs of its own on as many labels, those count."""
    more = rows + [row | {"strategy": "easy", "policy": f"x{row['policy']}"} for row in rows if row["budget"] == 800]
    summary, _ = measure(rows=more)
    assert by_cell(summary["differences"])["easy", 800]["accuracy"] == 0


def test_the_order_of_rows_and_files_changes_nothing(rows, tmp_path):
    whole, _ = measure(rows=rows)
    turned = rows[::-1]
    files = [write_rows(tmp_path / str(number), turned[number::3]) for number in range(3)]
    split, _ = measure(*files)
    assert split == whole


def test_a_prompt_that_a_run_lacks_is_left_out_of_all_and_told(rows, outcomes):
    fewer = [row for row in rows if row["policy"] != "easy-40-1" or row["place"] != "heldout.jsonl:7"]
    summary, messages = measure(rows=fewer)
    assert (summary["num_prompts"], summary["num_prompts_left_out"]) == (59, 1)
    expected = np.delete(outcomes["random", 160], 6, axis=1).mean()
    assert by_cell(summary["cells"])["random", 160]["accuracy"] == pytest.approx(expected)
    note = "1 prompt that some run lacks left out; all runs have 59, easy at 40 labels, seed 1 has the fewest, 59"
    assert note in messages


def test_runs_on_other_prompts_are_an_error_that_names_one(rows):
    other = [row | {"prompt_key": f"x{row['prompt_key']}"} if row["policy"] == "easy-40-2" else row for row in rows]
    _, messages = measure(rows=other, status=1)
    assert messages.startswith("real: easy at 40 labels, seed 2: none of its 60 prompts is in all runs before it; ")


def test_pairs_of_one_prompt_count_together(rows):
    """Twice the pairs, each right where the other is: the same intervals."""
    once, _ = measure(rows=rows)
    twice, _ = measure(rows=rows + [row | {"place": f"b{row['place']}"} for row in rows])
    assert twice["cells"][0]["num_pairs"] == 2 * once["cells"][0]["num_pairs"]
    assert twice["areas"] == once["areas"]


def test_runs_with_other_numbers_of_pairs_are_told(rows):
    """A file that is given twice, whose rows nothing tells apart, moves no mean and is seen by their number."""
    bare = [{name: value for name, value in row.items() if name != "place"} for row in rows]
    whole, messages = measure(rows=bare)
    assert messages == ""
    again, messages = measure(rows=bare + [row for row in bare if row["policy"] == "easy-40-1"])
    assert [row["accuracy"] for row in again["cells"]] == [row["accuracy"] for row in whole["cells"]]
    assert "runs have other numbers of pairs on the same prompts: some lack a pair, or one is given twice" in messages


def test_a_partial_grid_says_what_is_missing(rows):
    some = without(without(rows, strategy="easy", budget=400), strategy="all", seed=3)
    summary, messages = measure(rows=some)
    missing = [{"strategy": "easy", "budget": 400, "seed": str(seed)} for seed in (1, 2, 3)]
    assert summary["missing"] == [*missing, {"strategy": "all", "budget": 800, "seed": "3"}]
    assert "partial: 4 of 21 runs are missing (easy at 400 labels, seed 1; easy at 400 labels, seed 2; " in messages
    assert "; and 1 more), and the numbers are of those that are there" in messages
    assert [row["budget"] for row in summary["differences"]] == [40, 160]
    assert summary["areas"][0]["num_budgets"] == 3  # with the pool


def test_one_seed_has_numbers_and_neither_interval_nor_winner(rows):
    summary, messages = measure(rows=[row for row in rows if row["seed"] == 1])
    tables = [summary[name] for name in ("cells", "differences", "areas")]
    assert [len(table) for table in tables] == [7, 3, 1]
    names = ["accuracy", "accuracy", "area"]
    for table, name in zip(tables, names, strict=True):
        assert {row[f"{name}_low"] for row in table} == {None}
        assert None not in {row[name] for row in table}
    assert summary["areas"][0]["verdict"] == "undecided"
    assert {row["equal_budget_low"] for row in summary["savings"]} == {None}
    assert not any(row["is_low_open"] or row["is_high_open"] for row in summary["savings"])
    assert "7 of 7 cells have one seed (all at 800, easy at 40, easy at 160, ...), so no interval" in messages


def test_one_budget_has_a_difference_and_no_curve(rows):
    summary, messages = measure(rows=[row for row in rows if row["budget"] == 160])
    assert summary["areas"][0]["area"] == summary["differences"][0]["accuracy"]
    assert summary["savings"] == []
    assert "'random' has one budget, so no curve: labels saved at equal accuracy need two" in messages


def test_policies_that_are_right_on_the_same_pairs_are_not_told_apart(rows):
    summary, messages = measure(rows=[row | {"is_correct": True} for row in rows])
    assert summary["cells"][0]["accuracy_high"] == 1
    assert 0.9 < summary["cells"][0]["accuracy_low"] < 1
    (area,) = summary["areas"]
    assert (area["area"], area["verdict"], area["prompts_needed"]) == (0, "undecided", None)
    assert area["area_low"] < 0 < area["area_high"]
    assert "all policies are right on the same pairs: nothing tells them apart" in messages


def test_nine_prompts_have_no_interval(rows):
    summary, messages = measure(rows=[row for row in rows if int(row["prompt_key"], 16) < 10])
    assert summary["num_prompts"] == 9
    assert summary["areas"][0]["area_low"] is None
    assert "9 prompts: intervals need 10" in messages


@pytest.mark.parametrize(
    ("kept", "words", "note"),
    [
        ("easy", [], "no run is of 'random', the baseline, so nothing is compared; there are easy: "),
        ("random", [], "no strategy but 'random', the baseline, so nothing is compared"),
        ("random", ["--baseline", "randon"], "no run is of 'randon', the baseline, so nothing is compared; there are "),
        ("random", ["--baseline", "randon"], "did you mean random?"),
    ],
)
def test_nothing_to_compare_is_told(rows, kept, words, note):
    summary, messages = measure(*words, rows=[row for row in rows if row["strategy"] == kept])
    assert summary["areas"] == summary["differences"] == summary["savings"] == []
    assert len(summary["cells"]) == 3
    assert note in messages


def test_no_rows_are_a_summary_of_nothing():
    summary, messages = measure(rows=[])
    assert (summary["num_rows"], summary["cells"]) == (0, [])
    assert "no outcome was read" in messages


def test_margins_that_lack_are_counted_and_accuracies_stay(rows):
    some = [row | {"margin": None} if row["place"].endswith(":7") else row for row in rows]
    whole, _ = measure(rows=rows)
    summary, messages = measure(rows=some)
    assert [row["accuracy"] for row in summary["cells"]] == [row["accuracy"] for row in whole["cells"]]
    assert [row["margin"] for row in summary["cells"]] != [row["margin"] for row in whole["cells"]]
    assert "21 rows without a margin: margins are of 59 prompts" in messages
    summary, messages = measure(rows=[row | {"margin": None} for row in rows])
    assert {row["margin"] for row in summary["cells"]} == {None}
    assert "1,260 rows without a margin: no margin is given" in messages


def test_a_margin_without_an_outcome_is_one(rows):
    whole, _ = measure(rows=rows)
    less = [{name: value for name, value in row.items() if name != "is_correct"} for row in rows]
    shifted = [row | {"margin": (1.0 if full["is_correct"] else -1.0)} for row, full in zip(less, rows, strict=True)]
    summary, _ = measure(rows=shifted)
    assert [row["accuracy"] for row in summary["cells"]] == [row["accuracy"] for row in whole["cells"]]


def test_rows_without_a_key_of_the_prompt_go_by_prompt_place_or_id(rows):
    def turned(**built):
        return [
            {name: value for name, value in row.items() if name not in ("prompt_key", "place")}
            | {name: write(row) for name, write in built.items()}
            for row in rows
        ]

    whole, _ = measure(rows=rows)
    by_prompt, messages = measure(rows=turned(prompt=lambda row: f"Question {row['prompt_key']}"))
    assert (by_prompt["areas"][0]["area"], messages) == (pytest.approx(whole["areas"][0]["area"]), "")
    for name in ("place", "id"):
        by_name, messages = measure(rows=turned(**{name: lambda row: row["place"]}))
        assert by_name["areas"] == [pytest.approx(row) for row in whole["areas"]]
        assert "rows without prompt_key: each pair counts as a prompt, though several may share one" in messages


ROW = {"strategy": "easy", "budget": 40, "seed": 1, "prompt_key": "0f", "is_correct": True, "margin": 1.0}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"strategy": None},
            "field 'strategy' is missing; 'real eval margin --rows FILE --tag strategy=...' writes it",
        ),
        ({"strategy": ["easy"]}, "field 'strategy' is ['easy']; a name or a number is needed"),
        ({"strategy": ""}, "field 'strategy' is ''; a name or a number is needed"),
        ({"strategy": " "}, "field 'strategy' is ' '; a name or a number is needed"),
        ({"seed": None}, "field 'seed' is missing; 'real eval margin --rows FILE --tag seed=...' writes it"),
        ({"seed": True}, "field 'seed' is True; a name or a number is needed"),
        ({"budget": None}, "field 'budget' is missing; 'real eval margin --rows FILE --tag budget=N' writes it"),
        ({"budget": 0}, "field 'budget' is 0; the number of labels is needed, greater than 0"),
        ({"budget": "35%"}, "field 'budget' is '35%'; the number of labels is needed, greater than 0"),
        ({"budget": True}, "field 'budget' is True; the number of labels is needed, greater than 0"),
        ({"is_correct": "yes"}, "field 'is_correct' is 'yes'; true or false is needed"),
        ({"margin": "high"}, "field 'margin' is 'high'; a number is needed, or null"),
        ({"margin": -1e308}, "field 'margin' is -1e+308, which is no margin in nats; leave it out, or write null"),
        ({"is_correct": None, "margin": None}, "no 'is_correct' and no 'margin'; 'real eval margin --rows FILE' "),
        ({"prompt_key": None}, "no 'prompt_key', 'prompt', 'place' or 'id': which held-out pair is it?"),
    ],
)
def test_a_row_that_is_none_is_refused_with_what_writes_it(change, complaint):
    _, messages = measure(rows=[ROW, ROW | change], status=1)
    assert messages.startswith(f"real: <stdin>:2: {complaint}")
    summary, messages = measure("--on-error", "skip", rows=[ROW, ROW | change], status=3)
    assert summary["num_rows"] == 1
    assert "1 rejected" in messages


@pytest.mark.parametrize("budget", [1e300, 1e18, 0.35, 5e-324])
def test_a_strange_number_of_labels_is_written_as_it_is(budget):
    summary, messages = measure(rows=[ROW | {"budget": budget}, ROW | {"strategy": "random"}])
    assert budget in [row["budget"] for row in summary["cells"]]
    assert f"{budget:g} labels" in messages


def test_names_that_are_numbers_are_the_same_however_they_are_written():
    names = ("1", 1, 1.0)
    seeds, _ = measure(rows=[ROW | {"seed": name, "prompt_key": str(index)} for index, name in enumerate(names)])
    assert (seeds["num_runs"], seeds["seeds"], seeds["num_prompts"]) == (1, ["1"], 3)
    strategies, _ = measure(rows=[ROW | {"strategy": name} for name in names])
    assert (strategies["num_runs"], strategies["strategies"]) == (1, ["1"])


def test_seeds_are_in_the_order_of_their_numbers():
    """Also where runs are named as missing, and where one of several is named that has as few prompts."""
    rows = [ROW | {"strategy": name, "seed": seed} for name in ("easy", "random") for seed in (10, 2, "b", 9)]
    summary, messages = measure(rows=[*rows[:4], rows[6]])
    assert summary["seeds"] == ["2", "9", "10", "b"]
    assert [run["seed"] for run in summary["missing"]] == ["2", "9", "10"]
    assert "(random at 40 labels, seed 2; random at 40 labels, seed 9; random at 40 labels, seed 10)" in messages


def test_a_difference_that_no_shares_can_have_is_none_that_would_be_shown():
    """Two seeds that say the opposite: 12.7 standard errors of a half."""
    rows = [
        ROW | {"strategy": name, "seed": seed, "prompt_key": f"{number:016x}", "is_correct": bool(right)}
        for name, seed, right in (("random", 1, 0), ("random", 2, 1), ("easy", 1, 1), ("easy", 2, 0))
        for number in range(20)
    ]
    summary, _ = measure(rows=rows)
    [area] = summary["areas"]
    assert (area["area_low"], area["area_high"], area["smallest_shown"]) == (-1, 1, None)
    [needed] = [part for part in budget_report(summary).sections if part.title == "What would decide it"]
    assert len(needed.items[0].rows) == 1


def test_a_run_given_twice_is_refused_and_the_first_counts(rows):
    _, messages = measure(rows=[*rows, rows[0]], status=1)
    assert messages == (
        "real: <stdin>:1261: random at 40 labels, seed 1 is given twice: heldout.jsonl:1 was read before; name each "
        "file once\n"
    )
    other = rows[0] | {"policy": "another", "place": "heldout.jsonl:99", "prompt_key": "99"}
    _, messages = measure(rows=[*rows, other], status=1)
    assert "random at 40 labels, seed 1 is given twice, by random-40-1 and by another; give each run tags" in messages
    whole, _ = measure(rows=rows)
    summary, _ = measure("--on-error", "skip", rows=[*rows, rows[0], other], status=3)
    assert summary == whole


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_it_reads_what_eval_margin_writes(make_tiny_policy, tiny_policy, pair_rows, tmp_path):
    """Two seeds of two strategies, measured on the same pairs with --rows and --tag."""
    files = []
    for number, (strategy, seed) in enumerate((name, seed) for name in ("easy", "random") for seed in (1, 2)):
        files.append(tmp_path / f"{strategy}-{seed}.jsonl")
        tags = [f"--tag={name}={value}" for name, value in (("strategy", strategy), ("budget", 40), ("seed", seed))]
        policy = make_tiny_policy(seed=number + 1)
        run("eval", "margin", "-p", policy, "-r", tiny_policy, "--rows", files[-1], *tags, rows=pair_rows)
    summary, _ = measure(*files)
    written = [json.loads(line) for path in files for line in path.read_bytes().splitlines()]
    assert (summary["num_rows"], summary["num_runs"]) == (len(written), 4) == (4 * len(pair_rows), 4)
    for cell in summary["cells"]:
        ours = [row for row in written if row["strategy"] == cell["strategy"]]
        assert cell["accuracy"] == pytest.approx(sum(row["is_correct"] for row in ours) / len(ours))
        assert cell["margin"] == pytest.approx(sum(row["margin"] for row in ours) / len(ours))


def test_a_baseline_that_belongs_to_all_is_a_mistake():
    _, messages = measure("--baseline", "all", rows=[], status=2)
    assert messages == "real: --baseline 'all': is what --shared names; name two strategies\n"


def test_a_table_of_csv_is_read(rows, tmp_path):
    names = ["strategy", "budget", "seed", "prompt_key", "margin"]
    lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    summary, _ = measure(tmp_path / "rows.csv")
    whole, _ = measure(rows=[{name: row[name] for name in names} for row in rows])
    assert summary == whole


def test_the_report_is_one_file_with_curves(rows, tmp_path):
    summary, _ = measure("--report", tmp_path / "budget.html", rows=rows)
    page = (tmp_path / "budget.html").read_text()
    assert page.count("<svg") >= 3
    for title in ("The answer", "Learning curves", "Differences at equal budgets", "Labels saved at equal accuracy"):
        assert title in page
    assert json.dumps(summary)
