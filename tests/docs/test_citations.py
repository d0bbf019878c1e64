"""What code and tests cite is in the manual, "Methods 7(f)" say, and what ships names nothing that only we have."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "man" / "real-methods.7.md").read_text(encoding="utf-8")
TEXTS = (".py", ".md", ".mk", ".toml", ".in", ".7", ".1")
SHIPPED = sorted(path for path in (ROOT / "real_cli").rglob("*") if path.suffix in TEXTS)
TESTS = sorted(path for path in (ROOT / "tests").rglob("*") if path.suffix in TEXTS)
PAGES = [*sorted((ROOT / "man").iterdir()), ROOT / "README.md", ROOT / "CHANGELOG.md"]

# Methods 7, Methods 7(f), Methods 3 to 18 and 24, Methods 17(b) and (d), Methods 1(g), faults 3 and 4
PLACE = r"\d+(?:\([a-z]\))?"
CITATION = re.compile(rf"Methods ({PLACE}(?:(?: and | to )(?:{PLACE}|\([a-z]\)))*)(?:, faults? ([\d and]+))?")
LONG = re.compile(rf"real-methods\(7\), section\s+({PLACE})")


def sections(manual):
    """List the manual's places: 7, and 7(f) where it has one; the faults of 1(g) as 1(g)3."""
    places, section, letter = set(), "", ""
    for line in manual.splitlines():
        if match := re.match(r"## (\d+) ", line):
            section, letter = match[1], ""
        elif match := re.match(r"### (\([a-z]\)) ", line):
            letter = match[1]
        elif match := re.match(r"(\d+)\. ", line):
            places.add(f"{section}{letter}{match[1]}")
        places.add(section + letter)
    return places


def cited(text):
    """List the places that a text cites."""
    places = LONG.findall(text)
    for named, faults in CITATION.findall(text):
        section = ""
        for part in re.split(" and | to ", named):
            section = re.match(r"\d*", part)[0] or section
            places.append(section + part.removeprefix(section))
        places += [f"{places[-1]}{number}" for number in re.findall(r"\d+", faults)]
    return places


PLACES = sections(MANUAL)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Methods 7(f): x", ["7(f)"]),
        ("Methods 3 to 18 and 24; x", ["3", "18", "24"]),
        ("Methods 17(b) and (d): x", ["17(b)", "17(d)"]),
        ("Methods 2(f) and 23.", ["2(f)", "23"]),
        ("Methods 1(g), faults 3 and 4.", ["1(g)", "1(g)3", "1(g)4"]),
        ("real-methods(7), section 1(e)", ["1(e)"]),
        ("All methods 3 times.", []),
    ],
)
def test_citations_are_read_in_all_their_forms(text, places):
    """Else the next test sees none."""
    assert cited(text) == places


def test_what_is_cited_is_in_the_manual():
    """Every section, letter and fault."""
    citing = {path: cited(path.read_text(encoding="utf-8")) for path in (*SHIPPED, *TESTS) if path != Path(__file__)}
    assert sum(map(len, citing.values())) > 200
    dangling = {
        f"{path.relative_to(ROOT)}: {place}"
        for path, places in citing.items()
        for place in places
        if place not in PLACES
    }
    assert dangling == set()


def test_sections_are_numbered_as_they_come_and_letters_too():
    """A number that moved would leave its citations at another method."""
    numbers = [int(number) for number in re.findall(r"^## (\d+) ", MANUAL, re.MULTILINE)]
    assert numbers == list(range(26))
    for section in re.split(r"^## ", MANUAL, flags=re.MULTILINE)[1:]:
        letters = re.findall(r"^### \(([a-z])\)", section, re.MULTILINE)
        assert letters == sorted(set(letters))


# Notes that this manual took the place of, whose name a recipe has for a variable, and issues: nobody else has them.
GONE = re.compile(r"(?<![A-Z-])METH" r"ODS(?:\.md| ?\d)|(?i:\bfact[ _-]?" r"sheet)|\bDES" r"IGN\b|\(?\bissue [\d\"]")


@pytest.mark.parametrize("path", [*SHIPPED, *TESTS, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_cites_what_is_not_in_the_repository(path):
    """The manual holds what code and tests rest on."""
    assert GONE.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [*SHIPPED, ROOT / "README.md"], ids=lambda path: str(path.relative_to(ROOT)))
def test_what_ships_names_no_test(path):
    """A user has no tests; the README's part on development is for those who do."""
    text = path.read_text(encoding="utf-8").partition("\n## Development")[0]
    assert re.findall(r"\btests/\S*|\btest_\w+", text) == []
