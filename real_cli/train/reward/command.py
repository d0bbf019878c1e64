"""real train-reward: train a reward model on the chosen pairs."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status
from real_cli.train.devices.process import run_process
from real_cli.train.devices.slurm import adopt_slurm
from real_cli.train.reward.options import TrainRewardOptions
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
from real_cli.train.world import World, this_world

if TYPE_CHECKING:
    from real_cli.train.reward.settings import RewardSettings


@typed_command
def train_reward(options: TrainRewardOptions) -> Status:
    """Train a reward model on labeled pairs, by Bradley and Terry.

    Reads pairs (prompt, chosen, rejected), and writes a sequence classifier's folder with a manifest, real.json, which
    'real relabel reward' and transformers load. A language model gets a new head, seeded. Prompts and responses are
    read as 'real relabel reward' reads them: by the chat template, or as a text pair without one. An adapter of --lora
    is merged. A finished model in --output is replaced, which is told.

    Standard output gets one JSON object for each logged step, in the names of 'real train-dpo', then one for the
    result; the loss is -log sigmoid(chosen - rejected). Pairs whose responses became the same tokens are left out; that
    and what --max-length changes is counted on standard error.

    With --ensemble N the model has N heads, and each sees the pairs of a prompt as often as a draw says (Poisson, mean
    1). 'real relabel reward' then writes their mean as score, and their standard deviation as score_std. The heads
    share all other weights, so the spread is smaller than that of N models, and no calibrated error.

    With --devices a process for each device trains a part of every batch.

    Buffers: the input is spooled to disk, because training reads it more than once. During training, SIGINT, SIGTERM
    and SIGHUP leave a checkpoint from which --resume goes on.

    \b
    Examples:
      real train-reward --model smollm2 -o scorer pairs.jsonl > training.jsonl
      real train-reward --model ./sft --ensemble 8 -o scorer --eval-file heldout.jsonl pairs.jsonl
      real relabel reward --model scorer candidates.jsonl | real pair --strategy dts > unlabeled.jsonl
    """
    adopt_slurm(os.environ)
    world = this_world()
    return run_process(lambda: _run(options, world), world)


def _run(options: TrainRewardOptions, world: World) -> Status:
    """Do what the options ask of this process; the lead checks them for all."""
    world.share(lambda: _check(options, world))
    from real_cli.train.reward.settings import reward_settings_from

    settings = reward_settings_from(options)
    return run_in_processes(options, lambda: _trained(options, settings, world))


def _check(options: TrainRewardOptions, world: World) -> None:
    """Refuse what cannot run."""
    check_resume(options)
    check_needed(
        {"--model": (options.model, "the model to train"), "--output": (options.output, "the folder to write")}
    )
    check_processes(options, world)
    check_are_found(_models_read(options), options)
    from real_cli.train.reward.settings import check_reward_settings, reward_settings_from
    from real_cli.train.shared.settings import check_packages

    settings = reward_settings_from(options)
    check_reward_settings(settings, options, num_processes(options, world))
    check_packages(settings, options.report_to)


def _models_read(options: TrainRewardOptions) -> list[tuple[str, str | None]]:
    """Name the models that are read, each with its option."""
    return [("--model", options.model)]


def _trained(options: TrainRewardOptions, settings: "RewardSettings", world: World) -> Status:
    """Train; the log lines go to standard output, and --output is the folder."""
    from real_cli.train.reward.run import RewardRun

    assert options.model is not None
    model, reads = options.model, _models_read(options)
    if not world.is_lead:
        options = replace(options, **reads_nothing())
    return trained(
        lambda job, workspace: RewardRun(job, workspace, settings, options, model, world),
        options,
        settings,
        world,
        command="train-reward",
        reads=reads,
    )
