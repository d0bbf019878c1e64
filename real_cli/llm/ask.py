"""Run inquiries over a stream of records: many at once against a server, or in windows against a model at hand."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from real_cli.errors import RecordError
from real_cli.io.read_ahead import ReadAhead
from real_cli.llm.cost import Ledger
from real_cli.records.questions import Answer, Completion, Inquiry, Question, advance
from real_cli.records.record import Record

Made = TypeVar("Made")

# An answer that cannot be read is asked for once more: servers are seldom deterministic, and a third time is no wiser.
READABLE_ATTEMPTS = 2
WINDOW_RECORDS = 64


class Opened(NamedTuple, Generic[Made]):
    """A record whose inquiry is to be run, and its place."""

    place: str
    record: Record
    inquiry: Inquiry[Made]


class Closed(NamedTuple, Generic[Made]):
    """A record whose inquiry ended: with what it made, or with the reason why it made nothing."""

    place: str
    record: Record
    made: Made | None
    problem: RecordError | None = None


class Answerer(Protocol):
    """Answers one question at a time, in an event loop."""

    async def open(self) -> None:
        """Get ready, in the loop."""

    async def close(self) -> None:
        """Let go."""

    async def ask(self, question: Question) -> Completion:
        """Answer; raises RecordError for this question, any other RealError for all."""


class ConcurrentInquirer:
    """Run inquiries with a bounded number of questions in flight; results keep the order of the records.

    The questions live in the event loop of a thread, records are read and written outside: a record that is slow to
    come holds up nothing that was asked before.
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

    def __call__(self, opened: Iterable[Opened[Made]]) -> Iterator[Closed[Made]]:
        """Run inquiries.

        Args:
            opened: Records with their inquiries.

        Yields:
            How each ended, in order.

        Raises:
            RealError: If no question would get an answer; what was answered is kept.
        """
        pending: deque[tuple[Opened[Made], Future[Closed[Made]]]] = deque()
        ahead = ReadAhead(iter(opened), self._num_at_once)
        problem: Exception | None = None
        while True:
            ahead.acknowledge()
            try:
                while problem is None and len(pending) < 2 * self._num_at_once and (one := ahead.take()):
                    pending.append((one, self._submit(self._run(one))))
                    pending[-1][1].add_done_callback(lambda _: ahead.wake())
            except Exception as error:  # it ends the run after what was read before it is done
                problem = error
            if pending and pending[0][1].done():
                yield pending.popleft()[1].result()
            elif pending or (problem is None and not ahead.is_done):  # asked now: its end may have been acknowledged
                ahead.wait()
            elif problem is not None:
                raise problem
            else:
                return

    def _submit(self, work: Coroutine[Any, Any, Made]) -> "Future[Made]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _end(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._answerer.close()

    async def _run(self, opened: Opened[Made]) -> Closed[Made]:
        answers: list[Answer] | None = None
        try:
            while True:
                questions, made = advance(opened.inquiry, answers)
                if made:
                    return Closed(opened.place, opened.record, made[0])
                # All of them, also when one fails: the others are paid for, and will be known next time.
                found = await asyncio.gather(*map(self._answer, questions), return_exceptions=True)
                # A fault of the whole run before one of this record.
                for answer in sorted(found, key=lambda answer: isinstance(answer, RecordError)):
                    if isinstance(answer, BaseException):
                        raise answer
                answers = [answer for answer in found if not isinstance(answer, BaseException)]
        except RecordError as problem:
            return Closed(opened.place, opened.record, None, problem)

    async def _answer(self, question: Question) -> Answer:
        """Answer from what is known; a question that is being asked already is waited for."""
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


class WindowInquirer:
    """Run inquiries a window of records at a time, all their questions in one go."""

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

    def __call__(self, opened: Iterable[Opened[Made]]) -> Iterator[Closed[Made]]:
        """Run inquiries.

        Args:
            opened: Records with their inquiries.

        Yields:
            How each ended, in order.
        """
        source = iter(opened)
        problem: RecordError | None = None
        while problem is None:
            window: list[Opened[Made]] = []
            while len(window) < self._window_records and (one := _next(source)):
                if isinstance(one, RecordError):
                    problem = one
                    break
                window.append(one)
            yield from self._run(window)
            if not window:
                break
        if problem:
            raise problem

    def _run(self, window: list[Opened[Made]]) -> list[Closed[Made]]:
        ended: dict[int, Closed[Made]] = {}
        answers: dict[int, list[Answer] | None] = dict.fromkeys(range(len(window)))
        while answers:
            asked: dict[int, list[Question]] = {}
            for place, given in answers.items():
                try:
                    questions, made = advance(window[place].inquiry, given)
                except RecordError as problem:
                    ended[place] = Closed(window[place].place, window[place].record, None, problem)
                    continue
                if made:
                    ended[place] = Closed(window[place].place, window[place].record, made[0])
                else:
                    asked[place] = questions
            answers = {}
            found = self._answers([question for questions in asked.values() for question in questions])
            for place, questions in asked.items():
                own = [next(found) for _ in questions]
                problems = [one for one in own if isinstance(one, RecordError)]
                if problems:
                    ended[place] = Closed(window[place].place, window[place].record, None, problems[0])
                else:
                    answers[place] = [one for one in own if not isinstance(one, RecordError)]
        return [ended[place] for place in range(len(window))]

    def _answers(self, questions: list[Question]) -> Iterator[Answer | RecordError]:
        """Answer what is known and ask the rest, equal questions once."""
        found: dict[str, Answer | RecordError] = {}
        unknown: dict[str, Question] = {}
        names = [self._ledger.name(question) for question in questions]
        for name, question in zip(names, questions, strict=True):
            if name not in found and name not in unknown:
                known = self._ledger.known(question)
                if known is not None:
                    found[name] = known
                else:
                    unknown[name] = question
        completions = self._answer(list(unknown.values())) if unknown else []
        for (name, question), completion in zip(unknown.items(), completions, strict=True):
            try:
                found[name] = (
                    completion if isinstance(completion, RecordError) else self._ledger.keep(question, completion)
                )
            except RecordError as problem:
                found[name] = problem
        return iter([found[name] for name in names])


def _next(source: Iterator[Opened[Made]]) -> Opened[Made] | RecordError | None:
    """Read one more; a bad record ends the run only after what was read before it is done."""
    try:
        return next(source, None)
    except RecordError as error:
        return error
