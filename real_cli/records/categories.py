"""The categories of a data set, by a field of its records."""

from typing import Any

from real_cli.errors import RecordError, UsageError, clip
from real_cli.records.messages import is_number
from real_cli.records.record import Record

# A field with more values names no category, and each is a row of the summary.
MOST_CATEGORIES = 1000


class Categories:
    """Numbers the values of a field in the order in which they come.

    Args:
        field: The field of a record; None has all records in one category.

    Raises:
        UsageError: If the field has no name.

    Example:
        >>> categories = Categories("task")
        >>> [categories.number_of({"task": value}) for value in ("sum", None, "code", "sum")]
        [0, 1, 2, 0]
        >>> categories.values(), categories.ranks()
        (['code', 'sum', None], [1, 2, 0])
    """

    def __init__(self, field: str | None) -> None:
        if field == "":
            raise UsageError("--by '': name a field of the record")
        self._field = field
        self._numbers: dict[tuple[str, Any], int] = {}

    def number_of(self, record: Record) -> int:
        """Return the number of a record's category.

        Args:
            record: A record; without the field its category is None.

        Returns:
            From 0.

        Raises:
            RecordError: If the value is no category, or one too many.
        """
        value = record.get(self._field) if self._field else None
        if not (value is None or isinstance(value, str | bool) or is_number(value)):
            raise RecordError(f"field '{self._field}' is {clip(value)}; a category is a text, a number, true or false")
        number = self._numbers.setdefault((type(value).__name__, value), len(self._numbers))
        if number >= MOST_CATEGORIES:
            del self._numbers[type(value).__name__, value]
            raise RecordError(
                f"field '{self._field}' is {clip(value)}, one more than {MOST_CATEGORIES:,} categories; choose another"
            )
        return number

    def values(self) -> list[Any]:
        """List the categories in the order of a summary: numbers, texts, then None."""
        return [value for _, value in self._ordered()]

    def ranks(self) -> list[int]:
        """Return for each number the place of its category in `values`."""
        places = {key: place for place, key in enumerate(self._ordered())}
        return [places[key] for key in self._numbers]

    def notes(self) -> list[str]:
        """Say that the categories are none: the field's name may be a slip."""
        if not self._field or any(kind != "NoneType" for kind, _ in self._numbers) or not self._numbers:
            return []
        return [f"no record has a value in field {clip(self._field)}: there is one category, null"]

    def _ordered(self) -> list[tuple[str, Any]]:
        return sorted(self._numbers, key=lambda key: (key[0] == "NoneType", key[0] == "str", str(key[1])))
