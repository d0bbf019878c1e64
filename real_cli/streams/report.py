"""A report as one HTML file that needs nothing from a network."""

from pathlib import Path

from real_cli.core.report import Report


def check_report(path: Path | None) -> None:
    """Check, before the work begins, that a report can be drawn.

    Args:
        path: Where it is to go; None for no report.

    Raises:
        UsageError: If the libraries that draw are not installed.
    """


def write_report(path: Path | None, report: Report) -> None:
    """Draw a report; the file appears whole or not at all.

    Args:
        path: Where it goes; None for no report.
        report: What it shows.
    """
