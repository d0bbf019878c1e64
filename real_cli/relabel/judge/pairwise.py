"""Pairs compared by a judge in both orders: two responses make a preference, more of them a matrix."""

from collections.abc import Collection, Mapping
from functools import partial
from itertools import combinations
from typing import NamedTuple, TypeAlias

from real_cli.llm.parse_answer import read_verdict
from real_cli.llm.rubric import Rubric
from real_cli.records.messages import transcript
from real_cli.records.prefills import begin_answers
from real_cli.records.questions import Answer, Inquiry, Question
from real_cli.records.record import Record, is_preference, to_candidates, to_preference
from real_cli.records.verdicts import POINTS, TIE, Judgment
from real_cli.records.word_odds import chance_of

Pair: TypeAlias = tuple[int, int]
EQUAL_TEXTS = Judgment((TIE, TIE), ("", ""))
VERDICT_SCHEMA: Record = {
    "type": "object",
    "properties": {"reasons": {"type": "string"}, "verdict": {"type": "string", "enum": ["A", "B", TIE]}},
    "required": ["reasons", "verdict"],
    "additionalProperties": False,
}


class Judged(NamedTuple):
    """A judged record, and what `JudgeTally` counts of it.

    Attributes:
        record: The record.
        comparisons: The pairs that were compared.
        is_tie: Whether it is a tied pair.
        agrees: Whether the verdict agrees with the record's label; None without a label, or for a tie.
        num_repaired: Overall scores that were repaired.
        num_changed: Fields whose value the tags changed.
    """

    record: Record
    comparisons: tuple[Judgment, ...] = ()
    is_tie: bool = False
    agrees: bool | None = None
    num_repaired: int = 0
    num_changed: int = 0


def compare(record: Record, rubric: Rubric, mark: Record) -> Inquiry[Judged]:
    """Compare every pair of a record's responses in both orders; equal texts are a tie that nobody is asked about."""
    candidates = to_candidates(record)
    compared = yield from judge_pairs(record, rubric)
    pairs = pairs_of(record)
    comparisons = {pair: compared.get(pair, EQUAL_TEXTS) for pair in pairs}
    if len(pairs) == 1:
        return judged_pair(record, comparisons[pairs[0]], mark)
    chances = {pair: chances_of(comparison.winner) for pair, comparison in comparisons.items()}
    matrix = preference_matrix(len(candidates["responses"]), chances)
    return Judged(candidates | {"preferences": matrix, "judge": mark}, tuple(comparisons.values()))


def pairs_of(record: Record) -> list[Pair]:
    """List the pairs of a record's responses, by their numbers from 0."""
    return list(combinations(range(len(to_candidates(record)["responses"])), 2))


def judge_pairs(
    record: Record, rubric: Rubric, wanted: Collection[Pair] | None = None, top_logprobs: int = 0
) -> Inquiry[dict[Pair, Judgment]]:
    """Have the wanted pairs of a record's responses, or all, judged in both orders; those of equal texts are left out.

    Between equal texts a judge could only go by the position, and its verdict would count as flipped.
    """
    responses = to_candidates(record)["responses"]
    asked, begun = begin_answers(record["prompt"], [response["text"] for response in responses])
    texts = list(map(transcript, begun))
    pairs = [pair for pair in pairs_of(record) if wanted is None or pair in wanted]
    differing = [(first, second) for first, second in pairs if texts[first] != texts[second]]
    question, prompt = rubric.questions[0], transcript(asked)
    sampling = rubric.sampling(question)._replace(top_logprobs=top_logprobs)

    def ask(first: int, second: int) -> Question:
        messages = rubric.messages(question, prompt=prompt, response_a=texts[first], response_b=texts[second])
        read = partial(read_verdict, shown=[prompt, texts[first], texts[second]], template=question.text)
        return Question(messages, read, sampling, VERDICT_SCHEMA)

    answers = yield [ask(*order) for pair in differing for order in (pair, pair[::-1])]
    return {
        pair: _judgment(forward, backward)
        for pair, forward, backward in zip(differing, answers[::2], answers[1::2], strict=True)
    }


def _judgment(forward: Answer, backward: Answer) -> Judgment:
    chances = (chance_of(forward.value, forward.odds), chance_of(backward.value, backward.odds))
    return Judgment((forward.value, backward.value), (forward.text, backward.text), chances)


def judged_pair(record: Record, comparison: Judgment, mark: Record) -> Judged:
    """Label a pair by a judge's comparison of its first (or chosen) response with the other; a tie stays candidates.

    The record's `judge` holds the verdicts and the answers, those with the chosen response shown as A first.

    >>> pair = {"prompt": "q", "responses": [{"text": "a"}, {"text": "b"}]}
    >>> judged = judged_pair(pair, Judgment(("B", "A"), ("", "")), {})
    >>> judged.record["chosen"], judged.record["judge"]["verdicts"]
    ('b', ['A', 'B'])
    """
    won = comparison.winner
    if won == "B":
        comparison = comparison.swapped()
    note = mark | {
        "verdict": TIE if won == TIE else "chosen",
        "verdicts": list(comparison.verdicts),
        "answers": list(comparison.texts),
    }
    labeled = label_pair(record, won, {"judge": note})
    return Judged(labeled, (comparison,), won == TIE, agrees_with_label(record, won))


def agrees_with_label(record: Record, won: str) -> bool | None:
    """Tell whether a verdict agrees with a record's label; None without a label, or for a tie."""
    return None if won == TIE or not is_preference(record) else won == "A"


def label_pair(record: Record, won: str, fields: Record) -> Record:
    """Label a pair whose first (or chosen) response won as "A", or its second as "B"; a tie becomes candidates.

    >>> label_pair({"prompt": "q", "chosen": "a", "rejected": "b"}, "B", {"agreement": 1.0})
    {'prompt': 'q', 'chosen': 'b', 'rejected': 'a', 'agreement': 1.0}
    """
    candidates = to_candidates(record)
    first, second = candidates["responses"]
    if won == TIE:
        # The ranks only repeat the old label, which the tie overrules.
        left = {"rank"} if is_preference(record) else set()
        responses = [
            {name: value for name, value in response.items() if name not in left} for response in (first, second)
        ]
        return candidates | {"responses": responses, **fields}
    return to_preference(candidates, *((second, first) if won == "B" else (first, second)), fields)


def chances_of(won: str) -> tuple[float, float]:
    """Turn a verdict on two responses into the probability that either is better."""
    return POINTS[won], 1.0 - POINTS[won]


def preference_matrix(count: int, chances: Mapping[Pair, tuple[float, float]]) -> list[list[float]]:
    """Arrange probabilities that the response of a row beats that of a column; what is not given is 1/2.

    >>> preference_matrix(2, {(0, 1): chances_of("A")})
    [[0.5, 1.0], [0.0, 0.5]]
    """
    matrix = [[0.5] * count for _ in range(count)]
    for (i, j), both in chances.items():
        matrix[i][j], matrix[j][i] = both
    return matrix
