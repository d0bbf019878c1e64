"""`--batch-tokens auto`: the largest pass that fits, found by following a step of the run on its own records."""

from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import torch

from real_cli.io.durable import write_whole
from real_cli.models.load.adapter_folders import load_plan
from real_cli.models.load.deferred import deferred_imports
from real_cli.models.load.device import default_training_tokens
from real_cli.models.load.policies import Policy
from real_cli.models.load.resolve import quiet_libraries, resolve_model
from real_cli.train.arguments import Routine
from real_cli.train.estimate.fitting import Follow, Followed, Room, largest_budget
from real_cli.train.estimate.machine import CUDA_BYTES, WORKING_BYTES, available_bytes
from real_cli.train.estimate.simulation import Beside, simulate
from real_cli.train.estimate.weightless import ModelPlan, Setup, build_weightless, stored_bytes
from real_cli.train.estimate.work import plan_work
from real_cli.train.objective import Need
from real_cli.train.options import TrainOptions
from real_cli.train.reference import Reference
from real_cli.train.settings import TrainingSettings
from real_cli.train.tokenized import ExampleSet

# In the folder of an unfinished run: what was found, for those who go on with it.
TOKENS_FILE = "batch_tokens.json"
# Most estimates are within 15% of the peak (real-performance(7)), so that much is left free. Passes
# halve where it was not enough.
USED_SHARE = 0.85


@dataclass(frozen=True)
class LoadedRun:
    """A run whose policy is loaded and whose records are tokenized.

    Attributes:
        name: As the user named the policy.
        policy: On its device, in its layout.
        reference: What it is compared with.
        settings: Of the run.
        options: Of the command.
        folder: Where an unfinished run keeps its files.
    """

    name: str
    policy: Policy
    reference: Reference
    settings: TrainingSettings
    options: TrainOptions
    folder: Path

    def find_tokens(self, examples: ExampleSet, *, resumed: bool) -> tuple[int, str]:
        """Find the largest pass that fits; returns its tokens and a line that says so. A resumed run keeps its own."""
        path = self.folder / TOKENS_FILE
        if resumed and path.exists():
            tokens = int(orjson.loads(path.read_bytes()))
            return tokens, f"--batch-tokens {tokens}, as found when the run began"
        device = self.policy.place.device
        free = available_bytes(device) + _held_bytes(self.policy)
        default = default_training_tokens(device, self.policy.model)
        with quiet_libraries(), deferred_imports():
            largest = fit_tokens(self._follower(examples, free), default, device)
        write_whole(path, orjson.dumps(largest or 1))
        return largest or 1, say_fitted(largest, free)

    def _follower(self, examples: ExampleSet, free: int) -> Follow:
        from real_cli.train.trainers.dpo import make_collator

        name, options, settings, policy = self.name, self.options, self.settings, self.policy
        plan = ModelPlan(*load_plan(name, policy.path))
        attention, checkpoints = options.attention, options.gradient_checkpointing
        setup = Setup(policy.place, policy.model.dtype, attention, settings, checkpoints)
        beside = reference_bytes(self.reference, setup, name, policy.path)
        stored = stored_bytes(name, plan.folder)
        unseen = WORKING_BYTES if policy.place.device.type == "cpu" else CUDA_BYTES

        def follow(tokens: int) -> Followed:
            collator = make_collator(policy, Routine(batch_tokens=tokens), settings, settings.mixture)
            work = plan_work(examples, settings, collator, policy.layout)
            usage = simulate(name, plan, setup, work.largest, stored=stored, beside=beside)
            return usage, work.largest, Room(free, 0, unseen, max(batch.num_tokens for batch in work.batches))

        return follow


def fit_tokens(follow: Follow, default: int, device: torch.device) -> int | None:
    """Find the largest pass that fits with room to spare; on a CPU the default is the most, larger ones are slower."""

    def with_spare(tokens: int) -> Followed:
        usage, passes, room = follow(tokens)
        return usage, passes, room._replace(available=int(room.available * USED_SHARE))

    return largest_budget(with_spare, default, default if device.type == "cpu" else None)


def say_fitted(tokens: int | None, free: int) -> str:
    """Say what was found."""
    room = f"{free / 2**30:.1f} GiB free" if free < 10 << 30 else f"{free / 2**30:.0f} GiB free"
    if tokens is None:
        return f"--batch-tokens auto: the longest pair may not fit in {room}; each pair is a pass of its own"
    return f"--batch-tokens {tokens} fits in {room}"


def reference_bytes(reference: Reference, setup: Setup, policy_name: str, policy_path: str) -> Beside:
    """Return what a reference takes: for the whole run where every step asks it, else while it scores."""
    if not reference.is_needed:
        return Beside()
    is_held = Need.decoupled in setup.settings.mixture.needs
    name = reference.name or policy_name
    path = resolve_model(name)  # refuses what the run would refuse
    if path == policy_path and not is_held:
        return Beside()
    plain = replace(setup, settings=replace(setup.settings, lora=False, qlora=False), dtype=setup.place.dtype)
    num_bytes = sum(build_weightless(name, ModelPlan(*load_plan(name, path)), plain).weights)
    return Beside(held=num_bytes) if is_held else Beside(passing=num_bytes)


def _held_bytes(policy: Policy) -> int:
    """Return what the loaded policy takes of the memory that the run is to have."""
    if policy.place.device.type == "cuda":
        return int(torch.cuda.memory_reserved(policy.place.device))
    return sum(weight.numel() * weight.element_size() for weight in policy.model.parameters())
