"""Fields that data sets call by other names: each is what it says, and goes where its response goes."""

import orjson
import pytest
from typer.testing import CliRunner

from real_cli.app import app
from real_cli.errors import RecordError
from real_cli.pair.savings import Savings
from real_cli.records.layouts import adapt, with_score_of
from real_cli.records.record import swap_labels

PAIR = {"prompt": "q", "chosen": "a", "rejected": "b"}


def real(*words, records=()):
    return CliRunner().invoke(app, [*map(str, words)], input=b"".join(orjson.dumps(item) + b"\n" for item in records))


def records_of(done):
    assert done.exit_code == 0, done.stderr
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def problem(record):
    with pytest.raises(RecordError) as caught:
        adapt(record)
    return str(caught.value)


NAMES = ["chosen_score", "chosen-score", "chosen_rating", "chosen-rating", "rating_chosen"]
NAMES += ["chosen_reward", "chosen-reward", "reward_chosen"]


@pytest.mark.parametrize("name", NAMES)
def test_a_score_by_any_of_its_names_is_the_score(name):
    record = PAIR | {name: 9, name.replace("chosen", "rejected"): 4}
    assert adapt(record).record == PAIR | {"score_chosen": 9, "score_rejected": 4}


@pytest.mark.parametrize("name", NAMES)
def test_every_command_that_reads_scores_reads_it(name):
    records = [PAIR | {name: 9, name.replace("chosen", "rejected"): 4}]
    (pair,) = records_of(real("pair", "-s", "all", "--keep", "1", "--by", "score-gap", "--highest", records=records))
    (weighed,) = records_of(real("relabel", "weight", records=records))
    assert (pair["score_chosen"], weighed["weight"]) == (9, 5)
    (summary,) = records_of(real("eval", "pairs", records=records))
    assert summary["score_gap"]["mean"] == 5


@pytest.mark.parametrize("mark", ["_", "-"])
def test_the_model_of_a_response_is_its_model(mark):
    adapted = adapt(PAIR | {f"chosen{mark}model": "x", f"rejected{mark}model": "y"}).record
    assert adapted == PAIR | {"model_chosen": "x", "model_rejected": "y"}


@pytest.mark.parametrize("name", ["{}_notes", "{}-notes"])
def test_what_else_is_said_of_one_response_goes_with_it(name):
    """A label that is turned around must not leave it behind."""
    chosen, rejected = name.format("chosen"), name.format("rejected")
    record = adapt(PAIR | {chosen: "of a", rejected: "of b"}).record
    assert record == PAIR | {chosen: "of a", rejected: "of b"}
    assert swap_labels(record) == {"prompt": "q", "chosen": "b", "rejected": "a", chosen: "of b", rejected: "of a"}
    (pair,) = records_of(real("pair", "-s", "all", "--orient", "none", records=[record]))
    assert pair["responses"] == [{"text": "a", "notes": "of a"}, {"text": "b", "notes": "of b"}]


def test_of_two_names_of_one_thing_neither_is_lost():
    record = adapt(PAIR | {"chosen_score": 1, "rejected_score": 2, "score_chosen": 8, "score_rejected": 3}).record
    assert (record["score_chosen"], record["score_rejected"]) == (8, 3)
    turned = swap_labels(record)
    assert (turned["score_chosen"], turned["chosen_score"]) == (3, 2)


def test_of_two_ratings_none_is_taken_for_the_score():
    record = PAIR | {"chosen_rating": 1, "rejected_rating": 2, "chosen_reward": 8, "rejected_reward": 3}
    adapted = adapt(record).record
    assert "score_chosen" not in adapted
    (pair,) = records_of(real("pair", "-s", "all", "--score", "reward", records=[record]))
    assert (pair["score_chosen"], pair["score_rejected"]) == (8, 3)
    done = real("pair", "-s", "all", "--keep", "1", "--by", "score-gap", "--highest", records=[record])
    assert done.stderr.endswith("--by score-gap needs both; --score FIELD names the rating that is the score\n")


@pytest.mark.parametrize("name", ["chosen_score", "score_chosen"])
def test_a_score_that_is_a_text_is_told_by_its_name(name):
    record = PAIR | {name: "9", name.replace("chosen", "rejected"): "4"}
    assert problem(record) == f"field '{name}' is '9'; a number is needed"


# --score

RATED = [{"text": "a", "helpful": 1, "honest": 5}, {"text": "b", "helpful": 4, "honest": 2}]


@pytest.mark.parametrize(("field", "chosen"), [("helpful", "b"), ("honest", "a")])
def test_score_names_one_of_several_ratings(field, chosen):
    record = {"prompt": "q", "responses": RATED}
    (pair,) = records_of(real("pair", "-s", "best-worst", "--score", field, records=[record]))
    assert (pair["chosen"], pair["score_chosen"] > pair["score_rejected"]) == (chosen, True)
    assert pair[f"{field}_chosen"] == pair["score_chosen"]


@pytest.mark.parametrize(
    ("field", "chosen"),
    [("annotations.honesty.Rating", "a"), ("annotations.truth.Rating", "b"), ("overall_score", "b")],
)
def test_score_names_an_aspect_of_ultrafeedback(field, chosen):
    ratings = {"a": ("5", "1", 3.0), "b": ("2", "4", 8.5)}
    completions = [
        {
            "response": text,
            "overall_score": overall,
            "annotations": {"honesty": {"Rating": honesty}, "truth": {"Rating": truth}},
        }
        for text, (honesty, truth, overall) in ratings.items()
    ]
    record = {"instruction": "q", "completions": completions}
    (pair,) = records_of(real("pair", "-s", "best-worst", "--score", field, records=[record]))
    assert pair["chosen"] == chosen


@pytest.mark.parametrize("name", ["chosen_avg_rating", "avg_rating_chosen"])
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_score_names_a_rating_of_a_pair_by_any_order_of_its_name(tmp_path, name, kind):
    record = PAIR | {name: 9.5, name.replace("chosen", "rejected"): 4}
    path = tmp_path / f"a.{kind}"
    table = f"{','.join(record)}\n{','.join(map(str, record.values()))}\n".encode()
    path.write_bytes(table if kind == "csv" else orjson.dumps(record))
    (pair,) = records_of(real("pair", "-s", "all", "--score", "avg_rating", path))
    assert (pair["score_chosen"], pair["score_rejected"]) == (9.5, 4)


def test_score_names_a_list_beside_the_responses():
    record = {"prompt": "q", "responses": ["a", "b"], "helpful": [1, 4], "honest": [5, 2]}
    (pair,) = records_of(real("pair", "-s", "best-worst", "--score", "honest", records=[record]))
    assert (pair["chosen"], pair["score_chosen"], pair["helpful"]) == ("a", 5, [1, 4])


def test_score_reads_a_rating_that_all_rows_of_a_prompt_agree_on():
    rows = [{"prompt": "q", "response": text, "helpful": 3} for text in "ab"]
    done = real("pair", "-s", "all", "--score", "helpful", records=rows)
    assert "1 equal scores" in done.stderr


def test_a_score_that_was_there_stays_by_another_name():
    record = {"prompt": "q", "responses": [item | {"score": 7} for item in RATED]}
    (pair,) = records_of(real("pair", "-s", "best-worst", "--score", "honest", records=[record]))
    assert (pair["score_chosen"], pair["score_field_chosen"]) == (5, 7)


@pytest.mark.parametrize("words", [["pair"], ["relabel", "winprob"], ["relabel", "shape", "--method", "ceiling"]])
def test_a_rating_that_is_missing_is_told_with_its_response(words):
    more = ["--ceiling", "3"] if "shape" in words else []
    record = {"prompt": "q", "responses": [RATED[0], {"text": "b"}]}
    done = real(*words, *more, "--score", "honest", records=[record])
    assert done.stderr == "real: <stdin>:1: response 2: 'honest' is missing; --score needs a number there\n"
    done = real(*words, *more, "--score", "honest", records=[PAIR])
    assert done.stderr == "real: <stdin>:1: field 'honest_chosen' is missing; --score needs a number there\n"


# The wrong response


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (["a", None], "response 2 is None; each must be a string or a conversation"),
        (["a", "b", {"text": "c"}], "response 3 is {'text': 'c'}; each must be a string or a conversation"),
    ],
    ids=["a null", "an object"],
)
def test_the_response_that_is_wrong_is_named(texts, complaint):
    assert problem({"prompt": "q", "responses": texts}) == complaint


@pytest.mark.parametrize("wrong", ["b", {"content": "b"}])
def test_the_response_that_is_wrong_is_named_among_objects(wrong):
    notes = f"response 2 has no 'text' that is a string or a conversation: {wrong!r}"
    assert problem({"prompt": "q", "responses": [{"text": "a"}, wrong]}) == notes


def test_the_response_that_is_wrong_is_named_where_the_prompt_is_missing_too():
    assert problem({"question": "q", "responses": [{"text": "a"}, 5]}).startswith("responses 2 is 5; ")


def test_the_completion_that_is_wrong_is_named():
    record = {"instruction": "q", "completions": [{"response": "a"}, {"text": "b"}]}
    assert problem(record).startswith("completion 2 has no 'response': ")


# KTO's label


@pytest.mark.parametrize("label", [1, 0, "True", "false"])
def test_a_label_that_is_no_boolean_is_told_by_its_name(label):
    notes = f"field 'label' is {label!r}; true or false is needed, in a table as a word: jq -c '.label |= (tostring | "
    assert problem({"prompt": "q", "completion": "a", "label": label}).startswith(notes)


@pytest.mark.parametrize("label", ["math", 7, None])
def test_a_label_that_says_something_else_is_passed_on(label):
    assert adapt({"prompt": "q", "completion": "a", "label": label}).record["label"] == label


# --score, where the layout took that rating for the score

TAKEN = [
    (PAIR | {"rating_chosen": 1, "rating_rejected": 4}, "rating"),
    (PAIR | {"chosen-rating": 1, "rejected-rating": 4}, "rating"),
    (PAIR | {"reward_chosen": 1, "reward_rejected": 4}, "reward"),
    ({"prompt": "q", "responses": ["a", "b"], "ratings": [1, 4]}, "ratings"),
]


@pytest.mark.parametrize(("record", "field"), TAKEN)
def test_a_rating_that_is_the_score_already_can_be_named(record, field):
    plain = adapt(record).record
    assert with_score_of(adapt, field)(record).record == plain
    holders = plain.get("responses") or [{"score": plain[f"score_{role}"]} for role in ("chosen", "rejected")]
    assert [holder["score"] for holder in holders] == [1, 4]


@pytest.mark.parametrize(("record", "field"), TAKEN)
def test_another_rating_is_still_missing(record, field):
    with pytest.raises(RecordError, match="is missing"):
        with_score_of(adapt, "tone")(record)


# What is told at the end


@pytest.mark.parametrize(
    ("numbers", "complaint"),
    [
        ((1, 0, 1, 0), "0 pairs from 1 prompt"),
        ((1, 1, 1, 0), "0 pairs from 1 prompt"),
    ],
)
def test_nothing_chosen_saves_nothing(numbers, complaint):
    prompts, possible, given, chosen = numbers
    assert (
        Savings(num_prompts=prompts, num_possible=possible, num_given=given, num_chosen=chosen).sentence() == complaint
    )
