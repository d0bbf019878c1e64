"""Dollars that calls cost: each is held at its worst case while it is in flight, so that no limit is overshot."""

import asyncio
import threading
from fractions import Fraction
from typing import Any, NamedTuple, Self

import orjson

from real_cli.errors import RealError
from real_cli.llm.chat import MAX_TOKENS, is_token_count
from real_cli.llm.cost import Price
from real_cli.text.phrases import say_count

# What a chat template may put around the messages; a system message of its own takes the most.
TEMPLATE_TOKENS = 512
# Calls wait in several event loops, which share no condition.
POLL_SECONDS = 0.01


class OverBudget(RealError):
    """The next call might cost more than is left: nothing is in flight, and all that was paid for is kept."""

    def __init__(self, budget: "Budget", worst: Fraction, num_left: int | None = None) -> None:
        self._budget, self._worst = budget, worst
        self.num_left = num_left
        left = "" if num_left is None else f", {say_count(num_left, 'record')} left"
        limit = Fraction(budget.limit or 0)
        goes_on = "the answers are cached; run the same command again to go on"
        if worst > limit:
            goes_on = f"the answers are cached; a call needs --max-cost {show_dollars(worst, up=True)[1:]} or more"
        super().__init__(
            f"--max-cost {float(limit):g}: {show_dollars(budget.spent)} spent, and the next call may cost "
            f"{show_dollars(worst, up=True)}{left}; {goes_on}"
        )

    def leaving(self, num_left: int | None) -> Self:
        """Return the same with the number of records left."""
        return type(self)(self._budget, self._worst, num_left)


class Budget:
    """A limit in dollars, shared by all servers of a run.

    Attributes:
        limit: The limit; None for none.
        spent: What calls that ended cost, those of unknown cost at their worst.
        is_over: Whether a call was refused: no other is let through then.
    """

    def __init__(self, limit: Fraction | None = None) -> None:
        self.limit = limit
        self.spent = Fraction(0)
        self.is_over = False
        self._held = Fraction(0)
        self._num_held = 0
        self._lock = threading.Lock()

    async def hold(self, worst: Fraction) -> None:
        """Wait until a call fits, at its worst; raises OverBudget once it cannot."""
        while not self._take(worst):
            await asyncio.sleep(POLL_SECONDS)

    def _take(self, worst: Fraction) -> bool:
        with self._lock:
            if self.limit is None or (not self.is_over and self.spent + self._held + worst <= self.limit):
                self._held += worst
                self._num_held += 1
                return True
            if self._num_held:  # what is in flight may cost less than its worst
                return False
            self.is_over = True
            raise OverBudget(self, worst)

    def settle(self, worst: Fraction, cost: Fraction) -> None:
        """Put what a call cost in the place of what was held for it."""
        with self._lock:
            self._held -= worst
            self._num_held -= 1
            self.spent += cost


class Held(NamedTuple):
    """What a call in flight costs at worst, in dollars."""

    prompt: Fraction
    completion: Fraction

    @property
    def worst(self) -> Fraction:
        """Both together."""
        return self.prompt + self.completion


class Bill:
    """What one server's calls cost, attempts whose answer was lost or unreadable too.

    Attributes:
        counted: Dollars by the tokens that the server counted.
        uncounted: Dollars, at most, of what it did not count.
        num_uncounted: Calls with tokens that it did not count.
    """

    def __init__(self, price: Price, budget: Budget) -> None:
        self._prices = [Fraction(repr(float(dollars))) / 10**6 for dollars in price]
        self._budget = budget
        self.counted = self.uncounted = Fraction(0)
        self.num_uncounted = 0

    async def hold(self, request: bytes) -> Held:
        """Hold the most that a call can cost; no tokenizer makes more tokens of a text than it has bytes."""
        body = orjson.loads(request)
        limit = body.get("max_tokens") or body.get("max_completion_tokens") or MAX_TOKENS
        held = Held((len(request) + TEMPLATE_TOKENS) * self._prices[0], limit * body.get("n", 1) * self._prices[1])
        await self._budget.hold(held.worst)
        return held

    def settle(self, held: Held, reply: bytes) -> None:
        """Take a call's cost from the reply's `usage`; what it does not say counts at its worst."""
        usage = _usage_of(reply)
        read = _count(usage, "prompt_tokens")
        written = _count(usage, "completion_tokens")
        if written and (both := _count(usage, "total_tokens")):
            written = max(written, both - (read or 0))  # some leave the model's thoughts out of what it wrote
        known = unknown = Fraction(0)
        for count, price, most in zip((read, written), self._prices, held, strict=True):
            known += (count or 0) * price
            unknown += most if count is None else 0
        self.counted += known
        # What is free need not be counted: servers that embed write no token.
        self._add_uncounted(unknown, unknown > 0)
        self._budget.settle(held.worst, known + unknown)

    def lose(self, held: Held) -> None:
        """Count a call at its worst: its answer did not come, and may have to be paid for."""
        self._add_uncounted(held.worst, True)
        self._budget.settle(held.worst, held.worst)

    def release(self, held: Held) -> None:
        """Count a call as free: it was refused, or never reached the server."""
        self._budget.settle(held.worst, Fraction(0))

    def _add_uncounted(self, dollars: Fraction, is_uncounted: bool) -> None:
        self.uncounted += dollars
        self.num_uncounted += is_uncounted

    def sentence(self) -> str:
        """Report the cost."""
        text = show_dollars(self.counted)
        if self.num_uncounted:
            most = show_dollars(self.uncounted, up=True)
            text += f" and at most {most} for {say_count(self.num_uncounted, 'call')} whose tokens were not counted"
        return text


def _usage_of(reply: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(reply)
    except orjson.JSONDecodeError:
        return {}
    usage = body.get("usage") if isinstance(body, dict) else None
    return usage if isinstance(usage, dict) else {}


def _count(usage: dict[str, Any], name: str) -> int | None:
    """Return a count above 0; a server that counts nothing may say 0."""
    value = usage.get(name)
    return int(value) if is_token_count(value) and value else None


def show_dollars(dollars: Fraction | float, *, up: bool = False) -> str:
    """Show an amount: four decimals, and the first digit that is not 0 of a smaller one.

    >>> show_dollars(Fraction(1, 8)), show_dollars(0.00000123), show_dollars(0), show_dollars(Fraction(1, 3), up=True)
    ('$0.1250', '$0.000001', '$0.0000', '$0.3334')
    """
    exact = Fraction(dollars)
    digits = 4
    while exact and exact < Fraction(1, 10**digits) and digits < 12:
        digits += 1
    scaled = exact * 10**digits
    number = -int(-scaled // 1) if up else round(scaled)
    whole, rest = divmod(number, 10**digits)
    return f"${whole:,}.{rest:0{digits}d}"
