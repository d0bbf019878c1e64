"""Training runs that one process makes, and several processes together: `python -m tests.train.ranks FOLDER`.

Starting torch is most of what a small run costs, so one world of processes runs a whole list of them.
"""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

import orjson

from real_cli.records.choices import Attention, Precision, TokenLayout
from tests.train.training import located, with_everything
from tests.train.trajectories import refuse, say, settings_for

WORDS = "the a cat dog sat ran on under mat log red blue big small he she it saw heard and".split()  # noqa: SIM905


def many_pairs(count):
    """Pairs of differing lengths, some of one prompt, that every objective can read."""

    def text(seed, most):
        return " ".join(WORDS[(seed * 7 + step * step) % len(WORDS)] for step in range(1 + seed % most))

    rows = [
        {"prompt": text(number // 3 * 3, 4), "chosen": f" {text(number, 9)}", "rejected": f" {text(number + 11, 7)}"}
        for number in range(count)
    ]
    return with_everything(rows)


def run_case(policy_name, rows, case, folder):
    """Run one case; returns its lines, dumped lines, what it told, the batches remembered and the weights."""
    from real_cli.io.checkpoint_marks import newest_whole
    from real_cli.train.arguments import Routine
    from real_cli.train.checkpoints.dump import Dump
    from real_cli.train.reference import Reference
    from real_cli.train.stages import StagedTraining
    from real_cli.train.world import this_world

    world, resumed = this_world(), case.get("resumed", False)
    settings = settings_for(*case["loss"], **case.get("settings", {}))
    policy, layout = load_policy(policy_name, case, settings)
    examples = [prepared(rows, policy, settings, folder, "train")]
    if "held_out" in case:
        examples.append(prepared(many_pairs(case["held_out"]), policy, settings, folder, "eval"))
    compared = Reference(None, settings.mixture, layout, Attention.auto, 60, settings.max_length, say)
    compared.fill(examples, policy, lambda count: None)
    lines, notes = [], []
    with ExitStack() as stack:
        # There is no accelerator here, whose cache could be emptied.
        stack.enter_context(mock.patch("torch.accelerator.empty_cache"))
        if case.get("cramped") == world.rank:
            stack.enter_context(with_little_room())
        if case.get("split"):
            stack.enter_context(split_weights())
        dump = None
        if world.is_lead:
            dump = stack.enter_context(Dump(folder / "dump", resume=resumed, tell=notes.append))
            dump.name_places(examples[0].place)
        routine = Routine(batch_tokens=case.get("batch_tokens", 60), dump=dump, **case.get("routine", {}))
        staged = StagedTraining(
            policy, compared, settings, routine, folder,
            last_checkpoint=newest_whole if resumed else lambda folder: None,
            tell=notes.append, resumed=resumed,
        )  # fmt: skip
        trainer, result = staged.run(examples[0], (examples[1:] or [None])[0], lines.append, False)
    weights = {name: value.tolist() for name, value in whole_weights(trainer).items()}
    remembered = trainer.recent.values()
    saved = {"saved": saved_weights(trainer, folder / "final")} if world.is_lead else {}
    return saved | {
        "lines": lines,
        "notes": notes,
        "result": result,
        "recent": None if remembered is None else sorted(remembered.tolist()),
        "dump": [json.loads(line) for line in (folder / "dump").read_text().splitlines()] if world.is_lead else [],
        "weights": weights,
    }


def saved_weights(trainer, folder):
    """Save the policy as a run does; returns what the files hold."""
    from safetensors.torch import load_file

    from real_cli.train.lora import save_policy

    save_policy(trainer, folder)
    return {name: value.tolist() for name, value in load_file(folder / "model.safetensors").items()}


def whole_weights(trainer):
    """Weights of the policy, those that are split among processes put together."""
    weights = trainer.accelerator.unwrap_model(trainer.model).state_dict()
    return {name: getattr(value, "full_tensor", lambda value=value: value)() for name, value in weights.items()}


def load_policy(policy_name, case, settings):
    """Load a policy for a case, and the layout of it."""
    from real_cli.models.load.policies import load_trainee
    from real_cli.models.score.probe import settle_layout

    layout = TokenLayout(case.get("layout", "shared"))
    policy = load_trainee(str(policy_name), device="cpu", precision=Precision.auto)
    return settle_layout(policy, "policy", layout, max_length=settings.max_length, tell=say), layout


def prepared(rows, policy, settings, folder, name):
    """Tokenize rows in this process's corner of a folder."""
    from real_cli.models.score.tokens import ExampleTokenizer
    from real_cli.train.examples import unpaired_rows
    from real_cli.train.prepare import prepare

    corner = folder / os.environ.get("RANK", "0")
    corner.mkdir(parents=True, exist_ok=True)
    tokenize = ExampleTokenizer(policy.tokenizer, settings.max_length)
    reader = settings.reader(held_out=name == "eval")
    if settings.is_unpaired:
        rows = [row for pair in rows for row in unpaired_rows(pair)]
    return prepare(
        located(rows), reader, tokenize, corner / f"{name}.arrow", settings, use_given=True, refuse=refuse, what=name
    )


@contextmanager
def split_weights():
    """Split the weights among the processes by FSDP2; accelerate does so on accelerators only."""
    from accelerate import Accelerator
    from torch.distributed.fsdp import fully_shard

    from real_cli.train.trainers.dpo import RealTrainer

    create = RealTrainer.create_optimizer

    def split_and_create(self, *args):
        for layer in self.model.model.layers:
            fully_shard(layer)
        fully_shard(self.model)
        return create(self, *args)

    with (
        mock.patch.object(Accelerator, "prepare_model", lambda self, model, **kwargs: model),
        mock.patch.object(RealTrainer, "create_optimizer", split_and_create),
        mock.patch.object(RealTrainer, "splits_weights", True),
    ):
        yield


@contextmanager
def with_little_room(tokens=40):
    """Let a device have room for a few tokens of a pass only."""
    import torch

    from real_cli.train.trainers.dpo import RealTrainer

    gather = RealTrainer._gather

    def cramped(self, model, inputs, forward):
        if forward["batch"]["input_ids"].numel() > tokens:
            raise torch.OutOfMemoryError
        return gather(self, model, inputs, forward)

    with mock.patch.object(RealTrainer, "_gather", cramped):
        yield


def run_world(policy_name, rows, cases, folder, *, size=2, **environment):
    """Run cases in one world of processes; returns what each process has of each case."""
    folder.mkdir(parents=True, exist_ok=True)
    work = {"policy": str(policy_name), "rows": rows, "cases": cases}
    (folder / "work.json").write_bytes(orjson.dumps(work))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    shared |= {"OMP_NUM_THREADS": 1} | environment
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.train.ranks", str(folder)],
            env=os.environ
            | {name: str(value) for name, value in (shared | {"RANK": rank, "LOCAL_RANK": rank}).items()},
            stderr=(folder / f"stderr-{rank}").open("wb"),
        )
        for rank in range(size)
    ]
    try:
        statuses = [process.wait(timeout=900) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert statuses == [0] * size, "\n".join(path.read_text() for path in sorted(folder.glob("stderr-*")))
    return [json.loads((folder / f"result-{rank}.json").read_text()) for rank in range(size)]


def work_through(folder):
    """Run all cases as one process of a world."""
    from real_cli.train.world import this_world

    work = orjson.loads((folder / "work.json").read_bytes())
    results = {}
    for name, case in work["cases"].items():
        corner = folder / name
        corner.mkdir(exist_ok=True)
        results[name] = run_case(work["policy"], work["rows"], case, corner)
    (folder / f"result-{this_world().rank}.json").write_bytes(orjson.dumps(results))


if __name__ == "__main__":
    work_through(Path(sys.argv[1]))
