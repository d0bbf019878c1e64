"""What man page and README say of the recipes of `real init`, made from their table."""

import re

from real_cli import __released__, __version__
from real_cli.core.recipes import RECIPES, Method
from real_cli.roff import escape, filled

PAGE = "real-recipes"
DESCRIPTION = (
    """A recipe is a published method as a Makefile of at most 40 lines over the commands of real. Beside it lie the
    data that it starts from; real init --list has a line for each recipe.""",
    """make runs the whole method and ends with eval.json in the folder run: how far the trained policy prefers the
    better responses of held-out prompts, against the policy before training. Every stage is a file that appears whole
    or not at all, so a run that was stopped goes on where it was; rounds are targets too. make check runs all of it
    small and without a network, in a folder of its own; make clean removes both.""",
    """The settings are those of the paper or of its code, where they are known, and stand as variables at the top:
    change them there or on the command line. They are meant for tens of thousands of prompts. On the few hundred that
    come with the program hardly anything moves: give TRAIN a larger --learning-rate, a smaller --batch-size and no
    --warmup.""",
)
VARIABLES = {
    "POLICY": "The model to train: a folder, a hub name, or smollm2.",
    "PROMPTS": "What the method starts from; any layout that real reads.",
    "HELDOUT": "Responses with scores, of which the evaluation takes the best and the worst of each prompt.",
    "SCORE": "The command that scores responses, where the method has some to score: a reward model, or a judge "
    "behind an endpoint. In make check the policy scores its own.",
    "TRAIN": "Options of real train-dpo.",
    "ROWS": "Most lines of PROMPTS and of HELDOUT to take.",
    "O": "The folder of a run.",
}
EXAMPLES = (
    "real init sppo --recipe sppo",
    "make -C sppo check",
    "make -C sppo POLICY=./sft O=first TRAIN='--preset sppo --learning-rate 5e-6'",
)


def recipes_page() -> str:
    """Make real-recipes(7).

    Returns:
        Roff.
    """
    lines = [
        f'.TH {PAGE.upper()} 7 {__released__} "real {__version__}" "Methods"',
        ".SH NAME",
        f"{escape(PAGE)} \\- published methods as Makefiles",
        ".SH SYNOPSIS",
        ".B real init",
        r"DIR \-\-recipe NAME",
        ".br",
        ".B make \\-C",
        "DIR [check | clean] [VARIABLE=VALUE]...",
        ".SH DESCRIPTION",
        "\n.PP\n".join(map(filled, DESCRIPTION)),
        ".SH VARIABLES",
    ]
    for name, meaning in VARIABLES.items():
        lines += [".TP", f".B {name}", filled(meaning)]
    lines.append(".SH RECIPES")
    for name, method in RECIPES.items():
        lines += [".TP", f".B {escape(name)}", *_paragraph(method)]
    lines += [".SH EXAMPLES", ".nf", *map(escape, EXAMPLES), ".fi", ".SH SEE ALSO", ".BR make (1),", ".BR real (1),"]
    return "\n".join([*lines, ".BR real\\-init (1)"]) + "\n"


def _paragraph(method: Method) -> list[str]:
    texts = (
        f"{method.title}. It {method.does}.",
        f"Source: {method.paper}, {method.equation}.",
        f"Needs {method.needs}.",
        f"Departs: {method.departs}.",
        f"Made of: {', '.join(method.commands)}.",
    )
    return "\n.br\n".join(map(filled, texts)).splitlines()


def recipes_table() -> str:
    """Make the README's table of methods.

    Returns:
        Markdown.
    """
    rows = ["| method | made of | recipe | the test that checks it against its paper |", "| --- | --- | --- | --- |"]
    for name, method in RECIPES.items():
        paper = re.sub(r"arXiv:([\d.]+\d)", r"[\1](https://arxiv.org/abs/\1)", method.paper)
        commands = ", ".join(f"`{words}`" for words in method.commands)
        file, _, test = method.test.partition("::")
        rows.append(f"| {method.title}; {paper} | {commands} | `{name}` | [`{test}`]({file}) |")
    return "\n".join(rows)
