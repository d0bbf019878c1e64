"""What a person may answer, and what the options of `real relabel human` offer."""

from enum import StrEnum


class Verdict(StrEnum):
    """What an annotator says of a pair, in the order the record has its two responses in."""

    first = "first"
    second = "second"
    tie = "tie"
    skip = "skip"


class Shown(StrEnum):
    """The order in which an annotator sees the two responses of a pair."""

    as_is = "as-is"
    swapped = "swapped"


class AnnotationTool(StrEnum):
    """Whose files `relabel human --export` writes; the formats are in `real_cli.relabel.human.exports`."""

    csv = "csv"
    label_studio = "label-studio"
    argilla = "argilla"
