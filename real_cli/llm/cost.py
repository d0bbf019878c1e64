"""What the cache answered, what a model was asked, and what it cost."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from real_cli.errors import RecordError
from real_cli.llm.chat import request_key
from real_cli.records.questions import Answer, Completion, Question, read_answer
from real_cli.text.phrases import say_count


class Cache(Protocol):
    """Stores completions by question key."""

    def get(self, name: str) -> Completion | None:
        """Look up a completion; raises RecordError for a damaged one."""

    def put(self, name: str, completion: Completion) -> None:
        """Store a completion."""


class Price(NamedTuple):
    """Dollars for a million tokens."""

    per_million_prompt: float
    per_million_completion: float


class Ledger:
    """Answer from a batch's results and the cache, store readable answers, and count.

    Attributes:
        num_calls: Questions that a model answered in this run.
        num_known: Questions answered from results or cache.
        num_unreadable: Answers that could not be read.
        problems: Why a question with a result still has no answer, by question key.
    """

    def __init__(
        self,
        model: str,
        cache: Cache,
        results: Mapping[str, Completion | RecordError] | None = None,
        key: Callable[[str, Question], str] = request_key,
    ) -> None:
        self.model = model
        self._key = key
        self.problems: dict[str, RecordError] = {}
        self._cache = cache
        self._results = results or {}
        self._unused = set(self._results)
        self.num_calls = self.num_known = self.num_unreadable = 0
        self.num_prompt_tokens = self.num_completion_tokens = 0

    def name(self, question: Question) -> str:
        """Return the key of a question."""
        return self._key(self.model, question)

    def known(self, question: Question) -> Answer | None:
        """Answer a question from results or cache; None if it must be asked."""
        name = self.name(question)
        self._unused.discard(name)
        result = self._results.get(name)
        if isinstance(result, RecordError):
            self.problems[name] = result
        sources: list[Callable[[], Completion | RecordError | None]] = [lambda: result, lambda: self._cache.get(name)]
        for find in sources:
            try:
                completion = find()
                if not isinstance(completion, Completion):
                    continue
                answer = read_answer(question, completion)
            except RecordError as problem:
                self.num_unreadable += name not in self.problems
                self.problems[name] = problem
                continue
            if completion is result:
                self._cache.put(name, completion)
            self.num_known += 1
            return answer
        return None

    def share_unused(self, other: "Ledger") -> None:
        """Count results as used that another's questions used; the first of them that reports tells of the rest."""
        self._unused = other._unused

    def unused(self) -> str:
        """Report, once, batch results that answer no question; empty for none."""
        number = len(self._unused)
        self._unused.clear()
        if not number:
            return ""
        asked = "of this run, or of prompts that an earlier version read differently"
        return f"; {say_count(number, 'result')} answer no question {asked}"

    def keep(self, question: Question, completion: Completion) -> Answer:
        """Read and store a new answer; an unreadable one is counted and not stored."""
        self.num_calls += 1
        self.num_prompt_tokens += completion.num_prompt_tokens
        self.num_completion_tokens += completion.num_completion_tokens
        try:
            answer = read_answer(question, completion)
        except RecordError:
            self.num_unreadable += 1
            raise
        self._cache.put(self.name(question), completion)
        return answer

    def cost(self, price: Price) -> float:
        """Return the dollars that the calls cost so far."""
        prompt, completion = self.num_prompt_tokens, self.num_completion_tokens
        return (prompt * price.per_million_prompt + completion * price.per_million_completion) / 1e6

    def sentence(self, price: Price | None = None, bill: str = "", *, is_local: bool = False) -> str:
        """Report calls, tokens and cost in one line; a `bill` says what the tokens here alone do not.

        A model on this machine is not called: its answers are generated.
        """
        prompt, completion = self.num_prompt_tokens, self.num_completion_tokens
        if is_local:
            text = f"{say_count(self.num_calls, 'answer')} generated"
            text += f" ({self.num_known:,} taken from the cache)" if self.num_known else ""
            text += f", {prompt:,} + {completion:,} tokens"
        else:
            known = say_count(self.num_known, "answer")
            text = f"{say_count(self.num_calls, 'call')} ({known} known), {prompt:,} + {completion:,} tokens"
        if bill:
            text += f", {bill}"
        elif price is not None:
            text += f", ${self.cost(price):,.4f}"
        return text + (f"; {say_count(self.num_unreadable, 'answer')} could not be read" if self.num_unreadable else "")
