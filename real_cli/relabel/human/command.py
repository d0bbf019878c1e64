"""real relabel human: a person says which of two responses is better."""

import os
import shlex
import stat
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.options import Seed
from real_cli.cli.shard_options import ShardOptions
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Paused, RealError, Status, UsageError
from real_cli.io.descriptors import need_descriptors
from real_cli.io.output import STANDARD_OUTPUT, is_device
from real_cli.io.progress import Counter
from real_cli.records.choices import Ties
from real_cli.relabel.human.choices import AnnotationTool

if TYPE_CHECKING:
    from real_cli.io.job import Job

# The journal, the input, the output and the rejects, three pipes, the terminal and its lock.
NUM_DESCRIPTORS = 13
LARGEST_IMPORT_BYTES = 1 << 29


@dataclass(frozen=True, kw_only=True)
class HumanOptions(ShardOptions):
    """How a person is asked, and where the answers are kept."""

    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            metavar="FILE",
            show_default="the output's name with .journal",
            help="Where each answer is written before the next question; a later run goes on from it.",
        ),
    ] = None
    repeat: Annotated[
        str,
        typer.Option(
            "--repeat",
            metavar="SHARE%",
            help="Ask this share of the pairs a second time, swapped, and report how often the answer is the same.",
        ),
    ] = "0%"
    ties: Annotated[
        Ties,
        typer.Option("--ties", help="'drop' leaves ties out, 'keep' writes them unlabeled, both responses at rank 1."),
    ] = Ties.drop
    export: Annotated[
        AnnotationTool | None,
        typer.Option("--export", show_default=False, help="Do not ask: write the questions as this tool's import."),
    ] = None
    answers: Annotated[
        Path | None,
        typer.Option(
            "--import",
            metavar="FILE",
            show_default=False,
            help="Do not ask: read the answers from this tool's export; several annotators decide by majority.",
        ),
    ] = None
    seed: Seed = 0


@typed_command
def human(options: HumanOptions) -> Status:
    """Ask a person which response of each pair is better.

    Questions appear on the terminal while data flow through the pipe; other 'real' commands on it are silent meanwhile.
    Reads pairs, unlabeled (two responses) or to be labeled anew; writes pairs with 'annotation': the verdict, the order
    the two were shown in, seconds, a note. The order is drawn for each pair and undone, and no field but prompt and
    texts is shown: whose response is whose stays unknown. Keys: a, b, t for a tie, s to skip, u to go back, n for a
    note, q to pause, Q to finish, ? for all. Code is shown as it is; what had to be cut continues behind a mark. Every
    answer is in the journal before the next question, so that the same command, run again, goes on after a pause or a
    lost connection. A skip holds as well. Ties, skips and equal texts make no pair: they are counted, and kept with
    --rejects.

    A pause (q, Ctrl-C) ends with status 130 and writes no -o FILE, so that make does not take a part for the whole;
    down a pipe goes what is answered. Q finishes with what is answered and leaves the rest out, with status 0; if no
    answer makes a record, with status 1 and no -o FILE. A response that its token limit cut is marked behind its end.

    Without a terminal, --export writes the questions for another tool and --import reads its answers: CSV whose
    'verdict' column says a, b, tie or skip; a JSON export of Label Studio; JSON of Argilla's records.to_json.

    Streams: a pair is written when its answer can no longer change, 20 answers later or at the end.

    \b
    Examples:
      real pair --orient none embedded.jsonl | real relabel human --journal mine.journal > labeled.jsonl
      real relabel human --repeat 5% -o labeled.jsonl to-label.jsonl
      real relabel human --journal mine.journal --ties keep to-label.jsonl | real eval winrate --model new
      real relabel human --export csv to-label.jsonl > questions.csv
      real relabel human --import answers.csv to-label.jsonl > labeled.jsonl

    \b
    Label Studio's labeling configuration for --export label-studio:
      <View style="white-space: pre-wrap">
        <Text name="prompt" value="$prompt"/>
        <Text name="a" value="$response_a"/>
        <Text name="b" value="$response_b"/>
        <Choices name="verdict" toName="prompt" choice="single-radio"
                 required="true">
          <Choice value="a"/><Choice value="b"/>
          <Choice value="tie"/><Choice value="skip"/>
        </Choices>
      </View>
    For Argilla: text fields prompt, response_a, response_b; a label question 'verdict' with a, b, tie, skip.
    """
    from real_cli.relabel.human.pair import parse_share

    share = parse_share(options.repeat)
    _check_ways(options)
    path = None if options.export or options.answers else _journal_path(options.journal, options.output)
    job = options.job(also_writes=[path], also_reads=[("--import", options.answers)])
    if options.export:
        return _export(job, options.export, options.seed)
    if options.answers:
        return _import(job, options.answers, options)
    assert path is not None, "there is a journal where somebody is asked"
    return _ask(job, path, share, options)


def _ask(job: "Job", path: Path, share: Fraction, options: HumanOptions) -> Status:
    from real_cli.io.sources import is_at_hand
    from real_cli.relabel.human.annotator import STATUSES, Annotator, Ending
    from real_cli.relabel.human.journal import Journal
    from real_cli.relabel.human.outcome import SessionOutcome, say_agreement
    from real_cli.relabel.human.session import Session

    need_descriptors(NUM_DESCRIPTORS)
    output, seed = options.output, options.seed
    quiet, job.counter = job.quiet, Counter("records", quiet=True)  # a progress line would spoil the screen
    is_held, is_piped, name = _shows_output(output), _is_piped(), _output_name(output)
    with Journal(path, seed) as kept, job:
        outcome = SessionOutcome(job, options.ties, is_held=is_held)
        session = Session(kept.answers, kept.repeats, share=share, seed=seed)
        annotator = Annotator(job, session, kept, outcome, seed)
        ending = annotator.run()
        goes_on = f"{path} has every answer; run the same command again to go on"
        if ending in STATUSES and output is not None and output != STANDARD_OUTPUT and not is_device(output):
            annotator.count_answers()
            message = f"{annotator.standing(ending)}: {outcome.answers}; {goes_on}"
            raise Paused(message, STATUSES[ending])  # the output is unfinished and must not look complete
        standing = annotator.standing(ending)
        try:
            annotator.leave(to_the_end=all(is_at_hand(name) for name in job.sources))
            job.flush()
        except OSError as error:  # whatever ended the session may have ended the rest of the pipe too
            if ending not in STATUSES:
                raise
            raise Paused(f"{standing}; {_say_lost(error)}: {goes_on}", STATUSES[ending]) from None
        standing = annotator.standing(ending)  # of the rest too, which is read now
        if ending is Ending.finished and outcome.is_empty:
            raise RealError(f"{standing}: {outcome.answers}, nothing to write; {goes_on}")
        handed_on = "" if ending not in STATUSES else _say_handed_on(is_piped and ending is not Ending.paused)
        kept_in = f"{path} has every answer" if ending is Ending.done else goes_on
        job.summary = f"{standing}: {outcome.sentence}{handed_on}; {kept_in}"
        job.summary += f"; {path} has {annotator.unused}" if annotator.unused else ""
        job.summary += say_agreement(*session.agreement())
        if ending not in STATUSES and outcome.next_command and name:
            job.summary += f"; next: {outcome.next_command} {name}"
        job.quiet = quiet and ending not in STATUSES
    return STATUSES.get(ending, job.status)


def _say_handed_on(is_uncertain: bool) -> str:
    """Ctrl-C, and a terminal that closes, reach every command of the pipe."""
    return " handed on" + (", unless the next command was stopped too" if is_uncertain else "")


def _is_piped() -> bool:
    """Tell whether another command reads standard output; to be asked before the job takes it."""
    return stat.S_ISFIFO(_mode_of_stdout())


def _mode_of_stdout() -> int:
    """Ask what standard output is; 0 where it is closed, or no file of the system."""
    try:
        return os.fstat(sys.stdout.fileno()).st_mode if sys.stdout is not None else 0
    except OSError:
        return 0


def _say_lost(error: OSError) -> str:
    return "the next command of the pipe is gone" if isinstance(error, BrokenPipeError) else str(error.strerror)


def _output_name(output: Path | None) -> str:
    """Name the file that the output is, for a command line; empty for a pipe, whose next command has it already."""
    if output is not None and output != STANDARD_OUTPUT:
        return "" if is_device(output) else shlex.quote(str(output))
    return "FILE" if stat.S_ISREG(_mode_of_stdout()) else ""


def _check_ways(options: HumanOptions) -> None:
    """Refuse options that contradict each other or would be ignored."""
    if options.export and options.answers:
        raise UsageError("--export writes questions and --import reads answers; give one of them")
    unread = options.flags_given("journal", "repeat")
    if (options.export or options.answers) and unread:
        raise UsageError(f"{'--export' if options.export else '--import'} asks nobody; leave out {unread[0]}")
    if options.answers == STANDARD_OUTPUT:  # the name of standard input too
        raise UsageError("--import -: standard input has the records; name a file")
    if options.export and options.ties is Ties.keep:
        raise UsageError("--export has no answers yet; give --ties with --import")


def _journal_path(journal: Path | None, output: Path | None) -> Path:
    if journal:
        return journal
    if output is None or output == STANDARD_OUTPUT or is_device(output):
        raise UsageError("answers need a place on disk; give --journal FILE, or -o FILE and they go to FILE.journal")
    return output.with_name(f"{output.name}.journal")


def _shows_output(output: Path | None) -> bool:
    """Tell whether records would be written to the screen."""
    return output in (None, STANDARD_OUTPUT) and sys.stdout.isatty()


def _export(job: "Job", tool: AnnotationTool, seed: int) -> Status:
    from real_cli.relabel.human.annotator import questions
    from real_cli.relabel.human.exports import FORMATS, shown_fields
    from real_cli.text.phrases import say_count

    head, write, between, foot = FORMATS[tool]
    keys: set[str] = set()
    with job:
        job.write_line(head.encode())
        for question in questions(job, seed):
            if question.key in keys:
                job.drop(question.place, question.record, "same as an earlier one")
                continue
            job.write_line(((between if keys else "") + write(shown_fields(question))).encode())
            keys.add(question.key)
        job.write_line(foot.encode())
        job.summary = say_count(len(keys), "question")
    return job.status


def _read_bounded(path: Path) -> bytes:
    """Read a file of answers, at most LARGEST_IMPORT_BYTES: a device may never end."""
    with path.open("rb") as file:
        data = file.read(LARGEST_IMPORT_BYTES + 1)
    if len(data) > LARGEST_IMPORT_BYTES:
        raise UsageError(f"--import {path}: holds more than {LARGEST_IMPORT_BYTES >> 20} MiB; split it")
    return data


def _import(job: "Job", path: Path, options: HumanOptions) -> Status:
    from real_cli.relabel.human.annotator import questions
    from real_cli.relabel.human.exports import count_votes, read_votes
    from real_cli.relabel.human.outcome import SessionOutcome, say_unused

    answers = count_votes(read_votes(_read_bounded(path), str(path)))
    outcome = SessionOutcome(job, options.ties)
    unknown = set(answers)
    with job:
        for question in questions(job, options.seed):
            unknown.discard(question.key)
            outcome.add(question, answers.get(question.key))
        job.summary = outcome.sentence
        if unknown:
            job.summary += f"; {say_unused(len(unknown))}"
    return job.status
