"""What a person may answer, and the choices of `real relabel human`'s options."""

from enum import StrEnum


class Verdict(StrEnum):
    """An annotator's verdict on a pair, in the record's order of its two responses."""

    first = "first"
    second = "second"
    tie = "tie"
    skip = "skip"


class Shown(StrEnum):
    """The order in which an annotator sees the two responses of a pair."""

    as_is = "as-is"
    swapped = "swapped"


class AnnotationTool(StrEnum):
    """The tool whose files `relabel human --export` writes; the formats are in `real_cli.relabel.human.exports`."""

    csv = "csv"
    label_studio = "label-studio"
    argilla = "argilla"
