"""An evaluation is one file: its options, what it counts, and its command. Everything else follows, or is generated."""

import json

import pytest

from tests.house.copied_package import CopiedPackage

PATH = "real_cli/evaluate/reply_lengths.py"
EVALUATION = '''"""real eval reply-lengths: how long replies are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.typed_command import typed_command
from real_cli.errors import RecordError, Status
from real_cli.evaluate.evaluation import Evaluation, Exclusion, Summary, run_evaluation
from real_cli.evaluate.options import EvaluationOptions
from real_cli.records.record import Record, to_candidates

if TYPE_CHECKING:
    from real_cli.report.contents import Report
    from real_cli.report.examples import Examples


class ReplyLengths(Evaluation):
    """Counts replies of more words than a limit."""

    name = "reply-lengths"

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._prompts: list[int] = []
        self._is_long: list[bool] = []
        self._lengths: Counter[int] = Counter()

    def add(self, record: Record, place: str = "") -> Sequence[Exclusion]:
        """Count the replies of one record."""
        responses = to_candidates(record)["responses"]
        if len(responses) > 3:
            raise RecordError("more than three replies")
        if record["prompt"] == "Anything?":
            return [Exclusion(place, record, "without a question")]
        for response in responses:
            self._prompts.append(hash(record["prompt"]))
            self._is_long.append(len(response["text"].split()) > self._limit)
            self._lengths[len(response["text"].split())] += 1
        return ()

    def summary(self) -> Summary:
        """Give the share of long replies."""
        from real_cli.stats.proportions import estimate_share

        share = estimate_share(self._is_long, self._prompts)
        return {"num_replies": share.num_rows, **share.fields("share_long"), "notes": ["words are what spaces part"]}

    def report(self, summary: Summary, examples: "Examples") -> "Report":
        """Say the share."""
        from real_cli.report.contents import Report
        from real_cli.report.numbers import show_share

        return Report("Lengths of replies", f"Long: {show_share(summary, 'share_long')}.", ())


@dataclass(frozen=True, kw_only=True)
class ReplyLengthsOptions(EvaluationOptions):
    """What is long."""

    long: Annotated[int, typer.Option("--long", metavar="N", help="A reply of more words is long.")] = 2


@typed_command
def reply_lengths(options: ReplyLengthsOptions) -> Status:
    """Measure how long replies are.

    Streams; holds a few bytes a reply.
    """
    return run_evaluation(ReplyLengths(options.long), options.job(), options.report)
'''
RECORDS = [
    {"prompt": "Who?", "responses": [{"text": "You and me"}, {"text": "You"}]},
    {"prompt": "Why?", "chosen": "For the sake of it", "rejected": "No"},
    {"prompt": "Anything?", "chosen": "Yes", "rejected": "No"},
    {"prompt": "Which?", "responses": [{"text": text} for text in "abcd"]},
]
INPUT = "".join(f"{json.dumps(record)}\n" for record in RECORDS)


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The package with one file more."""
    package = CopiedPackage(tmp_path_factory.mktemp("copy"))
    package.add(PATH, EVALUATION)
    package.renew()
    return package


def test_an_added_evaluation_reads_counts_rejects_and_reports(copied, tmp_path):
    """Reading, rounding, rejects, notes, the report and the exit status are the driver's."""
    words = ["--on-error", "skip", "--rejects", tmp_path / "rejects", "--report", tmp_path / "r.html"]
    written, messages = copied.real("eval", "reply-lengths", *words, input=INPUT, status=3)
    summary = json.loads(written)
    # Wilson's of 2 out of 4 where prompts repeat and are fewer than ten: none.
    assert summary == {
        "num_replies": 4, "share_long": 0.5, "share_long_low": None, "share_long_high": None,
        "notes": ["words are what spaces part"],
    }  # fmt: skip
    assert messages == "real: words are what spaces part; left out: 1 without a question; 1 rejected\n"
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "rejects").read_text().splitlines()]
    assert reasons == ["without a question", "more than three replies"]
    assert "Long: 50.0% (no interval can be given)." in (tmp_path / "r.html").read_text()


def test_an_added_evaluation_has_options_and_refuses_as_others_do(copied):
    written, _ = copied.real("eval", "reply-lengths", "--long", "4", "-q", input=INPUT.splitlines()[1])
    assert json.loads(written)["share_long"] == 0.5
    _, messages = copied.real("eval", "reply-lengths", input=INPUT, status=1)
    assert messages == "real: <stdin>:4: more than three replies\n"


def test_an_added_evaluation_is_listed_and_its_help_loads_nothing_heavy(copied):
    shown, _ = copied.real("eval", "--help")
    assert "reply-lengths  Measure how long replies are." in shown
    code = (
        "import json, sys; from typer.testing import CliRunner; from real_cli.app import app\n"
        "done = CliRunner().invoke(app, ['eval', 'reply-lengths', '--help'])\n"
        "print(json.dumps([done.exit_code, '--long N' in done.stdout, 'numpy' in sys.modules, 'torch' in sys.modules]))"
    )
    assert json.loads(copied.python("-c", code)) == [0, True, False, False]


def test_only_generated_files_change(copied):
    """The table of evaluations, the README's table, the pages: its own, and those that refer to it."""
    changed = [path for path in copied.changed() if path != PATH]
    assert [path for path in changed if not path.startswith("man/")] == ["README.md", "real_cli/evaluate/faces.py"]
    assert "man/real-eval-reply-lengths.1" in changed
    assert {path.rpartition(".")[2] for path in changed if path.startswith("man/")} == {"1", "md"}
    assert [path for path in changed if path.endswith(".md")] == ["README.md", "man/real.1.md"]  # between their marks
