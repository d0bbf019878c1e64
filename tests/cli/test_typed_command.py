"""A command's dataclass is its command line: order, defaults, what was given, and the job that it opens."""

from dataclasses import FrozenInstanceError, dataclass, fields
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from real_cli.cli.option_sets import BaseOption, DeviceOptions, ScoredStreamOptions, StreamOptions, flag_of
from real_cli.cli.options import Seed
from real_cli.cli.typed_command import shown_fields, typed_command
from real_cli.errors import RealError, Status
from real_cli.models.load.resolve import named_base
from real_cli.records.choices import OnError


@dataclass(frozen=True, kw_only=True)
class Brewing(DeviceOptions, BaseOption, ScoredStreamOptions):
    """How to brew."""

    strength: Annotated[float, typer.Option("--strength", min=0, help="How strong.")] = 2.5
    leaves: Annotated[str, typer.Option("--leaves", help="Of which tea.")]
    seed: Seed = 3
    dtype: Annotated[str, typer.Option("--dtype", help="A cup's own.")] = "mug"
    unseen: int = 7

    @property
    def appends_to(self):
        return Path("pot.jsonl") if self.leaves == "old" else None


SEEN = []


@typed_command
def brew(options: Brewing) -> Status:
    """Brew tea."""
    SEEN.append((options, named_base()))
    if options.leaves == "none":
        raise RealError("pot: has no leaves; buy some")
    return Status.rejected if options.leaves == "stale" else Status.done


def run(*words):
    """Run the command; return the status, what it printed, and the options that it saw, if any."""
    SEEN.clear()
    app = typer.Typer(rich_markup_mode=None)
    app.command()(brew)
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output, *(SEEN[0] if SEEN else ())


def test_the_parameters_are_the_command_s_own_then_those_of_its_parts_then_the_stream_s():
    order = [item.name for item in shown_fields(Brewing)]
    declared, device = ["strength", "leaves", "seed", "dtype"], ["batch_tokens", "device"]
    last = ["output", "on_error", "rejects", "input_format", "score", "max_line_bytes", "quiet"]
    assert order == ["files", *declared, *device, "base", *last]
    assert {item.name for item in fields(Brewing)} - set(order) == {"given", "unseen"}


def test_help_shows_the_defaults_of_the_fields():
    status, shown, *_ = run("--help")
    assert status == 0
    assert "[default: 2.5; x>=0]" in shown
    assert "[default: mug]" in shown
    assert "Brew tea." in shown
    assert "unseen" not in shown
    assert "given" not in shown


def test_a_field_without_a_default_is_needed():
    status, output, *_ = run()
    assert status == 2
    assert "--leaves" in output


def test_the_options_hold_what_was_typed_and_know_it():
    status, _, options, _ = run("--leaves", "oolong", "--seed", "3", "--on-error", "skip", "a.jsonl")
    assert status == 0
    assert (options.leaves, options.strength, options.seed, options.unseen) == ("oolong", 2.5, 3, 7)
    assert (options.files, options.on_error) == (["a.jsonl"], OnError.skip)
    assert options.given == {"leaves", "seed", "on_error", "files"}
    assert options.flags_given("on_error", "strength", "leaves") == ["--on-error", "--leaves"]
    with pytest.raises(FrozenInstanceError):
        options.seed = 4


def test_a_status_and_an_error_leave_as_the_exit_status():
    assert run("--leaves", "stale")[:2] == (3, "")
    assert run("--leaves", "none")[:2] == (1, "real: pot: has no leaves; buy some\n")


def test_the_base_of_adapters_is_named_while_the_command_runs():
    assert run("--leaves", "mint", "--base", "./below")[3] == "./below"
    assert run("--leaves", "mint")[3] is None
    assert named_base() is None


def test_the_options_open_the_job(monkeypatch):
    """Each option arrives; a file to append to takes the place of the output."""
    import real_cli.io.job

    seen = []
    monkeypatch.setattr(real_cli.io.job, "Job", lambda *words, **settings: seen.append((words, settings)))
    brewing = Brewing(
        leaves="old", files=["a"], output=Path("o"), on_error=OnError.skip, rejects=Path("r"), score="taste", quiet=True
    )
    brewing.job(numbers=["n"], also_writes=[None, Path("w")], also_reads=[("--x", None)], what="cups")
    ((words, settings),) = seen
    reading = settings.pop("reading")
    assert words == (["a"],)
    assert settings == {
        "output": Path("pot.jsonl"), "append": True, "also_writes": [Path("w")], "also_reads": [("--x", None)],
        "on_error": OnError.skip, "rejects": Path("r"), "quiet": True, "max_line_bytes": brewing.max_line_bytes,
        "what": "cups",
    }  # fmt: skip
    assert (reading.format, reading.numbers, reading.score) == (None, ["n"], "taste")
    StreamOptions(output=Path("o")).job()
    assert (seen[1][0], seen[1][1]["output"], seen[1][1]["append"]) == (([],), Path("o"), False)
    assert seen[1][1]["reading"].score is None


def test_a_flag_is_the_name_of_its_field():
    assert flag_of("max_line_bytes") == "--max-line-bytes"
