"""Markdown as roff: what each thing becomes, and that nothing is lost."""

import shutil
import subprocess

import pytest

from real_cli.docs.markdown import man_page

TITLE = "# real-test(7): a test's page\n\n"


def body(markdown):
    """Convert a page; returns what follows its name."""
    return man_page(TITLE + markdown).partition(".SH DESCRIPTION\n")[2]


@pytest.mark.parametrize(
    ("markdown", "roff"),
    [
        ("plain-text", ".PP\nplain\\-text\n"),
        ("`a 'b'` and *c*", ".PP\n\\fBa \\(aqb\\(aq\\fR and \\fIc\\fR\n"),
        ("**see real-pair(1)** then", ".PP\n\\fBsee \\fBreal\\-pair\\fR(1)\\fR then\n"),
        ("**d**. Then", ".PP\n\\fBd\\fR. Then\n"),
        ("see real-pair(1)", ".PP\nsee \\fBreal\\-pair\\fR(1)\n"),
        ("[real-pair(1)](real-pair.1)", ".PP\n\\fBreal\\-pair\\fR(1)\n"),
        ("[the paper](https://x.org/1)", ".PP\nthe paper <https://x.org/1>\n"),
        ("\\.hidden\n'quoted", ".PP\n\\&.hidden 'quoted\n"),
        ("…", ".PP\n\\[u2026]\n"),
        ("## Two words", ".SH TWO WORDS\n"),
        ("### Two words", ".SS Two words\n"),
        ("- a\n- b", ".IP \\(bu 2\na\n.IP \\(bu 2\nb\n"),
        ("3. a\n4. b", ".IP 3. 4\na\n.IP 4. 4\nb\n"),
        ("- `a`, **b-c**: d", ".TP 7\n\\fBa\\fR, \\fBb\\-c\\fR\nd\n"),
        ("- `a` or so: b", ".IP \\(bu 2\n\\fBa\\fR or so: b\n"),
        ("- `a`: b\n\n  c", ".TP 7\n\\fBa\\fR\nb\n.IP\nc\n"),
        ("```sh\nreal a \\\n  .b\n.c\n```", ".PP\n.RS 4\n.nf\nreal a \\e\n  .b\n\\&.c\n.fi\n.RE\n"),
        ("| a | b |\n|--|--|\n| `x` | 1 |", ".PP\n.RS 4\n.nf\na  b\n\\-\\-\\-\\-\nx  1\n.fi\n.RE\n"),
        ("<!-- a mark -->\n\ntext", ".PP\ntext\n"),
        ("![two curves](labels.svg)", ".PP\n[Picture: two curves]\n"),
    ],
)
def test_what_each_thing_becomes(markdown, roff):
    text = body(f"Begin.\n\n{markdown}\n")
    assert text == f"Begin.\n{roff}"


def test_a_wide_table_is_a_paragraph_a_row_without_its_empty_cells():
    """Eighty columns hold no more."""
    long = "word " * 20
    table = f"| name | what | more | last |\n|--|--|--|--|\n| `x` | {long}| | y |\n"
    assert body(f"Begin.\n\n{table}").splitlines()[1:] == [
        ".TP 7",
        "\\fBx\\fR",
        f"what: {'word ' * 14}word",
        "word word word word word",
        ".br",
        "last: y",
    ]


@pytest.mark.parametrize(
    "markdown", ["> quoted", "- a\n  - b", "<div>x</div>", "<!-- a -->b", "text <b>x</b>", "----", "    indented"]
)
def test_what_a_page_cannot_show_is_refused(markdown):
    with pytest.raises(ValueError, match="cannot show"):
        body(f"Begin.\n\n{markdown}\n")


@pytest.mark.parametrize("title", ["# real-test", "## real-test(7): a", "real-test(7): a", "# real-test(3): a"])
def test_a_page_begins_with_its_title(title):
    with pytest.raises(ValueError, match="first line"):
        man_page(f"{title}\n\ntext\n")


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_a_terminal_shows_what_was_written(tmp_path):
    """Through groff, as man does: all words are there, what is typed is as it was typed."""
    typed = "real pair -s easy '.id' `x` ~/a^b \\ \"c\" | .d"
    (tmp_path / "page").write_text(man_page(f"{TITLE}Words, naïve, of `a-b`.\n\n```sh\n{typed}\n```\n"))
    words = ["groff", "-man", "-Tutf8", "-P-c", "-P-b", "-P-u", "-ww", str(tmp_path / "page")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert f"           {typed}\n" in done.stdout
    assert "Words, naïve, of a-b." in done.stdout
