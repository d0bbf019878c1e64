"""A server that embeds or scores: questions that wait together go out in one request."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from real_cli.errors import RealError, RecordError, clip
from real_cli.llm.chat import is_token_count
from real_cli.llm.endpoint import FATAL_STATUSES, Connection, Server
from real_cli.llm.served.wire import Wire
from real_cli.llm.spending.budget import Bill
from real_cli.records.questions import Completion, Question

# How long a question waits for others to share its request.
LINGER_SECONDS = 0.02
# 32 vectors of 8,192 numbers, in decimals, take some 6 MiB.
MAX_REPLY_BYTES = 1 << 26


class RequestRefused(RecordError):
    """A request that the server does not answer, for what is in it."""


class Waiter(NamedTuple):
    """A question, and who waits for its answer."""

    question: Question
    future: "asyncio.Future[Completion]"


class BatchedEndpoint(Connection):
    """Answers questions, up to `batch_size` in a request and `num_at_once` requests in flight.

    A request that is refused is asked again in halves, so that one text costs its own record only, and a server's own
    limit is kept once it is met. A reply that does not fit its questions is asked for once more, a question a request.

    Attributes:
        num_replies: Requests that were answered.
    """

    refusal = RequestRefused
    max_bytes = MAX_REPLY_BYTES

    def __init__(
        self,
        server: Server,
        wire: Wire,
        tell: Callable[[str], None],
        bill: Bill | None = None,
        *,
        batch_size: int,
        num_at_once: int,
    ) -> None:
        super().__init__(server, tell, bill)
        self.fatal = FATAL_STATUSES | {404: wire.hint, 405: wire.hint}
        self.num_replies = 0
        self._wire = wire
        self._batch_size = batch_size
        self._num_free = num_at_once
        self._queue: deque[Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._is_due = self._is_without = False
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> Completion:
        """Answer a question, in a request with those that wait beside it."""
        loop = asyncio.get_running_loop()
        waiter = Waiter(question, loop.create_future())
        self._queue.append(waiter)
        if self._timer is None:
            self._timer = loop.call_later(LINGER_SECONDS, self._fall_due)
        self._send()
        return await waiter.future

    def _fall_due(self) -> None:
        self._timer, self._is_due = None, bool(self._queue)
        self._send()

    def _send(self) -> None:
        """Send what waits: full requests at once, others when they have waited."""
        while self._num_free and self._queue and (self._is_due or len(self._queue) >= self._batch_size):
            batch = [self._queue.popleft() for _ in range(min(self._batch_size, len(self._queue)))]
            self._is_due = self._is_due and bool(self._queue)
            self._num_free -= 1
            task = asyncio.create_task(self._answer(batch))
            self._running.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self._num_free += 1
        self._send()

    async def _answer(self, batch: list[Waiter]) -> None:
        answers: Sequence[Completion | Exception]
        try:
            answers = await self._completions([waiter.question for waiter in batch])
        except Exception as fault:  # those who wait would wait for ever
            answers = [fault] * len(batch)
        for waiter, answer in zip(batch, answers, strict=True):
            if waiter.future.done():  # the run is over
                continue
            if isinstance(answer, Exception):
                waiter.future.set_exception(answer)
            else:
                waiter.future.set_result(answer)

    async def _completions(self, questions: Sequence[Question]) -> list[Completion | RealError]:
        """Ask in one request, and in smaller ones where that fails for what is in it."""
        middle = (len(questions) + 1) // 2
        try:
            reply = await self._reply(questions)
        except RequestRefused as refusal:
            if len(questions) == 1:
                return [refusal]
            halves = await self._completions(questions[:middle]), await self._completions(questions[middle:])
            answers = [answer for half in halves for answer in half]
            if not any(isinstance(answer, RealError) for answer in answers) and middle < self._batch_size:
                self._batch_size = middle
                self._tell(f"the server takes no {len(questions)} texts in a request: {middle} are sent at a time")
            return answers
        except RealError as error:
            return [error] * len(questions)
        try:
            return self._read(reply, len(questions))
        except RecordError as error:
            if len(questions) == 1:
                return [error]
            return [answer for question in questions for answer in await self._completions([question])]

    async def _reply(self, questions: Sequence[Question]) -> Any:
        setting, words = self._wire.optional
        body = self._wire.body(self._server.model, questions)
        if self._is_without:
            del body[setting]
        try:
            reply = await self.post(self._url, body)
        except RequestRefused as refusal:
            if not setting or setting not in body or setting not in str(refusal):
                raise
            if not self._is_without:
                self._is_without = True
                self._tell(words)
            return await self._reply(questions)
        self.num_replies += 1
        return reply

    @property
    def _url(self) -> str:
        route = self._wire.route
        return self._server.url.rstrip("/").removesuffix("/v1") + route if route.startswith("/") else f"/{route}"

    def _read(self, reply: Any, number: int) -> list[Completion | RealError]:
        """Read a reply; the tokens that it counts are shared among its questions."""
        texts = self._wire.read(reply, number)
        usage = reply.get("usage") if isinstance(reply, dict) else None
        count = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        if count is not None and not is_token_count(count):
            raise RecordError(f"the server's answer counts its tokens as {clip(usage)}")
        share, rest = divmod(int(count or 0), number)
        return [Completion(text, num_prompt_tokens=share + (place < rest)) for place, text in enumerate(texts)]
