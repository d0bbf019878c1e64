"""Short training runs on one device: ours through the command line, TRL's own trainer beside it."""

import math

import pytest

from tests.gpu.models import is_large
from tests.train.training import run

ROUTINE = ["--batch-size", "4", "--max-length", "96", "--order", "given", "--epochs", "2"]
LN_2 = math.log(2)


def formats(*names):
    """Say in which number formats a test runs."""

    def mark(function):
        function.formats = names
        return function

    return mark


def learning_rate():
    """A rate at which four steps are seen: of a small model larger ones."""
    return 2e-6 if is_large() else 1e-3


def train(policy, folder, rows, *words, status=0):
    """Train, four steps with eight pairs; returns the lines of the steps, and what was said."""
    words = ["--policy", policy, "--output", folder, *ROUTINE, "--learning-rate", learning_rate(), *words]
    lines, messages = run("train-dpo", *words, rows=rows, status=status)
    return lines[:-1], messages


def losses(*args):
    """Train, and return the loss of each step."""
    return [line["loss"] for line in train(*args)[0] if "loss" in line]


def trl_losses(policy, rows, folder, case):
    """Train with TRL's DPOTrainer alone, as `ROUTINE` says: its data preparation, reference, forward and losses."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer

    class Keep(TrainerCallback):
        def on_log(self, args, state, control, logs, **kwargs):
            if "loss" in logs:
                result.append(logs["loss"])

    result = []
    on_cpu = case.device == "cpu"
    args = DPOConfig(
        output_dir=str(folder), per_device_train_batch_size=4, max_length=96, learning_rate=learning_rate(),
        num_train_epochs=2, train_sampling_strategy="sequential", logging_steps=1, save_strategy="no", report_to="none",
        disable_tqdm=True, gradient_checkpointing=False, bf16=case.dtype == "auto", use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
    )  # fmt: skip
    model, reference = (AutoModelForCausalLM.from_pretrained(policy) for _ in range(2))
    texts = [{name: row[name] for name in ("prompt", "chosen", "rejected")} for row in rows]
    trainer = DPOTrainer(
        model, ref_model=reference, args=args, train_dataset=Dataset.from_list(texts),
        processing_class=AutoTokenizer.from_pretrained(policy), callbacks=[Keep()],
    )  # fmt: skip
    trainer.train()
    return result


class StopAfter:
    """Stands for somebody who presses Ctrl-C in the second step; one of transformers' DEFAULT_CALLBACKS."""

    def __new__(cls):
        import os
        import signal

        from transformers import TrainerCallback

        class Stop(TrainerCallback):
            def on_step_begin(self, args, state, control, **kwargs):
                if state.global_step == 1:
                    os.kill(os.getpid(), signal.SIGINT)

        return Stop()


def out_of_memory_above(monkeypatch, num_tokens):
    """Let every Llama and BERT have room for so many tokens of one pass, padding counted."""
    import torch
    from transformers import BertModel, LlamaModel

    monkeypatch.setattr(torch.accelerator, "empty_cache", lambda: None)
    for kind in (LlamaModel, BertModel):
        forward = kind.forward

        def limited(self, input_ids=None, *args, forward=forward, **kwargs):
            if input_ids.numel() > num_tokens:
                raise torch.OutOfMemoryError("no room")
            return forward(self, input_ids, *args, **kwargs)

        monkeypatch.setattr(kind, "forward", limited)


@pytest.fixture
def little_memory():
    """Leave so many bytes of a GPU beyond what is in use; gives the function that does it."""
    import gc

    import torch

    def leave(num_bytes):
        gc.collect()
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved(0) + num_bytes) / total, 0)

    yield leave
    torch.cuda.set_per_process_memory_fraction(1.0, 0)
