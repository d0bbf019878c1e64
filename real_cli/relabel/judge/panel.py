"""Several judges of one record, one after the other, and a further one for what they are unsure of."""

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from real_cli.cli.dry_run import is_seen, sum_up
from real_cli.cli.llm import Answered, Asking
from real_cli.cli.panel_members import PanelMember
from real_cli.cli.prices import open_budget
from real_cli.errors import RecordError, Status
from real_cli.io.job import Job, Located
from real_cli.llm.rubric import Rubric
from real_cli.records.questions import Inquiry
from real_cli.records.record import Record
from real_cli.records.word_odds import TOP_LOGPROBS
from real_cli.relabel.judge.judge import check_count
from real_cli.relabel.judge.opinions import Opinion, PanelJudged, judged_by_panel, opine, unsure_pairs
from real_cli.relabel.judge.pairwise import Pair, pairs_of
from real_cli.relabel.judge.panel_tally import PanelTally

if TYPE_CHECKING:
    from real_cli.relabel.judge.options import JudgeOptions

# What travels from judge to judge: the record, the opinions of those who vote, and that of the further judge.
RECORD, OPINIONS, FURTHER = "record", "opinions", "further"


class JudgePanel:
    """Asks each judge about the records of a job, in order, and puts what they decide on them.

    with JudgePanel(options, rubric, members, further) as panel:
        for place, record, judged in panel(job, located): ...
    """

    def __init__(
        self, options: "JudgeOptions", rubric: Rubric, members: list[PanelMember], further: list[PanelMember]
    ) -> None:
        self._options, self._rubric = options, rubric
        self._names = [member.name for member in members]
        self._quorum = options.quorum or len(members)
        self._rule = options.vote or ("majority" if rubric.compares else "mean")
        budget = open_budget(options)
        self._voting = [Asking(member.options, member.name, budget=budget) for member in members]
        self._further = [Asking(member.options, member.name, budget=budget) for member in further]
        self.tally = PanelTally(self._names, [member.name for member in further])

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for asking in self._askings:
                stack.enter_context(asking)
                asking.ledger.share_unused(self._askings[0].ledger)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def _askings(self) -> list[Asking]:
        return [*self._voting, *self._further]

    def __call__(self, job: Job, located: Iterator[Located]) -> Iterator[Answered]:
        """Ask every judge about each record; the job takes those for which too few have an answer."""
        cases = self._open_cases(job, located)
        for asking in self._voting:
            cases = self._ask(job, asking, cases, OPINIONS)
        for asking in self._further:
            cases = self._ask(job, asking, cases, FURTHER)
        for place, case in cases:
            try:
                judged = self._decide(case)
            except RecordError as problem:
                job.counter.refuse()
                job.give_up(place, case[RECORD], str(problem))
                continue
            self.tally.add(judged)
            yield Answered(place, case[RECORD], judged)

    def _open_cases(self, job: Job, located: Iterator[Located]) -> Iterator[Located]:
        for place, record in job.apply(partial(check_count, rubric=self._rubric), located):
            yield Located(place, {RECORD: record, OPINIONS: [], FURTHER: []})

    def _ask(self, job: Job, asking: Asking, cases: Iterator[Located], role: str) -> Iterator[Located]:
        """Put each case to one judge; a question that fails is an opinion too."""
        model = asking.ledger.model
        begin = partial(self._inquire, model) if role == OPINIONS else partial(self._escalate, model)

        def fail(problem: RecordError) -> list[Opinion]:
            return [Opinion(model, {}, problem=str(problem))]

        for place, case, opinions in asking(job, begin, cases, failed=fail):
            yield Located(place, case | {role: [*case[role], *opinions]})

    def _inquire(self, model: str, case: Record, wanted: list[Pair] | None = None) -> Inquiry[list[Opinion]]:
        top = TOP_LOGPROBS if self._options.logprobs else 0
        asked = opine(case[RECORD], self._rubric, model, seed=self._options.seed, wanted=wanted, top_logprobs=top)
        return [(yield from asked)]

    def _escalate(self, model: str, case: Record) -> Inquiry[list[Opinion]]:
        """Ask about the pairs that the others are unsure of, if there are enough of them to decide."""
        answered = [opinion for opinion in case[OPINIONS] if not opinion.problem]
        pairs = unsure_pairs(answered, self._options.escalate_below or 0) if len(answered) >= self._quorum else []
        return (yield from self._inquire(model, case, pairs)) if pairs else []

    def _decide(self, case: Record) -> PanelJudged:
        """Put the verdict on a record; raise RecordError where too few judges, or not the last, have an answer."""
        failed = [opinion for opinion in case[OPINIONS] if opinion.problem]
        lost = [*failed, *(opinion for opinion in case[FURTHER] if opinion.problem)]
        answered = len(self._names) - len(failed)
        self.tally.count_failures(opinion.model for opinion in lost)
        if answered < self._quorum or len(lost) > len(failed):
            problems = "; ".join(f"{opinion.model}: {opinion.problem}" for opinion in lost)
            quorum = f"; {answered} of {len(self._names)} judges answered, and {self._quorum} are needed"
            raise RecordError(problems + (quorum if len(self._names) > 1 and answered < self._quorum else ""))
        return judged_by_panel(case[RECORD], case[OPINIONS], case[FURTHER], self._rule, self._mark)

    @property
    def _mark(self) -> Record:
        """What the record says of who judged it, and how."""
        who: Record = {"model": self._names[0]} if len(self._names) == 1 else {"models": self._names}
        return who | {"rubric": self._rubric.name, "rubric_hash": self._rubric.digest, "vote": str(self._rule)}

    def rehearse(self, job: Job, located: Iterator[Located]) -> Status:
        """Show what a run over a job's records would ask and cost."""
        as_table = is_seen()
        with job, self:
            for asking in self._further:
                asking.dry_run.is_contingent = True
            for item in self._open_cases(job, located):
                for asking in self._askings:
                    begin = partial(self._inquire, asking.ledger.model, wanted=pairs_of(item.record[RECORD]))
                    deque(asking(job, begin, iter([item])), maxlen=0)
            show = sum_up([asking.dry_run for asking in self._askings], None, job, as_table=as_table)
        show()
        return job.status

    def sentence(self) -> str:
        """Report in one line what was judged, asked and saved."""
        further = self._further[0] if self._further else None
        a_call = None if further is None else further.mean_cost
        parts = [self.tally.sentence(a_call, wants_odds=self._options.logprobs)]
        parts += [f"{asking.ledger.model}: {asking.sentence().removeprefix('; ')}" for asking in self._askings]
        return "; ".join(parts)
