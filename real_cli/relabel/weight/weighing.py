"""`relabel weight --normalize`: hold all pairs on disk until what their weights are measured by is known."""

from collections.abc import Iterable, Iterator

import numpy as np
import orjson

from real_cli.io.two_pass import ValueSpool
from real_cli.records.choices import Normalization
from real_cli.records.record import Record
from real_cli.relabel.weight.weights import NORMALIZATIONS


def weighed(pairs: Iterable[tuple[Record, float]], normalization: Normalization) -> Iterator[Record]:
    """Put weights on pairs.

    Args:
        pairs: Records and their weights.
        normalization: What is made of all weights together; `none` passes every pair on as it comes.

    Yields:
        Records with `weight`, in their order.
    """
    scale = NORMALIZATIONS[normalization]
    if scale is None:
        yield from (record | {"weight": weight} for record, weight in pairs)
        return
    with ValueSpool() as spool:
        for record, weight in pairs:
            spool.add(record, weight)
        if len(spool):
            weights = scale(spool.values).tolist()
            lines = spool.lines(np.ones(len(spool), dtype=bool))
            for line, weight in zip(lines, weights, strict=True):
                yield orjson.loads(line) | {"weight": weight}
