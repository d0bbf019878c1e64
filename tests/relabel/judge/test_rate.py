"""Ratings and UltraFeedback's repair, Methods 11."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_cli.errors import RecordError
from real_cli.llm.rubric import parse_rubric
from real_cli.llm.rubric_files import read_rubric
from real_cli.relabel.judge.judge import JudgeTally, begin_judging
from real_cli.relabel.judge.rate import mean_rating, ratings_schema, repaired_score, score_schema
from tests.llm.inquiries import run_inquiry

ULTRAFEEDBACK = read_rubric("ultrafeedback")
ASPECTS = ["instruction_following", "honesty", "truthfulness", "helpfulness"]
OVERALL = ULTRAFEEDBACK.questions[-1]
SHOWN = re.compile(r"## Response (\d+)\n\n(.*?)(?=\n\n## Response|\n\n# Your answer)", re.DOTALL)
CANDIDATES = {
    "id": 1,
    "prompt": "q",
    "responses": [{"text": name, "note": name.upper()} for name in ("one", "two", "three", "four")],
    "source": {"x": None},
}


def shown(words):
    """The responses of an "all" question, in the order shown."""
    return [text for _, text in SHOWN.findall(words)]


def judge_of(aspects, overall, again=None):
    """A judge that rates a response by its text: four aspects, the overall score, and that score asked for again."""

    def judge(question):
        words = question.messages[1]["content"]
        if len(question.messages) > 2:
            return str(again[re.search(r"# Response\n\n(.*?)\n\n#", words)[1]])
        if "# Responses" not in words:
            text = re.search(r"# Response\n\n(.*?)\n\n#", words)[1]
            return json.dumps({"feedback": f"F {text}", "score": overall[text]})
        index = next(
            i for i, question in enumerate(ULTRAFEEDBACK.questions) if question.text.strip()[:40] == words[:40]
        )
        rows = [
            {"response": number, "rationale": f"R {text}", "rating": aspects[text][index]}
            for number, text in SHOWN.findall(words)
        ]
        return json.dumps({"ratings": [row | {"response": int(row["response"])} for row in rows]})

    return judge


def rate(record, judge, seed=0, rubric=ULTRAFEEDBACK):
    return run_inquiry(begin_judging(record, rubric, "m", seed), judge)


def rate_response(aspects, overall, again=None):
    record = {"prompt": "q", "responses": [{"text": "t"}]}
    again = None if again is None else {"t": again}
    return rate(record, judge_of({"t": aspects}, {"t": overall}, again))


# Methods 11(b) and (f)


def test_the_score_is_the_mean_of_the_ratings_that_apply():
    """Methods 11(f): ratings 4, N/A, 5, 3 -> 4.0."""
    ratings = dict(zip(ASPECTS, [4, "N/A", 5, 3], strict=True))
    assert mean_rating(ULTRAFEEDBACK, ratings | {"overall": 1}) == 4.0
    judged, _ = rate_response([4, "N/A", 5, 3], 1)
    assert judged.record["responses"][0]["score"] == 4.0
    assert judged.record["responses"][0]["ratings"] == ratings | {"overall": 1}


def test_without_a_rating_that_applies_there_is_no_score():
    with pytest.raises(RecordError, match="^no rating counts: all are N/A$"):
        mean_rating(ULTRAFEEDBACK, dict.fromkeys(ASPECTS, "N/A"))


@pytest.mark.parametrize(("mean", "score"), [(1.0, 1), (2.0, 1), (2.01, None), (4.0, None), (4.25, 10), (5.0, 10)])
def test_a_top_score_is_repaired_by_the_mean_of_the_aspects(mean, score):
    """Methods 11(f): (10, mean 2.0) -> 1; (10, 2.01) and (10, 4.0) -> asked again; (10, 4.25) -> 10."""
    assert repaired_score(OVERALL, mean) == score


@pytest.mark.parametrize(
    ("aspects", "overall", "again", "kept", "num_rounds", "num_repaired"),
    [
        ([2, 2, 2, 2], 10, None, 1, 1, 1),  # mean 2
        ([2, 2, 2, 3], 10, 4, 4, 2, 1),  # mean 2.25: asked again
        ([4, 4, 4, 4], 10, 7.5, 7.5, 2, 1),  # mean 4: asked again; 7.5 is several tokens, Methods 11(g)
        ([4, 4, 4, 4], 10, 10, 10, 2, 0),  # asked again, the score stands
        ([4, 4, 4, 5], 10, None, 10, 1, 0),  # mean 4.25
        ([1, 1, 1, 1], 9, None, 9, 1, 0),  # 9 is left alone, whatever the mean
        ([5, 5, 5, 5], 9, None, 9, 1, 0),
    ],
)
def test_the_repair_of_one_response(aspects, overall, again, kept, num_rounds, num_repaired):
    judged, rounds = rate_response(aspects, overall, again)
    assert judged.record["responses"][0]["ratings"]["overall"] == kept
    assert judged.record["responses"][0]["score"] == sum(aspects) / 4
    assert (len(rounds), judged.num_repaired) == (num_rounds, num_repaired)


def test_all_doubtful_scores_of_a_record_are_asked_for_at_once_and_each_goes_to_its_response():
    """A batch takes a day: two rounds, however many there are. Means 3, 1, 4.25, 3."""
    aspects = {"one": [3] * 4, "two": [1] * 4, "three": [4, 4, 4, 5], "four": [3] * 4}
    overall = dict.fromkeys(aspects, 10)
    judged, rounds = rate(CANDIDATES, judge_of(aspects, overall, {"one": 6, "four": 3}))
    assert [response["ratings"]["overall"] for response in judged.record["responses"]] == [6, 1, 10, 3]
    assert [len(words) for words in rounds] == [8, 2]
    assert judged.num_repaired == 3


def test_asking_again_shows_the_judge_its_own_feedback():
    """Methods 11(b): the old critique prefilled."""
    asked = []

    def judge(question):
        asked.append(question)
        return judge_of({"t": [3] * 4}, {"t": 10}, {"t": 5})(question)

    run_inquiry(begin_judging({"prompt": "q", "responses": [{"text": "t"}]}, ULTRAFEEDBACK, "m", 0), judge)
    again = asked[-1]
    assert [message["role"] for message in again.messages] == ["system", "user", "assistant", "user"]
    assert again.messages[:2] == asked[-2].messages
    assert again.messages[2]["content"] == "F t"
    assert again.messages[3]["content"].endswith("from 1 to 10? Answer with the number only.")
    assert again.sampling == ULTRAFEEDBACK.sampling(OVERALL)._replace(max_tokens=16)


def test_a_judge_without_feedback_is_shown_what_it_said():
    asked = []

    def judge(question):
        asked.append(question)
        if len(question.messages) == 2 and "# Response\n" in question.messages[1]["content"]:
            return '{"feedback": "", "score": 10}'
        return judge_of({"t": [3] * 4}, {}, {"t": 5})(question)

    run_inquiry(begin_judging({"prompt": "q", "responses": [{"text": "t"}]}, ULTRAFEEDBACK, "m", 0), judge)
    assert asked[-1].messages[2]["content"] == '{"feedback": "", "score": 10}'


# The order of responses

ASPECTS_OF = {"one": [1, 2, 3, 4], "two": [2, 2, 2, 2], "three": [5, 4, 3, 5], "four": [4, "N/A", 4, 4]}
JUDGE = judge_of(ASPECTS_OF, {"one": 2, "two": 3, "three": 9, "four": 8})


def test_the_order_shown_is_put_back():
    judged, _ = rate(CANDIDATES, JUDGE)
    for response in judged.record["responses"]:
        aspects = [response["ratings"][name] for name in ASPECTS]
        assert aspects == ASPECTS_OF[response["text"]]
        assert {response["rationales"][name] for name in ASPECTS} == {f"R {response['text']}"}
        assert response["rationales"]["overall"] == f"F {response['text']}"


@pytest.mark.parametrize("seed", range(5))
def test_the_order_shown_does_not_decide_the_ratings(seed):
    assert rate(CANDIDATES, JUDGE, seed)[0] == rate(CANDIDATES, JUDGE)[0]


def orders(record, seed=0):
    _, ((*aspects, _, _, _, _),) = rate(record, JUDGE, seed)
    return [shown(words) for words in aspects]


def test_the_order_is_drawn_from_the_content_and_the_seed():
    """Not from the place in the stream: a shard and the whole ask the same."""
    first = orders(CANDIDATES)
    assert orders(CANDIDATES) == first
    assert orders(CANDIDATES | {"id": 2, "other": 1}) == first
    assert all(sorted(order) == ["four", "one", "three", "two"] for order in first)
    seeds = [orders(CANDIDATES, seed) for seed in range(8)]
    prompts = [orders(CANDIDATES | {"prompt": f"q{number}"}) for number in range(8)]
    assert len({str(orders) for orders in seeds}) > 4
    assert len({str(orders) for orders in prompts}) > 4
    assert len({str(order) for orders in seeds for order in orders}) > 8  # the questions of one record differ too


def test_every_place_can_be_the_first():
    firsts = {order[0] for seed in range(20) for order in orders(CANDIDATES, seed)}
    assert firsts == set(ASPECTS_OF)


# Records


def test_unknown_fields_survive_and_judged_twice_is_judged_once():
    once = rate(CANDIDATES, JUDGE)[0].record
    assert [response["note"] for response in once["responses"]] == ["ONE", "TWO", "THREE", "FOUR"]
    assert (once["id"], once["source"]) == (1, {"x": None})
    assert once["judge"] == {"model": "m", "rubric": "ultrafeedback", "rubric_hash": ULTRAFEEDBACK.digest}
    twice = rate(once, JUDGE)[0].record
    assert json.dumps(twice) == json.dumps(once)


def test_a_pair_keeps_its_label_and_gets_the_ratings_of_both():
    pair = {"id": 3, "prompt": "q", "chosen": "two", "rejected": "one", "x_chosen": 1, "x_rejected": 2, "x": 3}
    once = rate(pair, JUDGE)[0].record
    assert {name: once[name] for name in pair} == pair
    assert (once["score_chosen"], once["score_rejected"]) == (2.0, 2.5)
    assert once["ratings_rejected"] == dict(zip([*ASPECTS, "overall"], [1, 2, 3, 4, 2], strict=True))
    assert json.dumps(rate(once, JUDGE)[0].record) == json.dumps(once)


def test_a_score_that_was_there_is_replaced_in_its_place():
    record = {"prompt": "q", "responses": [{"text": "one", "score": 99, "note": 1}]}
    (response,) = rate(record, JUDGE)[0].record["responses"]
    assert (response["score"], list(response)) == (2.5, ["text", "score", "note", "ratings", "rationales"])


def test_one_response_can_be_rated_and_none_cannot():
    assert rate({"prompt": "q", "responses": [{"text": "one"}]}, JUDGE)[0].record["responses"][0]["score"] == 2.5
    with pytest.raises(RecordError, match="^0 responses; the rubric 'ultrafeedback' needs 1$"):
        begin_judging({"prompt": "q", "responses": []}, ULTRAFEEDBACK, "m", 0)


def test_repairs_are_told():
    tally = JudgeTally()
    tally.add(rate_response([2] * 4, 10)[0])
    tally.add(rate_response([5] * 4, 10)[0])
    assert tally.sentence() == "2 judged; 1 overall scores repaired"


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(0, 5))
def test_a_rubric_of_ones_own_gives_the_mean_of_what_counts(ratings, seed):
    rubric = parse_rubric({"name": "r", "question": [{"asks": "all", "high": 5, "text": "{prompt}\n{responses}"}]}, "r")
    record = {"prompt": "q", "responses": [{"text": f"<{n}>"} for n in range(len(ratings))]}

    def judge(question):
        shown = map(int, re.findall(r"<(\d+)>", question.messages[0]["content"]))
        return json.dumps({"ratings": [{"rating": ratings[number]} for number in shown]})

    judged, _ = rate(record, judge, seed, rubric)
    assert [response["score"] for response in judged.record["responses"]] == ratings


def test_schemas_hold_a_judge_to_the_scale():
    schema = ratings_schema(ULTRAFEEDBACK.questions[1])["properties"]["ratings"]["items"]
    number, text = schema["properties"]["rating"]["anyOf"]
    assert (number["minimum"], number["maximum"], text["enum"]) == (1, 5, ["N/A"])
    assert list(schema["properties"]) == schema["required"] == ["response", "rationale", "rating"]
    overall = score_schema(OVERALL)
    assert list(overall["properties"]) == ["feedback", "score"]  # reasons first
    assert overall["properties"]["score"] == {"type": "number", "minimum": 1, "maximum": 10}
