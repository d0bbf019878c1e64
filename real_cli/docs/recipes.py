"""The recipes of `real init` in real-recipes(7), read from the heads of their Makefiles."""

from real_cli import __released__, __version__
from real_cli.docs.roff import PLAIN, escape, filled, literal
from real_cli.init.recipes import Method, load_recipes

PAGE = "real-recipes"
DESCRIPTION = (
    """A recipe is a published method as a Makefile of some 40 lines over the commands of real, with the data that it
    starts from beside it. real init --list has a line for each.""",
    """make runs the whole method and ends with eval.json in the folder run: how far the trained policy prefers the
    better responses to held-out prompts, compared with the policy before training. Every stage is a file that appears
    whole or not at all, so an interrupted run repeats only the stage that it was in; a server's answers are kept and
    never asked for twice. Rounds are targets too: with more ROUNDS, up to SHARES, a finished run continues. make check
    runs everything small, in the folder check and from the start each time: two minutes with smollm2 on two processors,
    and no network. make clean removes both folders.""",
    """Settings are those of the paper or of its code, where they are known, and stand as variables at the top: change
    them there or on the command line. make does not repeat a stage because a setting has changed: give O another
    folder, or run make clean first. The settings are meant for tens of thousands of prompts. On the few hundred that
    come with the program hardly anything moves: give TRAIN a larger --learning-rate, a smaller --batch-size and no
    --warmup.""",
    """The seed of a response includes the policy's name, which is its folder: with another O, texts differ from the
    second round on.""",
)
VARIABLES = {
    "POLICY": "The model to train: a folder, as seen from DIR, a hub name, or smollm2.",
    "PROMPTS": "What the method starts from, a JSONL file. Some methods need LABELED, DIALOGUES or PRINCIPLES as well.",
    "HELDOUT": "Scored responses, of which the evaluation takes the best and the worst to each prompt.",
    "ENCODER": "The model that embeds, where the method chooses by similarity.",
    "SAMPLE": "Options of real sample, where the policy answers; POOL names several policies.",
    "SCORE": "The command that scores responses, where the method needs scores: a reward model, or a judge behind an "
    "endpoint. make check scores with the policy itself.",
    "JUDGE": "Where the model is that recognizes complaints (drift); EDIT, where the editor is (bmc). Name your own.",
    "TRAIN": "Options of real train-dpo; SEED and SFT are those of a training before it.",
    "ROUNDS": "The rounds of an iterative method, '1 2 3'.",
    "SHARES": "How many parts PROMPTS is dealt into, one a round: as many as there will ever be rounds, since it must "
    "stay the same when a run continues.",
    "O": "The folder of a run.",
}
EXAMPLES = (
    "real init sppo --recipe sppo",
    "make -C sppo check",
    "make -C sppo POLICY=$PWD/sft O=first TRAIN='--preset sppo --learning-rate 5e-6'",
)


def recipes_page() -> str:
    """Make real-recipes(7)."""
    lines = [
        f'.TH {PAGE.upper()} 7 {__released__} "real {__version__}" "Methods"',
        *PLAIN,
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
    for name, method in load_recipes().items():
        lines += [".TP", f".B {escape(name)}", *_paragraph(method)]
    lines += [".SH EXAMPLES", ".nf", *map(literal, EXAMPLES), ".fi", ".SH SEE ALSO", ".BR make (1),", ".BR real (1),"]
    return "\n".join([*lines, ".BR real\\-init (1),", ".BR real\\-methods (7)"]) + "\n"


def _paragraph(method: Method) -> list[str]:
    texts = (
        f"{method.title}. It {method.does}.",
        f"Source: {method.paper}, {method.equation}.{_formulas(method)}",
        f"Needs {method.needs}.",
        f"Departures: {method.departs}.",
        f"Made of: {', '.join(method.commands)}.",
    )
    return "\n.br\n".join(map(filled, texts)).splitlines()


def _formulas(method: Method) -> str:
    return "" if method.section is None else f" Formulas: real-methods(7), section {method.section}."
