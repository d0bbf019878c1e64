"""Prompts whose responses a program can check, and the score of a response."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.demo_data import prompts
from tests.demo_data.checks import (
    Check,
    bullets,
    ends_with,
    equals,
    in_order,
    is_lower,
    is_number,
    is_upper,
    items,
    lacks,
    mentions,
    one_line,
    only_bullets,
    sentences,
    starts_with,
    word_count,
    words,
    wrapped,
)
from tests.demo_data.prompts import Row

SEED = 20
PER_FAMILY = 16
HELD_OUT_EVERY = 4


@dataclass(frozen=True)
class Task:
    """A prompt with the checks of its response.

    Args:
        id: Family and running number, for example `add-003`.
        prompt: The user's message.
        checks: Tests of a response; each counts the same.

    Example:
        >>> Task("add-001", "What is 1 + 1?", (equals("2"),)).family
        'add'
    """

    id: str
    prompt: str
    checks: tuple[Check, ...]

    @property
    def family(self) -> str:
        """Give the name of the family the task belongs to."""
        return self.id.rpartition("-")[0]

    @property
    def held_out(self) -> bool:
        """Tell whether the task is kept for testing: every fourth of each family."""
        return int(self.id.rpartition("-")[2]) % HELD_OUT_EVERY == 0


@dataclass(frozen=True)
class Family:
    """A kind of task: where its words come from and how its responses are checked.

    Args:
        rows: Makes the words of each prompt from a random generator.
        checks: Makes the checks from the words of one prompt.
    """

    rows: Callable[[Random], list[Row]]
    checks: Callable[[Row], tuple[Check, ...]]


def score(task: Task, text: str) -> float:
    """Give the share of a task's checks that hold for a response.

    Args:
        task: The task answered.
        text: The response.

    Returns:
        A number from 0 (no check holds) to 1 (all hold).

    Example:
        >>> score(Task("add-001", "What is 1 + 1?", (equals("2"), mentions("2"))), "It is 2")
        0.5
    """
    return sum(check(text) for check in task.checks) / len(task.checks)


def tasks() -> list[Task]:
    """Make all tasks of the demo, the same ones every time.

    Returns:
        The tasks, family by family.

    Example:
        >>> len(tasks()), tasks()[0].id
        (320, 'add-001')
    """
    result = []
    for name, family in FAMILIES.items():
        wordings = prompts.WORDINGS[name]
        for index, row in enumerate(family.rows(Random(f"{SEED}-{name}"))):
            prompt = wordings[index % len(wordings)].format(*row)
            result.append(Task(f"{name}-{index + 1:03d}", prompt, family.checks(row)))
    return result


def _fixed(*rows: Row) -> Callable[[Random], list[Row]]:
    """Give rows that need no random numbers."""
    return lambda random: list(rows)


def _singles(entries: tuple[str, ...]) -> Callable[[Random], list[Row]]:
    """Give rows of one entry each."""
    return _fixed(*((entry,) for entry in entries))


def _upper_singles(entries: tuple[str, ...]) -> Callable[[Random], list[Row]]:
    """Give rows of an entry in capitals, so that a shouted prompt is shouted all through."""
    return _singles(tuple(entry.upper() for entry in entries))


def _pairs(low: int, high: int) -> Callable[[Random], list[Row]]:
    """Draw different pairs of numbers, the larger number first."""
    pairs = [(str(a), str(b)) for a in range(low, high + 1) for b in range(low, a + 1)]
    return lambda random: list(random.sample(pairs, PER_FAMILY))


def _triples(random: Random) -> list[Row]:
    """Draw triples of different numbers that are not in rising order."""
    rows: list[Row] = []
    while len(rows) < PER_FAMILY:
        numbers = random.sample(range(2, 100), 3)
        row = tuple(map(str, numbers))
        if numbers != sorted(numbers) and row not in rows:
            rows.append(row)
    return rows


def _word_triples(random: Random) -> list[Row]:
    """Draw triples of different words that are not in alphabetical order."""
    rows: list[Row] = []
    while len(rows) < PER_FAMILY:
        row = tuple(random.sample(prompts.SORT_POOL, 3))
        if row != tuple(sorted(row)) and row not in rows:
            rows.append(row)
    return rows


def _number_checks(answer: int) -> tuple[Check, ...]:
    """Check for a number alone: short, no words, named, and nothing but right."""
    return (word_count(1, 3), is_number, mentions(str(answer)), equals(str(answer)))


def _order_checks(ordered: list[str]) -> tuple[Check, ...]:
    """Check for a sorted line: all named, in order, one line, exactly so many items."""
    return (mentions(*ordered), in_order(*ordered), one_line, items(len(ordered)))


def _last(subject: str) -> str:
    """Give the last word of a subject, which a response about it should name."""
    return words(subject)[-1]


FAMILIES: dict[str, Family] = {
    "add": Family(_pairs(2, 20), lambda row: _number_checks(int(row[0]) + int(row[1]))),
    "subtract": Family(_pairs(2, 20), lambda row: _number_checks(int(row[0]) - int(row[1]))),
    "multiply": Family(_pairs(2, 10), lambda row: _number_checks(int(row[0]) * int(row[1]))),
    "largest": Family(_triples, lambda row: _number_checks(max(map(int, row)))),
    "letters": Family(_singles(prompts.LETTER_WORDS), lambda row: _number_checks(len(row[0]))),
    "words": Family(_singles(prompts.LINES), lambda row: _number_checks(len(words(row[0])))),
    "sort_words": Family(_word_triples, lambda row: _order_checks(sorted(row))),
    "sort_numbers": Family(_triples, lambda row: _order_checks(sorted(row, key=int))),
    "one_word": Family(
        _singles(prompts.ONE_WORD), lambda row: (one_line, word_count(1, 1), word_count(1, 5), lacks(":", "*", "1"))
    ),
    "opposite": Family(
        _fixed(*prompts.OPPOSITES), lambda row: (one_line, word_count(1, 1), word_count(1, 5), equals(*row[1:]))
    ),
    "yes_no": Family(
        _fixed(*prompts.QUESTIONS),
        lambda row: (word_count(1, 5), word_count(1, 1), starts_with(row[1]), equals(row[1])),
    ),
    "lower_case": Family(
        _singles(prompts.SUBJECTS), lambda row: (is_lower, one_line, word_count(5, 30), mentions(_last(row[0])))
    ),
    "upper_case": Family(
        _upper_singles(prompts.DANGERS), lambda row: (is_upper, one_line, word_count(2, 20), mentions(_last(row[0])))
    ),
    "bullets": Family(
        _singles(prompts.PLANS), lambda row: (bullets(3), only_bullets, word_count(6, 40), lacks(":", "1."))
    ),
    "end_word": Family(
        _fixed(*prompts.ENDINGS), lambda row: (ends_with(row[1]), mentions(row[1]), sentences(1), word_count(4, 25))
    ),
    "no_comma": Family(_singles(prompts.SCENES), lambda row: (lacks(","), one_line, sentences(2), word_count(8, 40))),
    "start_phrase": Family(
        _singles(prompts.TIPS), lambda row: (starts_with("My tip is"), one_line, sentences(1), word_count(7, 30))
    ),
    "comma_list": Family(_singles(prompts.KINDS), lambda row: (one_line, items(3), word_count(3, 9), lacks(":", "1."))),
    "keywords": Family(
        _fixed(*prompts.PAIRS), lambda row: (mentions(row[0]), mentions(row[1]), sentences(1), word_count(5, 25))
    ),
    "brackets": Family(
        _singles(prompts.STORIES), lambda row: (wrapped("[", "]"), one_line, word_count(2, 8), lacks('"', ":"))
    ),
}
