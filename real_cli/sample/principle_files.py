"""Files of principles: JSONL of {name, text, weight}, or TOML with one [[principle]] each."""

import tomllib
from pathlib import Path

from real_cli.errors import RecordError, UsageError, clip
from real_cli.io.jsonl import parse_record, read_lines
from real_cli.sample.principles import Principle, parse_principles


def read_principles(path: Path) -> tuple[Principle, ...]:
    """Read principles.

    Args:
        path: A .toml file, or JSONL.

    Returns:
        The principles.

    Raises:
        UsageError: If there is no such file, or it holds something else.
    """
    if not path.is_file():
        raise UsageError(f"--principles {path}: no such file")
    try:
        if path.suffix == ".toml":
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            entries = table.get("principle")
            if not isinstance(entries, list):
                raise UsageError(f"{path}: has {clip(sorted(table))}; [[principle]] is needed")
        else:
            with path.open("rb") as file:
                entries = [parse_record(data) for _, data in read_lines(file)]
    except (RecordError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    return parse_principles(entries, str(path))
