"""Why a model did not load, in one line; and the JSON files that lie beside its weights."""

from typing import Any

import orjson


def load_problem(error: Exception) -> str:
    """Say in one line why a model did not load.

    Args:
        error: What the library raised.

    Returns:
        The first line of its message, and what to do.
    """
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, OSError) and ("huggingface.co" in str(error) or "not a valid model identifier" in str(error)):
        return "no such folder, and not to be had from the hub; give a local path or check the name"
    return first


def read_config(path: str, name: str) -> Any:
    """Read a JSON file of a model.

    Args:
        path: A folder, or a name on the hub.
        name: The file, as a path in it.

    Returns:
        What it holds; None if there is no such file.
    """
    from transformers.utils import cached_file

    found = cached_file(path, name, _raise_exceptions_for_missing_entries=False)
    if found is None:
        return None
    with open(found, "rb") as file:
        return orjson.loads(file.read())
