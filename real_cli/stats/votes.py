"""Votes of several judges on two responses: who wins, and how many of the judges say so."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple, TypeAlias

from real_cli.records.verdicts import TIE

# Sums of halves are exact; those of token probabilities are not.
TOLERANCE = 1e-12


class Ballot(NamedTuple):
    """What one judge says of two responses.

    Attributes:
        verdict: "A" (the first is better), "B" or "tie".
        probability: How probable it is to the judge that the first is better, in [0, 1].
    """

    verdict: str
    probability: float


class Decision(NamedTuple):
    """What several judges say together.

    Attributes:
        winner: "A", "B" or "tie".
        agreement: Share of the judges who say the same, in [0, 1].
    """

    winner: str
    agreement: float


Rule: TypeAlias = Callable[[Sequence[Ballot]], Decision]


def side_of(probability: float) -> str:
    """Tell which response a probability favors.

    Args:
        probability: That the first is better, in [0, 1].

    Returns:
        "A" above 1/2, "B" below, "tie" at 1/2.

    Example:
        >>> side_of(0.75), side_of(0.25), side_of(0.5)
        ('A', 'B', 'tie')
    """
    if abs(probability - 0.5) <= TOLERANCE:
        return TIE
    return "A" if probability > 0.5 else "B"


def majority(votes: Sequence[Ballot]) -> Decision:
    """Let more than half of the verdicts decide; anything else is a tie.

    Args:
        votes: One a judge, at least one.

    Returns:
        The winner, and the share of the verdicts that are the same.

    Example:
        >>> majority([Ballot("A", 1.0), Ballot("A", 1.0), Ballot("B", 0.0)]).winner
        'A'
        >>> majority([Ballot("A", 1.0), Ballot("tie", 0.5)])
        Decision(winner='tie', agreement=0.5)

    References:
        Condorcet, 1785: three independent judges who are right with probability p are right together with
        p^3 + 3 p^2 (1 - p).
    """
    sides = [vote.verdict for vote in votes]
    (likeliest, count), *_ = Counter(sides).most_common(1)
    return _decision(sides, likeliest if 2 * count > len(sides) else TIE)


def mean(votes: Sequence[Ballot]) -> Decision:
    """Let the mean probability decide, so that a judge who is sure counts more than one who wavers.

    Args:
        votes: One a judge, at least one.

    Returns:
        The winner, and the share of the judges whose own probability favors the same.

    Example:
        >>> mean([Ballot("A", 0.9), Ballot("tie", 0.5), Ballot("B", 0.4)]).winner
        'A'
    """
    sides = [side_of(vote.probability) for vote in votes]
    return _decision(sides, side_of(mean_probability(votes)))


def unanimous(votes: Sequence[Ballot]) -> Decision:
    """Let all verdicts together decide; where one differs it is a tie.

    Args:
        votes: One a judge, at least one.

    Returns:
        The winner, and the share of the verdicts that are the same.

    Example:
        >>> unanimous([Ballot("B", 0.0), Ballot("B", 0.0)])
        Decision(winner='B', agreement=1.0)
        >>> unanimous([Ballot("B", 0.0), Ballot("tie", 0.5)]).winner
        'tie'
    """
    sides = [vote.verdict for vote in votes]
    return _decision(sides, sides[0] if len(set(sides)) == 1 else TIE)


def mean_probability(votes: Sequence[Ballot]) -> float:
    """Return how probable it is to the judges together that the first response is better.

    Args:
        votes: One a judge, at least one.

    Returns:
        The mean of their probabilities, in [0, 1].

    Example:
        >>> mean_probability([Ballot("A", 1.0), Ballot("tie", 0.5)])
        0.75
    """
    return fmean(vote.probability for vote in votes)


def _decision(sides: Sequence[str], winner: str) -> Decision:
    return Decision(winner, sides.count(winner) / len(sides))


# By the names of --vote.
RULES: Mapping[str, Rule] = {"majority": majority, "mean": mean, "unanimous": unanimous}
