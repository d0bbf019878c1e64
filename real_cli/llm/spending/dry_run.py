"""What a run would ask, read, write and cost, found out without asking."""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from real_cli.errors import RecordError
from real_cli.llm.ask import READABLE_ATTEMPTS, Closed, Opened
from real_cli.llm.cost import Cache, Ledger, Price
from real_cli.llm.spending.tokens import TokenCounter, TokenRange, estimate_tokens
from real_cli.records.questions import Answer, Completion, Inquiry, Question, advance
from real_cli.records.record import Record

Outcome = TypeVar("Outcome")


class WatchedCache:
    """A cache that is read alone; remembers what it found last."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self.last: Completion | None = None

    def get(self, name: str) -> Completion | None:
        """Look up a completion."""
        self.last = self._cache.get(name)
        return self.last

    def put(self, name: str, completion: Completion) -> None:
        """Store nothing."""


class AnswerLength(NamedTuple):
    """What bounds an answer: its most tokens, and how many texts are wanted."""

    max_tokens: int
    num_choices: int


class DryRun:
    """Take inquiries as far as known answers lead, and count the questions that a run would ask.

    Attributes:
        num_records: Records read.
        num_questions: Distinct questions, as far as they are known.
        num_known: Those with an answer in cache or results: nothing to pay.
        num_further: Most questions that answers may lead to.
        num_again: Most questions that an unreadable answer has asked again.
        price: Dollars for a million of its model's tokens; None where all models have one price, or none is known.
        is_contingent: Whether what others answer decides if anything is asked: all that is counted is the most.
    """

    def __init__(
        self,
        model: str,
        cache: WatchedCache,
        ledger: Ledger,
        counter: TokenCounter,
        *,
        asks_again: bool,
        price: Price | None = None,
    ) -> None:
        self.model, self.rule, self.price = model, counter.rule, price
        self.is_contingent = False
        self.num_records = self.num_questions = self.num_known = self.num_further = self.num_again = 0
        self.prompt, self.prompt_again = TokenRange(), TokenRange()
        self._cache, self._ledger, self._counter, self._asks_again = cache, ledger, counter, asks_again
        self._seen: set[str] = set()
        self._known_lengths: dict[AnswerLength, list[int]] = defaultdict(list)
        self._wanted: Counter[AnswerLength] = Counter()
        self._most_written = 0

    def __enter__(self) -> "DryRun":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, opened: Iterable[Opened[Outcome]]) -> Iterator[Closed[Outcome]]:
        """Count the questions of records; yields those that could not be asked about."""
        for begun in opened:
            self.num_records += 1
            try:
                self._follow(begun.inquiry)
            except RecordError as problem:
                yield Closed(begun.place, begun.record, None, problem)

    def _follow(self, inquiry: Inquiry[Outcome]) -> None:
        answers: list[Answer] | None = None
        while True:
            questions, outcomes = advance(inquiry, answers)
            if outcomes:
                return
            replies = [self._known(question) for question in questions]
            answers = [answer for answer in replies if answer is not None]
            if len(answers) < len(questions):
                return

    def _known(self, question: Question) -> Answer | None:
        """Look for an answer; count the question, equal ones once."""
        name = self._ledger.name(question)
        is_new = name not in self._seen
        self._seen.add(name)
        self._cache.last = None
        answer = self._ledger.known(question)
        length = AnswerLength(question.sampling.max_tokens, question.sampling.num_choices)
        self.num_questions += is_new
        if answer is not None and is_new:
            self.num_known += 1
            self._known_lengths[length].append(self._written(answer))
        elif is_new:
            self._add_call(question, length)
        return answer

    def _written(self, answer: Answer) -> int:
        counted = self._cache.last.num_completion_tokens if self._cache.last else 0
        return counted or round(sum(estimate_tokens(choice.text).value for choice in answer.choices))

    def _add_call(self, question: Question, length: AnswerLength) -> None:
        tokens = self._counter(question)
        again = READABLE_ATTEMPTS - 1 if self._asks_again and question.read is not str else 0
        self.prompt = self.prompt.plus(tokens)
        # A further question shows what was shown, and the answer.
        longer = tokens._replace(high=tokens.high + length.max_tokens)
        self.prompt_again = self.prompt_again.plus(tokens, again).plus(longer, question.most_further * (1 + again))
        self.num_again += again * (1 + question.most_further)
        self.num_further += question.most_further
        self._wanted[length] += 1
        # Of several choices a further question asks for those that were not given.
        answers = max(length.num_choices, 1 + question.most_further)
        self._most_written += length.max_tokens * answers * (1 + again)

    @property
    def num_calls(self) -> int:
        """Questions to ask, as far as they are known to be needed."""
        return 0 if self.is_contingent else self.num_questions - self.num_known

    @property
    def most_calls(self) -> int:
        """Calls at most, those asked again and further ones too."""
        return self.num_questions - self.num_known + self.num_further + self.num_again

    @property
    def prompt_tokens(self) -> TokenRange:
        """Tokens to read."""
        return self._if_any(self.prompt._replace(high=self.prompt.high + self.prompt_again.high))

    @property
    def completion_tokens(self) -> TokenRange:
        """Tokens to write: one an answer at least; the likeliest by the median of known answers, NaN without any."""
        medians = {length: statistics.median(counts) for length, counts in self._known_lengths.items()}
        others = [count for counts in self._known_lengths.values() for count in counts]
        value = 0.0 if others or not self._wanted else math.nan
        for length, count in self._wanted.items():
            if others:
                most = length.max_tokens * length.num_choices
                value += count * min(most, medians.get(length, statistics.median(others)))
        return self._if_any(TokenRange(self._wanted.total(), value, self._most_written))

    def _if_any(self, tokens: TokenRange) -> TokenRange:
        return TokenRange(0, math.nan, tokens.high) if self.is_contingent and tokens.high else tokens


def summarize(runs: Sequence[DryRun], price: Price | None) -> Record:
    """Sum up dry runs, one a model: numbers, each with the least and the most; null where nothing tells."""
    prompt, completion = TokenRange(), TokenRange()
    for run in runs:
        prompt, completion = prompt.plus(run.prompt_tokens), completion.plus(run.completion_tokens)
    summary: Record = {"models": [run.model for run in runs], "num_records": max(run.num_records for run in runs)}
    for name in ("num_questions", "num_known", "num_calls"):
        summary[name] = sum(getattr(run, name) for run in runs)
    summary["most_calls"] = sum(run.most_calls for run in runs)
    summary |= _fields("input_tokens", prompt) | _fields("output_tokens", completion)
    prices = [run.price or price for run in runs]
    if None not in prices:
        costs = [_cost(run, each) for run, each in zip(runs, prices, strict=True) if each is not None]
        summary |= _fields("dollars", TokenRange(*map(sum, zip(*costs, strict=True))))
    return summary | {"notes": _notes(runs, summary)}


def _cost(run: DryRun, price: Price) -> TokenRange:
    return TokenRange(
        *(
            (read * price.per_million_prompt + written * price.per_million_completion) / 1e6
            for read, written in zip(run.prompt_tokens, run.completion_tokens, strict=True)
        )
    )


def _fields(name: str, numbers: TokenRange) -> Record:
    return {
        name: None if math.isnan(numbers.value) else numbers.value,
        f"{name}_low": numbers.low,
        f"{name}_high": numbers.high,
    }


def _notes(runs: Sequence[DryRun], summary: Record) -> list[str]:
    notes = ["nothing was sent and nothing is written", *dict.fromkeys(run.rule for run in runs)]
    if summary["num_calls"]:
        tells = "the median of answers in the cache" if summary["output_tokens"] is not None else "unknown before one"
        notes.append(f"an answer's length is {tells}; its limit bounds it")
    if any(run.num_again for run in runs):
        notes.append("an answer that cannot be read is asked for once more")
    contingent = [run.model for run in runs if run.is_contingent]
    if contingent:
        notes.append(f"{', '.join(contingent)}: asked where the others are unsure, at most about everything")
    if any(run.num_further for run in runs):
        notes.append("an answer may lead to a further question")
    return notes
