"""Man pages as plain text: nothing that groff shows is lost."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from real_cli.help.page_text import page_text, plain

PAGES = sorted((Path(__file__).parents[2] / "man").glob("*.[157]"))
PAGE = r""".TH REAL\-TEST 1 2026-01-02 "real 1.2.3" "User Commands"
.nh
.ad l
.SH NAME
real\-test \- a page of \fBall\fR that pages have
.SH OPTIONS
.TP
.B \-x
Short.
.TP 5
.B \-\-long\-name N
Set back below, in as many lines as it takes to say so.
.IP
A second paragraph.
.SS Two words
.PP
A list:
.IP \(bu 2
first
.br
broken
.PP
.RS 4
.nf
real a \e
  | jq \(aq.x\(aq
\&.dots
.fi
.RE
.BR real (1),
.BR jq (1)
"""
TEXT = """\
REAL-TEST(1)            User Commands             REAL-TEST(1)

NAME
       real-test - a page of all that pages have

OPTIONS
       -x     Short.

       --long-name N
            Set back below, in as many lines as it takes to
            say so.

            A second paragraph.

   Two words
       A list:

       • first
         broken

           real a \\
             | jq '.x'
           .dots
       real(1), jq(1)

real 1.2.3               2026-01-02               REAL-TEST(1)
"""


def test_each_request_is_laid_out():
    assert [line.rstrip() for line in page_text(PAGE, 62).splitlines()] == TEXT.splitlines()


def test_escapes_stand_for_characters():
    assert plain(r"\fB\-\-keep\fR \(ha\(ti\(ga\(dq \[u2264] \ea\&b|\:c") == '--keep ^~`" ≤ \\ab|c'


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_page_has_the_words_that_groff_shows(page):
    """In their order."""
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    words = ["groff", "-man", "-Tutf8", "-P-c", "-P-b", "-P-u", str(page)]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    shown = shown.replace("\N{MINUS SIGN}", "-").replace("\N{HYPHEN}", "-")
    assert page_text(page.read_text(encoding="utf-8"), 80).split() == shown.split()


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("page", [path for path in PAGES if path.suffix == ".1"], ids=lambda path: path.name)
def test_a_page_of_a_command_fits_its_width(page, width):
    """But for words, and lines of files, that nobody breaks."""
    lines = page_text(page.read_text(encoding="utf-8"), width).splitlines()
    long = [line for line in lines if len(line) > width and "<" not in line and not re.search(r"['\"{]", line)]
    assert [line for line in long if len(line.split()) > 1] == []
