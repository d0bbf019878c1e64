"""What each judge of a panel says of a record, and what they decide together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from statistics import fmean
from typing import NamedTuple

from real_cli.llm.parse_answer import NOT_APPLICABLE
from real_cli.llm.rubric import Rubric
from real_cli.records.judgments import without_panel
from real_cli.records.questions import Inquiry
from real_cli.records.record import Record, to_candidates
from real_cli.records.response_fields import values_of, with_new_scores, with_values
from real_cli.records.verdicts import SWAPPED, TIE, Judgment
from real_cli.relabel.judge.pairwise import (
    EQUAL_TEXTS,
    Pair,
    agrees_with_label,
    chances_of,
    judge_pairs,
    label_pair,
    pairs_of,
    preference_matrix,
)
from real_cli.relabel.judge.rate import rate
from real_cli.stats.votes import RULES, Ballot, Decision, mean_probability, side_of

# What a judge that rates leaves on `verdicts`, and the field of a response that it comes from.
RATED = {"scores": "score", "ratings": "ratings", "rationales": "rationales"}
RATIONALES = ("rationales_chosen", "rationales_rejected")


class Opinion(NamedTuple):
    """What one judge says of a record.

    Attributes:
        model: The judge's name.
        judgments: Of pairs of responses, where it compares them; those of equal texts are left out.
        rated: The record with its ratings, where it rates.
        problem: Why it says nothing.
        num_repaired: Overall scores that were repaired.
    """

    model: str
    judgments: Mapping[Pair, Judgment]
    rated: Record | None = None
    problem: str = ""
    num_repaired: int = 0


class PairVerdict(NamedTuple):
    """What a panel decides about two responses.

    Attributes:
        decision: Who won, and how many agree.
        probabilities: How probable it is to those who decided that the first is better, and that the second is.
    """

    decision: Decision
    probabilities: tuple[float, float]


class PanelJudged(NamedTuple):
    """A record that a panel judged, and what its tally counts of it.

    Attributes:
        record: The record.
        opinions: What each judge said.
        verdicts: What they decided about each pair of responses.
        escalated: The pairs that were put to a further judge.
        is_tie: Whether it is a tied pair.
        agrees: Whether the verdict agrees with the record's label; None without a label, or for a tie.
    """

    record: Record
    opinions: Sequence[Opinion]
    verdicts: Mapping[Pair, PairVerdict]
    escalated: Collection[Pair] = ()
    is_tie: bool = False
    agrees: bool | None = None


def opine(
    record: Record, rubric: Rubric, model: str, *, seed: int, wanted: Collection[Pair] | None, top_logprobs: int
) -> Inquiry[Opinion]:
    """Have one judge compare the wanted pairs of a record's responses, or rate the responses, as the rubric asks."""
    if rubric.compares:
        judgments = yield from judge_pairs(record, rubric, wanted, top_logprobs)
        return Opinion(model, judgments)
    judged = yield from rate(record, rubric, {}, seed)
    scores = values_of(judged.record, "score")
    judgments = {pair: _by_score(scores, pair) for pair in pairs_of(record)}
    return Opinion(model, judgments, judged.record, num_repaired=judged.num_repaired)


def _by_score(scores: Sequence[float], pair: Pair) -> Judgment:
    first, second = (scores[index] for index in pair)
    won = TIE if first == second else "A" if first > second else "B"
    return Judgment((won, SWAPPED[won]), ("", ""))


def ballots(opinions: Iterable[Opinion], pair: Pair) -> list[Ballot]:
    """Return the votes on a pair; equal texts have one tie each."""
    judgments = [opinion.judgments.get(pair, EQUAL_TEXTS) for opinion in opinions if not opinion.problem]
    return [Ballot(judgment.winner, judgment.probability) for judgment in judgments]


def unsure_pairs(opinions: Sequence[Opinion], below: float) -> list[Pair]:
    """List the pairs on which the judges together are less sure than `below`; equal texts leave nothing to ask.

    >>> judgments = {(0, 1): Judgment(("A", "A"), ("", "")), (0, 2): Judgment(("A", "B"), ("", ""))}
    >>> unsure_pairs([Opinion("m", judgments)], 1.0)
    [(0, 1)]
    """
    pairs = {pair for opinion in opinions for pair in opinion.judgments}
    chances = {pair: mean_probability(ballots(opinions, pair)) for pair in sorted(pairs)}
    return [pair for pair, chance in chances.items() if max(chance, 1 - chance) < below]


def decide(
    record: Record, opinions: Sequence[Opinion], further: Sequence[Opinion], rule: str
) -> dict[Pair, PairVerdict]:
    """Decide about each pair of responses; where a further judge was asked it decides alone."""
    verdicts = {}
    for pair in pairs_of(record):
        votes = ballots(opinions, pair)
        last = ballots([opinion for opinion in further if pair in opinion.judgments], pair)
        decision = RULES[rule](last or votes)
        if last:
            sides = [side_of(vote.probability) if rule == "mean" else vote.verdict for vote in [*votes, *last]]
            decision = Decision(decision.winner, sides.count(decision.winner) / len(sides))
        verdicts[pair] = PairVerdict(decision, _both_chances(last or votes))
    return verdicts


def _both_chances(votes: Sequence[Ballot]) -> tuple[float, float]:
    """Return the mean probability of either; each summed by itself, so that turned pairs have the same numbers."""
    return mean_probability(votes), fmean(1.0 - vote.probability for vote in votes)


def _decide_by_score(opinions: Sequence[Opinion], scores: Sequence[float]) -> dict[Pair, PairVerdict]:
    """Tell by the mean scores which of two responses is better, and how many judges rate them in that order."""
    verdicts = {}
    for pair in combinations(range(len(scores)), 2):
        won, votes = _by_score(scores, pair).winner, ballots(opinions, pair)
        share = [vote.verdict for vote in votes].count(won) / len(votes)
        verdicts[pair] = PairVerdict(Decision(won, share), _both_chances(votes))
    return verdicts


def judged_by_panel(
    record: Record, opinions: Sequence[Opinion], further: Sequence[Opinion], rule: str, mark: Record
) -> PanelJudged:
    """Put a panel's verdict on a record: `verdicts`, `agreement`, `judge`, and what the rubric makes."""
    record = _unjudged(record)
    everybody = [*opinions, *further]
    escalated = [pair for opinion in further for pair in opinion.judgments]
    mark = mark | ({"escalated_to": further[0].model} if further else {})
    rated = [opinion.rated for opinion in opinions if opinion.rated is not None]
    if rated:
        scored = _rated_record(record, rated)
        verdicts = _decide_by_score(opinions, values_of(scored, "score"))
        written = scored | _fields(everybody, verdicts, mark, swapped=False)
        return PanelJudged(written, everybody, verdicts)
    verdicts = decide(record, opinions, further, rule)
    if len(verdicts) > 1:
        candidates = to_candidates(record)
        matrix = preference_matrix(len(candidates["responses"]), _matrix_chances(verdicts, rule))
        written = candidates | {"preferences": matrix}
        return PanelJudged(written | _fields(everybody, verdicts, mark, swapped=False), everybody, verdicts, escalated)
    ((decision, chances),) = verdicts.values()
    won = decision.winner
    fields = _fields(everybody, verdicts, mark | {"verdict": TIE if won == TIE else "chosen"}, swapped=won == "B")
    written = label_pair(with_values(record, "prob", chances), won, fields)
    return PanelJudged(written, everybody, verdicts, escalated, won == TIE, agrees_with_label(record, won))


def _unjudged(record: Record) -> Record:
    """Leave out what judges said before."""
    return {name: value for name, value in without_panel(record).items() if name != "judge"}


def _fields(
    opinions: Sequence[Opinion], verdicts: Mapping[Pair, PairVerdict], mark: Record, *, swapped: bool
) -> Record:
    """Return what stays of the judges: each one's verdicts, the share that agrees, and who they were."""
    written = [_opinion_field(opinion, len(verdicts), swapped=swapped) for opinion in opinions]
    fields: Record = {"verdicts": written}
    if verdicts:
        fields["agreement"] = fmean(verdict.decision.agreement for verdict in verdicts.values())
    if len(opinions) == 1 and "orders" in written[0]:
        mark = mark | {"verdicts": written[0]["orders"], "answers": written[0]["answers"]}
    return fields | {"judge": mark}


def _opinion_field(opinion: Opinion, num_pairs: int, *, swapped: bool) -> Record:
    if opinion.problem:
        return {"model": opinion.model, "problem": opinion.problem}
    if opinion.rated is not None:
        return {"model": opinion.model} | {name: values_of(opinion.rated, field) for name, field in RATED.items()}
    if num_pairs > 1:
        compared = [
            {"responses": [first + 1, second + 1]} | _judgment_field(judgment)
            for (first, second), judgment in opinion.judgments.items()
        ]
        return {"model": opinion.model, "pairs": compared}
    judgment = opinion.judgments.get((0, 1), EQUAL_TEXTS)
    return {"model": opinion.model} | _judgment_field(judgment.swapped() if swapped else judgment)


def _judgment_field(judgment: Judgment) -> Record:
    return {
        "verdict": judgment.winner,
        "prob": judgment.probability,
        "orders": list(judgment.verdicts),
        "answers": list(judgment.texts),
    }


def _matrix_chances(verdicts: Mapping[Pair, PairVerdict], rule: str) -> dict[Pair, tuple[float, float]]:
    """Turn verdicts into the probabilities of a matrix; --vote mean keeps those of the judges."""
    return {
        pair: chances if rule == "mean" else chances_of(decision.winner)
        for pair, (decision, chances) in verdicts.items()
    }


def _rated_record(record: Record, rated: Sequence[Record]) -> Record:
    """Put the judges' mean score and mean ratings on each response; an earlier judge's rationales go."""
    scores, ratings = (zip(*(values_of(each, field) for each in rated), strict=True) for field in ("score", "ratings"))
    scored = with_new_scores(_without_rationales(record), map(fmean, scores))
    return with_values(scored, "ratings", map(_mean_ratings, ratings))


def _without_rationales(record: Record) -> Record:
    if "responses" not in record:
        return {name: value for name, value in record.items() if name not in RATIONALES}
    responses = [{name: each[name] for name in each if name != "rationales"} for each in record["responses"]]
    return record | {"responses": responses}


def _mean_ratings(ratings: Sequence[dict[str, float | str]]) -> dict[str, float | str]:
    """Average the judges' ratings of one response by question; those that are N/A do not count."""
    means: dict[str, float | str] = {}
    for name in ratings[0]:
        numbers = [float(each[name]) for each in ratings if each[name] != NOT_APPLICABLE]
        means[name] = fmean(numbers) if numbers else NOT_APPLICABLE
    return means
