"""The driver that runs every evaluation: what it reads, counts, writes and returns."""

import json

import pytest

from real_cli.cli.option_sets import StreamOptions
from real_cli.errors import RealError, RecordError, Status
from real_cli.evaluate.evaluation import Evaluation, Exclusion, Fate, run_evaluation
from real_cli.evaluate.labels.survey import LabelSurvey
from real_cli.evaluate.limits import Gate, Limit
from real_cli.evaluate.margin.run import MarginRun
from real_cli.evaluate.pairs.health import PairHealth
from real_cli.evaluate.winrate.tally import WinrateTally
from real_cli.records.choices import OnError
from real_cli.report.contents import ExcerptRow, Report, Section
from real_cli.report.examples import examples_section
from real_cli.stats.intervals import Estimate


class Words(Evaluation):
    """Counts the words of prompts; holds each record back until the next one comes."""

    name = "words"

    def __init__(self):
        self.num_words, self.held, self.events = [], None, []

    def add(self, record, place=""):
        if record["prompt"] == "unfit":
            raise RecordError("the prompt is unfit")
        before, self.held = self.held, (place, record)
        return self._count(before)

    def finish(self):
        self.events.append("finish")
        yield from self._count(self.held)

    def _count(self, held):
        if held is None:
            return []
        place, record = held
        fates = {fate.name: fate for fate in Fate}
        if record["prompt"] in fates:
            return [Exclusion(place, record, f"is {record['prompt']}", fates[record["prompt"]])]
        self.num_words.append(len(record["prompt"].split()))
        return []

    def summary(self):
        share = Estimate(1 / 3, 0.1 + 0.2, None, len(self.num_words))
        return {"num_words": sum(self.num_words), **share.fields("share"), "notes": ["a note", "another"]}

    def examples(self):
        return {"longest": (ExcerptRow("in:1", "q", (), ()),)}

    def report(self, summary, examples):
        self.events.append(summary)
        return Report("Words", f"{summary['share']}", (examples_section("Prompts", "", examples),))


def run(tmp_path, prompts, *, report=None, gate=None, **options):
    """Run the evaluation; returns its status, the summary, the rejects and itself."""
    records = [{"prompt": prompt, "responses": [{"text": "a"}, {"text": "b"}]} for prompt in prompts]
    (tmp_path / "in").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    paths = {name: tmp_path / name for name in ("output", "rejects")}
    words = Words()
    job = StreamOptions(files=[str(tmp_path / "in")], **(paths | options)).job()
    status = run_evaluation(words, job, report, gate)
    summary = json.loads(paths["output"].read_text())
    return status, summary, [json.loads(line) for line in paths["rejects"].read_text().splitlines()], words


def test_each_record_is_counted_and_the_summary_is_one_rounded_line(tmp_path, capsys):
    status, summary, rejects, _ = run(tmp_path, ["one", "two words", "and three words"])
    assert (status, rejects) == (Status.done, [])
    shares = {"share": 0.3333333333, "share_low": 0.3, "share_high": None}
    assert summary == {"num_words": 6, **shares, "notes": ["a note", "another"]}
    assert list(summary)[-1] == "notes"
    assert capsys.readouterr().err.endswith("real: a note; another\n")


def test_what_is_not_counted_is_told_by_its_fate(tmp_path, capsys):
    prompts = ["dropped", "one", "unfit", "counted", "rejected"]
    status, summary, rejects, _ = run(tmp_path, prompts, on_error=OnError.skip)
    assert (status, summary["num_words"]) == (Status.rejected, 1)
    reasons = ["is dropped", "the prompt is unfit", "is counted", "is rejected"]
    assert sorted(row["reason"] for row in rejects) == sorted(reasons)
    assert {row["reason"]: row["place"].rpartition(":")[2] for row in rejects}["is rejected"] == "5"
    assert capsys.readouterr().err.endswith("real: a note; another; left out: 1 is dropped; 2 rejected\n")


@pytest.mark.parametrize(
    ("prompts", "reason"), [(["unfit"], "in:1: the prompt is unfit"), (["rejected"], "in:1: is rej")]
)
def test_an_unfit_record_stops_the_run_and_leaves_no_summary(tmp_path, prompts, reason):
    with pytest.raises(RecordError, match=reason):
        run(tmp_path, prompts)
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("is_strict", [True, False])
def test_limits_are_checked_on_the_numbers_that_are_shown(tmp_path, capsys, is_strict):
    """1/3 is shown as .3333333333, which keeps a limit of that number."""
    limits = [Limit("share", "<=", 0.3333333333), Limit("num_words", ">=", 2), Limit("share_high", "<=", 1)]
    status, summary, _, _ = run(tmp_path, ["one"], gate=Gate(limits, is_strict))
    assert [row["is_met"] for row in summary["limits"]] == [True, False, False]
    assert list(summary)[-2:] == ["limits", "notes"]
    assert status == (Status.over_limit if is_strict else Status.done)
    stderr = capsys.readouterr().err.splitlines()
    assert stderr[-2:] == ["real: num_words is 1, not >=2", "real: share_high is not known, not <=1"]


def test_without_a_gate_there_are_no_limits(tmp_path):
    _, summary, _, _ = run(tmp_path, ["one"])
    assert "limits" not in summary


def test_the_report_shows_the_summary_that_was_written(tmp_path, monkeypatch):
    reports = []
    monkeypatch.setattr("real_cli.report.html.write_report", lambda path, report: reports.append((path, report)))
    _, summary, _, words = run(tmp_path, ["one"], report=tmp_path / "r.html")
    ((path, report),) = reports
    assert path == tmp_path / "r.html"
    assert words.events == ["finish", summary]
    assert (report.lead, [type(section) for section in report.sections]) == ("0.3333333333", [Section])
    assert report.sections[0].items[0].title == "Longest"


def test_no_report_asks_for_no_examples(tmp_path, monkeypatch):
    monkeypatch.setattr(Words, "examples", None)
    assert run(tmp_path, ["one"])[0] is Status.done


def test_files_are_open_while_records_are_read_and_closed_before_the_summary(tmp_path, monkeypatch):
    from contextlib import contextmanager

    seen = []

    @contextmanager
    def files(self):
        seen.append("open")
        yield
        seen.append("closed")

    monkeypatch.setattr(Words, "files", files)
    monkeypatch.setattr(Words, "finish", lambda self: seen.append("finish") or [])
    monkeypatch.setattr(Words, "sentence", lambda self, summary: seen.append("summary") or "")
    run(tmp_path, ["one"])
    assert seen == ["open", "finish", "closed", "summary"]


@pytest.mark.parametrize("kind", [LabelSurvey, MarginRun, PairHealth, WinrateTally])
def test_every_evaluation_is_of_the_protocol_and_declares_what_it_must(kind):
    assert Evaluation in kind.__mro__
    assert {"name", "add", "summary", "examples", "report"} <= set(vars(kind))


def test_summary_and_report_appear_together_or_not_at_all(tmp_path, monkeypatch):
    def fail(path, report):
        raise RealError("no space left")

    monkeypatch.setattr("real_cli.report.html.write_report", fail)
    with pytest.raises(RealError, match="no space left"):
        run(tmp_path, ["one"], report=tmp_path / "r.html")
    assert not (tmp_path / "output").exists()
