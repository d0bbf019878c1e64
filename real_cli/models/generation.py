"""A causal language model that answers questions on this machine: greedily, a batch at a time."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from real_cli.core.asking import Completion, Question
from real_cli.core.names import Precision
from real_cli.errors import ModelError, RecordError, UsageError, clip
from real_cli.models.batching import Budget
from real_cli.models.device import choose_place, default_batch_tokens
from real_cli.models.encoders import load_problem
from real_cli.models.resolve import quiet_libraries, resolve_model


class LocalAnswerer:
    """Answer questions with a model at hand. It is loaded at the first question."""

    def __init__(
        self,
        name: str,
        *,
        device: str,
        precision: Precision,
        batch_tokens: int | None,
        told: Callable[[str], None],
    ) -> None:
        self._name = name
        self._device = device
        self._precision = precision
        self._batch_tokens = batch_tokens
        self._told = told

    @cached_property
    def _place(self) -> Any:
        return choose_place(self._device, self._precision)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        path = resolve_model(self._name)
        try:
            with quiet_libraries():
                tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left")
                model = (
                    AutoModelForCausalLM.from_pretrained(path, dtype=self._place.dtype).to(self._place.device).eval()
                )
        except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
            raise ModelError(f"model '{self._name}': {load_problem(error)}") from None
        if not tokenizer.chat_template:
            raise ModelError(f"model '{self._name}': it has no chat template; a model that answers questions is needed")
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        return model, tokenizer

    @cached_property
    def _budget(self) -> Budget:
        tokens = self._batch_tokens or default_batch_tokens(self._place.device, training=False)
        return Budget(tokens, self._told)

    def __call__(self, questions: list[Question]) -> list[Completion | RecordError]:
        """Answer questions, those of similar length in one batch.

        Args:
            questions: Temperature 0 each.

        Returns:
            Completions in order; a reason where a conversation cannot be rendered or leaves no room for an answer.

        Raises:
            UsageError: If an answer is to be sampled.
        """
        if any(question.sampling.temperature for question in questions):
            raise UsageError("a model at hand answers at temperature 0; ask a server, or set it to 0 in the rubric")
        rendered = [self._render(question) for question in questions]
        lengths = [
            0 if isinstance(ids, RecordError) else len(ids) + question.sampling.max_tokens
            for ids, question in zip(rendered, questions, strict=True)
        ]
        usable = [index for index, length in enumerate(lengths) if length]
        answered = self._budget.run(
            [lengths[index] for index in usable],
            lambda batch: self._generate(
                [(rendered[usable[place]], questions[usable[place]].sampling.max_tokens) for place in batch]
            ),
        )
        completions = iter(answered)
        return [ids if isinstance(ids, RecordError) else next(completions) for ids in rendered]

    def _render(self, question: Question) -> list[int] | RecordError:
        model, tokenizer = self._loaded
        try:
            rendered = tokenizer.apply_chat_template(
                question.messages, add_generation_prompt=True, tokenize=True, return_dict=True
            )
        except Exception as error:  # templates raise what they like
            return RecordError(f"the question cannot be rendered: {clip(error)}")
        ids = list(rendered["input_ids"])
        room = getattr(model.config, "max_position_embeddings", None) or len(ids) + question.sampling.max_tokens
        if len(ids) + question.sampling.max_tokens > room:
            return RecordError(
                f"the question has {len(ids)} tokens; with {question.sampling.max_tokens} for the answer the model "
                f"holds {room}"
            )
        return ids

    def _generate(self, batch: list[tuple[Any, int]]) -> list[Completion]:
        import torch

        model, tokenizer = self._loaded
        padded = tokenizer.pad({"input_ids": [ids for ids, _ in batch]}, return_tensors="pt").to(self._place.device)
        with torch.inference_mode(), quiet_libraries():
            output = model.generate(
                **padded,
                do_sample=False,
                max_new_tokens=max(limit for _, limit in batch),
                pad_token_id=tokenizer.pad_token_id,
            )
        ends = _end_tokens(model, tokenizer)
        width = padded["input_ids"].shape[1]
        return [
            _completion(tokenizer, row[width:].tolist(), limit, ends, len(ids))
            for row, (ids, limit) in zip(output, batch, strict=True)
        ]


def _end_tokens(model: Any, tokenizer: Any) -> set[int]:
    ends = model.generation_config.eos_token_id
    return {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}


def _completion(tokenizer: Any, new: list[int], limit: int, ends: set[int], num_prompt_tokens: int) -> Completion:
    length = next((place for place, token in enumerate(new) if token in ends), None)
    written = new[: limit if length is None else min(length, limit)]
    text = tokenizer.decode(written, skip_special_tokens=True)
    return Completion(text, length is None or length >= limit, num_prompt_tokens, len(written))
