"""What asking may cost: prices and limits that options give."""

from fractions import Fraction
from typing import Protocol

from real_cli.errors import UsageError, clip
from real_cli.llm.cost import Price
from real_cli.llm.spending.budget import Budget

LARGEST_PRICE = 1_000_000  # a dollar a token
LARGEST_COST = 1_000_000_000


class Costly(Protocol):
    """Options of what may cost money."""

    @property
    def endpoint(self) -> str | None:
        """The server."""

    @property
    def max_cost(self) -> float | None:
        """Most dollars."""

    @property
    def price(self) -> str | float | None:
        """Dollars for a million tokens."""

    @property
    def no_cache(self) -> bool:
        """Whether answers are not kept."""


def check_cost(options: Costly, prices: str = "IN,OUT") -> None:
    """Refuse a limit on the cost that nothing could hold, or that loses what was paid for."""
    limit = options.max_cost
    if limit is None:
        return
    _check_limit(limit)
    if options.endpoint is not None and options.price is None:
        raise UsageError(f"--max-cost {limit:g}: no price is known; give --price {prices}, dollars a million tokens")
    if options.no_cache:
        raise UsageError("--max-cost: answers that were paid for would be lost where it stops; leave out --no-cache")


def open_budget(options: Costly) -> Budget:
    """Open the budget that a run's servers share."""
    if options.max_cost is None:
        return Budget(None)
    _check_limit(options.max_cost)  # it is opened before each server's options are checked
    return Budget(Fraction(repr(options.max_cost)))


def _check_limit(limit: float) -> None:
    if not 0 < limit <= LARGEST_COST:  # NaN too
        raise UsageError(f"--max-cost {limit:g}: dollars above 0 are needed, up to {LARGEST_COST:,}")


def parse_price(text: str | None) -> Price | None:
    """Read the prices of tokens read and written."""
    if text is None:
        return None
    try:
        prices = [float(part) for part in text.split(",")]
    except ValueError:
        prices = []
    if len(prices) != 2 or not all(0 <= price <= LARGEST_PRICE for price in prices):
        raise UsageError(
            f"--price {clip(text)}: two numbers from 0 to {LARGEST_PRICE:,}, dollars a million tokens, are needed, as "
            "0.15,0.60"
        )
    return Price(*prices)
