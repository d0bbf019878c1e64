"""How a command that trains begins: what it refuses, the processes it starts, and what each of them opens."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from real_cli.errors import Status, UsageError
from real_cli.train.devices.count import check_devices, check_launched, processes_wanted
from real_cli.train.shared.options import RunOptions
from real_cli.train.world import World, is_launched

if TYPE_CHECKING:
    from real_cli.io.job import Job
    from real_cli.train.folder import Workspace
    from real_cli.train.shared.run import Run
    from real_cli.train.shared.settings import RunSettings

# The models that a run reads, each with its option.
ModelsRead = Sequence[tuple[str, str | None]]


def check_needed(needed: Mapping[str, tuple[object, str]]) -> None:
    """Refuse the lack of options: each flag has its value, and what it is for."""
    absent = [flag for flag, (value, _) in needed.items() if value is None]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        uses = ", and ".join(needed[flag][1] for flag in absent)
        raise UsageError(f"{' and '.join(absent)} {verb} needed: {uses}")


def check_resume(options: RunOptions) -> None:
    """Refuse both ways to go on at once."""
    if options.resume and options.resume_if_same:
        raise UsageError("--resume, --resume-if-same: choose one of them")


def check_processes(options: RunOptions, world: World) -> None:
    """Refuse devices that are none, and other numbers than a launcher started."""
    check_devices(options.devices, options.device)
    if is_launched():
        check_launched(options.devices, options.device, world)


def check_are_found(models: ModelsRead, options: RunOptions) -> None:
    """Refuse models and files that are not there, before libraries are loaded, which takes seconds."""
    from real_cli.io.sources import check_are_there
    from real_cli.models.load.resolve import locate_model

    for _, name in models:
        if name is not None and name != "none":
            locate_model(name)
    check_are_there([*options.sources, *([str(options.eval_file)] if options.eval_file else [])])


def num_processes(options: RunOptions, world: World) -> int:
    """Say how many processes the run has, or will have."""
    return world.size if is_launched() else processes_wanted(options.devices, options.device)


def run_in_processes(options: RunOptions, train: Callable[[], Status]) -> Status:
    """Train in this process, or start one for each device."""
    wanted = 1 if is_launched() else processes_wanted(options.devices, options.device)
    if wanted == 1:
        return train()
    from real_cli.train.devices.launch import launch

    return launch(wanted)


def trained(
    make: Callable[["Job", "Workspace"], "Run"],
    options: RunOptions,
    settings: "RunSettings",
    world: World,
    *,
    command: str,
    reads: ModelsRead,
    also_writes: Sequence[Path | None] = (),
) -> Status:
    """Train; the log lines go to standard output, and --output is the folder, which is the lead's."""

    def open_all() -> tuple["Job", "Workspace"]:
        from real_cli.train.folder import Workspace

        assert options.output is not None
        resume, if_same = options.resume, options.resume_if_same
        workspace = Workspace(options.output, resume=resume, if_same=if_same, reads=reads, command=command)
        job = replace(options, output=None).job(
            numbers=settings.number_fields,
            also_writes=also_writes,
            also_reads=[("--eval-file", options.eval_file)],
            what="pairs read",
        )
        stack.enter_context(job)
        if world.is_lead:
            stack.enter_context(workspace)
        return job, workspace

    with ExitStack() as stack:
        job, workspace = world.in_turn(open_all)
        status = make(job, workspace).train()
    return status or job.status


def reads_nothing() -> dict[str, Any]:
    """Choose the options of a process that is not the lead: it reads no records, and writes no file."""
    return {"files": [os.devnull], "rejects": None, "quiet": True}
