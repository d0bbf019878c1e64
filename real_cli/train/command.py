"""real train-dpo: align a policy with the chosen pairs."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError
from real_cli.train.devices.process import run_process
from real_cli.train.devices.slurm import adopt_slurm
from real_cli.train.options import TrainOptions
from real_cli.train.shared.opening import (
    check_are_found,
    check_needed,
    check_processes,
    check_resume,
    num_processes,
    reads_nothing,
    run_in_processes,
    trained,
)
from real_cli.train.world import World, is_launched, this_world

if TYPE_CHECKING:
    from real_cli.train.settings import TrainingSettings


@typed_command
def train_dpo(options: TrainOptions) -> Status:
    """Align a policy with labeled pairs, by DPO and its kin.

    Reads pairs (prompt, chosen, rejected), or what the objective wants beside them or instead (kto: prompt, completion
    and label, true or false), and writes a checkpoint folder that
    transformers loads, with a manifest, real.json. Standard output gets one JSON object for each logged step, in TRL's
    names, then one for the result; rewards/accuracies counts ties as wrong, as TRL does, and means nothing while the
    policy still is its reference. Standard error says in words how the margin moved, which takes two logged steps.
    Reference log-probabilities are computed once, before training, or read from the records. A finished model in
    --output is replaced, which is told.

    A conversation goes through the policy's chat template, and every message of it must be in what the template
    renders. What tools and users say inside a response is read and not trained. Pairs whose responses became the same
    tokens are left out. All of that, and what a template or --max-length changes, is counted on standard error.

    With --devices a process for each device trains a part of every batch. The first one reads, writes and speaks, and
    what fails in any of them ends all. Several machines need an --output folder that all of them see.

    Buffers: the input is spooled to disk, because training reads it more than once. During training, SIGINT, SIGTERM
    and SIGHUP leave a checkpoint from which --resume goes on.

    \b
    Examples:
      real train-dpo --policy smollm2 -o aligned pairs.jsonl > training.jsonl
      real pair --keep 2000 embedded.jsonl | real train-dpo -p ./sft -o aligned --loss ipo | jq .loss
      real train-dpo --policy smollm2 --estimate pairs.jsonl
      real train-dpo --preset drift --learning-rate 1e-6 --show-config | jq .
    """
    adopt_slurm(os.environ)
    world = this_world()
    return run_process(lambda: _run(options, world), world)


def _run(options: TrainOptions, world: World) -> Status:
    """Do what the options ask of this process; the lead checks them for all."""
    world.share(lambda: _check(options, world))
    from real_cli.train.settings import describe_settings, settings_from

    settings = settings_from(options)
    if options.show_config:
        from real_cli.io.output import write_stdout

        write_stdout(describe_settings(settings, options.preset) | {"reference": options.reference})
        return Status.done
    if options.estimate:
        return _estimated(options, settings)
    return run_in_processes(options, lambda: _trained(options, settings, world))


def _check(options: TrainOptions, world: World) -> None:
    """Refuse what cannot run."""
    _check_together(options)
    check_processes(options, world)
    if not options.show_config:
        check_are_found(_models_read(options), options)
    from real_cli.train.settings import check_settings, settings_from
    from real_cli.train.shared.settings import check_packages

    settings = settings_from(options)
    check_settings(settings, options, processes := _num_processes(options, world))
    if not options.show_config:
        check_packages(settings, options.report_to, in_4_bits=settings.qlora)
    if not (options.estimate or options.fits_tokens):
        return
    if processes == 1:
        return
    if options.fits_tokens:
        raise UsageError("--batch-tokens auto: follows one process, and there are several; give a number of tokens")
    if options.estimate:
        raise UsageError(
            f"--estimate, --devices {options.devices}: an estimate is of one device; leave --devices out: each of "
            "several takes that much, and its gradients once more while they are averaged"
        )


def _num_processes(options: TrainOptions, world: World) -> int:
    """Say how many processes the run has, or will have; --show-config may be asked on another machine."""
    if options.show_config and not is_launched():
        return int(options.devices) if options.devices.isdecimal() else 1
    return num_processes(options, world)


def _check_together(options: TrainOptions) -> None:
    """Refuse options that exclude each other, and the lack of those that are needed."""
    check_resume(options)
    if options.estimate and (clash := options.flags_given("show_config", "resume", "resume_if_same")):
        raise UsageError(f"--estimate, {clash[0]}: choose one of them")
    if options.show_config:
        return
    needed: dict[str, tuple[object, str]] = {"--policy": (options.policy, "the model to train")}
    if not options.estimate:
        needed["--output"] = options.output, "the folder to write"
    check_needed(needed)


def _estimated(options: TrainOptions, settings: "TrainingSettings") -> Status:
    """Estimate a run that would not be refused; nothing is written."""
    from real_cli.train.estimate.run import estimate
    from real_cli.train.folder import Workspace

    assert options.policy is not None
    if options.output is not None:  # refuses what the run would refuse, and makes nothing
        Workspace(options.output, resume=False, reads=_models_read(options))
    return estimate(options, settings, options.policy)


def _trained(options: TrainOptions, settings: "TrainingSettings", world: World) -> Status:
    """Train; the log lines go to standard output, and --output is the folder."""
    from real_cli.train.run import TrainingRun

    assert options.policy is not None
    policy, reads = options.policy, _models_read(options)
    if not world.is_lead:
        options = replace(options, **reads_nothing(), export_logps=None, dump=None)
    return trained(
        lambda job, workspace: TrainingRun(job, workspace, settings, options, policy, world),
        options,
        settings,
        world,
        command="train-dpo",
        reads=reads,
        also_writes=[options.export_logps, options.dump],
    )


def _models_read(options: TrainOptions) -> list[tuple[str, str | None]]:
    """Name the models that are read, each with its option."""
    return [("--policy", options.policy), ("--reference", options.reference)]
