"""The options of `real relabel judge`, and what they mean together."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.completion_values import language_model_names, rubric_names
from real_cli.cli.llm_options import LlmOptions, ShowRubric
from real_cli.cli.option_sets import flag_of
from real_cli.cli.options import Seed
from real_cli.errors import UsageError
from real_cli.records.choices import Ties
from real_cli.relabel.judge.choices import Voting

if TYPE_CHECKING:
    from real_cli.cli.panel_members import PanelMember
    from real_cli.llm.rubric import Rubric

# Options that make a panel of a single judge too: its record says how sure it is.
PANEL = ("vote", "quorum", "logprobs", "escalate_below", "escalate_to")


@dataclass(frozen=True, kw_only=True)
class JudgeOptions(LlmOptions):
    """The judges, their rubric, how they decide, and what becomes of ties."""

    model: Annotated[
        list[str],
        typer.Option(
            "--model",
            "-m",
            metavar="NAME[@URL]",
            show_default=False,
            autocompletion=language_model_names,
            help="Who answers: a model's name on the server, or, without --endpoint, a model on this machine: a "
            "folder, a .gguf file, a hub name, smollm2. Give it again for a panel; NAME@URL is on a server of its own, "
            "and NAME@URL#VARIABLE names the environment variable of its key.",
        ),
    ]
    rubric: Annotated[
        str,
        typer.Option(
            "--rubric",
            metavar="NAME",
            autocompletion=rubric_names("pairwise"),
            help="What to ask: pairwise, ultrafeedback, magpie, or a TOML file.",
        ),
    ] = "pairwise"
    ties: Annotated[
        Ties, typer.Option("--ties", help="Leave tied pairs out, or keep them unlabeled, for 'real eval winrate'.")
    ] = Ties.drop
    vote: Annotated[
        Voting | None,
        typer.Option(
            "--vote",
            metavar="RULE",
            show_default="majority; mean where the rubric rates",
            help="How a panel decides: 'majority' of the verdicts, more than half of them; 'mean' of the judges' "
            "probabilities, or of their ratings; 'unanimous' verdicts alone. Anything else is a tie.",
        ),
    ] = None
    quorum: Annotated[
        int | None,
        typer.Option(
            "--quorum",
            metavar="N",
            min=1,
            show_default="all",
            help="How many judges of a panel must have an answer; a record with fewer is rejected.",
        ),
    ] = None
    logprobs: Annotated[
        bool,
        typer.Option(
            "--logprobs",
            help="Ask the server for token probabilities: how sure a judge is comes from those of A and B, not from "
            "its verdict alone. A server that has none is asked without.",
        ),
    ] = False
    escalate_below: Annotated[
        float | None,
        typer.Option(
            "--escalate-below",
            metavar="X",
            show_default=False,
            help="Put pairs on which the judges together are less sure than X, above 0.5 and at most 1, to the judge "
            "of --escalate-to, whose verdict then stands.",
        ),
    ] = None
    escalate_to: Annotated[
        str | None,
        typer.Option(
            "--escalate-to",
            metavar="NAME[@URL]",
            show_default=False,
            autocompletion=language_model_names,
            help="A better, dearer judge for what the others are unsure of.",
        ),
    ] = None
    show: ShowRubric = None
    seed: Seed = 0

    @property
    def is_panel(self) -> bool:
        """Whether the verdicts of judges are counted, rather than that of one judge taken as it is."""
        return len(self.model) > 1 or any(getattr(self, name) not in (None, False) for name in PANEL)


def choose_members(options: JudgeOptions, rubric: "Rubric") -> "tuple[list[PanelMember], list[PanelMember]]":
    """Say who judges and, in the second list, who judges what they are unsure of; refuse what does not fit."""
    from real_cli.cli.panel_members import open_members

    if options.is_panel:
        _check_panel(options, rubric)
    texts = [("--model", text) for text in options.model]
    texts += [] if options.escalate_to is None else [("--escalate-to", options.escalate_to)]
    members = open_members(options, texts)
    local = [member.name for member in members if member.options.is_local]
    if options.logprobs and local:
        raise UsageError(f"--logprobs: '{local[0]}' runs on this machine, and no server gives any; leave it out")
    number = len(options.model)
    return members[:number], members[number:]


def _check_panel(options: JudgeOptions, rubric: "Rubric") -> None:
    """Refuse options of a panel that contradict each other or the rubric, all in one message."""
    number, below = len(options.model), options.escalate_below
    pairs = [flag_of(name) for name in ("logprobs", "escalate_below", "escalate_to") if getattr(options, name)]
    asked = number > 1 or options.escalate_to is not None
    faults = {
        f"--model: the rubric '{rubric.name}' asks about the prompt, and tags are not voted on; give one model, and no "
        "option of a panel": rubric.tags,
        f"--vote {options.vote}: the rubric '{rubric.name}' rates, and ratings are averaged; leave it out": (
            not rubric.compares and not rubric.tags and options.vote not in (None, Voting.mean)
        ),
        f"{', '.join(pairs)}: the rubric '{rubric.name}' compares no two responses, and says not how sure a judge is; "
        "leave it out": (bool(pairs) and not rubric.compares and not rubric.tags),
        f"--quorum {options.quorum}: there {'are' if number > 1 else 'is'} {number} --model": (
            options.quorum is not None and options.quorum > number
        ),
        "--escalate-below and --escalate-to: one needs the other": ((below is None) != (options.escalate_to is None)),
        f"--escalate-below {below}: a number above 0.5 and at most 1 is needed": (
            below is not None and not 0.5 < below <= 1
        ),
        "--logprobs: a model that --thinks gives no probabilities; leave one out": options.logprobs and options.thinks,
        "--emit-requests: a batch is for one model; write one for each --model alone, and the cache keeps what "
        "--apply-results reads": asked and options.emit_requests is not None,
    }
    complaints = [fault for fault, is_there in faults.items() if is_there]
    if complaints:
        raise UsageError("; ".join(complaints))
