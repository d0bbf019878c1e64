"""Rate responses by a judge's answers to several questions; repair overall scores as UltraFeedback did."""

import random
from collections.abc import Callable
from typing import NamedTuple

from real_cli.errors import RecordError
from real_cli.llm.parse_answer import NOT_APPLICABLE, find_json, read_rating, read_ratings
from real_cli.llm.rubric import Asks, Rubric, RubricQuestion
from real_cli.llm.thoughts import spoken
from real_cli.records.messages import transcript
from real_cli.records.prefills import begin_answers
from real_cli.records.questions import Answer, Inquiry, Question
from real_cli.records.record import Record, content_key
from real_cli.records.response_fields import responses_of, with_new_scores, with_values
from real_cli.relabel.judge.pairwise import Judged

# UltraFeedback's repair of a top overall score, by the mean of the aspects; 2,628 of its completions needed one.
REPAIR_TO_LOWEST, REPAIR_BY_ASKING = 2.0, 4.0
SCORE_TOKENS = 16
SCORE_ALONE = "Going by that feedback alone: which overall score from {low:g} to {high:g}? Answer with the number only."


class RatingQuestion(NamedTuple):
    """A question of the rubric, and the responses it shows, in the order shown."""

    question: RubricQuestion
    shown: list[int]


class ResponseRatings(NamedTuple):
    """A judge's ratings of one response (numbers or "N/A") and their rationales, by question."""

    ratings: dict[str, float | str]
    rationales: dict[str, str]


def rate(record: Record, rubric: Rubric, mark: Record, seed: int) -> Inquiry[Judged]:
    """Rate every response by every question; ask again for doubtful overall scores if the rubric repairs them."""
    prompt, begun = begin_answers(record["prompt"], [response["text"] for response in responses_of(record)])
    texts = list(map(transcript, begun))
    plan = _plan(rubric, len(texts), content_key(record) + str(seed).encode())
    questions = [_rating_question(rubric, step, transcript(prompt), texts) for step in plan]
    answers = yield questions
    opinions = _collect(plan, answers, len(texts))
    scores = [mean_rating(rubric, opinion.ratings) for opinion in opinions]
    top, doubted = [], []
    for step, question, answer in zip(plan, questions, answers, strict=True):
        index = step.shown[0]
        if step.question.repaired and opinions[index].ratings[step.question.name] == step.question.high:
            top.append((step, repaired_score(step.question, scores[index])))
            if top[-1][1] is None:
                doubted.append(_score_alone(rubric, step.question, question, answer))
    again = iter((yield doubted) if doubted else [])
    num_repaired = 0
    for step, repaired in top:
        score = next(again).value if repaired is None else repaired
        num_repaired += score != step.question.high
        opinions[step.shown[0]].ratings[step.question.name] = score
    rated = with_new_scores(record, scores)
    for field in ResponseRatings._fields:
        rated = with_values(rated, field, [getattr(opinion, field) for opinion in opinions])
    return Judged(rated | {"judge": mark}, num_repaired=num_repaired)


def _collect(plan: list[RatingQuestion], answers: list[Answer], count: int) -> list[ResponseRatings]:
    """Sort ratings by response, undoing the random order in which responses were shown."""
    opinions = [ResponseRatings({}, {}) for _ in range(count)]
    for step, answer in zip(plan, answers, strict=True):
        for index, (rating, rationale) in zip(step.shown, answer.value, strict=True):
            opinions[index].ratings[step.question.name] = rating
            opinions[index].rationales[step.question.name] = rationale
    return opinions


def _plan(rubric: Rubric, count: int, seed: bytes) -> list[RatingQuestion]:
    plan = []
    for question in rubric.questions:
        if question.asks is Asks.each:
            plan += [RatingQuestion(question, [index]) for index in range(count)]
        else:
            order = list(range(count))
            random.Random(seed + question.name.encode()).shuffle(order)
            plan.append(RatingQuestion(question, order))
    return plan


def _rating_question(rubric: Rubric, asked: RatingQuestion, prompt: str, texts: list[str]) -> Question:
    question, shown = asked
    bounds = (question.low, question.high)
    seen = [prompt, *(texts[index] for index in shown)]
    if question.asks is Asks.each:
        messages = rubric.messages(question, prompt=prompt, response=texts[shown[0]])
        rating = read_rating(*bounds, not_applicable=question.not_applicable, shown=seen)
        schema, further = score_schema(question), int(question.repaired)
        return Question(messages, _with_feedback(rating), rubric.sampling(question), schema, most_further=further)
    numbered = [f"## Response {number}\n\n{texts[index]}" for number, index in enumerate(shown, 1)]
    messages = rubric.messages(question, prompt=prompt, responses="\n\n".join(numbered))
    ratings = read_ratings(len(shown), *bounds, not_applicable=question.not_applicable, shown=seen)
    return Question(messages, ratings, rubric.sampling(question), ratings_schema(question))


def _with_feedback(read: Callable[[str], float | str]) -> Callable[[str], list[tuple[float | str, str]]]:
    def read_both(text: str) -> list[tuple[float | str, str]]:
        answer = spoken(text)
        reply = find_json(answer)
        feedback = reply.get("feedback") if isinstance(reply, dict) else None
        return [(read(text), feedback if isinstance(feedback, str) else answer.strip())]

    return read_both


def _score_alone(rubric: Rubric, asked: RubricQuestion, question: Question, answer: Answer) -> Question:
    """Ask again for the score alone, after the judge's own feedback."""
    messages = [
        *question.messages,
        {"role": "assistant", "content": answer.value[0][1] or answer.text},
        {"role": "user", "content": SCORE_ALONE.format(low=asked.low, high=asked.high)},
    ]
    sampling = rubric.sampling(asked)._replace(max_tokens=SCORE_TOKENS)
    return Question(messages, read_rating(asked.low, asked.high, not_applicable=False), sampling)


def mean_rating(rubric: Rubric, ratings: dict[str, float | str]) -> float:
    """Return the mean of the ratings that count and are numbers (UltraFeedback's fine-grained score)."""
    counted = [ratings[question.name] for question in rubric.questions if question.counts]
    numbers = [float(rating) for rating in counted if rating != NOT_APPLICABLE]
    if not numbers:
        raise RecordError("no rating counts: all are N/A")
    return sum(numbers) / len(numbers)


def repaired_score(question: RubricQuestion, mean: float) -> float | None:
    """Repair a top overall score that the aspects do not bear out: a 1 that was written as 10.

    >>> overall = RubricQuestion("overall", Asks.each, "")
    >>> [repaired_score(overall, mean) for mean in (2.0, 2.01, 4.0, 4.25)]
    [1, None, None, 10]

    References:
        Cui et al., 2023, UltraFeedback, arXiv:2310.01377; its repository's repair of overall scores.
    """
    if mean <= REPAIR_TO_LOWEST:
        return question.low
    return None if mean <= REPAIR_BY_ASKING else question.high


def score_schema(question: RubricQuestion) -> Record:
    """Return the JSON schema of one rating with feedback before it."""
    return _object({"feedback": {"type": "string"}, "score": _rating_schema(question)})


def ratings_schema(question: RubricQuestion) -> Record:
    """Return the JSON schema of the ratings of several responses."""
    row = {"response": {"type": "integer"}, "rationale": {"type": "string"}, "rating": _rating_schema(question)}
    return _object({"ratings": {"type": "array", "items": _object(row)}})


def _object(properties: Record) -> Record:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _rating_schema(question: RubricQuestion) -> Record:
    number: Record = {"type": "number", "minimum": question.low, "maximum": question.high}
    return {"anyOf": [number, {"type": "string", "enum": [NOT_APPLICABLE]}]} if question.not_applicable else number
