"""What man page and README say of the objectives and presets of `real train-dpo`, made from their tables."""

import inspect
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from real_cli.docs.roff import escape, filled, joined
from real_cli.train.losses import KNOBS, OBJECTIVES
from real_cli.train.mixture import Mixture
from real_cli.train.objective import Column, Need, Objective, Responses
from real_cli.train.presets import PRESETS
from real_cli.train.settings import TrainingSettings

NOTATION = """In the formulas w is the chosen response and l the rejected one. lp is the log-probability of a response
under the policy, summed over its tokens, ref the same under the reference; lr, the log-ratio, is lp less ref, and h is
lr of the chosen response less lr of the rejected one. avg is lp per token, NLL the negative of lp. Logarithms are
natural. A formula gives the value of one example; a step takes the mean of its batch. In every objective a response to
which a model gives no probability counts as one of -1e7 nats, and no gradient moves it."""
GIVEN = """Every objective reads prompt. ref_chosen_logps and ref_rejected_logps, where records have them, stand for the
reference with objectives that read pairs, no single tokens, and ask it once."""
PRESETS_INTRO = """What a preset sets, where that differs from what would run without it. Batches are pairs a step:
where a published configuration speaks of one GPU, those of one GPU. Limits on the prompt alone, which some have, are
not here. An option that is given wins; --show-config prints the outcome."""

# What is read instead of a pair, or beside it: for the man page, and for the README.
FIELDS: dict[Responses, str] = {
    Responses.pair: "`chosen`, `rejected`",
    Responses.triple: "`chosen`, `rejected`, `reference`",
    Responses.ranking: "`responses`: [{`text`, `score`}]",
    Responses.copies: "`chosen`, `rejected`, `degraded`: [{`text`, `degree`}]",
}


class Description(NamedTuple):
    """What the docstring of an objective's function says.

    Attributes:
        formula: Its first sentence, without "Return".
        paragraphs: What follows, up to Args.
        source: Its references.
    """

    formula: str
    paragraphs: list[str]
    source: str

    @property
    def gist(self) -> str:
        """The first sentence in words."""
        return re.split(r"[.](?:\s|$)", self.paragraphs[0])[0]


def describe(row: Objective) -> Description:
    """Read the docstring of an objective.

    Args:
        row: Of the table.

    Returns:
        Its parts, each in one line.
    """
    text = inspect.getdoc(row.loss) or ""
    head, _, rest = text.partition("\nArgs:\n")
    summary, *paragraphs = [joined(paragraph) for paragraph in re.split(r"\n\s*\n", head.strip())]
    return Description(summary.removeprefix("Return "), paragraphs, joined(rest.partition("References:\n")[2]))


def objectives_section() -> list[str]:
    """Make the section of the man page with a paragraph for each objective.

    Returns:
        Lines of roff.
    """
    lines = [".SH OBJECTIVES", filled(NOTATION), ".PP", filled(GIVEN)]
    for name, row in OBJECTIVES.items():
        described = describe(row)
        facts = [
            f"Reads {_fields(row)}.",
            f"Reference model: {_reference(row)}.",
            f"Options: {_knobs(row.knobs) or 'none'}.",
            f"Source: {described.source}",
        ]
        lines += [".TP", f".B {escape(name)}", _plain(described.formula)]
        for text in (*described.paragraphs, *facts):
            lines += [".br", _plain(text)]
    return lines


def presets_section() -> list[str]:
    """Make the section of the man page with a line for each preset.

    Returns:
        Lines of roff.
    """
    lines = [".SH PRESETS", filled(PRESETS_INTRO)]
    for name, preset in PRESETS.items():
        lines += [".TP", f".B {escape(name)}", filled(" ".join(_differences(preset)))]
    return lines


def objectives_table() -> str:
    """Make the README's table of objectives.

    Returns:
        Markdown.
    """
    rows = ["| `--loss` | what it is | reads beyond the pair | reference | paper |", "| --- | --- | --- | --- | --- |"]
    for name, row in OBJECTIVES.items():
        described = describe(row)
        paper = re.sub(r"arXiv:([\d.]+\d)", r"[\1](https://arxiv.org/abs/\1)", described.source.rstrip("."))
        cells = [f"`{name}`", described.gist, _beyond(row), _reference(row), paper]
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows)


def _plain(text: str) -> str:
    return filled(text.replace("`", ""))


def _fields(row: Objective) -> str:
    return ", ".join([FIELDS[row.responses], *map(_column, row.columns)])


def _beyond(row: Objective) -> str:
    """What a record has that a pair has not; a ranking has no pair at all."""
    pair = FIELDS[Responses.pair]
    fields = FIELDS[row.responses]
    rest = fields.removeprefix(pair).removeprefix(", ") if fields.startswith(pair) else f"instead of it {fields}"
    return ", ".join(filter(None, [rest, *map(_column, row.columns)]))


def _column(column: Column) -> str:
    has_range = column.high != float("inf")
    return f"`{column.name}` ({column.low:g} to {column.high:g})" if has_range else f"`{column.name}` (a number)"


def _reference(row: Objective) -> str:
    if Need.reference not in row.needs:
        return "no"
    return "yes, in every step" if Need.decoupled in row.needs else "yes"


def _knobs(knobs: Mapping[str, float]) -> str:
    return ", ".join(_option(name, value) for name, value in knobs.items())


def _option(name: str, value: Any) -> str:
    return f"--{name.replace('_', '-')} {f'{value:g}' if isinstance(value, float) else value}"


def _differences(preset: Mapping[str, Any]) -> list[str]:
    """The options that say the same as a preset, objective first, less those that are the default."""
    mixture = Mixture(preset["loss"].split(","))
    usual = TrainingSettings()
    of_objective = ("loss", "loss_weights", *KNOBS)
    return [
        _option(name, preset[name])
        for name in sorted(preset, key=lambda name: name not in of_objective)
        if name == "loss" or preset[name] != mixture.knobs.get(name, getattr(usual, name, None))
    ]
