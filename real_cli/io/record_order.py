"""The lines of a shard's output by the numbers of their records, which a resumed run may have left in another order."""

from array import array
from pathlib import Path

import numpy as np

from real_cli.io.jsonl import parse_record
from real_cli.io.output import open_output
from real_cli.records.shards import numbered_mark


def put_in_order(path: Path) -> None:
    """Sort the lines of a numbered output by their records; a file of others, or in order already, stays as it is.

    Memory holds two numbers a line. The file is replaced as a whole.
    """
    records, ends = array("q"), array("q", [0])
    with path.open("rb") as file:
        for line in file:
            mark = numbered_mark(parse_record(line))
            if mark is None:
                return
            records.append(mark.record)
            ends.append(ends[-1] + len(line))
    numbers = np.array(records, dtype=np.int64)
    if (np.diff(numbers) >= 0).all():
        return
    with path.open("rb") as file, open_output(path) as stream:
        for index in np.argsort(numbers, kind="stable").tolist():
            file.seek(ends[index])
            stream.write(file.read(ends[index + 1] - ends[index]))
