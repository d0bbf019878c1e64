"""One run of `real eval margin`: pairs under one policy after the other, with what each pair is written to."""

import gc
import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import orjson

from real_cli.errors import RealError, RecordError
from real_cli.evaluate.margin.margins import MarginTally, compare
from real_cli.evaluate.margin.meter import MarginMeter, Measured
from real_cli.evaluate.margin.report import MarginExcerpts
from real_cli.io.job import Job
from real_cli.io.jsonl import dump_record
from real_cli.io.output import open_output
from real_cli.io.sources import Item
from real_cli.io.two_pass import RecordSpool
from real_cli.models.load.policies import differing_tokens_of
from real_cli.models.score.columns import add_reference
from real_cli.models.score.model_pair import ModelPair
from real_cli.models.score.tokens import TokenizedExample
from real_cli.records.messages import text_key
from real_cli.records.record import Record, check_labeled


class MarginRun:
    """Measure pairs under some policies, of which one is in memory at a time.

    The first pass reads the input and asks the reference; with several policies it leaves the pairs and what the
    reference said of them on disk, where the later passes read them.

    Args:
        policies: Names.
        reference: Name; None for log-probabilities that the records carry.
        load: Makes a pair of models of two names.
        beta: Scale of the implicit reward.
        seed: Of the draws behind intervals.
        has_excerpts: Whether example rows are wanted.
    """

    def __init__(
        self,
        policies: list[str],
        reference: str | None,
        load: Callable[[str, str | None], ModelPair],
        *,
        beta: float,
        seed: int,
        has_excerpts: bool,
    ) -> None:
        self._policies = policies
        self._reference = reference
        self._load = load
        self._beta = beta
        self.tallies = [MarginTally(beta, seed) for _ in policies]
        self.excerpts = [MarginExcerpts() for _ in policies] if has_excerpts else []
        self._rows: IO[bytes] | None = None
        self._export: IO[bytes] | None = None
        self._counts: dict[str, Any] = {}
        self._vocabulary: dict[str, int] = {}
        self._sentence = ""

    def measure(self, job: Job, rows: Path | None, export: Path | None) -> None:
        """Measure all pairs under all policies.

        Args:
            job: Reads the pairs.
            rows: Where a line a pair and policy goes.
            export: Where the records go with the reference's log-probabilities.
        """
        with ExitStack() as stack:
            self._rows = stack.enter_context(open_output(rows)) if rows else None
            self._export = stack.enter_context(open_output(export)) if export else None
            spool = stack.enter_context(RecordSpool()) if len(self._policies) > 1 else None
            self._measure_first(job, spool)
            for number in range(1, len(self._policies)):
                _free_memory()
                assert spool is not None
                self._measure_again(number, spool)

    def _measure_first(self, job: Job, spool: RecordSpool | None) -> None:
        meter = MarginMeter(self._load(self._policies[0], self._reference))
        tokenized = job.apply(meter.tokenize, job.check(check_labeled, job.records()))
        for one in meter(tokenized):
            if one.pair and not one.pair.is_finite:
                job.reject(Item(one.place, one.record), _not_finite(self._policies[0]))
                continue
            known = one.record if one.reference is None else add_reference(one.record, one.reference)
            if self._export:
                self._export.write(dump_record(known))
            if one.pair is None or one.tokens is None:
                continue
            self._count(0, one)
            if spool:
                self._vocabulary = self._vocabulary or meter.vocabulary
                spool.add({"place": one.place, "tokens": _digest(one.tokens), "record": known})
        self._counts, self._sentence = meter.counts(), meter.sentence()

    def _measure_again(self, number: int, spool: RecordSpool) -> None:
        policy = self._policies[number]
        # As its own reference the policy is to tie with itself; any other finds the reference's numbers on the records.
        meter = MarginMeter(self._load(policy, policy if policy == self._reference else None))
        for one in meter(self._tokenize_again(meter, policy, spool)):
            assert one.pair is not None
            if not one.pair.is_finite:
                raise RealError(f"{one.place}: {_not_finite(policy)}")
            self._count(number, one)

    def _tokenize_again(
        self, meter: MarginMeter, policy: str, spool: RecordSpool
    ) -> Iterator[tuple[str, tuple[Record, TokenizedExample | None]]]:
        for number, line in enumerate(spool.records()):
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

    def _count(self, number: int, one: Measured) -> None:
        assert one.pair is not None
        self.tallies[number].add(one.pair, text_key(one.record["prompt"]))
        if self.excerpts:
            self.excerpts[number].offer(one.place, one.record, one.pair)
        if self._rows:
            name = {"id": one.record["id"]} if "id" in one.record else {}
            row = {**name, "place": one.place, "policy": self._policies[number], **one.pair.row(self._beta)}
            self._rows.write(dump_record(row))

    def summary(self) -> dict[str, Any]:
        """Sum up.

        Returns:
            Of one policy its numbers; of several a list of them, and the differences from the first.
        """
        summaries = [tally.summary() | self._counts for tally in self.tallies]
        for summary in summaries:
            summary["notes"] = summary.pop("notes")  # last, after the counts
        if len(summaries) == 1:
            return summaries[0]
        named = [{"policy": name, **own} for name, own in zip(self._policies, summaries, strict=True)]
        return {"policies": named, "differences": compare(self.tallies, self._policies), "notes": []}

    def sentence(self, summary: dict[str, Any]) -> str:
        """Tell what was cut or left out, and what the summary's notes say, in one line.

        Args:
            summary: Of this run.

        Returns:
            The line; empty if there is nothing to tell.
        """
        told = [self._sentence, *summary["notes"]]
        for own in summary.get("policies", []):
            told += [f"{own['policy']}: {note}" for note in own["notes"]]
        for own in summary.get("differences", []):
            told += [f"{own['policy']} minus {own['minus']}: {note}" for note in own["notes"]]
        return "; ".join(part for part in told if part)


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
