"""Names and values that each line of `--rows` carries, so that rows of many runs can be told apart."""

from collections.abc import Mapping, Sequence

import orjson

from real_cli.errors import RecordError, UsageError, clip
from real_cli.evaluate.margin.margins import PairMargin
from real_cli.evaluate.margin.training_data import COST_FIELDS, RESULT_FIELDS
from real_cli.io.integers import check_integers
from real_cli.records.messages import is_number

Tag = str | int | float

# What a line has without tags.
ROW_FIELDS = (
    "id", "place", "policy", "prompt_key", *PairMargin(0.0, 0.0, 0.0).row(1.0), *RESULT_FIELDS, *COST_FIELDS
)  # fmt: skip


def read_tags(texts: Sequence[str]) -> Mapping[str, Tag]:
    """Read tags as a user writes them, NAME=VALUE; a value that is a JSON number becomes that number.

    >>> read_tags(["strategy=easy", "budget=320", "share=0.4"])
    {'strategy': 'easy', 'budget': 320, 'share': 0.4}
    """
    tags: dict[str, Tag] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name.strip() and sign and value.strip()):
            raise UsageError(f"--tag {clip(text)}; NAME=VALUE, such as strategy=easy")
        _check_unicode(text)
        if name in ROW_FIELDS:
            raise UsageError(f"--tag {clip(text)}: each row has a field '{name}' already; choose another name")
        if name in tags:
            raise UsageError(f"--tag {clip(text)}: '{name}' is given twice; give each name once")
        tags[name] = _number_or_text(text, value)
    return tags


def _number_or_text(text: str, value: str) -> Tag:
    try:
        number = orjson.loads(value)
        check_integers(value.encode())
    except orjson.JSONDecodeError:
        return value
    except RecordError as error:
        raise UsageError(f"--tag {clip(text)}: {error}") from None
    return number if is_number(number) else value


def _check_unicode(text: str) -> None:
    """Refuse bytes of the command line that are no text: JSON cannot hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"--tag {clip(text)}: is not UTF-8; write it in UTF-8") from None
