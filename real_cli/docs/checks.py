"""Generated from the checks of `real eval pairs`: a section of the man page."""

from real_cli.docs.roff import escape, filled
from real_cli.evaluate.pairs.checks import CHECKS
from real_cli.report.contents import VerdictLevel


def checks_section() -> list[str]:
    """Make the man page's section with a paragraph for each check, the worst level first, as lines of roff."""
    lines = [".SH CHECKS"]
    for level in VerdictLevel:
        rows = [check for check in CHECKS if check.level is level]
        lines += [f".SS {escape(level.value.capitalize())}"] * bool(rows)
        for check in rows:
            lines += [".TP", f".B {escape(check.name)}", filled(f"{_sentence(check.title)} {check.reason}")]
    return lines


def _sentence(title: str) -> str:
    return f"{title[0].upper()}{title[1:]}."
