"""From the responses of a prompt to the pairs, triple or ranking that `pair` writes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from math import comb

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError
from real_cli.pair.choices import (
    AEPO_LAMBDA,
    DEFAULT_STRATEGY,
    DEVIATIONS,
    PROMPT_MEASURES,
    QUANTILE,
    Emit,
    Orient,
    Strategy,
)
from real_cli.pair.orient import read_estimates, read_quality, settle_orient
from real_cli.pair.prompt_measures import measure_prompt
from real_cli.pair.similarity_batch import Similarities
from real_cli.pair.strategies import STRATEGIES, Rule
from real_cli.pair.strategies.pool import Pair, Pool
from real_cli.pair.write import EQUAL_SCORES, PairWriter, light, places_of
from real_cli.records.choices import MAX_RESPONSES
from real_cli.records.messages import as_completion, comparable, is_number, text_key
from real_cli.records.record import Record, to_candidates
from real_cli.records.response_fields import with_responses
from real_cli.records.vectors import Vectors, stack_embeddings
from real_cli.stats.cosine import cosine_similarities
from real_cli.text.phrases import EQUAL_TEXTS

TOO_FEW = "too few responses"


@dataclass(frozen=True)
class Settings:
    """What `pair` was asked to do with each prompt."""

    strategy: Strategy = DEFAULT_STRATEGY
    orient: Orient = Orient.auto
    emit: Emit = Emit.pairs
    curriculum: bool = False
    aepo_lambda: float = AEPO_LAMBDA
    width: float = DEVIATIONS
    quantile: float = QUANTILE
    seed: int = 0
    max_responses: int = MAX_RESPONSES
    by: str = ""

    @cached_property
    def rule(self) -> Rule:
        """The strategy's row, looked up once and not for each prompt."""
        return STRATEGIES[self.strategy]


@dataclass
class PromptOutcome:
    """What became of one prompt.

    Attributes:
        records: What to write.
        possible: Pairs that its distinct responses could form.
        dropped: Why something was left out, a reason for each.
        rest: What is worked out when it is asked for: records to write, and reasons for what is left out.
    """

    records: list[Record] = field(default_factory=list)
    possible: int = 0
    dropped: list[str] = field(default_factory=list)
    rest: Iterable[Record | str] = ()


def begin_pairs(record: Record, settings: Settings, comparison: Similarities | None = None) -> PromptOutcome:
    """Choose the responses of one prompt to compare, then decide which of them is preferred.

    The strategy never sees the labels unless it is one of the score strategies; pairs are oriented after the choice.

    >>> responses = [{"text": "a", "embedding": [1, 0], "score": 1}, {"text": "b", "embedding": [0, 1], "score": 2}]
    >>> list(begin_pairs({"prompt": "q", "responses": responses}, Settings()).rest)
    [{'prompt': 'q', 'chosen': 'b', 'rejected': 'a', 'score_chosen': 2, 'score_rejected': 1, 'similarity': 0.0, \
'strategy': 'easy', 'num_responses': 2}]

    References:
        Zhang et al., 2024, REAL, arXiv:2409.17169, section 3; orientation by score: real-methods(7), section
        1(g), fault 1.
    """
    if settings.emit is Emit.prompts:
        return PromptOutcome(records=[record])
    candidates = to_candidates(record)
    numbers = _distinct(candidates)
    responses = [candidates["responses"][number - 1] for number in numbers]
    outcome = PromptOutcome(possible=comb(len(responses), 2))
    outcome.dropped += [EQUAL_TEXTS] * (len(candidates["responses"]) - len(responses))
    if len(responses) < (3 if settings.emit is Emit.triples else 2):
        outcome.dropped.append(TOO_FEW)
        return outcome
    if settings.emit is Emit.ranking:
        return _add_ranking(outcome, candidates, responses, settings)
    known: Record = {"num_responses": len(responses)}
    if len(responses) == 2 and is_number(record.get("num_responses")):
        known = {"num_responses": record["num_responses"]}  # of the prompt this pair was once chosen from
    if settings.by in PROMPT_MEASURES:
        known |= measure_prompt(candidates, settings.by)
    if settings.emit is Emit.triples:
        best = int(np.argmax(_need_quality(responses, settings)))
        reference, _ = responses.pop(best), numbers.pop(best)
        known |= {"reference": as_completion(candidates["prompt"], reference["text"])}
    if candidates is not record or len(responses) < len(candidates["responses"]):
        comparison = None  # it is of other responses
    pool = _make_pool(candidates, responses, numbers, settings, comparison)
    pairs = settings.rule.choose(pool)
    if not pairs:
        outcome.dropped.append(EQUAL_SCORES)
    orient = settle_orient(responses, settings.orient)
    if settings.orient in (Orient.score, Orient.rank):
        pairs = _need_labels(responses, pairs, settings)
    writer = PairWriter(candidates, responses, pool, known, settings.strategy, settings.orient, orient)
    outcome.rest = writer.staged(pairs) if settings.curriculum else writer.each(pairs)
    return outcome


def _need_labels(responses: list[Record], pairs: Iterable[Pair], settings: Settings) -> Iterable[Pair]:
    """Check that both responses of each pair have what `--orient` reads, before there is any record."""
    lacking = {number for number, response in enumerate(responses) if not is_number(response.get(settings.orient))}
    if lacking:
        pairs = list(pairs) if not settings.rule.every_pair else [(min(lacking), 0)]
        if any(number in lacking for pair in pairs for number in pair):
            raise RecordError(f"--orient {settings.orient} needs a '{settings.orient}' on both responses of a pair")
    return pairs


def _distinct(candidates: Record) -> list[int]:
    """Return the numbers, from 1, of the responses that are the first of equal texts."""
    prompt = candidates["prompt"]
    texts = [response["text"] for response in candidates["responses"]]
    if not isinstance(prompt, str) or set(map(type, texts)) != {str}:
        texts = [comparable(as_completion(prompt, text)) for text in texts]
    first: dict[str, int] = {}
    for number, text in enumerate(texts, 1):
        first.setdefault(text, number)
    return list(first.values())


def _make_pool(
    candidates: Record,
    responses: list[Record],
    numbers: list[int],
    settings: Settings,
    comparison: Similarities | None,
) -> Pool:
    rule = settings.rule
    quality = deviations = np.empty(0)
    if rule.needs_deviations:
        quality, deviations = read_estimates(responses, numbers)
    elif rule.needs_quality:
        quality = _need_quality(responses, settings)
    embeddings: Vectors = np.empty((0, 0))
    similarities = embeddings
    given = candidates.get("similarity")
    if comparison:
        embeddings, similarities = comparison
    elif all(response.get("embedding") is not None for response in responses):
        if len(responses) > settings.max_responses:
            raise RecordError(
                f"has {len(responses):,} responses with embeddings, and {settings.max_responses:,} are compared at "
                "most; leave some out, or raise --max-responses"
            )
        embeddings = stack_embeddings(responses, numbers)
        similarities = cosine_similarities(embeddings)
    elif len(responses) == 2 and is_number(given):
        # A pair chosen earlier: its embeddings are gone, its similarity is what they said.
        similarities = np.array([[1.0, given], [given, 1.0]])
        embeddings = np.eye(2)
    elif rule.needs_embeddings:
        stack_embeddings(responses, numbers)  # raises, and names the response
    return Pool(
        len(responses),
        similarities,
        embeddings,
        quality,
        deviations,
        seed=text_key(candidates["prompt"]) + settings.seed.to_bytes(8, "big") if rule.needs_draw else b"",
        aepo_lambda=settings.aepo_lambda,
        width=settings.width,
        quantile=settings.quantile,
    )


def _need_quality(responses: list[Record], settings: Settings) -> NDArray[np.float64]:
    quality = read_quality(responses, settle_orient(responses, settings.orient))
    if quality is None:
        what = settings.emit.value if settings.emit is not Emit.pairs else f"strategy {settings.strategy.value}"
        raise RecordError(
            f"{what} needs a 'score' or a 'rank' on every response; add them with 'real relabel', or name the rating "
            "with --score"
        )
    return quality


def _add_ranking(
    outcome: PromptOutcome, candidates: Record, responses: list[Record], settings: Settings
) -> PromptOutcome:
    quality = _need_quality(responses, settings)
    if (quality == quality[0]).all():
        outcome.dropped.append(EQUAL_SCORES)
        return outcome
    order = np.argsort(-quality, kind="stable")
    # Equal scores share the better rank.
    ranked = [light(responses[index]) | {"rank": int((quality > quality[index]).sum()) + 1} for index in order]
    places = places_of(candidates)
    outcome.records.append(with_responses(candidates, ranked, [places[id(responses[index])] for index in order]))
    return outcome
