"""What `pair` does with the whole input, held on disk until all is known: `--keep` and `--dedup-distance`."""

from collections.abc import Iterable, Iterator
from typing import IO, Any, Self

import numpy as np

from real_cli.io.job import Job, Located
from real_cli.io.jsonl import dump_record, parse_record
from real_cli.io.named import open_spool
from real_cli.io.two_pass import ValueSpool
from real_cli.pair.keep import keep_mask
from real_cli.pair.near_duplicates import DIGITS, Neighbors, Rows, find_neighbors, read_prompt_vector
from real_cli.pair.options import KeepOrder
from real_cli.records.record import Record

NEAR_DUPLICATE = "near-duplicate prompts"
# The prompt's embedding is long, and the distance says what was read from it.
PROMPT_VECTOR_FIELDS = frozenset({"embedding", "embedding_dtype"})


def distinct_prompts(job: Job, located: Iterable[Located], limit: float) -> Iterator[Located]:
    """Pass on the records whose prompt has no near-duplicate before it; the others are dropped."""
    with ValueSpool() as lines, VectorSpool() as vectors:
        for place, (record, vector) in job.apply(lambda record: (record, vectors.read(record)), located):
            light = {name: value for name, value in record.items() if name not in PROMPT_VECTOR_FIELDS}
            lines.add({"place": place, "record": light}, 0.0)
            vectors.add(vector)
        if not len(lines):
            return
        neighbors = find_neighbors(vectors.open(), limit)
        every = np.ones(len(lines), dtype=bool)
        for place, record, is_kept in _described(map(parse_record, lines.lines(every)), neighbors):
            if is_kept:
                yield Located(place, record)
            else:
                job.drop(place, record, NEAR_DUPLICATE)


def _described(spooled: Iterable[Record], neighbors: Neighbors) -> Iterator[tuple[str, Record, bool]]:
    """Add what is known of each prompt; only the ids of those that others repeat are held."""
    repeated = set(neighbors.firsts[~neighbors.is_first()].tolist())
    names: dict[int, Any] = {}
    for number, entry in enumerate(spooled):
        place, record = entry["place"], entry["record"]
        first = int(neighbors.firsts[number])
        name = record.get("id", place)
        if number in repeated:
            names[number] = name
        distance = float(neighbors.distances[number])
        measures = {
            "min_neighbor_distance": round(distance, DIGITS) if np.isfinite(distance) else None,
            "repeat_count": int(neighbors.counts[number]),
            "min_similar_id": names.get(first, name),
        }
        yield place, record | measures, first == number


class VectorSpool:
    """Vectors on disk, all of one length."""

    def __init__(self) -> None:
        self._size: int | None = None
        self._count = 0
        self._file: IO[bytes] = open_spool()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def read(self, record: Record) -> Rows:
        """Read the embedding of a record's prompt."""
        return read_prompt_vector(record, self._size)

    def add(self, vector: Rows) -> None:
        """Put one vector on disk."""
        self._size = vector.size
        self._count += 1
        self._file.write(vector.tobytes())

    def open(self) -> Rows:
        """Map the vectors into memory."""
        self._file.flush()
        return np.memmap(self._file, dtype=np.float32, mode="r", shape=(self._count, self._size or 0))


def kept_lines(job: Job, pairs: Iterable[Located], order: KeepOrder | None) -> Iterator[bytes]:
    """Write pairs as lines, those that stay."""
    if order is None:
        yield from (dump_record(pair.record) for pair in pairs)
        return
    with ValueSpool() as spool:
        valued = job.apply(lambda record: (record, order.value(record)), pairs)
        for _, (record, value) in valued:
            spool.add(record, value)
        count = order.keep.of(len(spool))
        yield from spool.lines(keep_mask(spool.values, count, lowest=order.lowest))
