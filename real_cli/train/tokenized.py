"""Tokenized examples on disk, as the trainer reads them: an Arrow file, memory-mapped."""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from real_cli.io.job import Located
from real_cli.io.progress import running_counter
from real_cli.models.score.columns import WINDOW_EXAMPLES, given_scores
from real_cli.models.score.scoring import Scorer, Scores, TokenScores
from real_cli.models.score.tokens import TokenizedExample
from real_cli.train.examples import Example
from real_cli.train.world import ALONE, World, this_world

SAMPLED = 1000


class ExampleSet(NamedTuple):
    """Examples that can be trained on.

    Attributes:
        rows: Token ids and marks of each usable example, and which record it was: a `datasets.Dataset` with prompt_ids,
            response_ids, marks, place, and number (from 1, in the spool).
        scores: Reference log-probabilities of each example in `rows`; None where they are still to be computed.
        token_scores: The same token by token, where they were computed so.
        prompts: A hash of each prompt in `rows`.
        columns: Numbers of each example in `rows`, by name.
        digest: Of the token ids and marks in `rows`, and their order.
    """

    rows: Any
    scores: list[Scores | None]
    token_scores: dict[int, TokenScores]
    prompts: list[int]
    columns: dict[str, "array[float]"]
    digest: str = ""

    def place(self, row: int) -> str:
        """Tell where the record of a row came from."""
        return str(self.rows["place"][row])

    def mean_length(self) -> float:
        """Average the tokens of the first response of some rows: a thousand tell it well enough."""
        responses = self.rows["response_ids"][:SAMPLED]
        return sum(len(row[0]) for row in responses) / len(responses)


# What the trainer reads of a row, and the hash that rows of one prompt share.
TRAINED = ("prompt_ids", "response_ids", "marks")
PROMPT = "prompt"


def tokenize_to_disk(
    lines: Iterable[Located],
    tokenize: Callable[[Located], tuple[Example, TokenizedExample] | None],
    path: Path,
    columns: Sequence[str] = (),
    *,
    use_given: bool = True,
) -> ExampleSet:
    """Tokenize examples into an Arrow file; scores are None unless taken from the records."""
    from datasets import Dataset

    examples = ExampleSet(None, [], {}, [], {name: array("d") for name in columns})
    digest = hashlib.sha256()
    with _open_arrow(path) as writer:
        for number, line in enumerate(lines, 1):
            usable = tokenize(line)
            if usable is None:
                continue
            example, tokens = usable
            row = {"prompt_ids": tokens.prompt, "response_ids": tokens.responses, "marks": example.marks}
            writer.write({**row, "number": number, "place": line.place})
            digest.update(orjson.dumps(row))
            examples.scores.append(given_scores(line.record) if use_given else None)
            examples.prompts.append(hash(tuple(tokens.prompt)))
            for name in columns:
                examples.columns[name].append(example.columns[name])
        if not examples.scores:
            return examples
        writer.finalize()
    return examples._replace(rows=Dataset.from_file(str(path)), digest=digest.hexdigest())


def write_rows(rows: Iterable[dict[str, Any]], path: Path) -> Any:
    """Write rows of an ExampleSet to an Arrow file of their own; returns them mapped."""
    from datasets import Dataset

    with _open_arrow(path) as writer:
        for row in rows:
            writer.write(row)
        writer.finalize()
    return Dataset.from_file(str(path))


def _open_arrow(path: Path) -> Any:
    from datasets import Features, List, Value
    from datasets.arrow_writer import ArrowWriter

    ids = List(Value("int32"))
    tokens_of = {"prompt_ids": ids, "response_ids": List(ids), "marks": List(Value("float64"))}
    features = Features({**tokens_of, "number": Value("int64"), "place": Value("string")})
    return ArrowWriter(path=str(path), features=features)


def forget_scores(examples: ExampleSet, indices: Sequence[int] | None) -> None:
    """Forget the reference log-probabilities of some rows (all if None): the reference has changed."""
    for index in range(len(examples.scores)) if indices is None else indices:
        examples.scores[index] = None


def fill_scores(
    examples: ExampleSet,
    scorer: Scorer,
    *,
    tokens: bool = False,
    indices: Sequence[int] | None = None,
    world: World = ALONE,
) -> Iterator[int]:
    """Compute missing scores, each (prompt, response) once; yield the number of rows in each window.

    Processes of a world take the windows in turn, and get each other's scores when all are done.
    """
    scores: dict[int, tuple[Scores, TokenScores | None]] = {}
    everything = range(len(examples.scores))
    for number, window in enumerate(_windows(examples, everything if indices is None else indices)):
        if number % world.size == world.rank:
            running_counter().begin_window(len(window))
            rows = [examples.rows[index] for index in window]
            scored = scorer.tokens([TokenizedExample(row["prompt_ids"], row["response_ids"]) for row in rows])
            for index, responses in zip(window, scored, strict=True):
                sums = [float(logps.sum(dtype="float64")) for logps in responses]
                scores[index] = sums, responses if tokens else None
            running_counter().begin_window(0)
        yield len(window)
    for index, (sums, token_scores) in chain.from_iterable(part.items() for part in world.gather(scores)):
        examples.scores[index] = sums
        if token_scores is not None:
            examples.token_scores[index] = token_scores


def _windows(examples: ExampleSet, indices: Sequence[int]) -> Iterator[list[int]]:
    """Group what is to be scored, all examples of a prompt in one window wherever they stand: it is run once."""
    together: dict[int, list[int]] = {}
    for index in indices:
        if examples.scores[index] is None:
            together.setdefault(examples.prompts[index], []).append(index)
    window: list[int] = []
    for indices in together.values():
        window += indices
        if len(window) >= WINDOW_EXAMPLES:
            yield window
            window = []
    if window:
        yield window


def trainable_rows(examples: ExampleSet, indices: Sequence[int] | None = None) -> Any:
    """Join token ids with row numbers, scores and columns, for some rows or all."""
    from datasets import disable_progress_bars

    disable_progress_bars()  # standard error is ours
    everything = list(range(len(examples.rows)))
    chosen = everything if indices is None else list(indices)
    trained = examples.rows.select_columns(list(TRAINED))
    # The chosen rows go to a file beside the others, which one process writes and all map.
    rows = trained if chosen == everything else this_world().in_turn(lambda: trained.select(chosen).flatten_indices())
    columns: dict[str, list[Any]] = {"row": chosen, PROMPT: [examples.prompts[index] for index in chosen]}
    columns["ref_logps"] = [examples.scores[index] for index in chosen]
    if examples.token_scores:
        columns["ref_token_logps"] = [examples.token_scores[index] for index in chosen]
    columns |= {name: [values[index] for index in chosen] for name, values in examples.columns.items()}
    for name, values in columns.items():
        rows = rows.add_column(name, values)
    return rows
