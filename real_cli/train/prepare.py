"""A training run from records to a checkpoint folder, in steps that a command can report between."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from real_cli.errors import RealError, RecordError
from real_cli.io.job import Located, RecordReader
from real_cli.io.sources import SourceOptions
from real_cli.models.score.columns import add_reference
from real_cli.models.score.token_counts import LeftOut
from real_cli.models.score.tokens import ExampleTokenizer, TokenizedExample
from real_cli.records.cut_marks import has_cut_response
from real_cli.records.layouts import adapt_alone
from real_cli.records.record import Record, is_preference
from real_cli.train.batches.mismatch import with_mismatched
from real_cli.train.examples import Example, ExampleReader, unpaired_rows
from real_cli.train.objective import Responses
from real_cli.train.settings import STAGE, TrainingSettings
from real_cli.train.shared.settings import PLACE_IN_ORDER, WEIGHT, RunSettings
from real_cli.train.tokenized import ExampleSet, tokenize_to_disk

SPLIT_PAIR = "with a pair, split into a completion labeled true and one labeled false"


def read_held_out(path: Path, settings: RunSettings, notes: Tally[str]) -> Iterator[Located]:
    """Read the records of --eval-file, and add to the notes how many of them were joined or split."""
    source = RecordReader([str(path)], reading=SourceOptions(numbers=settings.number_fields))
    yield from read_records(source, settings, held_out=True)
    for note, number in source.joined_rows.num_noted.items():
        notes[f"of --eval-file {note}"] += number


def read_records(source: RecordReader, settings: RunSettings, *, held_out: bool = False) -> Iterator[Located]:
    """Read the records of a run: for a loss on single completions a record for each of them."""
    check = settings.reader(held_out=held_out)
    if not settings.is_unpaired:
        return source.check(check, source.records())
    return source.check(check, _completions(source))


def _completions(source: RecordReader) -> Iterator[Located]:
    for place, record in source.records(adapt_alone):
        source.joined_rows.num_noted.update([SPLIT_PAIR] * is_preference(record))
        for row in unpaired_rows(record):
            yield Located(place, row)


def prepare(
    lines: Iterable[Located],
    read: ExampleReader,
    tokenize: ExampleTokenizer,
    arrow: Path,
    settings: TrainingSettings,
    *,
    use_given: bool,
    refuse: Callable[[Located, str], None],
    leave_out: Callable[[Located, LeftOut], None] = lambda line, reason: None,
    what: str = "train",
) -> ExampleSet:
    """Tokenize and weigh the records of a run; weights get mean 1 unless the settings keep them raw."""
    marked = {Responses.copies: tokenize.with_copies, Responses.ranking: tokenize.ranking}
    tokenize_marked = marked.get(settings.mixture.responses)
    is_triple = settings.mixture.responses is Responses.triple

    def tokenized(line: Located) -> tuple[Example, TokenizedExample] | None:
        record = line.record
        try:
            example = read(record)
            tokens: TokenizedExample | LeftOut
            if tokenize_marked is not None:
                tokens, marks = tokenize_marked(record, example.responses, example.marks)
                example = example._replace(marks=marks)
            elif settings.is_unpaired:
                tokens = tokenize.responses(record, example.responses)
            else:
                tokens = tokenize(record, example.responses)
        except RecordError as error:
            refuse(line, str(error))
            return None
        if isinstance(tokens, LeftOut):
            leave_out(line, tokens)
            return None
        tokenize.counts.num_is_cut += has_cut_response(record, with_reference=is_triple)
        return example, tokens

    alone = arrow.with_suffix(".alone.arrow") if settings.is_unpaired else arrow
    examples = tokenize_to_disk(
        lines, tokenized, alone, read.columns, use_given=use_given and settings.uses_given_scores
    )
    check_any(examples, what, tokenize.counts.sentence(tokenize.max_length, settings.noun), settings.noun)
    weigh(examples, settings)
    return _beside_others(examples, settings, alone, arrow, what) if settings.is_unpaired else examples


def _beside_others(examples: ExampleSet, settings: TrainingSettings, alone: Path, arrow: Path, what: str) -> ExampleSet:
    """Put completions in the order of training, each beside one of another prompt; held-out ones have no stages."""
    every = list(range(len(examples.scores)))
    stages = [rows for _, rows in stages_of(examples, settings)] if what == "train" else [every]
    compared = with_mismatched(examples, stages, settings, arrow)
    alone.unlink()
    return compared


def check_any(examples: ExampleSet, what: str, why: str, noun: str = "pair") -> None:
    """Refuse a run of which no pair, or what `noun` says, is left; `why` says what became of them."""
    if examples.rows is None:
        purpose = "train on" if what == "train" else "measure in --eval-file"
        raise RealError(f"no {noun} to {purpose}: {why or 'none could be read'}")


def weigh(examples: ExampleSet, settings: RunSettings) -> None:
    """Give the weights, if there are any, mean 1, unless the settings keep them raw."""
    if settings.weight_field is None:
        return
    weights = examples.columns[WEIGHT]
    mean = sum(weights) / len(weights)
    if not mean:
        raise RealError(f"--weight-field {settings.weight_field}: all weights are 0; there is nothing to learn")
    if settings.normalize_weights:
        for index, weight in enumerate(weights):
            weights[index] = weight / mean


def ordered_rows(examples: ExampleSet, settings: RunSettings) -> list[int]:
    """List rows in training order; a shuffle comes later, by the seed."""
    rows = list(range(len(examples.scores)))
    if settings.order_field is not None:
        sign = -1 if settings.order.startswith("-") else 1
        rows.sort(key=lambda row: sign * examples.columns[PLACE_IN_ORDER][row])  # stable: equals stay as given
    return rows


def stages_of(examples: ExampleSet, settings: TrainingSettings) -> list[tuple[float | None, list[int]]]:
    """Split rows into stages, in training order; a run without stages is one unnamed stage."""
    rows = ordered_rows(examples, settings)
    if not settings.stages:
        return [(None, rows)]
    stages = examples.columns[STAGE]
    return [(stage, [row for row in rows if stages[row] == stage]) for stage in sorted(set(stages))]


def with_reference_fields(lines: Iterable[Located], examples: ExampleSet) -> Iterator[Record]:
    """Add reference log-probabilities to the records they belong to; a record that was left out gets none."""
    scores = dict(zip(examples.rows["number"], examples.scores, strict=True))
    for number, line in enumerate(lines, 1):
        score = scores.get(number)
        yield line.record if score is None else add_reference(line.record, score)
