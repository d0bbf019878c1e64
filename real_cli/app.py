"""The command line: every command, in the order of the pipe. A command is imported when it is run."""

import os
import sys
import warnings
from typing import Annotated, Any

import typer

from real_cli import __version__
from real_cli.cli.commands import SETTINGS, USAGE_PROBLEM, Lazy, Members, Rows, lazy_group
from real_cli.cli.completion_scripts import INSTALL, SCRIPTS, SHOW, VARIABLE, install_completion, show_completion
from real_cli.cli.guard import flush_stdout, keep_standard_descriptors, tell_fault
from real_cli.cli.mistakes import explain
from real_cli.cli.stopping import leave_at_once
from real_cli.cli.threads import wait_briefly
from real_cli.errors import RealError, Status
from real_cli.evaluate.faces import FACES
from real_cli.io.progress import NAME_OF_STDOUT, make_stderr_printable, say
from real_cli.io.terminal.stream import silence, write_what_waits

RELABEL = {
    "human": Lazy("real_cli.relabel.human.command", "human", "Ask a person which response of each pair is better."),
    "judge": Lazy(
        "real_cli.relabel.judge.command", "judge", "Have a language model compare or rate responses, by a rubric."
    ),
    "reward": Lazy("real_cli.relabel.reward.command", "reward", "Score responses by a reward model."),
    "implicit": Lazy(
        "real_cli.relabel.implicit.command", "implicit", "Score responses by a policy's own log-probabilities."
    ),
    "winprob": Lazy("real_cli.relabel.winprob.command", "winprob", "Add to each response its probability of winning."),
    "weight": Lazy(
        "real_cli.relabel.weight.command",
        "weight",
        "Weigh each pair by the gap between its scores.",
    ),
    "shape": Lazy("real_cli.relabel.shape.command", "shape", "Bound or center the score of each response."),
    "goal": Lazy(
        "real_cli.relabel.goal.command",
        "goal",
        "Turn each pair into two that state the score to aim at: as it is, and with the labels swapped.",
    ),
    "bridge": Lazy("real_cli.relabel.bridge.command", "bridge", "Edit the rejected response towards the chosen one."),
    "degrade": Lazy(
        "real_cli.relabel.degrade.command", "degrade", "Add copies of the chosen response with fewer key words."
    ),
    "dsat": Lazy(
        "real_cli.relabel.dsat.command",
        "dsat",
        "Find replies that left a user dissatisfied, in a conversation (DRIFT).",
    ),
    "feedback": Lazy(
        "real_cli.relabel.feedback.command",
        "feedback",
        "Turn user feedback into pairs and labeled replies.",
    ),
}
EVALUATE = {name: Lazy(module, name.replace("-", "_"), summary) for name, (module, summary) in FACES.items()}
# As a pipe runs them.
COMMANDS: Rows = {
    "split": Lazy("real_cli.split.command", "split", "Hold prompts out of training."),
    "sample": Lazy("real_cli.sample.command", "sample", "Let policies answer prompts."),
    "embed": Lazy("real_cli.embed.command", "embed", "Add an embedding to each response."),
    "pair": Lazy(
        "real_cli.pair.command", "pair", "Choose which responses of a prompt to compare, before anyone labels them."
    ),
    "relabel": Members(
        "Put scores and labels on records, or rewrite them: people, judges, reward models, the model itself.", RELABEL
    ),
    "merge": Lazy("real_cli.merge.command", "merge", "Put the outputs of shards into their input's order."),
    "train-dpo": Lazy(
        "real_cli.train.command",
        "train_dpo",
        "Align a policy with labeled pairs, by DPO and its kin.",
    ),
    "train-reward": Lazy(
        "real_cli.train.reward.command",
        "train_reward",
        "Train a reward model on labeled pairs, by Bradley and Terry.",
    ),
    "soup": Lazy(
        "real_cli.soup.command",
        "soup",
        "Average checkpoints, weight by weight: a reference for DPO (SALSA), or a model.",
    ),
    "eval": Members("Measure a policy or a data set; one JSON summary on standard output.", EVALUATE),
    "init": Lazy(
        "real_cli.init.command", "init", "Write a worked project: a Makefile that runs the whole pipe on bundled data."
    ),
    "help": Lazy("real_cli.help.command", "open_manual", "Open the manual page of a command, or a guide."),
}

app = typer.Typer(
    cls=lazy_group(COMMANDS),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)


def show_version(wanted: bool) -> None:
    """Print the version and stop.

    Args:
        wanted: Whether --version was given.

    Raises:
        Exit: If it was.
    """
    if wanted:
        typer.echo(f"real {__version__}")
        raise typer.Exit


@app.callback()
def real(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    install: Annotated[
        bool,
        typer.Option(
            INSTALL,
            metavar="[SHELL]",
            callback=install_completion,
            is_eager=True,
            help=f"Set up completion for {', '.join(SCRIPTS)}, by default the shell that runs this, and stop.",
        ),
    ] = False,
    show: Annotated[
        bool,
        typer.Option(
            SHOW,
            metavar="[SHELL]",
            callback=show_completion,
            is_eager=True,
            help="Print what that would write, and stop.",
        ),
    ] = False,
) -> None:
    """Real: jq for preference data.

    Filters that read and write JSONL: embed candidate responses, choose which of them to compare, label only those,
    align a policy with DPO, and measure it.

    \b
      real embed candidates.jsonl | real pair --strategy easy --keep 35% > pairs.jsonl
      real train-dpo --policy smollm2 -o aligned pairs.jsonl > training.jsonl
      real eval margin --policy aligned --reference smollm2 heldout.jsonl
    """


def main() -> None:
    """Run the command line."""
    leave_at_once()
    wait_briefly()
    keep_standard_descriptors()
    make_stderr_printable()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries, about things that the user cannot change
    if os.environ.get(VARIABLE):
        from real_cli.cli.completion import answer_shell

        sys.exit(answer_shell(typer.main.get_command(app)))
    try:
        status = app(prog_name="real", standalone_mode=False)
        flush_stdout()
    except USAGE_PROBLEM as error:
        _tell_mistake(error)
        status = Status.usage
    except RealError as error:  # of an option that is answered while words are read
        say(str(error))
        status = error.status
    except SystemExit as left:  # Typer's way to take a closed pipe, of help say
        status = Status.done if isinstance(left.__context__, BrokenPipeError) else left.code
    except OSError as error:  # of help: commands tell their own
        error.filename = error.filename or NAME_OF_STDOUT
        status = tell_fault(error)
    if sys.stdout is None and not status:
        say("standard output is closed; send it to /dev/null instead")
        status = Status.failed
    write_what_waits()
    sys.exit(int(status or 0))


def _tell_mistake(error: Any) -> None:
    if type(error).__name__ != "NoArgsIsHelpError":
        say(explain(error))
        return
    try:
        typer.echo(error.ctx.command.list_for(error.ctx), err=True)
    except OSError:
        silence(2)
