"""Generated from the strategies of `real pair`: the light table of their names, and a section of the man page."""

import inspect
import json
import re
from keyword import iskeyword

from real_cli.docs.roff import escape, filled, joined
from real_cli.pair.strategies import STRATEGIES, Rule

NAMES = "real_cli/pair/strategy_names.py"
HEAD = '''"""The strategies of `real pair`, for help without numpy; made by `python -m real_cli.docs` of their rows."""

from enum import StrEnum


class Strategy(StrEnum):
    """How `pair` chooses responses; the functions are in `real_cli.pair.strategies`."""

'''
DESCRIBED = """

# What each goes by, and how in a few words where its name does not say it.
DESCRIBED: dict[Strategy, tuple[str, str]] = {
"""
READS = {
    "score_std": "scores and their score_std",
    "score": "scores, or ranks",
    "similarity": "embeddings",
    "nothing": "nothing that is measured",
}


def strategy_names() -> str:
    """Make the light table as Python."""
    members = {name: _member(name) for name in STRATEGIES}
    names = [f'    {member} = "{name}"\n' for name, member in members.items()]
    rows = [
        f"    Strategy.{members[name]}: ({json.dumps(rule.basis)}, {json.dumps(rule.note)}),\n"
        for name, rule in STRATEGIES.items()
    ]
    return HEAD + "".join(names) + DESCRIBED + "".join(rows) + "}\n"


def _member(name: str) -> str:
    word = re.sub(r"\W", "_", name)
    return word if word.isidentifier() and not iskeyword(word) else f"strategy_{word}"


def strategies_section() -> list[str]:
    """Make the man page's section with a paragraph for each strategy, as lines of roff."""
    lines = [".SH STRATEGIES"]
    for name, rule in STRATEGIES.items():
        text = inspect.getdoc(rule.choose) or ""
        head, _, rest = text.partition("\nArgs:\n")
        source = joined(_in_names(rest.partition("References:\n")[2]))
        facts = [f"Reads {READS[rule.basis]}.", _keep(rule), f"Source: {source}" if source else ""]
        lines += [".TP", f".B {escape(name)}"]
        for number, paragraph in enumerate(re.split(r"\n\s*\n", head.strip())):
            lines += [".IP"] * bool(number) + [filled(_in_names(paragraph))]
        for fact in filter(None, facts):
            lines += [".br", filled(fact)]
    return lines


def _in_names(paragraph: str) -> str:
    """Call other strategies by their names, not by their functions'."""
    return re.sub(r"choose_(\w+)", lambda function: function[1].replace("_", "-"), paragraph.replace("`", ""))


def _keep(rule: Rule) -> str:
    if rule.keep is None:
        return ""
    end = "" if rule.keep.by == "random" else f", {'lowest' if rule.keep.lowest else 'highest'} first"
    return f"--keep goes by {rule.keep.by}{end}."
