"""Run inquiries over a stream of records: many at once against a server, or in windows against a local model."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from real_cli.errors import RecordError
from real_cli.io.progress import running_counter
from real_cli.io.read_ahead import ReadAhead
from real_cli.llm.cost import Ledger
from real_cli.llm.spending.budget import OverBudget
from real_cli.records.questions import Answer, Completion, Inquiry, Question, advance
from real_cli.records.record import Record

Outcome = TypeVar("Outcome")

# An unreadable answer is asked for once more: servers are seldom deterministic, and a third attempt rarely helps.
READABLE_ATTEMPTS = 2
WINDOW_RECORDS = 64


class Opened(NamedTuple, Generic[Outcome]):
    """A record, its place and the inquiry to run."""

    place: str
    record: Record
    inquiry: Inquiry[Outcome]


class Closed(NamedTuple, Generic[Outcome]):
    """A record whose inquiry ended, with its outcome or the problem that prevented one."""

    place: str
    record: Record
    outcome: Outcome | None
    problem: RecordError | None = None


class Answerer(Protocol):
    """Answers one question at a time, in an event loop."""

    async def open(self) -> None:
        """Connect, inside the event loop."""

    async def close(self) -> None:
        """Release what `open` acquired."""

    async def ask(self, question: Question) -> Completion:
        """Answer; raises RecordError for this question, any other RealError for all."""


class ConcurrentInquirer:
    """Run inquiries with a bounded number of questions in flight; results keep the order of the records.

    Questions run in the event loop of a thread of their own, records are read and written outside it: a slow source
    delays no question that is under way.
    """

    def __init__(self, answerer: Answerer, ledger: Ledger, num_at_once: int) -> None:
        self._answerer = answerer
        self._ledger = ledger
        self._num_at_once = num_at_once
        self._asked: dict[str, asyncio.Task[Answer]] = {}

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._room = asyncio.Semaphore(self._num_at_once)
        self._submit(self._answerer.open()).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._submit(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __call__(self, opened: Iterable[Opened[Outcome]], *, counts_rest: bool = False) -> Iterator[Closed[Outcome]]:
        """Run inquiries; an error that no question would escape is raised once the records before it are done.

        With `counts_rest` a limit on the cost says how many records it leaves, for which all are read.
        """
        pending: deque[tuple[Opened[Outcome], Future[Closed[Outcome]]]] = deque()
        ahead = ReadAhead(iter(opened), self._num_at_once)
        problem: Exception | None = None
        while True:
            ahead.acknowledge()
            try:
                while problem is None and len(pending) < 2 * self._num_at_once and (begun := ahead.take()):
                    pending.append((begun, self._submit(self._run(begun))))
                    pending[-1][1].add_done_callback(lambda _: ahead.wake())
            except Exception as error:  # raised once all records read before it are done
                problem = error
            if pending and pending[0][1].done():
                try:
                    closed = pending.popleft()[1].result()
                except OverBudget as over:
                    rest = _count_rest(ahead, problem) if counts_rest else None
                    raise over.leaving(None if rest is None else 1 + len(pending) + rest) from None
                yield closed
            elif pending or (problem is None and not ahead.is_done):  # the end may be what was acknowledged
                ahead.wait()
            elif problem is not None:
                raise problem
            else:
                return

    def _submit(self, work: Coroutine[Any, Any, Outcome]) -> "Future[Outcome]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _end(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._answerer.close()

    async def _run(self, opened: Opened[Outcome]) -> Closed[Outcome]:
        answers: list[Answer] | None = None
        try:
            while True:
                questions, outcomes = advance(opened.inquiry, answers)
                if outcomes:
                    return Closed(opened.place, opened.record, outcomes[0])
                # Wait for all of them even if one fails: the others are paid for, and cached for the next run.
                replies = await asyncio.gather(*map(self._answer, questions), return_exceptions=True)
                # An error of the whole run outranks one of this record.
                for answer in sorted(replies, key=lambda answer: isinstance(answer, RecordError)):
                    if isinstance(answer, BaseException):
                        raise answer
                answers = [answer for answer in replies if not isinstance(answer, BaseException)]
        except RecordError as problem:
            return Closed(opened.place, opened.record, None, problem)

    async def _answer(self, question: Question) -> Answer:
        """Answer from the cache, or join the call that is already asking the same question."""
        known = self._ledger.known(question)
        if known is not None:
            return known
        name = self._ledger.name(question)
        if name not in self._asked:
            self._asked[name] = asyncio.create_task(self._ask(question))
            self._asked[name].add_done_callback(lambda task: self._asked.pop(name, None))
        return await asyncio.shield(self._asked[name])

    async def _ask(self, question: Question) -> Answer:
        async with self._room:
            for attempt in range(1, READABLE_ATTEMPTS + 1):
                completion = await self._answerer.ask(question)
                try:
                    return self._ledger.keep(question, completion)
                except RecordError:
                    if attempt == READABLE_ATTEMPTS:
                        raise
        raise AssertionError("the last attempt returns or raises")


def _count_rest(ahead: ReadAhead[Any], problem: Exception | None) -> int | None:
    """Count the records that were not begun; None where they cannot be read to the end."""
    count = 0
    while problem is None:
        try:
            if ahead.take() is not None:
                count += 1
            elif ahead.is_done:
                return count
            else:
                ahead.wait()
        except Exception as error:
            problem = error
    # Several policies in a row share a limit: those before know what they leave.
    left = problem.num_left if isinstance(problem, OverBudget) else None
    return None if left is None else count + left


class WindowInquirer:
    """Run inquiries a window of records at a time, all their questions in one batch."""

    def __init__(
        self,
        answer: Callable[[list[Question]], list[Completion | RecordError]],
        ledger: Ledger,
        window_records: int = WINDOW_RECORDS,
    ) -> None:
        self._answer = answer
        self._ledger = ledger
        self._window_records = window_records

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, opened: Iterable[Opened[Outcome]]) -> Iterator[Closed[Outcome]]:
        """Run inquiries; a bad record is raised once the records before it are done."""
        source = iter(opened)
        problem: RecordError | None = None
        while problem is None:
            window: list[Opened[Outcome]] = []
            while len(window) < self._window_records and (begun := _next(source)):
                if isinstance(begun, RecordError):
                    problem = begun
                    break
                window.append(begun)
            running_counter().begin_window(len(window))
            yield from self._run(window)
            running_counter().begin_window(0)
            if not window:
                break
        if problem:
            raise problem

    def _run(self, window: list[Opened[Outcome]]) -> list[Closed[Outcome]]:
        ended: dict[int, Closed[Outcome]] = {}
        answers: dict[int, list[Answer] | None] = dict.fromkeys(range(len(window)))
        while answers:
            asked: dict[int, list[Question]] = {}
            for index, given in answers.items():
                try:
                    questions, outcomes = advance(window[index].inquiry, given)
                except RecordError as problem:
                    ended[index] = Closed(window[index].place, window[index].record, None, problem)
                    continue
                if outcomes:
                    ended[index] = Closed(window[index].place, window[index].record, outcomes[0])
                else:
                    asked[index] = questions
            answers = {}
            replies = self._answers([question for questions in asked.values() for question in questions])
            for index, questions in asked.items():
                record_answers = [next(replies) for _ in questions]
                problems = [answer for answer in record_answers if isinstance(answer, RecordError)]
                if problems:
                    ended[index] = Closed(window[index].place, window[index].record, None, problems[0])
                else:
                    answers[index] = [answer for answer in record_answers if not isinstance(answer, RecordError)]
        return [ended[index] for index in range(len(window))]

    def _answers(self, questions: list[Question]) -> Iterator[Answer | RecordError]:
        """Answer from the cache and ask the rest, equal questions once."""
        answers: dict[str, Answer | RecordError] = {}
        unknown: dict[str, Question] = {}
        names = [self._ledger.name(question) for question in questions]
        for name, question in zip(names, questions, strict=True):
            if name not in answers and name not in unknown:
                known = self._ledger.known(question)
                if known is not None:
                    answers[name] = known
                else:
                    unknown[name] = question
        completions = self._answer(list(unknown.values())) if unknown else []
        for (name, question), completion in zip(unknown.items(), completions, strict=True):
            try:
                answers[name] = (
                    completion if isinstance(completion, RecordError) else self._ledger.keep(question, completion)
                )
            except RecordError as problem:
                answers[name] = problem
        return iter([answers[name] for name in names])


def _next(source: Iterator[Opened[Outcome]]) -> Opened[Outcome] | RecordError | None:
    """Read the next inquiry, or the error of a bad record."""
    try:
        return next(source, None)
    except RecordError as error:
        return error
