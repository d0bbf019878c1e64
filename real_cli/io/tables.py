"""Tables through `datasets`: Parquet files, dataset folders, and data sets of the hub."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from real_cli.errors import RealError, RecordError, show_name
from real_cli.io.jsonl import check_values
from real_cli.records.empty_prompts import with_empty_prompt
from real_cli.records.record import Record

DATASET = "hf:"
PARQUET = ".parquet"
# That many rows are in memory at a time: a thousand bytes of Parquet may expand to gigabytes.
BATCH_SIZE = 64
CSV_BUILDER = "csv"


class TableRow(NamedTuple):
    """One row: where it is, and the record or what is wrong with it."""

    place: str
    record: Record | None
    data: bytes = b""
    problem: str = ""


def read_table(name: str, read_csv_file: Callable[[str], Iterable[Any]]) -> Iterator[Any]:
    """Stream the rows of a Parquet file or of a data set.

    `read_csv_file` reads the CSV files of a data set, which `datasets` reads by rules of its own.
    """
    import datasets
    from huggingface_hub.utils import logging as hub_logging

    datasets.disable_progress_bars()
    hub_logging.set_verbosity_error()  # it warns of each try to reach the hub; the last one is an error
    try:
        if name.startswith(DATASET):
            path, _, split = name.removeprefix(DATASET).rpartition(":")
            path, split = (path, split) if path else (split, "train")
            builder = datasets.load_dataset_builder(path)
            files = builder.config.data_files if builder.__module__.endswith(f".{CSV_BUILDER}") else None
            if isinstance(files, Mapping) and split in files:
                for file in files[split]:
                    yield from read_csv_file(str(file))
                return
            rows = datasets.load_dataset(path, split=split, streaming=True)
        else:
            kind = PARQUET.removeprefix(".")
            rows = datasets.load_dataset(kind, data_files=name, split="train", streaming=True, batch_size=BATCH_SIZE)
        for number, row in enumerate(rows, 1):
            yield _checked(f"{show_name(name)}:{number}", with_empty_prompt(without_nulls(dict(row)), row, None))
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise RealError(f"{name}: cannot be read: {first}") from None


def without_nulls(value: Any) -> Any:
    """Drop null fields: a table's rows all have every field. Items of lists stay.

    >>> without_nulls({"tools": [{"name": "add", "arguments": {"a": 2, "city": None}}, None], "id": None})
    {'tools': [{'name': 'add', 'arguments': {'a': 2}}, None]}

    References:
        TRL's `remove_none_values`, for the same purpose.
    """
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return value


def _checked(place: str, record: Record) -> TableRow:
    try:
        check_values(record)
    except RecordError as error:
        return TableRow(place, None, repr(record).encode(), str(error))
    return TableRow(place, record)
