"""The steps of `real train-dpo`: spool, prepare, refer, train, save. Loaded only when a run starts."""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from real_cli.commands.guard import StopRequest
from real_cli.core.layouts import adapt
from real_cli.core.names import Attention, Precision, TokenLayout
from real_cli.core.records import Record, check_labeled
from real_cli.errors import RealError, Status
from real_cli.models.device import default_batch_tokens
from real_cli.models.manifest import write_manifest
from real_cli.models.pairset import PairSet, with_scores
from real_cli.models.policies import Policy, load_trainee
from real_cli.models.probe import settle_layout
from real_cli.models.tokens import PairTokenizer
from real_cli.models.training import Reference, TrainingSettings, prepare, save_policy, with_reference_fields
from real_cli.streams.job import Job, Located
from real_cli.streams.jsonl import dump_record
from real_cli.streams.output import LogLines, open_output
from real_cli.streams.progress import Counter, say
from real_cli.streams.sources import Item
from real_cli.streams.workspace import Spooled, Workspace, read_spool


@dataclass(frozen=True)
class Extras:
    """What a run needs beside the settings that decide its trajectory."""

    policy: str
    reference: str | None
    eval_file: Path | None
    export_logps: Path | None
    attention: Attention
    layout: TokenLayout
    batch_tokens: int | None
    device: str
    dtype: Precision
    gradient_checkpointing: bool
    logging_steps: int
    save_steps: int
    report_to: str


class TrainingRun:
    """One run of `real train-dpo`."""

    def __init__(self, job: Job, workspace: Workspace, settings: TrainingSettings, extras: Extras) -> None:
        self._job = job
        self._workspace = workspace
        self._settings = settings
        self._extras = extras
        self._lines = LogLines(job.stream)
        self._started = time.monotonic()
        self._counts: dict[str, dict[str, int]] = {}
        self._places: dict[str, list[str]] = {"train": [], "eval": []}

    def train(self) -> Status:
        """Run all steps. A signal before the first one ends the run at once; a later one leaves a checkpoint.

        Returns:
            Done, or what the signal leaves.

        Raises:
            RealError: If there is nothing to train on, or the run fails.
        """
        train_data, eval_data = self._spool()
        policy = self._load()
        pairs = self._prepare(train_data, policy, "train")
        held_out = self._prepare(eval_data, policy, "eval") if eval_data else None
        reference = self._refer([pairs, held_out] if held_out else [pairs], policy)
        self._export(train_data, pairs)
        with StopRequest() as stop:
            trainer, result = self._optimize(policy, pairs, held_out, stop)
        if stop:
            self._say(f"stopped at step {trainer.state.global_step}; go on with --resume")
            return stop.status
        save_policy(trainer, self._workspace.folder)
        self._finish(policy, reference, train_data, result | {"num_pairs": len(pairs.rows)})
        return Status.done

    def _load(self) -> Policy:
        extras = self._extras
        loaded = load_trainee(extras.policy, device=extras.device, precision=extras.dtype, attention=extras.attention)
        policy = settle_layout(
            loaded, extras.policy, extras.layout, max_length=self._settings.max_length, told=self._say
        )
        self._batch_tokens = extras.batch_tokens or default_batch_tokens(policy.place.device, training=True)
        self._say(
            f"{extras.policy}: {policy.place}, {policy.model.config._attn_implementation} attention, {policy.layout} "
            f"layout, {self._batch_tokens:,} tokens a pass"
        )
        return policy

    def _spool(self) -> tuple[Spooled, Spooled | None]:
        self._workspace.open()
        asked = asdict(self._settings) | {"policy": self._extras.policy, "reference": self._extras.reference}
        self._workspace.check_settings(asked)
        labeled = self._job.check(check_labeled, self._job.records())
        train_data = self._workspace.spool("train", self._noted("train", labeled))
        if not train_data.num_records:
            raise RealError("no pair to train on: the input has no records")
        self._workspace.begin(train_data, asked)
        eval_data = None
        if self._extras.eval_file is not None:
            eval_data = self._workspace.spool("eval", self._held_out(self._extras.eval_file))
        return train_data, eval_data

    def _held_out(self, path: Path) -> Iterator[Record]:
        with Job([str(path)], output=Path("/dev/null"), quiet=True) as job:
            yield from self._noted("eval", job.check(check_labeled, job.records(adapt)))

    def _noted(self, name: str, located: Iterable[Located]) -> Iterator[Record]:
        for place, record in located:
            self._places[name].append(place)
            yield record

    def _prepare(self, data: Spooled, policy: Policy, name: str) -> PairSet:
        """Tokenize; what cannot be used is refused, or left out, with the place it came from."""
        tokenize = PairTokenizer(policy.tokenizer, self._settings.max_length)
        refused: set[int] = set()

        def refuse(number: int, record: Record, reason: str) -> None:
            refused.add(number)
            self._job.reject(Item(self._place(name, number), record), reason)

        # A reference that the user names is asked itself, whatever the records say.
        use_given = self._extras.reference is None
        arrow = data.path.with_suffix(".arrow")
        pairs = prepare(read_spool(data), tokenize, arrow, use_given=use_given, refuse=refuse)
        self._counts[name] = asdict(tokenize.counts)
        if told := tokenize.counts.sentence(self._settings.max_length):
            self._say(told)
        for number, (record, kept) in enumerate(zip(read_spool(data), pairs.kept, strict=True), 1):
            if not kept and number not in refused:
                self._job.drop(self._place(name, number), record, f"{name} prompts too long")
        return pairs

    def _place(self, name: str, number: int) -> str:
        places = self._places.get(name, [])
        return places[number - 1] if number <= len(places) else f"{name} pair {number}"

    def _refer(self, pair_sets: list[PairSet], policy: Policy) -> str:
        extras = self._extras
        reference = Reference(
            extras.reference,
            extras.layout,
            extras.attention,
            extras.batch_tokens,
            self._settings.max_length,
            self._say,
        )
        described = reference.describe(pair_sets, extras.policy)
        self._say(f"reference: {described}")
        missing = sum(pairs.scores.count(None) for pairs in pair_sets)
        with Counter("reference log-probabilities", quiet=self._job.quiet, total=missing) as counter:
            reference.fill(pair_sets, policy, counter.add)
        return described

    def _export(self, data: Spooled, pairs: PairSet) -> None:
        if self._extras.export_logps is not None:
            with open_output(self._extras.export_logps) as stream:
                for record in with_reference_fields(read_spool(data), pairs):
                    stream.write(dump_record(record))

    def _optimize(
        self, policy: Policy, pairs: PairSet, held_out: PairSet | None, stop: StopRequest
    ) -> tuple[Any, Record]:
        from real_cli.models.trainer import Reporter, Routine, make_trainer, run_trainer

        extras = self._extras
        with ExitStack() as stack:
            counter = stack.enter_context(Counter("steps", quiet=self._job.quiet, total=None))

            def report(line: Record) -> None:
                self._lines.write(line)
                counter.add(int(line["step"]) - counter.num_done)

            trainer = make_trainer(
                policy,
                with_scores(pairs),
                with_scores(held_out) if held_out else None,
                self._workspace.folder,
                self._settings,
                Reporter(report, lambda: bool(stop)),
                Routine(
                    extras.logging_steps,
                    extras.save_steps,
                    extras.report_to,
                    extras.gradient_checkpointing,
                    self._batch_tokens,
                ),
            )
            return trainer, run_trainer(trainer, self._workspace.last_checkpoint())

    def _finish(self, policy: Policy, reference: str, data: Spooled, result: Record) -> None:
        job, extras = self._job, self._extras
        result |= {"output": str(self._workspace.folder)}
        result["seconds"] = round(time.monotonic() - self._started, 3)
        write_manifest(
            self._workspace.folder,
            {
                "command": "train-dpo",
                "policy": extras.policy,
                "policy_path": policy.path,
                "reference": reference,
                "settings": asdict(self._settings),
                "device": str(policy.place.device),
                "dtype": str(policy.place.dtype).removeprefix("torch."),
                "attention": policy.model.config._attn_implementation,
                "layout": policy.layout,
                "batch_tokens": self._batch_tokens,
                "data": {"sha256": data.digest, "num_records": data.num_records, "sources": job.sources},
                "left_out": dict(job.num_dropped),
                "num_rejected": job.num_rejected,
                "counts": self._counts,
                "result": result,
            },
        )
        self._workspace.clear(keep_checkpoints=extras.save_steps > 0)
        self._lines.write(result)
        job.summary = (
            f"{extras.policy} trained on {result['num_pairs']:,} pairs in {result['step']:,} steps: {result['output']}"
        )

    def _say(self, message: str) -> None:
        if not self._job.quiet:
            say(message)
