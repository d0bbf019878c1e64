"""The evaluation behind `real eval margin`: the same pairs under one policy after another."""

import gc
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import orjson

from real_cli.errors import RealError, RecordError
from real_cli.evaluate.evaluation import Evaluation, Exclusion, Fate, Summary
from real_cli.evaluate.margin.examples import MarginExamples
from real_cli.evaluate.margin.lengths import with_cuts
from real_cli.evaluate.margin.margins import MarginTally, compare
from real_cli.evaluate.margin.meter import MarginMeter, MeasuredPair, TokenizedPair
from real_cli.evaluate.margin.report import margin_report
from real_cli.evaluate.margin.tags import Tag
from real_cli.evaluate.margin.training_data import TRAINED_ON, TrainingDataCheck, training_cost
from real_cli.io.job import Job, Located
from real_cli.io.jsonl import dump_record
from real_cli.io.output import open_output
from real_cli.io.progress import running_counter
from real_cli.io.two_pass import RecordSpool
from real_cli.models.load.policies import differing_tokens_of
from real_cli.models.score.columns import WINDOW_EXAMPLES, add_reference
from real_cli.models.score.model_pair import ModelPair
from real_cli.models.score.tokens import TokenizedExample
from real_cli.records.messages import text_key
from real_cli.records.record import Record, check_labeled
from real_cli.report.contents import Report
from real_cli.report.examples import Examples
from real_cli.train.curves import TrainingCurves

NO_TAGS: Mapping[str, Tag] = MappingProxyType({})


class MarginRun(Evaluation):
    """Measure pairs under some policies, of which one is in memory at a time.

    The first pass reads the input and asks the reference; with several policies it leaves the pairs and what the
    reference said of them on disk, where the later passes read them.

    Args:
        policies: Names.
        reference: Name; None for log-probabilities that the records carry.
        load: Makes a pair of models of two names.
        beta: Scale of the implicit reward.
        seed: Of the draws behind intervals.
        rows: Where a line a pair and policy goes.
        tags: Fields that each of these lines gets.
        export: Where the records go with the reference's log-probabilities.
        curves: Of the training run, for the report.
        has_examples: Whether pairs to look at are wanted.
    """

    name = "margin"

    def __init__(
        self,
        policies: list[str],
        reference: str | None,
        load: Callable[[str, str | None], ModelPair],
        *,
        beta: float,
        seed: int = 0,
        rows: Path | None = None,
        tags: Mapping[str, Tag] = NO_TAGS,
        export: Path | None = None,
        curves: TrainingCurves | None = None,
        has_examples: bool = False,
    ) -> None:
        self._policies = policies
        self._reference = reference
        self._load = load
        self._beta, self._seed = beta, seed
        self._paths = rows, export
        self._tags = tags
        self._costs = [training_cost(policy) for policy in policies]
        self._curves = curves
        self.tallies = [MarginTally(beta, seed) for _ in policies]
        self._examples = [MarginExamples() for _ in policies] if has_examples else []
        self._rows: IO[bytes] | None = None
        self._export: IO[bytes] | None = None
        self._spool: RecordSpool | None = None
        self._num_spooled = 0
        self._meter: MarginMeter | None = None
        self._window: list[tuple[str, TokenizedPair]] = []
        self._counts: dict[str, Any] = {}
        self._training_data = TrainingDataCheck()
        self._vocabulary: dict[str, int] = {}
        self._sentence = ""

    @contextmanager
    def files(self) -> Iterator[None]:
        """Open what is written beside the summary, and the pairs on disk for the later passes."""
        with ExitStack() as stack:
            self._rows, self._export = (
                stack.enter_context(open_output(path)) if path else None for path in self._paths
            )
            self._spool = stack.enter_context(RecordSpool()) if len(self._policies) > 1 else None
            yield

    def records(self, job: Job) -> Iterator[Located]:
        """Read the input; a pair is done when it is measured."""
        job.counter.add(0)
        return job.records()

    def add(self, record: Record, place: str = "") -> Sequence[Exclusion]:
        """Take one labeled pair; a full window is measured, and rejects pairs for which the policy says no numbers."""
        check_labeled(record)
        self._training_data.add(record)
        self._window.append((place, self._first_meter().tokenize(record)))
        return list(self._measure_window()) if len(self._window) == WINDOW_EXAMPLES else ()

    def finish(self) -> Iterator[Exclusion]:
        """Measure the last window, then all pairs under each further policy."""
        yield from self._measure_window()
        self._counts, self._sentence = self._first_meter().counts(), self._first_meter().sentence()
        self._meter = None
        for number in range(1, len(self._policies)):
            _free_memory()
            self._measure_again(number)

    def _first_meter(self) -> MarginMeter:
        if self._meter is None:
            self._meter = MarginMeter(self._load(self._policies[0], self._reference))
        return self._meter

    def _measure_window(self) -> Iterator[Exclusion]:
        window, self._window = self._window, []
        for measured in running_counter().finished(self._first_meter()(window)):
            place, record, tokens, pair, reference = measured
            if pair and not pair.is_finite:
                yield Exclusion(place, record, _not_finite(self._policies[0]), Fate.rejected)
                continue
            known = record if reference is None else add_reference(record, reference)
            if self._export:
                self._export.write(dump_record(known))
            if pair is None or tokens is None:
                continue
            self._count(0, measured)
            if self._spool:
                self._vocabulary = self._vocabulary or self._first_meter().vocabulary
                self._num_spooled += 1
                self._spool.add({"place": place, "tokens": _digest(tokens), "record": known})

    def _measure_again(self, number: int) -> None:
        policy = self._policies[number]
        # As its own reference the policy is to tie with itself; any other finds the reference's numbers on the records.
        meter = MarginMeter(self._load(policy, policy if policy == self._reference else None))
        counter = running_counter()
        counter.begin(f"pairs, policy {number + 1} of {len(self._policies)}", self._num_spooled)
        for measured in counter.finished(meter(self._tokenize_again(meter, policy))):
            assert measured.pair is not None
            if not measured.pair.is_finite:
                raise RealError(f"{measured.place}: {_not_finite(policy)}")
            self._count(number, measured)

    def _tokenize_again(self, meter: MarginMeter, policy: str) -> Iterator[tuple[str, TokenizedPair]]:
        assert self._spool is not None
        for number, line in enumerate(self._spool.records()):
            place = line["place"]
            others = [] if number else differing_tokens_of(self._vocabulary, meter.vocabulary)
            if others:
                raise RealError(
                    f"--policy {policy}: its tokenizer is not that of {self._policies[0]}, "
                    f"{len(others):,} tokens differ, '{others[0]}' for one; measure each in a run of its own"
                )
            try:
                record, tokens = meter.tokenize(line["record"])
            except RecordError as error:
                raise RealError(f"{place}: --policy {policy}: {error}") from None
            if tokens is None or _digest(tokens) != line["tokens"]:
                raise RealError(
                    f"{place}: --policy {policy} reads other tokens than {self._policies[0]}; compare policies of one "
                    "tokenizer and chat template, or measure each in a run of its own"
                )
            yield place, (record, tokens)

    def _count(self, number: int, measured: MeasuredPair) -> None:
        place, record, _, pair, _ = measured
        assert pair is not None
        key = text_key(record["prompt"])
        self.tallies[number].add(pair, key)
        if self._examples:
            self._examples[number].offer(place, record, pair)
        if self._rows:
            name = {"id": record["id"]} if "id" in record else {}
            source = {**name, "place": place, "policy": self._policies[number], **self._tags}
            # The key tells prompts apart where their texts are not to be published.
            row = {**source, "prompt_key": key[:8].hex(), **pair.row(self._beta), **self._costs[number]}
            self._rows.write(dump_record(row))

    def summary(self) -> Summary:
        """Sum up: of one policy its numbers, of several a list of them and the differences from the first."""
        summaries = [tally.summary() | self._counts for tally in self.tallies]
        for name, summary in zip(self._policies, summaries, strict=True):
            is_trained_on = self._training_data.is_of(name)
            summary["equal_length_note"] = with_cuts(summary["equal_length_note"], self._counts)
            summary["is_trained_on"] = is_trained_on
            # Last, after the counts.
            summary["notes"] = [*summary.pop("notes"), *([TRAINED_ON] if is_trained_on else [])]
        if len(summaries) == 1:
            return summaries[0]
        named = [{"policy": name, **numbers} for name, numbers in zip(self._policies, summaries, strict=True)]
        return {"policies": named, "differences": compare(self.tallies, self._policies), "notes": []}

    def sentence(self, summary: Summary) -> str:
        """Tell what was cut or left out, what the notes say, and what of the training log was passed over."""
        parts = [self._sentence, *summary["notes"]]
        for row in summary.get("policies", []):
            parts += [f"{row['policy']}: {note}" for note in row["notes"]]
        for row in summary.get("differences", []):
            parts += [f"{row['policy']} minus {row['minus']}: {note}" for note in row["notes"]]
        parts.append(self._curves.sentence() if self._curves else "")
        return "; ".join(part for part in parts if part)

    def examples(self) -> Examples:
        """Hand out the extremes of each policy."""
        names = self._policies if len(self._policies) > 1 else [""]
        kept = [examples.rows(name) for name, examples in zip(names, self._examples, strict=False)]
        return {kind: rows for kinds in kept for kind, rows in kinds.items()}

    def report(self, summary: Summary, examples: Examples) -> Report:
        """Lay out margins, differences between policies, calibration, and the training run."""
        return margin_report(summary, examples, self._curves)

    def asked_models(self) -> Sequence[tuple[str, str]]:
        """Name the policies, and the reference."""
        reference = [("reference", self._reference)] if self._reference is not None else []
        return [*(("policy", name) for name in self._policies), *reference]


def _digest(tokens: TokenizedExample) -> str:
    return hashlib.blake2b(orjson.dumps([tokens.prompt, tokens.responses]), digest_size=16).hexdigest()


def _not_finite(policy: str) -> str:
    return f"the log-probabilities are no finite numbers under {policy}; try --dtype float32"


def _free_memory() -> None:
    """Give the device's memory back before the next model comes; nothing refers to the last one any more."""
    import torch

    gc.collect()
    if torch.accelerator.is_available():
        torch.accelerator.empty_cache()
