"""One run of `real sample`, from its options: who is asked what, and what is written."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from real_cli.cli.dry_run import is_seen, sum_up
from real_cli.cluster.line_filter import LineFilter
from real_cli.cluster.open_crew import open_crew
from real_cli.cluster.spread import Spread
from real_cli.errors import Status
from real_cli.io.job import Job, Located
from real_cli.io.jsonl import parse_record
from real_cli.io.resume import last_record, put_in_order, unfinished
from real_cli.io.two_pass import ValueSpool
from real_cli.io.word_files import words_path
from real_cli.records.record import Record
from real_cli.sample.modes import MODES, SamplingMode
from real_cli.sample.options import SampleOptions
from real_cli.sample.optune import best_score, choose_lowest, num_retries, parse_share
from real_cli.sample.plan import LOWEST_OF_ALL
from real_cli.sample.resume import check_number, origin_key

MERGE_FIRST = "put the shards together first: real merge"


class SamplingRun:
    """Reads records, lets each policy answer them, writes the results."""

    def __init__(self, options: SampleOptions) -> None:
        self._options = options
        self._lines = LineFilter(options)
        self._work = self._lines.work
        self._shard = options.part
        self._share = parse_share("100%" if options.lowest_score is None else options.lowest_score)

    def run(self) -> Status:
        """Run; return the exit status."""
        job = self._options.job(also_reads=_also_reads(self._options))
        job.refuse_parts("" if self._options.lowest_score is None else f"{LOWEST_OF_ALL}; {MERGE_FIRST}")
        if self._options.dry_run:
            return self._rehearse(job)
        self._fill(job)
        if self._options.resume is not None:  # what failed before was appended last
            put_in_order(self._options.resume)
        return job.status

    def _fill(self, job: Job) -> None:
        """Write what each policy answers."""
        with job, open_crew(self._options, self._lines) as crew, ExitStack() as stack:
            if crew is not None:
                Spread(job, self._work, crew)(self._located(job, stack))
                return
            job.counter.counts_windows = len(self._work.askings) == 1
            self._open(stack)
            self._work.run(job, self._located(job, stack))
            job.summary = self._work.sentence()

    def _open(self, stack: ExitStack) -> None:
        stack.callback(self._work.close)
        self._work.load()

    def _located(self, job: Job, stack: ExitStack) -> Iterator[Located]:
        """Open what is to be answered."""
        return SOURCES.get(self._work.mode, SamplingRun._records)(self, job, stack)

    def _records(self, job: Job, stack: ExitStack) -> Iterator[Located]:
        """Read prompts, but for those that are done."""
        origin = MODES[self._work.mode].origin
        writers = [plan.policy for plan in self._work.plans for _ in range(plan.num_responses)]
        return unfinished(
            job.records(self._work.read),
            self._options.resume,
            lambda record: origin_key(origin(record, ())),
            lambda written: origin_key(origin(written, writers)),
            skip=job.counter.skip,
            appends=not self._options.dry_run,
        )

    def _lowest(self, job: Job, stack: ExitStack) -> Iterator[Located]:
        """Read scored candidates twice, and mark those to sample anew."""
        spool = stack.enter_context(ValueSpool())
        most, retries = self._options.max_retries, []
        for place, (record, score, number) in job.apply(
            lambda record: (record, best_score(record), num_retries(record)), job.records(self._work.read)
        ):
            spool.add({"place": place, "record": record}, score)
            retries.append(number < most)
        may_retry = np.array(retries, dtype=bool)
        chosen = choose_lowest(spool.values, may_retry, self._share)
        self._work.chosen = iter(chosen.tolist())
        self._work.chosen_words = f"; {chosen.sum():,} sampled anew, {(~may_retry).sum():,} had {most} tries"
        lines = spool.lines(np.ones(len(spool), dtype=bool))
        return (Located(line["place"], line["record"]) for line in map(parse_record, lines))

    def _instructions(self, job: Job, stack: ExitStack) -> Iterator[Located]:
        """Number the instructions to write."""
        policies, origin = self._options.policy, MODES[self._work.mode].origin
        numbers = range(self._shard.part - 1, self._options.num_responses, self._shard.number)

        def check(written: Record) -> None:
            origin(written, policies)
            check_number(written, numbers)

        wanted = ({"id": number} for number in numbers)
        done = last_record(self._options.resume, check, wanted, appends=not self._options.dry_run).get("id", -1)
        job.counter.begin("instructions", sum(number > done for number in numbers))
        return (Located(f"instruction {number}", {"id": number}) for number in numbers if number > done)

    def _rehearse(self, job: Job) -> Status:
        """Count what each policy would be asked about each record."""
        as_table = is_seen()
        askings = self._work.askings
        with job, ExitStack() as stack:
            self._open(stack)
            self._work.rehearse(job, self._located(job, stack))
            show = sum_up([asking.dry_run for asking in askings], askings[0].price, job, as_table=as_table)
        show()
        return job.status


# Modes that do not simply read their records.
SOURCES = {SamplingMode.lowest_score: SamplingRun._lowest, SamplingMode.pre_query: SamplingRun._instructions}


def _also_reads(options: SampleOptions) -> list[tuple[str, Path | None]]:
    """List the files that options name, plainly or with @."""
    words = [("--system", options.system), ("--template", options.template)]
    words += [("--contrast", text) for text in options.contrast or ()]
    files = [("--principles", options.principles)]
    return files + [(option, words_path(text)) for option, text in words]
