"""From the responses of a prompt to the pairs, triple or ranking that `pair` writes."""

from dataclasses import dataclass, field
from math import comb

import numpy as np
from numpy.typing import NDArray

from real_cli.errors import RecordError
from real_cli.pair.choices import Emit, Orient, Strategy
from real_cli.pair.orient import have_equal_scores, order_pair, quality_gap, read_estimates, read_quality, settle_orient
from real_cli.pair.similarity_batch import Similarities
from real_cli.pair.strategies import STRATEGIES, Pair, Pool
from real_cli.records.messages import as_completion, comparable, is_number, text_key
from real_cli.records.record import LEFT_BEHIND, Record, to_candidates, to_preference, with_responses
from real_cli.records.vectors import Vectors, stack_embeddings
from real_cli.stats.cosine import cosine_similarities

EQUAL_TEXTS = "equal texts"
EQUAL_SCORES = "equal scores"
TOO_FEW = "too few responses"
# What float32 embeddings can tell; more digits would differ from one processor to another.
SIMILARITY_DIGITS = 7


@dataclass(frozen=True)
class Settings:
    """What `pair` was asked to do with each prompt."""

    strategy: Strategy = Strategy.easy
    orient: Orient = Orient.auto
    emit: Emit = Emit.pairs
    curriculum: bool = False
    aepo_lambda: float = 1.0
    width: float = 1.0
    quantile: float = 0.05
    seed: int = 0


@dataclass
class PromptOutcome:
    """What became of one prompt.

    Attributes:
        records: What to write.
        possible: Pairs that its distinct responses could form.
        dropped: Why something was left out, a reason for each.
    """

    records: list[Record] = field(default_factory=list)
    possible: int = 0
    dropped: list[str] = field(default_factory=list)


def choose_pairs(record: Record, settings: Settings, comparison: Similarities | None = None) -> PromptOutcome:
    """Choose the responses of one prompt to compare, then decide which of them is preferred.

    The strategy never sees the labels unless it is one of the score strategies; pairs are oriented after the choice.

    Args:
        record: A checked candidates or preference record.
        settings: What to do.
        comparison: Of all its `responses`, where it was worked out before.

    Returns:
        The records to write, and what was dropped.

    Raises:
        RecordError: If the strategy needs embeddings or scores that the record lacks.

    Example:
        >>> responses = [{"text": "a", "embedding": [1, 0], "score": 1}, {"text": "b", "embedding": [0, 1], "score": 2}]
        >>> choose_pairs({"prompt": "q", "responses": responses}, Settings()).records
        [{'prompt': 'q', 'chosen': 'b', 'rejected': 'a', 'score_chosen': 2, 'score_rejected': 1, 'similarity': 0.0, \
'strategy': 'easy', 'num_responses': 2}]

    References:
        Zhang et al., 2024, REAL, arXiv:2409.17169, section 3; orientation by score is METHODS 1.10, fault 1.
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
    if settings.emit is Emit.triples:
        best = int(np.argmax(_need_quality(responses, settings)))
        reference, _ = responses.pop(best), numbers.pop(best)
        known |= {"reference": as_completion(candidates["prompt"], reference["text"])}
    if candidates is not record or len(responses) < len(candidates["responses"]):
        comparison = None  # it is of other responses
    pool = _make_pool(candidates, responses, numbers, settings, comparison)
    pairs = STRATEGIES[settings.strategy].choose(pool)
    if not pairs:
        outcome.dropped.append(EQUAL_SCORES)
    return _add_pairs(outcome, candidates, responses, pool, pairs, known, settings)


def _add_pairs(
    outcome: PromptOutcome,
    candidates: Record,
    responses: list[Record],
    pool: Pool,
    pairs: list[Pair],
    known: Record,
    settings: Settings,
) -> PromptOutcome:
    gaps = []
    orient = settle_orient(responses, settings.orient)
    for i, j in pairs:
        extra: Record = {}
        if pool.similarities.size:
            extra["similarity"] = round(float(pool.similarities[i, j]), SIMILARITY_DIGITS)
        extra |= {"strategy": settings.strategy.value, **known}
        order = order_pair(responses[i], responses[j], orient)
        tied = settings.orient is Orient.auto and have_equal_scores(responses[i], responses[j])
        if order is None or tied:
            outcome.dropped.append(EQUAL_SCORES)
            continue
        if order == 0 and settings.orient in (Orient.score, Orient.rank):
            raise RecordError(f"--orient {settings.orient} needs a '{settings.orient}' on both responses of a pair")
        if settings.curriculum:
            gaps.append(quality_gap(responses[i], responses[j], settings.orient))
        if order == 0:
            outcome.records.append(_unlabeled(candidates, [responses[i], responses[j]], extra))
        else:
            chosen, rejected = (responses[i], responses[j]) if order > 0 else (responses[j], responses[i])
            outcome.records.append(to_preference(candidates, chosen, rejected, extra))
    if settings.curriculum:
        outcome.records = add_stages(outcome.records, gaps)
    return outcome


def add_stages(records: list[Record], gaps: list[float]) -> list[Record]:
    """Number the pairs of a prompt from the widest gap to the narrowest (Curry-DPO's easy to hard).

    Args:
        records: Pairs of one prompt.
        gaps: How much better the one response of each pair is; equal gaps keep their order.

    Returns:
        The pairs in training order, each with `stage` from 1.

    Example:
        >>> add_stages([{"id": "near"}, {"id": "far"}], [1.0, 3.0])
        [{'id': 'far', 'stage': 1}, {'id': 'near', 'stage': 2}]

    References:
        Pattnaik et al., 2024, Curry-DPO, arXiv:2403.07230, section 3.
    """
    order = sorted(range(len(records)), key=lambda index: -gaps[index])
    return [records[index] | {"stage": stage} for stage, index in enumerate(order, 1)]


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
    rule = STRATEGIES[settings.strategy]
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
        raise RecordError(f"{what} needs a 'score' or a 'rank' on every response; add them with 'real relabel'")
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
    ranked = [_light(responses[index]) | {"rank": int((quality > quality[index]).sum()) + 1} for index in order]
    outcome.records.append(_with_some(candidates, [responses[index] for index in order], ranked))
    return outcome


def _unlabeled(candidates: Record, responses: list[Record], extra: Record) -> Record:
    # Whoever labels the pair must not see a label that it had.
    light = [{name: value for name, value in _light(response).items() if name != "rank"} for response in responses]
    return _with_some(candidates, responses, light) | extra


def _with_some(candidates: Record, own: list[Record], written: list[Record]) -> Record:
    places = {id(response): place for place, response in enumerate(candidates["responses"])}
    return with_responses(candidates, written, [places[id(response)] for response in own])


def _light(response: Record) -> Record:
    return {name: value for name, value in response.items() if name not in LEFT_BEHIND - {"text", "rank"}}
