"""The evaluation behind `real eval pairs`: counts and distributions over a set of pairs."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from real_cli.evaluate.evaluation import Evaluation, Exclusion, Summary
from real_cli.evaluate.limits import Gate, number_names, read_gate
from real_cli.evaluate.pairs.checks import PairView
from real_cli.evaluate.pairs.duplicates import Repeats
from real_cli.evaluate.pairs.examples import PairExamples
from real_cli.evaluate.pairs.fields import check_pair, field_gap, has_no_number, pool_size, two_responses
from real_cli.evaluate.pairs.leaks import LeakSearch, PromptIndex
from real_cli.evaluate.pairs.length_bias import LengthBias
from real_cli.evaluate.pairs.near_prompts import NearSearch, PromptVectors
from real_cli.evaluate.pairs.notes import lacking_intervals
from real_cli.evaluate.pairs.pool_count import PoolCount, savings
from real_cli.evaluate.pairs.report import pairs_report
from real_cli.evaluate.pairs.script_tally import ScriptCount
from real_cli.evaluate.pairs.sound_pairs import SoundPairs
from real_cli.evaluate.pairs.verdicts import Inspection, verdicts_block
from real_cli.io.job import Job, Located
from real_cli.records.layouts import Adapted, adapt
from real_cli.records.messages import comparable, is_empty, plain_text, text_key
from real_cli.records.public.repeated_prompts import IN_HALF, TAKEN_OFF
from real_cli.records.record import Record, is_preference
from real_cli.report.contents import Report, Verdicts
from real_cli.report.examples import Examples
from real_cli.stats.bootstrap import Bootstrap, cell_of
from real_cli.stats.describe import correlate_ranks, describe, gap_by_similarity, histogram
from real_cli.stats.numeric import number_or_nan
from real_cli.stats.proportions import estimate_share
from real_cli.text.normalize import NEAR, join_words, word_similarity, words
from real_cli.text.phrases import say_count

# Names of the counts that the rows themselves give, in the order of the summary.
COUNTS = (
    *("num_equal_texts", "num_near_equal_texts"),
    *("num_prompts_in_responses", "num_empty_prompts", "num_empty_responses"),
    *("num_equal_scores", "num_equal_ranks", "num_against_scores"),
)
# What --strict asks for in any case: no pair breaks no limit, and a gate is to notice.
NEEDED = "num_pairs>=1"
# What else it asks for when no limit is named; of those whose number is in the summary.
DEFAULT_LIMITS = ("num_equal_texts<=0", "num_contradictions<=0", "num_against_scores<=0", "num_leaked_prompts<=0")


class PairHealth(Evaluation):
    """Counts and distributions over pairs, labeled or not; holds numbers and digests, never texts.

    Args:
        seed: Of the draws of prompts for intervals.
        pool: The responses that the pairs were chosen from, if given; savings are then against all of them, and
            otherwise against the prompts that still have a pair.
        against: Prompts of another file to look for, and how near to one of them is too near.
        has_examples: Whether pairs to look at are wanted.
        inspection: What checks make of the pairs; with the names of files that its commands are to have.
        sound: Takes the pairs that are left when it is over, if wanted.

    Example:
        >>> health = PairHealth()
        >>> pair = {"prompt": "q", "chosen": "long", "rejected": "no", "score_chosen": 1, "score_rejected": 3}
        >>> health.add(pair)
        ()
        >>> {name: health.summary()[name] for name in ("num_pairs", "num_against_scores", "share_chosen_longer")}
        {'num_pairs': 1, 'num_against_scores': 1, 'share_chosen_longer': 1.0}
    """

    name = "pairs"

    def __init__(
        self,
        *,
        seed: int = 0,
        pool: PoolCount | None = None,
        against: PromptIndex | None = None,
        near: NearSearch | None = None,
        has_examples: bool = False,
        inspection: Inspection | None = None,
        sound: SoundPairs | None = None,
    ) -> None:
        self._seed = seed
        self._pool = pool
        self._examples = PairExamples() if has_examples else None
        self.leaks = LeakSearch(against, near) if against else None
        self.inspection = inspection or Inspection()
        self._sound = sound
        self._repeats_prompt = False
        self._num_labeled = self._num_no_numbers = 0
        self._counts: Counter[str] = Counter()
        self._strategies: Counter[str] = Counter()
        self._repeats, self._lengths, self._scripts = Repeats(), LengthBias(), ScriptCount()
        self._cells, self._num_responses, self._near_equal = array("H"), array("i"), array("b")
        self._similarity, self._score_gap = array("d"), array("d")

    def records(self, job: Job) -> Iterator[Located]:
        """Read pairs; a prompt that stands in a response again is counted, not refused."""
        return job.records(self._adapt)

    def _adapt(self, record: Record) -> Adapted:
        adapted = adapt(record, refuse_halves=False)
        self._counts["num_prompts_in_responses"] += bool({TAKEN_OFF, IN_HALF} & {*adapted.notes})
        self._repeats_prompt = IN_HALF in adapted.notes
        return adapted

    def add(self, record: Record, place: str = "") -> Sequence[Exclusion]:
        """Count one pair, labeled or not."""
        check_pair(record)
        vector = self.leaks.read(record) if self.leaks else None
        first, second = two_responses(record)
        labeled = is_preference(record)
        prompt, texts = comparable(record["prompt"]), (comparable(first["text"]), comparable(second["text"]))
        gap, similarity = field_gap(first, second, "score"), number_or_nan(record.get("similarity"))
        self._num_labeled += labeled
        self._num_no_numbers += has_no_number(record, first, second)
        self._cells.append(cell_of(text_key(prompt)))
        self._num_responses.append(pool_size(record))
        self._similarity.append(similarity)
        self._score_gap.append(gap if labeled else abs(gap))
        if gap <= 0:
            self._counts["num_equal_scores"] += gap == 0
            self._counts["num_against_scores"] += labeled and gap < 0
        self._counts["num_equal_ranks"] += not labeled and field_gap(first, second, "rank") == 0
        if "strategy" in record:
            self._strategies[str(record["strategy"])] += 1
        self._repeats.add(prompt, texts)
        equal = texts[0] == texts[1]
        label = self._repeats.add_label(prompt, *texts, labeled=labeled)
        self.inspection.add(self._add_texts(record, (first, second), gap, equal=equal), place)
        if self._sound:
            self._sound.add(record)
        if self.leaks:
            self.leaks.add(place, record["prompt"], vector)
        if self._examples:
            self._examples.offer(place, record, similarity, gap, label)
        return ()

    def examples(self) -> Examples:
        """Hand out the extremes, what contradicts itself, and prompts of the other file."""
        if not self._examples:
            return {}
        return {**self._examples.rows(), **(self.leaks.examples() if self.leaks else {})}

    def report(self, summary: Summary, examples: Examples) -> Report:
        """Lay out limits, repeats, similarity, gaps, length, leaks, writing systems and savings."""
        return pairs_report(summary, examples)

    def _add_texts(self, record: Record, responses: tuple[Record, Record], gap: float, *, equal: bool) -> PairView:
        """Count what needs the words themselves; returns what checks see of the pair."""
        given = (record["prompt"], *(response["text"] for response in responses))
        prompt, *texts = map(plain_text, given)
        empty = tuple(map(is_empty, given))
        labeled = is_preference(record)
        split = [words(text) for text in texts]
        near_equal = not equal and word_similarity(*split) >= NEAR
        self._near_equal.append(near_equal)
        if equal or near_equal or any(empty):  # most pairs are none of these
            self._counts["num_equal_texts"] += equal
            self._counts["num_empty_prompts"] += empty[0]
            self._counts["num_empty_responses"] += sum(empty[1:])
            self._counts["num_near_equal_texts"] += near_equal
        near = (join_words(split[0], texts[0]), join_words(split[1], texts[1]))
        self._repeats.add_normalized(join_words(words(prompt), prompt), near)
        pair = (texts[0], texts[1])
        scripts = self._scripts.add(prompt, pair, labeled=labeled)
        if labeled:
            self._lengths.add(self._cells[-1], self._repeats.prompts[-1], len(texts[0]), len(texts[1]))
        return PairView(
            record, prompt, pair, responses, labeled, empty, equal, near_equal, self._repeats_prompt,
            gap=gap, scripts=scripts,
        )  # fmt: skip

    def files(self) -> AbstractContextManager[object]:
        """Open the file of the sound pairs, if there is to be one."""
        return self._sound or nullcontext()

    def finish(self) -> Iterator[Exclusion]:
        """Judge all pairs, and write those that are sound."""
        self._judge()
        if self._sound:
            yield from self._sound.finish(self.inspection)

    def _judge(self) -> None:
        columns = self._repeats.columns() | (self.leaks.columns() if self.leaks else {})
        self.inspection.judge(np.array(self._repeats.prompts, dtype=np.uint64), columns)

    def verdicts(self, summary: Summary) -> Verdicts:
        """Lay out what checks found."""
        return verdicts_block(summary)

    def sentence(self, summary: Summary) -> str:
        """Say the verdict, and what a reader must know of the numbers."""
        return "; ".join([self.inspection.sentence(), *summary["notes"]])

    def summary(self) -> Summary:
        """Sum up counts, distributions and savings."""
        self._judge()
        num_pairs = len(self._cells)
        repeats = self._repeats.summary()
        prompts = np.array(self._repeats.prompts, dtype=np.uint64)
        bootstrap = Bootstrap(np.array(self._cells, dtype=np.int64), seed=self._seed)
        lengths, notes = self._lengths.summary(bootstrap)
        summary: dict[str, Any] = {
            "num_pairs": num_pairs,
            "num_labeled": self._num_labeled,
            "num_prompts": repeats["num_prompts"],
            "num_repeats": repeats["num_repeats"],
            **{name: self._counts[name] for name in COUNTS},
            **estimate_share(self._near_equal, prompts).fields("share_near_equal_texts"),
            **repeats,
            "strategies": dict(sorted(self._strategies.items())),
            **self._gaps(bootstrap, prompts),
            **lengths,
            **self._savings(),
            **self._scripts.summary(prompts),
            **(self.leaks.summary(self._repeats.prompts) if self.leaks else {}),
            "verdict": self.inspection.verdict.value,
            "verdicts": self.inspection.summary(),
            **self.inspection.mend(),
        }
        notes = [*notes, *lacking_intervals(summary, is_sound=bootstrap.is_sound), *self._doubts()]
        return summary | {"notes": notes}

    def _doubts(self) -> list[str]:
        """Say what of the input was not used, or cannot be what it was given as."""
        sentences = [self._sound.note] if self._sound else []
        if self._num_no_numbers:
            pairs = say_count(self._num_no_numbers, "pair")
            sentences.append(f"{pairs} with a score, rank or similarity that is no number: it counts as not given")
        if self._pool and len(self._cells) > self._pool.num_possible:
            sentences.append(
                f"{say_count(len(self._cells), 'pair')}, and the responses of --from form {self._pool.num_possible:,}: "
                "not their source, or equal texts"
            )
        return sentences

    def _gaps(self, bootstrap: Bootstrap, prompts: NDArray[np.uint64]) -> dict[str, Any]:
        similarity, score_gap = np.array(self._similarity), np.array(self._score_gap)
        cells = np.array(self._cells, dtype=np.int64)
        return {
            "similarity": describe(similarity),
            "similarity_histogram": histogram(similarity),
            "score_gap": describe(score_gap),
            "score_gap_histogram": histogram(score_gap),
            **correlate_ranks(similarity, np.abs(score_gap), prompts).fields("similarity_score_gap_correlation"),
            "gap_by_similarity": gap_by_similarity(bootstrap, cells, similarity, np.abs(score_gap)),
        }

    def _savings(self) -> dict[str, Any]:
        pool = self._pool
        sizes, possible = (pool.sizes, pool.num_possible) if pool else self._pool_sizes()
        num_pairs, given = len(self._cells), (pool.num_given if pool else None) or 0
        return {
            "num_possible_pairs": possible,
            "saved_of_possible_pairs": 1 - num_pairs / possible if num_pairs <= possible > 0 else None,
            "num_input_pairs": pool.num_given if pool else None,
            "saved_of_input_pairs": 1 - num_pairs / given if num_pairs <= given > 0 else None,
            "savings": savings(sizes),
        }

    def _pool_sizes(self) -> tuple[Mapping[int, int], int]:
        """Read from `num_responses` what each prompt's pairs were chosen from: sizes, and pairs that were possible."""
        sizes = np.array(self._num_responses, dtype=np.int64)
        _, prompts, rows = np.unique(
            np.frombuffer(self._repeats.prompts, dtype=np.uint64) if sizes.size else sizes,
            return_inverse=True,
            return_counts=True,
        )
        largest: NDArray[np.int64] = np.zeros(rows.size, dtype=np.int64)
        np.maximum.at(largest, prompts, sizes)
        # More pairs of a prompt than it is said to allow were possible all the same.
        possible = int(np.maximum(np.maximum(largest, 2) * (np.maximum(largest, 2) - 1) // 2, rows).sum())
        known, counts = np.unique(largest[largest > 0], return_counts=True)
        return dict(zip(known.tolist(), counts.tolist(), strict=True)), possible


def limit_names(*, against: bool, near: bool = False) -> list[str]:
    """Name the numbers of a summary that a limit may be set on."""
    search = NearSearch(PromptVectors(), 1.0) if near else None
    health = PairHealth(against=PromptIndex() if against else None, near=search)
    pair = {"prompt": "", "chosen": "a", "rejected": "b", "score_chosen": 1, "score_rejected": 0, "similarity": 0}
    health.add(pair | {"embedding": [1.0]})
    return number_names(health.summary())


def gate_of(texts: Sequence[str], *, strict: bool, against: bool, near: bool = False) -> Gate:
    """Read the limits that a user sets; with --strict there are some by default, and there has to be a pair."""
    names = partial(limit_names, against=against, near=near)
    return read_gate(texts, names, is_strict=strict, needed=NEEDED, default=DEFAULT_LIMITS)
