"""The report of `eval pairs` shows what the summary says."""

import re

from real_cli.evaluate.limits import check_limits
from real_cli.evaluate.pairs.health import PairHealth, gate_of
from real_cli.evaluate.pairs.leaks import PromptIndex
from real_cli.evaluate.pairs.report import pairs_report
from real_cli.report.contents import Excerpt, Plot, Table, Verdicts
from real_cli.report.field_words import note_in_words
from real_cli.stats.numeric import rounded

BROKEN = "Broken: contradictions, against scores, leaked prompts."


def make_health(num_pairs=30):
    """Pairs whose gap falls as similarity grows, one contradiction, one leaked prompt."""
    index = PromptIndex()
    index.add("What is number 3 of the list")
    health = PairHealth(against=index, has_examples=True)
    for i in range(num_pairs):
        record = {
            "prompt": f"What is number {i} of the list",
            "chosen": f"The number {i} " * (i % 3 + 1),
            "rejected": "no",
        }
        scores = {"score_chosen": num_pairs // 2 - i, "score_rejected": 0, "similarity": i / 100, "num_responses": 4}
        health.add(record | scores, f"a:{i}")
    record |= {"chosen": record["rejected"], "rejected": record["chosen"]}
    health.add(record, "a:end")
    summary = rounded(health.summary())
    summary["limits"] = check_limits(summary, gate_of([], strict=True, against=True).limits)
    return summary, health.examples(), health.report(summary, health.examples())


def items(report, kind):
    return {item.title: item for section in report.sections for item in section.items if isinstance(item, kind)}


def test_sections_in_order():
    summary, _, report = make_health()
    assert [section.title for section in report.sections] == [
        "Verdicts",
        "Limits",
        "Repeats, ties and contradictions",
        "Similarity",
        "Score gap",
        "Length",
        "Prompts of another file",
        "Writing systems",
        "Labels saved",
    ]
    assert report.notes == tuple(map(note_in_words, summary["notes"])) != ()
    assert report.lead == f"{BROKEN} 31 pairs of 30 prompts, 31 labeled. Of 5 limits 3 are passed."


def test_plots_carry_the_numbers_of_the_summary():
    summary, _, report = make_health()
    plots = items(report, Plot)
    series = plots["How similar the two responses are"].series[0]
    assert list(series.x) == summary["similarity_histogram"]["edges"]
    assert list(series.y) == summary["similarity_histogram"]["counts"]
    assert list(plots["Score gaps"].series[0].y) == summary["score_gap_histogram"]["counts"]
    assert list(plots["Length gaps"].series[0].y) == summary["length_gap_histogram"]["counts"]
    curve = plots["Score gap by similarity"].series[0]
    assert list(curve.y) == [row["gap_mean"] for row in summary["gap_by_similarity"]]
    assert list(curve.counts) == [row["num_pairs"] for row in summary["gap_by_similarity"]]
    bars = plots["How often the longer response is chosen"]
    assert (bars.series[0].y, bars.baseline) == ((summary["share_chosen_longer"],), 0.5)
    assert bars.series[0].low == (summary["share_chosen_longer_low"],)


def test_every_plot_and_table_says_its_n():
    _, _, report = make_health()
    notes = {title: item.note for title, item in (items(report, Plot) | items(report, Table)).items()}
    assert len(notes) == 10
    assert [title for title, note in notes.items() if not any(sign.isdigit() for sign in note)] == []
    assert notes["How similar the two responses are"].startswith("n = 30 pairs")
    assert notes["How often the longer response is chosen"].startswith("n = 31 pairs")


def test_tables_carry_the_numbers_of_the_summary():
    summary, _, report = make_health()
    tables = items(report, Table)
    assert [row[2] for row in tables["Limits"].rows] == [31, 0, 1, 14, 1]
    assert [row[3] for row in tables["Limits"].rows] == ["kept", "kept", "passed", "passed", "passed"]
    assert [row[1] for row in tables["Labels each strategy needs"].rows] == [
        row["num_labels"] for row in summary["savings"]
    ]
    assert [row[1] for row in tables["Prompts that stand in the other file"].rows] == [1, 1, 1]


def test_examples_of_each_kind():
    _, _, report = make_health()
    excerpts = {title.partition(",")[0].partition(" (")[0]: rows.rows for title, rows in items(report, Excerpt).items()}
    places = {title: [row.place for row in rows] for title, rows in excerpts.items()}
    assert places == {
        "Labeled both ways": ["a:end"],
        "Labeled against their scores": [f"a:{i}" for i in (29, 28, 27, 26, 25)],
        "Least similar": [f"a:{i}" for i in range(5)],
        "Most similar": [f"a:{i}" for i in (29, 28, 27, 26, 25)],
        "Prompts found in the other file": ["a:3"],
    }
    assert ("labeled the other way round at", "a:29") in excerpts["Labeled both ways"][0].facts


def test_no_pairs_are_a_report_of_counts_alone():
    report = pairs_report(PairHealth().summary(), {})
    assert [section.title for section in report.sections] == ["Verdicts", "Repeats, ties and contradictions"]
    assert report.lead == "Broken: no pairs. 0 pairs of 0 prompts, 0 labeled."


def test_one_pair_of_one_prompt_is_said_so():
    health = PairHealth()
    health.add({"prompt": "p", "chosen": "long", "rejected": "b", "score_chosen": 2, "score_rejected": 1})
    limits = gate_of(["num_pairs>=9"], strict=False, against=False).limits
    summary = health.summary() | {"limits": check_limits(health.summary(), limits)}
    report = pairs_report(summary, {})
    assert report.lead == "Sound in every check. 1 pair of 1 prompt, 1 labeled. Of 1 limit 1 is passed."
    messages = [section.text for section in report.sections] + [item.note for item in items(report, Plot).values()]
    assert [text for text in messages if re.search(r"\b1 (?:pair|label|prompt)s\b", text)] == []
    assert any("in 100.0% of 1 labeled pair of unequal lengths" in text for text in messages)


def test_verdicts_come_first_with_the_worst_in_front():
    """The one pair that is labeled both ways, and the prompt of the other file."""
    summary, _, report = make_health()
    (block,) = report.sections[0].items
    assert isinstance(block, Verdicts)
    levels = [row.level.value for row in block.rows]
    assert levels == sorted(levels)  # broken, doubtful, sound
    assert [row.title.partition(" (")[0] for row in block.rows] == [
        row["title"].partition(" (")[0] for row in summary["verdicts"]
    ]
    assert {row["check"] for row in summary["verdicts"] if row["level"] == "broken"} == {
        "contradictions", "against-scores", "leaked-prompts",
    }  # fmt: skip
    assert [row.places for row in block.rows if row.title == "two texts of a prompt are labeled both ways"] == [
        ("a:29", "a:end")
    ]
