"""Files of other annotation tools. The shapes are what label-studio-sdk 2.1.2 and argilla 2.8.0 write themselves."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RealError
from real_cli.relabel.human.choices import AnnotationTool, Shown, Verdict
from real_cli.relabel.human.exports import COLUMNS, FORMATS, count_votes, defused, read_votes, shown_fields
from real_cli.relabel.human.pair import LETTERS, make_question

KEY = "0" * 32
AB, BA = f"{KEY}-ab", f"{KEY}-ba"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def exported(tool, records, seed=0):
    """What --export writes."""
    head, write, between, foot = FORMATS[tool]
    rows = [write(shown_fields(make_question(record, seed))) for record in records]
    return (head + between.join(rows) + foot).encode()


def data_of(*items):
    return json.dumps(list(items)).encode()


def label_studio(key, *verdicts, **more):
    """A task as `tasks/export?exportType=JSON` gives it."""
    annotations = [
        {
            "id": number,
            "completed_by": number,
            "was_cancelled": False,
            "result": [
                {"from_name": "verdict", "to_name": "prompt", "type": "choices", "value": {"choices": [verdict]}}
            ],
            **more,
        }
        for number, verdict in enumerate(verdicts)
    ]
    return {"id": 1, "data": {"key": key}, "annotations": annotations, "predictions": []}


def argilla(key, *values):
    """A record as `records.to_json` gives it."""
    responses = [{"value": value, "user_id": f"user {number}"} for number, value in enumerate(values)]
    suggestions = {"verdict": {"value": "tie", "agent": "model", "score": None, "type": None}}
    return {"id": key, "fields": {}, "metadata": {}, "suggestions": suggestions, "responses": {"verdict": responses}}


def test_a_row_with_a_comma_too_many_is_told_and_no_other_cell_is_its_verdict():
    """Of `Yes, ok` without quotes the second response would be the verdict."""
    data = f"{','.join(COLUMNS)}\n{KEY}-ab,Yes, ok,x,b,a,\n".encode()
    with pytest.raises(RealError) as caught:
        read_votes(data, "votes.csv")
    reason = "votes.csv: row 1: has more fields than the header; put a text with a comma in quotes"
    assert str(caught.value) == reason


def test_every_tool_of_the_help_has_its_format():
    assert set(FORMATS) == set(AnnotationTool)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("letter", ["a", "b"])
def test_what_comes_back_means_the_response_that_stood_there_whatever_the_seed(seed, letter):
    record = {"prompt": "q", "responses": [{"text": "x"}, {"text": "y"}]}
    (row,) = csv.DictReader(io.StringIO(exported(AnnotationTool.csv, [record], seed).decode()))
    answer = count_votes(read_votes(f"key,verdict\n{row['key']},{letter}\n".encode(), "f"))[
        make_question(record, 9).key
    ]
    picked = row[f"response_{letter}"]
    assert answer.verdict is {"x": Verdict.first, "y": Verdict.second}[picked]


def test_both_orders_are_exported():
    record = {"prompt": "q", "responses": [{"text": "x"}, {"text": "y"}]}
    assert {exported(AnnotationTool.csv, [record], seed).count(b"-ba") for seed in range(9)} == {0, 1}


@given(st.lists(st.tuples(texts, texts, texts), max_size=3))
def test_any_text_survives_every_format(rows):
    records = [{"prompt": p, "responses": [{"text": a}, {"text": b}]} for p, a, b in rows]
    wanted = [shown_fields(make_question(record, 0)) for record in records]
    table = list(csv.DictReader(io.StringIO(exported(AnnotationTool.csv, records).decode(), newline="")))
    shown = [{name: defused(text) for name, text in fields.items()} for fields in wanted]
    assert table == [fields | {"verdict": "", "note": ""} for fields in shown]
    assert [task["data"] for task in json.loads(exported(AnnotationTool.label_studio, records))] == wanted
    exports = json.loads(exported(AnnotationTool.argilla, records))
    assert [{"key": export["id"], **export["fields"]} for export in exports] == wanted
    assert read_votes(exported(AnnotationTool.csv, records), "f") == []


@pytest.mark.parametrize(
    "data",
    [
        f"key,verdict\n{BA},a\n".encode(),
        f"\ufeffnote,annotator,verdict,key\r\n,me, A ,{BA}\r\n".encode(),
        data_of({"key": BA, "verdict": "a", "annotator": 1}),
        f'{{"key":"{BA}","verdict":"a"}}\n\n'.encode(),
        f'{{"key":"{BA}","verdict":"a"}}\n{{"key":"{BA}","verdict":""}}\n'.encode(),
        data_of(label_studio(BA, "a")),
        data_of(argilla(BA, "a")),
    ],
    ids=["csv", "csv of a spreadsheet", "JSON-MIN", "one object", "JSON lines", "Label Studio", "Argilla"],
)
def test_each_shape_is_known_by_its_content(data):
    """A was the second response: the key ends in ba."""
    (vote,) = read_votes(data, "f")
    assert (vote.key, vote.verdict, vote.shown) == (KEY, Verdict.second, Shown.swapped)


def test_label_studio_s_pairwise_says_left_and_right_and_a_cancelled_annotation_is_a_skip():
    task = label_studio(AB, "a")
    task["annotations"][0]["result"] = [{"type": "pairwise", "value": {"selected": "right"}}]
    assert [vote.verdict for vote in read_votes(data_of(task), "f")] == [Verdict.second]
    assert [vote.verdict for vote in read_votes(data_of(label_studio(AB, "a", was_cancelled=True)), "f")] == [
        Verdict.skip
    ]
    task["annotations"][0]["completed_by"] = {"id": 5, "email": "a@b"}
    assert read_votes(data_of(task), "f")[0].annotator == "5"


def test_an_argilla_suggestion_is_no_answer_and_a_discarded_response_is_a_skip():
    assert read_votes(data_of(argilla(AB)), "f") == []
    assert [vote.verdict for vote in read_votes(data_of(argilla(AB, None)), "f")] == [Verdict.skip]


def test_a_long_cell_is_read():
    """The csv module stops at 131,072 characters by itself."""
    assert len(read_votes(f"key,verdict,prompt\n{AB},b,{'x' * 200_000}\n".encode(), "f")) == 1


@pytest.mark.parametrize(
    ("verdicts", "verdict", "num", "agreement"),
    [
        ("a", Verdict.first, 1, 1.0),
        ("aab", Verdict.first, 3, 0.6667),
        ("abb", Verdict.second, 3, 0.6667),
        ("ab", Verdict.tie, 2, 0.5),
        ("abt", Verdict.tie, 3, 0.3333),
        ("att", Verdict.tie, 3, 0.6667),
        ("assss", Verdict.first, 1, 1.0),
        ("s", Verdict.skip, None, None),
    ],
)
def test_the_majority_decides_and_a_tie_of_votes_is_a_tie(verdicts, verdict, num, agreement):
    names = {"a": "a", "b": "b", "t": "tie", "s": "skip"}
    answer = count_votes(read_votes(data_of(argilla(AB, *(names[letter] for letter in verdicts))), "f"))[KEY]
    assert (answer.verdict, answer.num_annotators, answer.agreement) == (verdict, num, agreement)
    assert answer.shown is Shown.as_is


def test_two_exports_in_both_orders_vote_together():
    answer = count_votes(read_votes(f"key,verdict\n{AB},a\n{BA},b\n".encode(), "f"))[KEY]
    assert (answer.verdict, answer.num_annotators, answer.agreement, answer.shown) == (Verdict.first, 2, 1.0, None)


def test_of_two_answers_by_one_annotator_the_later_counts():
    data = f"key,verdict,annotator,note\n{AB},a,me,no\n{AB},b,me,yes\n".encode()
    answer = count_votes(read_votes(data, "f"))[KEY]
    assert (answer.verdict, answer.num_annotators, answer.note) == (Verdict.second, 1, "yes")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "f: has the columns \\[\\]; 'key' and 'verdict' are needed, as in --export csv"),
        (b"key,label\n", "f: has the columns \\['key', 'label'\\]; "),
        (f"key,verdict\n{AB},a\n{AB},c\n".encode(), "f: row 2: 'verdict' is 'c'; a, b, tie or skip is needed"),
        (f"key,verdict\n{KEY},a\n".encode(), "f: row 1: 'key' is '0{32}'; the key that --export wrote is needed"),
        (b"key,verdict\n,a\n", "f: row 1: 'key' is ''; "),
        (b"\xff", "f: byte 1 is not UTF-8; export it as UTF-8"),
        (b'{"key": 1}\n{', "f:2: not JSON: "),
        (b"[3]", "f: item 1: is 3; an object with 'key' and 'verdict', or of Label Studio or Argilla, is needed"),
        (b'[{"id": 1}]', "f: item 1: is {'id': 1}; an object"),
        (data_of({"key": AB, "verdict": 3}), "f: item 1: 'verdict' is 3; a, b, tie or skip is needed"),
        (data_of({"data": {"key": AB}, "annotations": [None]}), "f: item 1: .* is not as Label Studio or Argilla"),
        (data_of({"data": {"key": AB}, "annotations": [{"result": [3]}]}), "f: item 1: .* is not as Label Studio"),
        (data_of({"id": AB, "fields": {}, "responses": {"verdict": 3}}), "f: item 1: .* is not as Label Studio"),
    ],
)
def test_what_is_no_export_is_told_with_its_place(data, message):
    with pytest.raises(RealError, match=message):
        read_votes(data, "f")


@given(letter=st.sampled_from(["a", "b", "tie", "skip"]), shown=st.sampled_from(Shown))
def test_swapping_what_is_shown_swaps_first_and_second_alone(letter, shown):
    other = {Shown.as_is: Shown.swapped, Shown.swapped: Shown.as_is}[shown]
    mirrored = {Verdict.first: Verdict.second, Verdict.second: Verdict.first}
    verdict = LETTERS[letter, shown]
    assert LETTERS[letter, other] is mirrored.get(verdict, verdict)
