"""Labels and scores that were once turned, mixed or passed over without a word."""

import json

import pytest

from real_cli.errors import RecordError
from real_cli.records.layouts import adapt
from tests.records.published import GULL, JAY, QUESTION, USER
from tests.records.test_jq_lines import lines_of, run_jq
from tests.records.test_misread_commands import run

PAIR = {"prompt": QUESTION, "chosen": "The jay.", "rejected": "The gull."}
GOOD = [1, "1", "1.0", "true", "TRUE", "good", "yes", "Y", "positive", "t", "thumbs_up", "thumbs-up", "up", "desirable"]
BAD = [0, "0", "0.0", -1, "-1", "-1.0", "false", "bad", "no", "n", "negative", "f", "thumbs_down", "down", "rejected"]


@pytest.mark.parametrize("first", [1, "yes", "positive", "t"])
@pytest.mark.parametrize(("value", "score"), [*((value, 1) for value in GOOD), *((value, 0) for value in BAD)])
def test_the_line_for_a_label_turns_none_of_another_row(first, value, score):
    for label in (first, value):
        with pytest.raises(RecordError, match="'label' is .* true or false is needed") as caught:
            adapt({"prompt": QUESTION, "completion": "Jay.", "label": label})
    with pytest.raises(RecordError) as caught:
        adapt({"prompt": QUESTION, "completion": "Jay.", "label": first})
    (line,) = lines_of(str(caught.value))
    row = {"prompt": QUESTION, "completion": "Jay.", "label": value}
    assert adapt(run_jq(line, row)).record["responses"][0]["score"] == score


def test_the_line_for_a_label_stops_at_a_word_that_it_does_not_know():
    with pytest.raises(RecordError) as caught:
        adapt({"prompt": QUESTION, "completion": "Jay.", "label": 1})
    (line,) = lines_of(str(caught.value))
    for unknown in (10, "maybe", 0.5, None):
        with pytest.raises(Exception, match="non-zero exit status"):
            run_jq(line, {"label": unknown})


def test_a_label_that_is_a_subject_stays():
    for value in ("sports", "A", 3):
        assert adapt({"prompt": QUESTION, "completion": "Jay.", "label": value}).record["label"] == value


def rows(**values):
    first, second = ({name: value[number] for name, value in values.items()} for number in (0, 1))
    return [{"prompt": QUESTION, "response": "Jay.", **first}, {"prompt": QUESTION, "response": "Gull.", **second}]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        *((field, (2, 1)) for field in ("Score", "SCORE", "rating", "reward", "grade", "votes")),
        *((field, (True, False)) for field in ("preferred", "is_preferred", "Label", "better", "is_better")),
        *((field, (1, 2)) for field in ("ranking", "Rank")),
    ],
)
def test_a_label_of_another_name_is_told_where_a_pair_has_none(field, values):
    (pair,), notes = run("pair", "--strategy", "random", records=rows(**{field: values}))
    assert "chosen" not in pair
    assert f"1 record without a label, though '{field}' may hold one" in notes


@pytest.mark.parametrize("field", ["ranking", "preference", "preferences_given", "winner", "better"])
def test_a_label_of_another_name_on_the_record_is_told(field):
    record = {"prompt": QUESTION, "responses": ["Jay.", "Gull."], field: [2, 1]}
    (pair,), notes = run("pair", "--strategy", "random", records=[record])
    assert ("chosen" in pair, "may hold one" in notes) == (False, field != "preferences_given")


@pytest.mark.parametrize("name", ["score", "scores"])
def test_scores_and_ranks_beside_texts_are_read(name):
    record = {"prompt": QUESTION, "responses": ["Gull.", "Jay."], name: [1, 2]}
    assert [response["score"] for response in adapt(record).record["responses"]] == [1, 2]
    record = {"prompt": QUESTION, "responses": ["Gull.", "Jay."], "rank": [2, 1]}
    assert [response["rank"] for response in adapt(record).record["responses"]] == [2, 1]


@pytest.mark.parametrize(
    "records",
    [
        rows(score=(2, None)),
        rows(label=(None, False)),
        [{"prompt": QUESTION, "responses": [{"text": "Jay.", "score": 1}, {"text": "Gull."}]}],
        [
            {
                "instruction": QUESTION,
                "completions": [
                    {"response": "a", "annotations": {"honesty": {"Rating": "5"}}, "overall_score": 8},
                    {"response": "b", "annotations": {}, "overall_score": 6},
                ],
            }
        ],
    ],
)
def test_scores_on_a_part_of_the_responses_are_told(records):
    _, notes = run("pair", "--strategy", "random", records=records)
    assert "1 record with scores on a part of the responses" in notes


@pytest.mark.parametrize(
    "records", [rows(score=(2, 1)), rows(label=(True, False)), rows(topic=("a", "a")), rows(id=(1, 2)), [PAIR]]
)
def test_a_whole_label_and_none_are_not_told(records):
    _, notes = run("pair", "--strategy", "random", records=records)
    assert "may hold one" not in notes
    assert "on a part" not in notes


@pytest.mark.parametrize("field", ["overall_preference", "preference_strength"])
@pytest.mark.parametrize("value", [-100, 4, -3.5, "100"])
def test_a_preference_outside_of_its_scale_is_refused(field, value):
    names = ("response1", "response2") if field == "overall_preference" else ("response_1", "response_2")
    record = {"prompt": QUESTION, "context": [USER], **dict(zip(names, ("Jay.", "Gull."), strict=True)), field: value}
    with pytest.raises(RecordError, match=f"'{field}' is .*from -3 to 3"):
        adapt(record)
    assert adapt(record | {field: -3}).record["margin"] == 3


LISTS = {
    "responses": [{"text": "Rome", "score": 1}, {"text": "the city", "score": 2}],
    "answers": [{"text": "Rome", "score": 1}, {"text": "the city", "score": 2}],
    "completions": [{"response": "Rome", "overall_score": 1}, {"response": "the city", "overall_score": 2}],
}


@pytest.mark.parametrize("field", ["responses", "answers"])
@pytest.mark.parametrize(
    "command",
    ["pair -s all", "relabel winprob", "relabel judge -m m --no-cache --emit-requests ASKED", "eval pairs"],
)
def test_a_pair_with_a_list_of_responses_is_refused_by_every_command(command, field, tmp_path):
    words = command.replace("ASKED", str(tmp_path / "asked")).split()
    _, notes = run(*words, records=[PAIR | {field: LISTS[field]}], status=1)
    assert "'chosen' and 'rejected', and in" in notes
    first, second = lines_of(notes)
    assert adapt(run_jq(first, PAIR | {field: LISTS[field]})).record == PAIR
    assert "responses" in adapt(run_jq(second, PAIR | {field: LISTS[field]})).record


def test_lists_beside_a_pair_that_are_no_responses_stay():
    for more in (
        {"answers": ["Rome"]},
        {"generations": ["a", "b"]},
        {"chosen_answers": [{"text": "a"}]},
    ):
        assert adapt(PAIR | more).record == PAIR | more


def test_an_inconsistent_tie_of_mt_bench_is_a_tie():
    sides = {"conversation_a": [USER, JAY], "conversation_b": [USER, GULL], "model_a": "m", "model_b": "n"}
    read = adapt({**sides, "winner": "tie (inconsistent)"}).record
    assert read["annotation"]["verdict"] == "tie"
    assert json.dumps(read).count("inconsistent") == 1
