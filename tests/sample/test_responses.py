"""Seeds, draws, and the inquiries of `sample`, without a model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from real_cli.errors import RecordError, UsageError
from real_cli.llm.chat import request_body
from real_cli.records.prompts import PromptReader
from real_cli.records.questions import Choice, Completion, Sampling, advance, read_answer
from real_cli.records.seeds import response_seed, uniform_numbers
from real_cli.sample.drift import IMPROVING, check_improving, read_complaint, sample_improved
from real_cli.sample.modes import (
    MODES,
    SamplingMode,
    sample_again,
    sample_by_principle,
    sample_contrast,
    sample_reference,
    sample_responses,
)
from real_cli.sample.principles import Principle, draw_principle, parse_principles
from real_cli.sample.responses import Plan, SamplingTally

TALK = [{"role": "user", "content": "Why?"}]
WARM = Sampling(9, temperature=1.0)


def ask(inquiry, reply):
    """Run an inquiry; `reply(question)` gives texts. Returns what it made, and its rounds of questions."""
    rounds, answers = [], None
    while True:
        questions, result = advance(inquiry, answers)
        if result:
            return result[0], rounds
        rounds.append(questions)
        answers = []
        for question in questions:
            first, *others = reply(question)
            answers.append(read_answer(question, Completion(first, others=tuple(Choice(text) for text in others))))


def numbered(question):
    """As many texts as are wanted, each with the seed of its question."""
    return [f"{question.sampling.seed}-{number}" for number in range(question.sampling.num_choices)]


# Seeds and draws


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=8), st.integers(0, 10_000))
def test_a_number_depends_on_its_seed_and_step_alone(seeds, step):
    together = uniform_numbers(np.array(seeds, dtype=np.uint64), step)
    alone = [uniform_numbers(np.array([seed], dtype=np.uint64), step)[0] for seed in seeds]
    assert together.tolist() == alone
    assert all(0 <= number < 1 for number in alone)


def test_numbers_are_uniform_over_seeds_and_over_steps_and_neighbors_are_not_alike():
    """Kolmogorov-Smirnov: sound numbers fail it at this level once in a thousand; these are always the same ones."""
    seeds = np.arange(20_000, dtype=np.uint64)
    over_seeds = uniform_numbers(seeds, 3)
    over_steps = np.array([uniform_numbers(seeds[7:8], step)[0] for step in range(5_000)])
    for numbers in (over_seeds, over_steps):
        assert stats.kstest(numbers, "uniform").pvalue > 1e-3
        assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 0.05
    assert abs(np.corrcoef(over_seeds, uniform_numbers(seeds, 4))[0, 1]) < 0.05


@pytest.mark.parametrize("other", [(1, "q", "a", 0), (0, "r", "a", 0), (0, "q", "b", 0), (0, "q", "a", 1)])
def test_whatever_names_a_response_changes_its_seed(other):
    assert response_seed(*other) != response_seed(0, "q", "a", 0)
    assert response_seed(0, "q", "a", 0, "principle") != response_seed(0, "q", "a", 0)


def test_the_seed_is_the_same_tomorrow():
    assert response_seed(0, "q", "sft", 0) == 242_151_034


# Questions


def test_what_is_not_set_is_not_in_a_request():
    question = next(sample_responses({"prompt": "q"}, Plan("m", sampling=Sampling(9))))[0]
    assert request_body("m", question) == {
        "model": "m",
        "messages": [{"role": "user", "content": "q"}],
        "max_tokens": 9,
        "temperature": 0.0,
        "top_p": 1.0,
    }
    plan = Plan("m", 2, Sampling(9, 0.5, 0.9, ("x", "y")), together=True)
    body = request_body("m", next(sample_responses({"prompt": "q"}, plan))[0])
    assert (body["stop"], body["n"], body["seed"]) == (["x", "y"], 2, response_seed(0, "q", "m", 0))


def test_a_model_at_hand_gets_a_question_for_each_response_each_with_its_seed():
    result, rounds = ask(sample_responses({"prompt": "q", "id": 1}, Plan("m", 3, WARM)), numbered)
    seeds = [response_seed(0, "q", "m", number) for number in range(3)]
    assert result.record == {
        "prompt": "q",
        "id": 1,
        "responses": [{"text": f"{seed}-0", "model": "m", "is_cut": False} for seed in seeds],
    }
    assert [len(questions) for questions in rounds] == [3]


def test_four_at_once_are_two_and_two_more_added():
    whole, _ = ask(sample_responses({"prompt": "q"}, Plan("m", 4, WARM)), numbered)
    half, _ = ask(sample_responses({"prompt": "q"}, Plan("m", 2, WARM)), numbered)
    other, _ = ask(sample_responses(half.record, Plan("n", 1, WARM)), numbered)
    again, _ = ask(sample_responses(other.record, Plan("m", 2, WARM)), numbered)
    assert [item for item in again.record["responses"] if item["model"] == "m"] == whole.record["responses"]


@pytest.mark.parametrize("given", [1, 2, 3, 5])
def test_choices_that_a_server_does_not_give_are_asked_for_one_by_one_with_other_seeds(given):
    """Three are wanted; a server that ignores `n` gives one, and is asked two times more."""

    def reply(question):
        return [f"{question.sampling.seed}-{number}" for number in range(given)]

    result, rounds = ask(sample_responses({"prompt": "q"}, Plan("m", 3, WARM, together=True)), reply)
    texts = [item["text"] for item in result.record["responses"]]
    assert len(texts) == len(set(texts)) == 3
    assert [len(questions) for questions in rounds] == ([1] if given >= 3 else [1, 3 - given])
    assert result.asked.num_again == max(0, 3 - given)
    seeds = {question.sampling.seed for questions in rounds for question in questions}
    assert len(seeds) == 1 + max(0, 3 - given)


def test_equal_texts_and_empty_ones_and_cut_ones_are_counted():
    """Of "a", "", "a" the third is there already; of the old responses none is counted."""
    replies = iter([Choice("a", True), Choice(" "), Choice("a")])
    inquiry = sample_responses({"prompt": "q", "responses": [{"text": "b"}]}, Plan("m", 3, WARM))
    questions, _ = advance(inquiry, None)
    answers = [
        read_answer(question, Completion(choice.text, choice.is_cut))
        for question, choice in zip(questions, replies, strict=True)
    ]
    _, (result,) = advance(inquiry, answers)
    tally = SamplingTally()
    tally.add(result)
    assert tally.sentence(7) == (
        "0 prompts, 3 responses; 1 cut at 7 tokens (33.3%); 1 empty; 1 equal to another of their prompt"
    )
    assert [question.get("is_cut") for question in result.record["responses"]] == [None, True, False, False]


def test_a_text_that_an_old_response_has_as_a_message_is_equal():
    record = {"prompt": TALK, "responses": [{"text": [{"role": "assistant", "content": "So."}]}]}
    assert ask(sample_responses(record, Plan("m")), lambda question: ["So."])[0].num_equal == 1


# Reading


def read(record, **options):
    return PromptReader(**options)(record).record


def test_responses_that_are_there_are_refused_or_added_to():
    for record in ({"prompt": "q", "responses": []}, {"prompt": "q", "chosen": "a", "rejected": "b"}):
        with pytest.raises(RecordError, match="is there already; add responses to it with --append"):
            read(record)
    pair = read({"prompt": "q", "chosen": "a", "rejected": "b"}, append=True)
    result, _ = ask(sample_responses(pair, Plan("m")), lambda question: ["c"])
    assert [item["text"] for item in result.record["responses"]] == ["a", "b", "c"]


def test_a_string_becomes_a_conversation_only_if_asked_for():
    assert read({"prompt": "Why?"})["prompt"] == "Why?"
    reader = PromptReader(chat=True, system="Be brief.")
    talk = [{"role": "system", "content": "Be brief."}, *TALK]
    for prompt in ("Why?", TALK, talk):
        assert reader({"prompt": prompt}).record["prompt"] == talk
    assert reader.num_chats == 1
    with pytest.raises(RecordError, match="the prompt is a string; --system needs a conversation"):
        read({"prompt": "Why?"}, system="Be brief.")
    with pytest.raises(RecordError, match="has a system message: 'Be long.'; leave out --system"):
        read({"prompt": [{"role": "system", "content": "Be long."}, *TALK]}, system="Be brief.")


def test_what_a_server_would_not_see_is_refused():
    record = {"prompt": TALK, "tools": [{"name": "t"}], "chat_template_kwargs": {}}
    assert next(sample_responses(record, Plan("m")))[0].template == {"tools": [{"name": "t"}]}
    with pytest.raises(RecordError, match="a server would not get it"):
        next(sample_responses(record, Plan("m", together=True)))


# Principles


PRINCIPLES = (Principle("one", "Be one.", 3.0), Principle("never", "x", 0.0), Principle("two", "Be two.", 1.0))


def test_principles_are_drawn_by_weight():
    """Three to one: of 4000 draws 3000, give or take 27 (one standard deviation)."""
    drawn = [draw_principle(PRINCIPLES, response_seed(0, "q", "m", number)).name for number in range(4000)]
    assert abs(drawn.count("one") - 3000) < 100
    assert drawn.count("never") == 0


def test_each_response_has_its_own_principle_as_a_system_message():
    record = {"prompt": TALK}
    result, (questions,) = ask(sample_by_principle(record, Plan("m", 16, WARM, principles=PRINCIPLES)), numbered)
    names = [item["principle"] for item in result.record["responses"]]
    assert set(names) == {"one", "two"}
    assert [question.messages[0]["content"] for question in questions] == [f"Be {name}." for name in names]
    assert result.record["prompt"] == TALK
    together = Plan("m", 16, WARM, principles=PRINCIPLES, together=True)
    served, (asked,) = ask(sample_by_principle(record, together), lambda item: [item.messages[0]["content"]] * 16)
    assert len(asked) == 2
    assert [(item["principle"], item["text"]) for item in served.record["responses"]] == [
        (name, f"Be {name}.") for name in names
    ]


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ([], "no principle with a weight"),
        ([{"name": "a", "text": "b", "weight": 0}], "no principle with a weight"),
        ([{"name": "a"}], "principle 1: text is None; a text is needed"),
        ([{"name": "a", "text": "b", "weight": -1}], "weight is -1; a number from 0 up"),
        ([{"name": "a", "text": "b", "wieght": 1}], "unknown key 'wieght'"),
        (["a"], "principle 1: is 'a'"),
    ],
)
def test_principles_that_cannot_be_used_are_told(entries, fault):
    with pytest.raises(UsageError, match=fault):
        parse_principles(entries, "p.jsonl")


# Other modes


def test_a_contrast_is_two_responses_whose_words_decide_their_ranks():
    plan = Plan("m", sampling=WARM, contrast=("Be kind.", "A rude reply to {prompt}"))
    result, (questions,) = ask(sample_contrast({"prompt": "Why?"}, plan), lambda question: [question.messages])
    assert [question.messages for question in questions] == ["Be kind.\n\nWhy?", "A rude reply to Why?"]
    assert [(row["contrast"], row["rank"]) for row in result.record["responses"]] == [
        ("positive", 1),
        ("negative", 2),
    ]
    assert questions[0].sampling.seed != questions[1].sampling.seed


def test_a_reference_has_the_form_of_the_prompt_and_responses_stay():
    pair = {"prompt": TALK, "chosen": [], "rejected": [], "reference": "old"}
    result, _ = ask(sample_reference(pair, Plan("m")), lambda question: ["Own."])
    ours = {"reference": [{"role": "assistant", "content": "Own."}], "reference_model": "m", "reference_is_cut": False}
    assert result.record == pair | ours
    assert result.num_replaced == 1
    result, _ = ask(sample_reference({"prompt": "q"}, Plan("m")), lambda question: [" own"])
    assert result.record["reference"] == " own"


def test_a_reference_that_the_limit_cut_says_so_and_a_record_is_known_by_what_is_not_of_it():
    inquiry = sample_reference({"prompt": "q"}, Plan("m"))
    (question,), _ = advance(inquiry, None)
    _, (result,) = advance(inquiry, [read_answer(question, Completion("own", True))])
    assert result.record == {"prompt": "q", "reference": "own", "reference_model": "m", "reference_is_cut": True}
    assert MODES[SamplingMode.reference].origin(result.record, ["m"]) == {"prompt": "q"}


COMPLAINT = {
    "prompt": TALK,
    "rejected": [{"role": "assistant", "content": "Because {complaint}."}],
    "user_preference": {"content": "That is no answer."},
    "dsat": {"turn": 2},
}
DRIFT = Plan("m", sampling=WARM, template=IMPROVING)


def test_a_better_reply_becomes_chosen_and_the_rejected_one_stays():
    result, ((question,),) = ask(sample_improved(COMPLAINT, DRIFT), lambda question: [" Since. "])
    assert result.record == COMPLAINT | {
        "chosen": [{"role": "assistant", "content": "Since."}],
        "improve": {"model": "m", "is_cut": False},
    }
    words = question.messages[0]["content"]
    assert "# Reply\n\nBecause {complaint}.\n\n" in words  # a reply's own braces are no hole
    assert words.index("Why?") < words.index("Because") < words.index("That is no answer.")


def test_a_second_round_takes_the_place_of_the_first_and_forgets_what_was_measured_on_it():
    old = COMPLAINT | {
        "chosen": [{"role": "assistant", "content": "Old."}],
        "score_chosen": 3,
        "score_rejected": 1,
        "ref_chosen_logps": -1.0,
        "ref_rejected_logps": -2.0,
        "similarity": 0.5,
        "weight": 2,
        "score_offset": 1,
    }
    result, _ = ask(sample_improved(old, DRIFT), lambda question: ["New."])
    assert result.record["chosen"][0]["content"] == "New."
    assert result.record["rejected"] == COMPLAINT["rejected"]
    assert result.record["score_rejected"] == 1
    assert not {"score_chosen", "ref_chosen_logps", "ref_rejected_logps", "similarity"} & set(result.record)
    assert result.num_replaced == 1


@pytest.mark.parametrize(("text", "reason"), [("  ", "empty"), ("Because {complaint}.", "not improved")])
def test_a_reply_that_is_not_better_is_left_out_with_its_reason(text, reason):
    result, _ = ask(sample_improved(COMPLAINT, DRIFT), lambda question: [text])
    assert result.record is None
    assert reason in result.reason


def test_what_was_said_of_a_pair_is_not_said_of_candidates_and_that_is_told():
    """A pair's own fields go, whoever adds responses; those of candidates, and of each response, stay."""
    pair = {"id": 1, "prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 2, "score_rejected": 1}
    pair |= {"quality_chosen": 5, "quality_rejected": 4, "note_margin": "wide"}
    messages = {
        "margin": 1,
        "similarity": 0.5,
        "weight": 2,
        "judge": {},
        "annotation": {},
        "quality_margin": 1,
        "offset": 3,
    }
    for begin in (sample_responses, sample_again):
        result, _ = ask(begin(pair | messages, Plan("m")), lambda question: ["c"])
        kept = {name: value for name, value in result.record.items() if name not in ("responses", "retries")}
        assert kept == {"id": 1, "prompt": "q", "note_margin": "wide"}
        assert result.record["responses"][0] == {"text": "a", "score": 2, "quality": 5, "rank": 1}
        assert set(result.removed) == set(messages)
    tally = SamplingTally()
    for removed in (("weight",), ("margin", "weight"), ()):
        tally.add(result._replace(removed=removed))
    assert tally.sentence(8).endswith("; margin, weight of 2 pairs left out: candidates are no pair")
    candidates = {"prompt": "q", "responses": [{"text": "a"}], "weight": 2, "margin": 1}
    result, _ = ask(sample_responses(candidates, Plan("m")), lambda question: ["c"])
    assert (result.record["weight"], result.record["margin"], result.removed) == (2, 1, ())


def test_a_complaint_is_read_with_the_turns_of_its_history():
    record = {
        "prompt": "Add 2 and 2.",
        "rejected": "5",
        "user_preference": {"content": "No."},
        "history": [["Hi", "Ho"]],
    }
    result = read_complaint(record).record
    assert [turn["content"] for turn in result["prompt"]] == ["Hi", "Ho", "Add 2 and 2."]
    assert result["rejected"] == [{"role": "assistant", "content": "5"}]
    assert "history" not in result


def test_what_is_no_complaint_is_refused():
    with pytest.raises(RecordError, match="^field 'rejected' is missing; "):
        read_complaint({"prompt": TALK})
    with pytest.raises(RecordError, match="^field 'user_preference' is None; "):
        read_complaint({"prompt": TALK, "rejected": "a"})
    with pytest.raises(UsageError, match="lacks {complaint}$"):
        check_improving("{prompt} {rejected}")


def test_sampling_again_counts_and_keeps_what_was_there():
    record = {"prompt": "q", "responses": [{"text": "a", "score": 4}], "retries": 1}
    result, _ = ask(sample_again(record, Plan("m")), lambda question: ["b"])
    assert result.record["retries"] == 2
    assert [item["text"] for item in result.record["responses"]] == ["a", "b"]


def test_modes_and_their_names_agree():
    assert set(MODES) == set(SamplingMode)
