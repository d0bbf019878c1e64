"""`relabel shape`: a record at a time, or all of them twice where the shaping looks at the whole input."""

from array import array
from collections.abc import Iterator

import numpy as np
import orjson

from real_cli.io.job import Job
from real_cli.io.two_pass import ValueSpool
from real_cli.records.record import Record
from real_cli.relabel.shape.by_input import Statistics
from real_cli.relabel.shape.by_record import Shaper


def shaped(job: Job, shaper: Shaper) -> Iterator[Record]:
    """Shape the records of a job.

    Args:
        job: Its records; it rejects those without scores.
        shaper: Says whether it needs all scores first; then records wait on disk, and a number a response in memory.

    Yields:
        Records with shaped scores, in their order.
    """
    if not shaper.needs_all:
        yield from (record for _, record in job.apply(shaper.shape, job.records()))
        return
    scores = array("d")
    with ValueSpool() as spool:
        for _, (record, found) in job.apply(lambda record: (record, shaper.read(record)), job.records()):
            scores.extend(found)
            spool.add(record, 0.0)
        if not scores:
            return
        statistics = Statistics.of(np.array(scores))
        for line in spool.lines(np.ones(len(spool), dtype=bool)):
            yield shaper.shape(orjson.loads(line), statistics)
