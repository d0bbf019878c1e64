"""The steps of `real train-dpo --estimate`: spool, tokenize, follow a step without numbers, probe where it fits."""

import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from real_cli.errors import Status
from real_cli.models.load.adapter_folders import load_plan
from real_cli.models.load.device import default_training_tokens
from real_cli.models.load.loaded_checks import check_vocabulary_fits, num_embeddings
from real_cli.models.load.policies import Policy, settle_special_tokens, training_place
from real_cli.models.load.resolve import quiet_libraries, resolve_model
from real_cli.models.score.probe import KNOWN_LAYERS
from real_cli.records.choices import Precision, TokenLayout
from real_cli.records.record import Record
from real_cli.train.arguments import Routine
from real_cli.train.estimate.automatic import fit_tokens, reference_bytes, say_fitted
from real_cli.train.estimate.fitting import Room, alternatives, row_of
from real_cli.train.estimate.machine import CUDA_BYTES, WORKING_BYTES, available_bytes, resident_bytes, write_rate
from real_cli.train.estimate.probe import Speed, probe
from real_cli.train.estimate.show import show_estimate
from real_cli.train.estimate.simulation import Beside, Passes, Usage, simulate
from real_cli.train.estimate.summary import Durations, data_fields, memory_fields, saved_bytes, time_fields
from real_cli.train.estimate.weightless import ModelPlan, Setup, build_weightless, stored_bytes
from real_cli.train.estimate.work import Work, plan_work
from real_cli.train.folder import Workspace
from real_cli.train.options import TrainOptions
from real_cli.train.reference import Reference
from real_cli.train.run import TrainingRun
from real_cli.train.settings import TrainingSettings
from real_cli.train.tokenized import ExampleSet
from real_cli.train.trainers.dpo import make_collator


def estimate(options: TrainOptions, settings: TrainingSettings, policy: str) -> Status:
    """Estimate a run: one record on standard output, or at a terminal tables. Nothing else is written."""
    written = replace(options, output=None, rejects=None, dump=None, export_logps=None)
    job = written.job(numbers=settings.number_fields, also_reads=[("--eval-file", options.eval_file)], what="pairs")
    is_shown = sys.stdout.isatty()
    with TemporaryDirectory(prefix="real-estimate-") as folder, Workspace(Path(folder), resume=False) as workspace, job:
        run = EstimatedRun(job, workspace, settings, written, policy)
        run.train()
        if not is_shown:
            job.write(run.record)
    show_estimate(run.record, on_stdout=is_shown, quiet=options.quiet)
    return job.status


class EstimatedRun(TrainingRun):
    """A run that stops before its first step, and says what it would take."""

    record: Record

    def train(self) -> Status:
        """Estimate; the record is in `record` then."""
        resolve_model(self._model)
        data, eval_data = self._spool()
        setup, plan, policy = self._plan()
        with quiet_libraries():
            examples = self._prepare(data, policy, "train")
            held_out = self._prepare(eval_data, policy, "eval") if eval_data else None
        durations = Durations(reading=self._cost.seconds)
        reference = self._make_reference()
        self._held = resident_bytes()
        self._is_apart = policy.place.device.type != "cpu"
        self._available = available_bytes(policy.place.device)  # before the probe takes its part
        with quiet_libraries():
            beside = reference_bytes(reference, setup, self._model, policy.path)
            if self._options.fits_tokens:
                self._fit_unloaded(plan, setup, examples, policy, beside)
            work = self._work(examples, policy)
            usage = self._follow(plan, setup, work, beside)
            if self._room(work).left(usage) >= 0:
                policy, durations.speed = self._probe(reference, examples, work, durations)
                if policy.layout is not work.layout:
                    work = self._work(examples, policy)
                    usage = self._follow(plan, setup, work, beside)
            rows = self._rows(plan, setup, work, usage, beside)
        measured = plan_work(held_out, self._once(), self._collator(policy), policy.layout) if held_out else None
        durations.missing = sum(each.scores.count(None) for each in (examples, held_out) if each)
        durations.write_rate = write_rate(self._workspace.work)
        saved = saved_bytes(usage, self._settings)
        self.record = {
            **self._identity(policy, setup),
            **data_fields(work, self._counts["train"], self._job.num_dropped, self._job.num_rejected),
            "memory": memory_fields(usage, policy.place.device, self._held, self._stored(plan)),
            "available_bytes": self._available + self._room(work).held,
            **time_fields(durations, work, measured, self._settings, self._options.save_steps, saved),
            "would_fit": rows,
        }
        return Status.done

    def _plan(self) -> tuple[Setup, ModelPlan, Policy]:
        """Load what describes the policy; its layout is what a model of its kind usually takes."""
        options, settings = self._options, self._settings
        place = training_place(options.device, options.dtype)
        path = resolve_model(self._model)
        plan = ModelPlan(*load_plan(self._model, path))
        is_apart = options.dtype is Precision.auto and not settings.qlora
        dtype = torch.float32 if is_apart else place.dtype
        setup = Setup(place, dtype, options.attention, settings, options.gradient_checkpointing)
        model = build_weightless(self._model, plan, replace(setup, settings=replace(settings, lora=False, qlora=False)))
        check_vocabulary_fits(self._model, model.model, plan.tokenizer, records_are_checked=True)
        settle_special_tokens(self._model, plan.tokenizer, num_embeddings(model.model))
        foreign = set(getattr(plan.config.get_text_config(), "layer_types", None) or ()) - KNOWN_LAYERS
        layout = TokenLayout.shared if options.layout is TokenLayout.auto else options.layout
        if foreign and options.layout is not TokenLayout.shared:
            layout = TokenLayout.plain
        self._batch_tokens = options.batch_tokens or default_training_tokens(place.device, model.model)
        return setup, plan, Policy(model.model, plan.tokenizer, place, path, layout)

    def _routine(self) -> Routine:
        return Routine(gradient_checkpointing=self._options.gradient_checkpointing, batch_tokens=self._batch_tokens)

    def _collator(self, policy: Policy) -> Any:
        return make_collator(policy, self._routine(), self._settings, self._settings.mixture)

    def _once(self) -> TrainingSettings:
        """Settings of reading everything once, in order: what measuring held-out pairs does."""
        return replace(self._settings, order="given", stages=False, epochs=1.0, max_steps=-1, gradient_accumulation=1)

    def _work(self, examples: ExampleSet, policy: Policy) -> Work:
        return plan_work(examples, self._settings, self._collator(policy), policy.layout)

    def _fit_unloaded(
        self, plan: ModelPlan, setup: Setup, examples: ExampleSet, policy: Policy, beside: Beside
    ) -> None:
        """Take the largest passes that fit, as the run does."""

        def follow(tokens: int) -> tuple[Usage, Passes, Room]:
            self._batch_tokens = tokens
            work = self._work(examples, policy)
            return self._follow(plan, setup, work, beside), work.largest, self._room(work)

        largest = fit_tokens(follow, self._batch_tokens, policy.place.device)
        self._batch_tokens = largest or 1
        self._say(say_fitted(largest, self._available))

    def _stored(self, plan: ModelPlan) -> int | None:
        return stored_bytes(self._model, plan.folder)

    def _follow(self, plan: ModelPlan, setup: Setup, work: Work, beside: Beside) -> Usage:
        return simulate(self._model, plan, setup, work.largest, stored=self._stored(plan), beside=beside)

    def _room(self, work: Work) -> Room:
        largest = max(batch.num_tokens for batch in work.batches)
        if self._is_apart:
            return Room(self._available, 0, CUDA_BYTES, largest)
        return Room(self._available, self._held, WORKING_BYTES, largest)

    def _rows(self, plan: ModelPlan, setup: Setup, work: Work, usage: Usage, beside: Beside) -> list[Record]:
        room = self._room(work)
        stored = self._stored(plan)
        rows = [row_of("as asked", usage, room, work.largest)]
        return rows + list(
            alternatives(self._model, plan, setup, work.largest, stored=stored, beside=beside, room=room)
        )

    def _probe(
        self, reference: Reference, examples: ExampleSet, work: Work, durations: Durations
    ) -> tuple[Policy, Speed]:
        """Load the policy as the run does, and take steps with it."""
        started, tokens = time.monotonic(), self._batch_tokens
        policy = self._load()
        self._batch_tokens = tokens  # of auto, loading knows the default alone
        durations.loading = time.monotonic() - started
        folder = self._workspace.work / "probe"
        speed = probe(policy, reference, examples, work, self._settings, self._routine(), folder, lambda line: None)
        if speed.is_disturbed:
            self._say(
                f"other processes take the CPU: the probe had it {speed.share:.0%} of its time; "
                "the range of seconds is wider for that"
            )
        return policy, speed

    def _identity(self, policy: Policy, setup: Setup) -> Record:
        return {
            "policy": self._model,
            "device": str(policy.place.device),
            "dtype": str(policy.place.dtype).removeprefix("torch."),
            "weights_dtype": str(setup.dtype).removeprefix("torch."),
            "attention": policy.attention,
            "layout": policy.layout,
            "batch_tokens": self._batch_tokens,
        }
