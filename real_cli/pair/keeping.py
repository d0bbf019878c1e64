"""`--keep`: hold all pairs on disk until it is known which stay."""

from collections.abc import Iterable, Iterator

from real_cli.io.job import Job, Located
from real_cli.io.jsonl import dump_record
from real_cli.io.two_pass import ValueSpool
from real_cli.pair.keep import keep_mask, keep_value
from real_cli.pair.options import KeepOrder


def kept_lines(job: Job, pairs: Iterable[Located], order: KeepOrder | None) -> Iterator[bytes]:
    """Write pairs as lines, those that stay.

    Args:
        job: Rejects a pair that lacks the number to sort by.
        pairs: Pairs with their places.
        order: What to keep; None passes every pair on as it comes.

    Yields:
        Lines, in the order of the input.
    """
    if order is None:
        yield from (dump_record(pair.record) for pair in pairs)
        return
    with ValueSpool() as spool:
        valued = job.apply(lambda record: (record, keep_value(record, order.by, order.seed)), pairs)
        for _, (record, value) in valued:
            spool.add(record, value)
        count = order.keep.of(len(spool))
        yield from spool.lines(keep_mask(spool.values, count, lowest=order.lowest))
