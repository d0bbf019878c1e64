"""What `real sample` does to records, here or in a worker: each policy answers them, one after the other."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from real_cli.cli.llm import Asking
from real_cli.cli.prices import open_budget
from real_cli.io.job import Job, Located
from real_cli.io.word_files import read_words
from real_cli.llm.ask import WINDOW_RECORDS
from real_cli.models.load.device import default_generation_tokens
from real_cli.records.layouts import Adapted
from real_cli.records.questions import Inquiry, ask_nothing
from real_cli.records.record import Record
from real_cli.sample.modes import MODES
from real_cli.sample.plan import check_sampling, choose_mode, make_plan
from real_cli.sample.responses import DrawnTexts, Plan, Sampled, SamplingTally

if TYPE_CHECKING:
    from real_cli.sample.options import SampleOptions


class SampleFilter:
    """Lets each policy answer the records, and writes them.

    Attributes:
        options: What the user asked for.
        mode: What becomes of a record.
        plans: How each policy is sampled.
        askings: Who is asked, a policy each.
        reader: Reads a record.
        chosen: Whether each record is sampled, in order; None for all of them.
        chosen_words: Tells of that choice.
    """

    limit = WINDOW_RECORDS

    def __init__(self, options: "SampleOptions") -> None:
        self.options = options
        self.mode = choose_mode(options)
        check_sampling(options)
        self.plans = [make_plan(options, self.mode, name) for name in options.policy]
        self.reader = MODES[self.mode].reader(
            append=options.append,
            chat=options.chat,
            system=None if options.system is None else read_words(options.system),
        )
        self.chosen: Iterator[bool] | None = None
        self.chosen_words = ""
        self._tally = SamplingTally()
        self._set_up()

    def _set_up(self) -> None:
        budget = open_budget(self.options)
        # The weights behind a folder's name may change; and drawing again gives the same text.
        caches = not self.options.is_local
        self.askings = [
            Asking(self.options, name, caches=caches, default_tokens=default_generation_tokens, budget=budget)
            for name in self.options.policy
        ]
        self._opened: ExitStack | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("askings", "_opened")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._set_up()

    def read(self, record: Record) -> Adapted:
        """Read one record for the mode."""
        return self.reader(record)

    def size(self, record: Record) -> int:
        """Count a record."""
        return 1

    def load(self) -> None:
        """Open who answers; a model is loaded at its first question."""
        if self._opened is None:
            with ExitStack() as stack:
                for asking in self.askings:
                    stack.enter_context(asking)
                self._opened = stack.pop_all()

    def close(self) -> None:
        """Close who answers."""
        if self._opened is not None:
            self._opened.close()

    def run(self, job: Job, located: Iterable[Located]) -> None:
        """Let the policies answer, and write their records."""
        self.load()
        for item in job.counter.finished(self._sampled(job, iter(located))):
            self._tally.num_prompts += 1
            job.write(item.record)

    def rehearse(self, job: Job, located: Iterable[Located]) -> None:
        """Count what each policy would be asked about each record."""
        for item in located:
            for asking, plan in zip(self.askings, self.plans, strict=True):
                deque(self._by_one(job, asking, plan, iter([item])), maxlen=0)

    def _sampled(self, job: Job, located: Iterator[Located]) -> Iterator[Located]:
        """Let one policy after the other add to the records."""
        for asking, plan in zip(self.askings, self.plans, strict=True):
            located = self._by_one(job, asking, plan, located)
        return located

    def _by_one(self, job: Job, asking: Asking, plan: Plan, located: Iterator[Located]) -> Iterator[Located]:
        def begin(record: Record) -> Inquiry[Sampled]:
            if self.chosen is not None and not next(self.chosen):
                return ask_nothing(Sampled(record, DrawnTexts([])))
            return MODES[self.mode].begin(record, plan)

        for place, record, sampled in asking(job, begin, located):
            self._tally.add(sampled)
            if sampled.record is None:
                job.counter.refuse()
                job.drop(place, record, sampled.reason)
            else:
                yield Located(place, sampled.record)

    @property
    def counted(self) -> Mapping[str, object]:
        """What counts, by name, as far as it is there."""
        ledgers = {f"ledger {number}": asking.ledger for number, asking in enumerate(self.askings) if self._opened}
        return {"tally": self._tally, "reader": self.reader, **ledgers}

    def sentence(self) -> str:
        """Tell in one line what was sampled."""
        self.load()
        sentence = self._tally.sentence(self.options.max_tokens, self.reader.num_chats) + self.chosen_words
        if len(self.askings) == 1:
            return sentence + self.askings[0].sentence()
        policies = zip(self.options.policy, self.askings, strict=True)
        return sentence + "".join(f"; {policy}: {asking.sentence().removeprefix('; ')}" for policy, asking in policies)
