"""One run of `real sample`, from its options: who is asked what, and what is written."""

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from real_cli.cli.dry_run import is_seen, sum_up
from real_cli.cli.llm import Asking, open_budget
from real_cli.errors import Status
from real_cli.io.job import Job, Located
from real_cli.io.jsonl import parse_record
from real_cli.io.resume import last_record, unfinished
from real_cli.io.two_pass import ValueSpool
from real_cli.io.word_files import read_words, words_path
from real_cli.models.load.device import default_generation_tokens
from real_cli.records.questions import Inquiry, ask_nothing
from real_cli.records.record import Record
from real_cli.sample.modes import MODES, SamplingMode
from real_cli.sample.options import SampleOptions
from real_cli.sample.optune import best_score, choose_lowest, num_retries, parse_share
from real_cli.sample.plan import check_sampling, choose_mode, make_plan
from real_cli.sample.responses import DrawnTexts, Plan, Sampled, SamplingTally
from real_cli.sample.resume import check_number, origin_key


class SamplingRun:
    """Reads records, lets each policy answer them, writes the results."""

    def __init__(self, options: SampleOptions) -> None:
        self._options = options
        self._mode = choose_mode(options)
        check_sampling(options)
        self._plans = [make_plan(options, self._mode, name) for name in options.policy]
        self._budget = open_budget(options)
        self._askings = [self._asking(name) for name in options.policy]
        self._reader = MODES[self._mode].reader(
            append=options.append,
            chat=options.chat,
            system=None if options.system is None else read_words(options.system),
        )
        self._shard = options.part
        self._tally = SamplingTally()
        self._chosen: Iterator[bool] | None = None
        self._chosen_words = ""
        self._share = parse_share("100%" if options.lowest_score is None else options.lowest_score)

    def _asking(self, policy: str) -> Asking:
        # The weights behind a folder's name may change; and drawing again gives the same text.
        caches = not self._options.is_local
        return Asking(
            self._options, policy, caches=caches, default_tokens=default_generation_tokens, budget=self._budget
        )

    def run(self) -> Status:
        """Run; return the exit status."""
        job = self._options.job(also_reads=_also_reads(self._options))
        if self._options.dry_run:
            return self._rehearse(job)
        with job, ExitStack() as stack:
            job.counter.counts_windows = len(self._askings) == 1
            for item in job.counter.finished(self._sampled(job, self._opened(job, stack))):
                self._tally.num_prompts += 1
                job.write(item.record)
            job.summary = self._sentence()
        return job.status

    def _opened(self, job: Job, stack: ExitStack) -> Iterator[Located]:
        """Open who answers, and what is to be answered."""
        for asking in self._askings:
            stack.enter_context(asking)
        return SOURCES.get(self._mode, SamplingRun._records)(self, job, stack)

    def _records(self, job: Job, stack: ExitStack) -> Iterator[Located]:
        """Read prompts, but for those that are done."""
        origin = MODES[self._mode].origin
        writers = [plan.policy for plan in self._plans for _ in range(plan.num_responses)]
        return unfinished(
            job.records(self._reader),
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
            lambda record: (record, best_score(record), num_retries(record)), job.records(self._reader)
        ):
            spool.add({"place": place, "record": record}, score)
            retries.append(number < most)
        may_retry = np.array(retries, dtype=bool)
        chosen = choose_lowest(spool.values, may_retry, self._share)
        self._chosen = iter(chosen.tolist())
        self._chosen_words = f"; {chosen.sum():,} sampled anew, {(~may_retry).sum():,} had {most} tries"
        lines = spool.lines(np.ones(len(spool), dtype=bool))
        return (Located(line["place"], line["record"]) for line in map(parse_record, lines))

    def _instructions(self, job: Job, stack: ExitStack) -> Iterator[Located]:
        """Number the instructions to write."""
        policies, origin = self._options.policy, MODES[self._mode].origin
        numbers = range(self._shard.part - 1, self._options.num_responses, self._shard.number)

        def check(written: Record) -> None:
            origin(written, policies)
            check_number(written, numbers)

        wanted = ({"id": number} for number in numbers)
        done = last_record(self._options.resume, check, wanted, appends=not self._options.dry_run).get("id", -1)
        job.counter.begin("instructions", sum(number > done for number in numbers))
        return (Located(f"instruction {number}", {"id": number}) for number in numbers if number > done)

    def _sampled(self, job: Job, located: Iterator[Located]) -> Iterator[Located]:
        """Let one policy after the other add to the records."""
        for asking, plan in zip(self._askings, self._plans, strict=True):
            located = self._by_one(job, asking, plan, located)
        return located

    def _rehearse(self, job: Job) -> Status:
        """Count what each policy would be asked about each record."""
        as_table = is_seen()
        with job, ExitStack() as stack:
            for item in self._opened(job, stack):
                for asking, plan in zip(self._askings, self._plans, strict=True):
                    deque(self._by_one(job, asking, plan, iter([item])), maxlen=0)
            runs = [asking.dry_run for asking in self._askings]
            show = sum_up(runs, self._askings[0].price, job, as_table=as_table)
        show()
        return job.status

    def _by_one(self, job: Job, asking: Asking, plan: Plan, located: Iterator[Located]) -> Iterator[Located]:
        def begin(record: Record) -> Inquiry[Sampled]:
            if self._chosen is not None and not next(self._chosen):
                return ask_nothing(Sampled(record, DrawnTexts([])))
            return MODES[self._mode].begin(record, plan)

        for place, record, sampled in asking(job, begin, located):
            self._tally.add(sampled)
            if sampled.record is None:
                job.counter.refuse()
                job.drop(place, record, sampled.reason)
            else:
                yield Located(place, sampled.record)

    def _sentence(self) -> str:
        sentence = self._tally.sentence(self._options.max_tokens, self._reader.num_chats) + self._chosen_words
        if len(self._askings) == 1:
            return sentence + self._askings[0].sentence()
        policies = zip(self._options.policy, self._askings, strict=True)
        return sentence + "".join(f"; {policy}: {asking.sentence().removeprefix('; ')}" for policy, asking in policies)


# Modes that do not simply read their records.
SOURCES = {SamplingMode.lowest_score: SamplingRun._lowest, SamplingMode.pre_query: SamplingRun._instructions}


def _also_reads(options: SampleOptions) -> list[tuple[str, Path | None]]:
    """List the files that options name, plainly or with @."""
    words = [("--system", options.system), ("--template", options.template)]
    words += [("--contrast", text) for text in options.contrast or ()]
    files = [("--principles", options.principles)]
    return files + [(option, words_path(text)) for option, text in words]
