"""Verdicts in a report and at the terminal: the worst first, nothing lost, nothing obeyed."""

import io
from dataclasses import replace

import pytest

from real_cli.report.contents import Report, Section, VerdictLevel, VerdictRow, Verdicts
from real_cli.report.html import render_report
from real_cli.report.terminal_verdicts import print_verdicts

MEND = "jq -c 'select(.chosen != .rejected)' pairs.jsonl | real pair --strategy easy --keep 35% > mended.jsonl"
VERDICTS = Verdicts(
    "What checks say of the set",
    (
        VerdictRow(VerdictLevel.sound, "Labels agree with scores", "0 of 340 pairs", "Never shown: it held."),
        VerdictRow(VerdictLevel.doubtful, "Length bias", "61.0%", "The longer response is chosen too often."),
        VerdictRow(
            VerdictLevel.broken, "Both sides equal \x1b[2J", "12 of 340 pairs", "Nothing can be learned <b>.", MEND,
            ("pairs.jsonl:3", "pairs.jsonl:9"),
        ),
    ),
    "Each check has a name in the summary.",
)  # fmt: skip


def printed(width, verdicts=VERDICTS):
    from rich.console import Console

    stream = io.StringIO()
    print_verdicts(Console(file=stream, width=width, markup=False, highlight=False, emoji=False), verdicts)
    return stream.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_worst_is_first_and_nothing_is_lost(width):
    text = printed(width)
    assert text.index("broken") < text.index("doubtful") < text.index("sound")
    words = " ".join(text.split())
    for row in VERDICTS.rows:
        assert row.title.replace("\x1b", "\u241b") in words
        assert row.measure in words
        assert (row.reason in words) == (row.level is not VerdictLevel.sound)
    assert "pairs.jsonl:3, pairs.jsonl:9" in words
    assert VERDICTS.note in words
    assert "\x1b" not in text


def test_a_command_is_a_line_to_be_copied():
    """At 40 columns the terminal wraps it; a line end of ours would be copied too."""
    assert f"  {MEND}" in printed(40).splitlines()


def test_a_report_has_them_too():
    page = render_report(Report("t", "l", (Section("Verdict", "", (VERDICTS,)),)))
    assert page.index('class="verdicts broken"') < page.index('class="verdicts doubtful"')
    assert "Nothing can be learned &lt;b&gt;." in page
    assert "<code>jq -c &#39;select(.chosen != .rejected)&#39; pairs.jsonl" in page
    assert "Never shown" not in page
    empty = render_report(Report("t", "l", (Section("Verdict", "", (Verdicts("Checks", ()),)),)))
    assert "Nothing was checked." in empty


def test_one_command_for_all_stands_once_beneath_them():
    """At the terminal as one line to be copied, in a report as code, each beneath what it does."""
    mended = replace(VERDICTS, mend="real eval pairs --drop <a> --sound sound.jsonl p.jsonl", mend_note="9 pairs stay.")
    lines = printed(40, mended).splitlines()
    assert lines[lines.index("9 pairs stay.") + 1] == f"  {mended.mend}"
    page = render_report(Report("t", "l", (Section("Verdict", "", (mended,)),)))
    assert page.count("9 pairs stay.") == page.count("<code>real eval pairs --drop &lt;a&gt; --sound") == 1
