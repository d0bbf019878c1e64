"""`eval compare`: methods side by side, from rows that say what each policy makes of the same pairs."""

import json
import random

import pytest
from scipy import stats
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.evaluate.compare.answer import answer
from real_cli.evaluate.compare.report import compare_report
from real_cli.evaluate.compare.tally import MethodComparison
from real_cli.report.contents import Plot, Table
from real_cli.stats.numeric import rounded

MEGABYTES = 10**6


def row(method="dpo", seed=1, number=0, margin=1.0, **more):
    """One line of `eval margin --rows`, of an invented policy."""
    outcome = {"place": f"heldout.jsonl:{number + 1}", "policy": f"run/{method}.{seed}", "method": method, "seed": seed}
    outcome |= {"prompt_key": f"{number:016x}", "is_correct": margin > 0, "margin": margin}
    outcome |= {"likelihood_margin": margin - 0.5, "num_tokens_chosen": 20 + number % 7, "num_tokens_rejected": 23}
    return outcome | more


def rows_of(gains, seeds=(1, 2, 3), count=120, **more):
    """Rows of methods whose margins are a prompt's own, the method's gain, and luck."""
    draws = random.Random(0)
    one_by_itself = [draws.gauss(0.3, 1) for _ in range(count)]
    return [
        row(method, seed, number, one_by_itself[number] + gain + draws.gauss(0, 0.3), **more)
        for method, gain in gains.items()
        for seed in seeds
        for number in range(count)
    ]


def summed(rows, baseline="dpo"):
    comparison = MethodComparison(baseline)
    for number, item in enumerate(rows):
        comparison.add(item, f"rows.jsonl:{number}")
    return comparison.summary()


def by_method(summary, table="differences"):
    return {item["method"]: item for item in summary[table]}


def invoke(*words, rows=()):
    data = b"".join(json.dumps(item).encode() + b"\n" for item in rows)
    return CliRunner().invoke(app, ["eval", "compare", *map(str, words)], input=data, prog_name="real")


def refused(rows, *words, status=1):
    """Return the line of a run that fails."""
    result = invoke(*words, rows=rows)
    assert result.exit_code == status, result.stderr
    assert result.stderr.startswith("real: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_a_gain_is_told_from_none_and_from_a_loss():
    summary = summed(rows_of({"dpo": 0, "ipo": 1, "simpo": 0.02, "orpo": -1}))
    outcome = by_method(summary)
    assert {name: item["verdict"] for name, item in outcome.items()} == {
        "ipo": "better", "orpo": "worse", "simpo": "undecided"
    }  # fmt: skip
    assert 0.9 < outcome["ipo"]["margin"] < 1.1
    assert outcome["ipo"]["accuracy_low"] > 0 > outcome["orpo"]["accuracy_high"]
    assert (summary["num_comparisons"], summary["num_pairs"], summary["num_seeds"]) == (3, 120, 3)
    assert [item["method"] for item in summary["methods"]] == ["dpo", "ipo", "orpo", "simpo"]
    assert answer(summary)[0].startswith("ipo prefers the chosen response more often than dpo, +")
    assert answer(summary)[-1] == "not told apart from dpo: simpo"


def test_a_difference_is_over_pairs_and_seeds_that_both_have():
    """By hand: accuracy of ten prompts, 6 and 8 of 10 right for one seed, 6 and 7 for the other: (.2 + .1) / 2."""
    rows = []
    for seed, right in ((1, {"dpo": 6, "ipo": 8}), (2, {"dpo": 6, "ipo": 7})):
        rows += [
            row(method, seed, number, 1.0 if number < count else -1.0)
            for method, count in right.items()
            for number in range(10)
        ]
    outcome = by_method(summed(rows))["ipo"]
    assert outcome["accuracy"] == pytest.approx(0.15)
    assert outcome["margin"] == pytest.approx(0.3)
    more = summed([*rows, *(row("ipo", 3, number, 1.0) for number in range(10))])
    assert by_method(more)["ipo"]["accuracy"] == pytest.approx(0.15)
    assert by_method(more, "methods")["ipo"]["accuracy"] == pytest.approx((0.8 + 0.7 + 1) / 3)
    assert more["missing"] == [{"method": "dpo", "seed": "3"}]
    assert more["notes"][0] == "missing: dpo 3; a difference is over the seeds that method and dpo both have"


def test_p_values_are_corrected_for_the_number_of_methods():
    """Holm: the smallest of three is tripled; a method more makes it four times as large."""
    rows = rows_of({"dpo": 0, "ipo": 0.25, "a": 0.0, "b": 0.0})
    outcome = by_method(summed(rows))
    smallest = min(outcome.values(), key=lambda item: item["margin_p"])
    assert smallest["method"] == "ipo"
    assert smallest["margin_p_holm"] == pytest.approx(3 * smallest["margin_p"])
    assert by_method(summed([item for item in rows if item["method"] in ("dpo", "ipo")]))["ipo"][
        "margin_p_holm"
    ] == pytest.approx(smallest["margin_p"])


def test_what_the_corrected_test_does_not_call_is_undecided():
    """13 pairs won and 3 lost by both seeds: McNemar's p is 0.02. Alone better, among five methods not."""
    places = [(seed, number) for seed in (1, 2) for number in range(100)]
    won = [row("ipo", seed, number, -1.0 if 13 <= number < 16 else 1.0) for seed, number in places]
    base = [row("dpo", seed, number, -1.0 if number < 13 else 1.0) for seed, number in places]
    others = [item | {"method": name} for name in "abcd" for item in base]
    alone, among = (by_method(summed(rows))["ipo"] for rows in (base + won, base + won + others))
    assert alone["accuracy_p"] == among["accuracy_p"] == pytest.approx(stats.binomtest(13, 16).pvalue, abs=0.015)
    assert (alone["verdict"], among["verdict"]) == ("better", "undecided")
    assert among["accuracy_low"] > 0  # the interval is of this difference alone
    assert among["smallest_shown"] > alone["smallest_shown"] > alone["accuracy"]
    assert among["prompts_needed"] > alone["prompts_needed"] > 100
    assert among["seeds_needed"] is None  # both seeds say the same: more of them say no more


def test_one_seed_has_numbers_and_no_verdict():
    """Whatever it says of so many pairs, the next run of the same training may say otherwise."""
    summary = summed(rows_of({"dpo": 0, "ipo": 1}, seeds=[7]))
    outcome = by_method(summary)["ipo"]
    assert outcome["accuracy"] > 0.2
    assert (outcome["accuracy_low"], outcome["accuracy_p_holm"], outcome["verdict"]) == (None, None, None)
    assert [note.partition(":")[0] for note in summary["notes"]] == ["one seed"]
    unnamed = [{key: value for key, value in item.items() if key != "seed"} for item in rows_of({"dpo": 0}, seeds=[1])]
    assert summed(unnamed)["methods"][0]["seeds"] == [""]


def test_a_margin_that_is_length_alone_is_none_at_equal_length():
    """The method's gain is half a nat for each token that the chosen response is longer by."""
    rows = rows_of({"dpo": 0, "long": 0})
    for item in rows:
        difference = item["num_tokens_chosen"] - item["num_tokens_rejected"]
        item["margin"] += 0.5 * difference if item["method"] == "long" else 0
    outcome = by_method(summed(rows))["long"]
    assert abs(outcome["margin_equal_length"]) < 0.1
    assert outcome["prefers_longer"] > 0.2
    assert outcome["prefers_longer_p_holm"] < 0.01


def test_lengths_that_cells_do_not_agree_on_are_left_out_and_told():
    rows = rows_of({"dpo": 0, "ipo": 1})
    rows[-1] = rows[-1] | {"num_tokens_chosen": 99}
    summary = summed(rows)
    assert "prefers_longer" not in summary["methods"][0]
    assert "margin_equal_length" not in summary["differences"][0]
    note = "cells count other tokens for the same pair, as policies of several tokenizers do"
    assert f"no prefers_longer: {note}" in summary["notes"]
    assert "margin" in summary["differences"][0]


def test_prompts_that_a_policy_lacks_are_left_out_of_all():
    rows = rows_of({"dpo": 0, "ipo": 1})
    lacking = [item for item in rows if (item["method"], item["seed"], item["prompt_key"][-1]) != ("ipo", 2, "f")]
    summary = summed(lacking)
    assert (summary["num_prompts"], summary["num_prompts_left_out"]) == (113, 7)
    assert "left out: 7 prompts, lacking in ipo 2" in summary["notes"]
    clean = summed([item for item in rows if item["prompt_key"][-1] != "f"])
    assert summary["differences"] == clean["differences"]


def test_several_pairs_of_a_prompt_count_as_one_draw():
    """Each pair twice moves no number, and narrows no interval."""
    rows = rows_of({"dpo": 0, "ipo": 0.3})
    twice = rows + [item | {"place": f"more.jsonl:{number}"} for number, item in enumerate(rows)]
    first, second = (by_method(summed(each))["ipo"] for each in (rows, twice))
    for name in ("margin", "margin_low", "margin_p", "margin_equal_length_high"):
        assert second[name] == pytest.approx(first[name])


def test_the_order_of_rows_moves_nothing():
    rows = rows_of({"dpo": 0, "ipo": 1, "orpo": 0.1}, count=40)
    turned = list(rows)
    random.Random(1).shuffle(turned)
    assert rounded(summed(turned)) == rounded(summed(rows))


def test_costs_are_those_that_the_rows_say():
    """Seconds are a mean over seeds, memory the most; the ratio is over the seeds whose time both have."""
    seconds = {("dpo", 1): 10.0, ("dpo", 2): 20.0, ("ipo", 1): 12.0, ("ipo", 2): None}
    rows = [
        row(method, seed, number, train_seconds=value, peak_memory_bytes=seed * MEGABYTES, train_steps=4, train_pairs=8)
        for (method, seed), value in seconds.items()
        for number in range(12)
    ]
    summary = summed(rows)
    base, other = summary["methods"]
    assert (base["train_seconds"], base["train_seconds_ratio"], base["peak_memory_bytes"]) == (15, 1, 2 * MEGABYTES)
    assert (other["train_seconds"], other["train_seconds_ratio"], other["peak_device_bytes"]) == (12, 1.2, None)
    assert summary["notes"][-1].startswith("no time of ipo 2: a run that was resumed, or ")
    rows[-1] |= {"train_steps": 5}
    assert not [note for note in summary["notes"] if "steps" in note]
    others = [item | {"train_steps": 5} if item["method"] == "ipo" else item for item in rows]
    assert "the policies were not trained on as many steps: train_steps has them by method" in summed(others)["notes"]


def test_seeds_without_a_partner_make_no_difference():
    rows = [*rows_of({"dpo": 0}, seeds=[1, 2]), *rows_of({"ipo": 1}, seeds=[3])]
    summary = summed(rows)
    assert by_method(summary)["ipo"] == {"method": "ipo", "minus": "dpo", "num_seeds": 0, "verdict": None} | {
        key: None for key in by_method(summary)["ipo"] if ("_" in key and key != "num_seeds") or key in
        ("accuracy", "margin")
    }  # fmt: skip
    assert "no difference of ipo: no seed is also one of dpo" in summary["notes"]
    assert compare_report(rounded(summary)).lead.endswith("and no verdict.")


def test_a_method_alone_is_told():
    summary = summed(rows_of({"dpo": 0}))
    assert summary["differences"] == []
    assert "dpo is the only method: there is nothing to compare it with" in summary["notes"]


def test_no_rows_are_a_summary_of_nothing():
    result = invoke()
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert (summary["num_rows"], summary["methods"], summary["notes"]) == (0, [], ["no row was read"])


def test_few_prompts_have_no_test():
    summary = summed(rows_of({"dpo": 0, "ipo": 1}, count=9))
    outcome = by_method(summary)["ipo"]
    assert outcome["accuracy"] is not None
    assert (outcome["accuracy_low"], outcome["accuracy_p_holm"], outcome["verdict"]) == (None, None, None)
    assert "9 prompts: intervals and tests need 10" in summary["notes"]


def test_a_baseline_that_no_row_has_is_a_mistake():
    rows = rows_of({"dpo": 0, "ipo": 1}, count=10)
    assert refused(rows, "--baseline", "ippo", status=2) == (
        "real: --baseline 'ippo': no row is of this method; did you mean ipo?\n"
    )


def test_policies_of_other_pairs_are_refused():
    rows = [*rows_of({"dpo": 0}, count=20), *(row("ipo", 1, number) for number in range(100, 120))]
    message = refused(rows)
    assert message.startswith("real: no prompt is in the rows of every policy with as many pairs (")
    assert message.endswith("; measure each policy on the same held-out pairs\n")


def test_rows_that_come_twice_are_refused():
    rows = rows_of({"dpo": 0}, seeds=[1], count=3)
    message = refused([*rows, rows[0]])
    assert "dpo, seed 1: has a row for heldout.jsonl:1 already; give the rows of each method and seed once" in message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": None}, "field 'method' is missing; 'real eval margin --rows FILE --tag method=...' writes it"),
        ({"method": " "}, "field 'method' is ' '; a name or a number is needed"),
        ({"seed": True}, "field 'seed' is True; a name or a number is needed"),
        ({"margin": None}, "field 'margin' is None; a number of nats is needed"),
        ({"margin": 1e300}, "field 'margin' is 1e+300; a number of nats is needed"),
        ({"prompt_key": 7}, "field 'prompt_key' is 7; rows are written by 'real eval margin --rows FILE"),
        ({"likelihood_margin": "x"}, "field 'likelihood_margin' is 'x'; a number is needed"),
        ({"train_seconds": []}, "field 'train_seconds' is []; a number is needed"),
    ],
    ids=str,
)
def test_a_row_that_is_none_is_refused_with_what_is_wrong(change, words):
    assert f"<stdin>:2: {words}" in refused([row(), row(number=1) | change])


def test_a_tag_that_is_a_number_keeps_all_of_its_digits():
    """Seeds such as a date and an hour are no less two seeds for a decimal point; 1 and 1.0 are one."""
    seeds = ((20260801.0, 0), (20260802.0, 0), (20260802, 1), (20260801.0, 1))
    summary = summed([row(seed=seed, number=number) for seed, number in seeds])
    assert summary["methods"][0]["seeds"] == ["20260801", "20260802"]


def test_policies_without_a_time_are_named_in_the_order_of_their_seeds():
    rows = [row(seed=seed, number=number) for seed in (10, 9, 8) for number in range(12)]
    summary = summed([*rows, *(row(seed=1, number=number, train_seconds=1.0) for number in range(12))])
    assert [note for note in summary["notes"] if note.startswith("no time of dpo 8, dpo 9, dpo 10: ")]


def test_a_preference_is_no_row():
    message = refused([{"prompt": "Why?", "chosen": "So.", "rejected": "No."}])
    assert "field 'prompt_key' is missing; rows are written by 'real eval margin --rows FILE --tag method=" in message


def test_refused_rows_are_skipped_and_kept(tmp_path):
    rows = [*rows_of({"dpo": 0, "ipo": 1}), {"method": "dpo"}]
    result = invoke("--on-error", "skip", "--rejects", tmp_path / "rejects", rows=rows)
    assert result.exit_code == 3
    assert json.loads(result.stdout)["num_rows"] == 720
    assert json.loads((tmp_path / "rejects").read_text())["record"] == {"method": "dpo"}


def test_the_report_draws_what_the_summary_says(tmp_path):
    rows = rows_of({"dpo": 0, "ipo": 1, "simpo": 0.02}, train_seconds=2.5, peak_memory_bytes=3 * MEGABYTES)
    summary = rounded(summed(rows))
    report = compare_report(summary)
    assert [section.title for section in report.sections] == ["Differences from dpo", "Methods", "Cost"]
    items = [item for section in report.sections for item in section.items]
    forest = items[0]
    assert forest.baseline == 0
    assert forest.series[0].x == ("ipo", "simpo")
    assert forest.series[0].low == tuple(item["accuracy_low"] for item in summary["differences"])
    assert len([item for item in items if isinstance(item, Plot)]) == 7
    for item in items:
        assert "n = " in item.note
        assert not isinstance(item, Table) or {len(cells) for cells in item.rows} == {len(item.columns)}
    assert items[-1].rows[0][items[-1].columns.index("peak memory, MB")] == 3
    assert report.lead.startswith("Compared with dpo: ipo prefers the chosen response more often")
    assert report.lead.endswith("not told apart from dpo: simpo.")
    result = invoke("--report", tmp_path / "report.html", rows=rows)
    assert result.exit_code == 0
    assert "corrected by Holm for 2 comparisons" in (tmp_path / "report.html").read_text()


def test_a_difference_of_shares_stays_within_what_shares_can_differ_by():
    """Two seeds that say the opposite leave one degree of freedom: 12.7 standard errors either way."""
    rows = [row("dpo", seed, number, (-1.0) ** number) for seed in (1, 2) for number in range(40)]
    rows += [row("ipo", 1, number, 1.0) for number in range(40)] + [row("ipo", 2, number, -1.0) for number in range(40)]
    outcome = by_method(summed(rows))["ipo"]
    assert (outcome["accuracy_low"], outcome["accuracy_high"]) == (-1, 1)
    assert (outcome["verdict"], outcome["smallest_shown"]) == ("undecided", None)
