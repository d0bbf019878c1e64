"""The command line: every command, in the order of the pipe."""

import sys
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from real_cli import __version__
from real_cli.commands.embed import embed
from real_cli.commands.eval_labels import labels
from real_cli.commands.eval_margin import margin
from real_cli.commands.eval_pairs import pairs
from real_cli.commands.eval_winrate import winrate
from real_cli.commands.grouped import grouped
from real_cli.commands.init import init
from real_cli.commands.pair import pair
from real_cli.commands.relabel_bridge import bridge
from real_cli.commands.relabel_degrade import degrade
from real_cli.commands.relabel_dsat import dsat
from real_cli.commands.relabel_goal import goal
from real_cli.commands.relabel_human import human
from real_cli.commands.relabel_implicit import implicit
from real_cli.commands.relabel_judge import judge
from real_cli.commands.relabel_reward import reward
from real_cli.commands.relabel_shape import shape
from real_cli.commands.relabel_weight import weight
from real_cli.commands.relabel_winprob import winprob
from real_cli.commands.sample import sample
from real_cli.commands.sampling_options import GROUPS as SAMPLING_GROUPS
from real_cli.commands.soup import soup
from real_cli.commands.stopping import leave_at_once
from real_cli.commands.train_dpo import train_dpo
from real_cli.commands.training_options import GROUPS
from real_cli.errors import Status
from real_cli.streams.progress import say

# Typer has its own copy of Click and does not export the base of its usage errors.
USAGE_PROBLEM: Any = typer.BadParameter.__mro__[1]
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Group(TyperGroup):
    """A group of commands whose help starts at once."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters; a flag that is not given is false: to read None, Typer would load pydantic."""
        params = super().get_params(ctx)
        for param in params:
            if getattr(param, "is_flag", False) and param.default is None:
                param.default = False
        return params


class InPipeOrder(Group):
    """List commands as a pipe runs them; Typer would put groups last."""

    ORDER = ("sample", "embed", "pair", "relabel", "train-dpo", "soup", "eval", "init")

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in order."""
        return sorted(super().list_commands(ctx), key=self.ORDER.index)


app = typer.Typer(
    cls=InPipeOrder,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)
relabel = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings=SETTINGS,
    help="Put scores and labels on records, or rewrite them: people, judges, reward models, the model itself.",
)
evaluate = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings=SETTINGS,
    help="Measure a policy or a data set; one JSON summary on standard output.",
)


def show_version(wanted: bool) -> None:
    """Print the version and stop.

    Args:
        wanted: Whether --version was given.

    Raises:
        Exit: If it was.
    """
    if wanted:
        sys.stdout.write(f"real {__version__}\n")
        raise typer.Exit


@app.callback()
def real(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and stop.")
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


app.command(cls=grouped(SAMPLING_GROUPS))(sample)
app.command()(embed)
app.command()(pair)
app.add_typer(relabel, name="relabel")
relabel.command()(human)
relabel.command()(judge)
relabel.command()(reward)
relabel.command()(implicit)
relabel.command()(winprob)
relabel.command()(weight)
relabel.command()(shape)
relabel.command()(goal)
relabel.command()(bridge)
relabel.command()(degrade)
relabel.command()(dsat)
app.command(cls=grouped(GROUPS))(train_dpo)
app.command()(soup)
app.add_typer(evaluate, name="eval")
evaluate.command()(labels)
evaluate.command()(margin)
evaluate.command()(pairs)
evaluate.command()(winrate)
app.command()(init)


def main() -> None:
    """Run the command line."""
    leave_at_once()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries, about things that the user cannot change
    try:
        status = app(prog_name="real", standalone_mode=False)
    except USAGE_PROBLEM as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a group without a command: its help
            error.show()
        else:
            message = " ".join(error.format_message().split()).rstrip(".")
            say(f"{message[:1].lower()}{message[1:]}; see {error.ctx.command_path if error.ctx else 'real'} --help")
        status = Status.usage
    sys.exit(int(status or 0))
