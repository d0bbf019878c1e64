"""A causal language model that answers questions on this machine, a batch at a time."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from real_cli.errors import ModelError, RecordError
from real_cli.models.generate.completions import CompletionDecoder
from real_cli.models.load.device import choose_place, default_batch_tokens
from real_cli.models.load.loaded_checks import num_embeddings
from real_cli.models.load.policies import load_weights
from real_cli.models.load.resolve import quiet_libraries, resolve_model
from real_cli.models.score.batching import TokenBudget
from real_cli.models.score.render import Renderer
from real_cli.models.score.template_check import Effect
from real_cli.records.choices import Precision
from real_cli.records.prefills import is_prefilled
from real_cli.records.questions import Completion, Question, Rendered

# Reported once for a chat template that does not render prompts as they are.
PROMPT_EFFECTS = {
    Effect.thoughts: "the chat template strips thoughts of earlier turns",
    Effect.tools: "the chat template describes no tools; the policy does not know them",
    Effect.beside: "the chat template leaves out words beside tool calls",
    Effect.changed: "the chat template changes words of prompts",
    Effect.unopened: "the chat template ignores add_generation_prompt: prompts end without the header of an answer",
}


class LocalAnswerer:
    """Answer questions with a model at hand. It is loaded at the first question.

    An answer that is sampled depends on its question and its seed, not on the questions beside it (up to rounding).
    """

    def __init__(
        self,
        name: str,
        *,
        device: str,
        precision: Precision,
        batch_tokens: int | None,
        tell: Callable[[str], None],
        default_tokens: Callable[[Any], int] = default_batch_tokens,
    ) -> None:
        self._name = name
        self._device = device
        self._precision = precision
        self._batch_tokens = batch_tokens
        self._tell = tell
        self._default_tokens = default_tokens

    @cached_property
    def _place(self) -> Any:
        return choose_place(self._device, self._precision)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        model, tokenizer = load_weights(self._name, resolve_model(self._name), self._place)
        tokenizer.padding_side = "left"
        model.generation_config = _plain_settings(model, tokenizer)
        return model, tokenizer

    @property
    def tokenizer(self) -> Any:
        """The tokenizer of the model."""
        return self._loaded[1]

    @cached_property
    def _decode(self) -> CompletionDecoder:
        return CompletionDecoder(*self._loaded)

    @cached_property
    def _renderer(self) -> Renderer:
        model, tokenizer = self._loaded
        return Renderer(tokenizer, num_embeddings(model))

    @cached_property
    def _budget(self) -> TokenBudget:
        return TokenBudget(self._batch_tokens or self._default_tokens(self._place.device), self._tell)

    def __call__(self, questions: list[Question]) -> list[Completion | RecordError]:
        """Answer questions, those of similar length in one batch."""
        rendered = [self._render(question) for question in questions]
        lengths = [
            0 if isinstance(ids, RecordError) else len(ids) + question.sampling.max_tokens
            for ids, question in zip(rendered, questions, strict=True)
        ]
        usable = [index for index, length in enumerate(lengths) if length]
        answered = self._budget.run(
            [lengths[index] for index in usable],
            lambda batch: self._generate([(rendered[usable[place]], questions[usable[place]]) for place in batch]),
        )
        completions = iter(answered)
        return [ids if isinstance(ids, RecordError) else next(completions) for ids in rendered]

    def _render(self, question: Question) -> list[int] | RecordError:
        model, _ = self._loaded
        try:
            ids = self._ids(question)
        except RecordError as error:
            return error
        if not ids:
            return RecordError("the prompt has no tokens; a model needs one to begin with")
        room = getattr(model.config, "max_position_embeddings", None) or len(ids) + question.sampling.max_tokens
        if len(ids) + question.sampling.max_tokens > room:
            return RecordError(
                f"the question has {len(ids)} tokens; with {question.sampling.max_tokens} for the answer the model "
                f"holds {room}"
            )
        return ids

    def _ids(self, question: Question) -> list[int]:
        _, tokenizer = self._loaded
        text = question.messages
        if isinstance(text, Rendered):
            return self._renderer.ids(text)
        if isinstance(text, str):
            return self._renderer.plain_ids(text)
        if not tokenizer.chat_template:
            raise ModelError(f"model '{self._name}': it has no chat template; a model that answers questions is needed")
        before = set(self._renderer.prompt_effects)
        ids = self._renderer.prompt_ids(question.template or {}, text)
        for effect in sorted(self._renderer.prompt_effects - before):
            self._tell(f"{self._name}: {PROMPT_EFFECTS[effect]}")
        return ids

    def _generate(self, batch: list[tuple[Any, Question]]) -> list[Completion]:
        from real_cli.models.generate.decode import decode

        model, tokenizer = self._loaded
        samplings = [question.sampling for _, question in batch]
        try:
            with quiet_libraries():
                written = decode(model, tokenizer, [ids for ids, _ in batch], samplings)
        except FloatingPointError:
            raise ModelError(
                f"model '{self._name}': its logits are not finite; try --dtype float32, or another model"
            ) from None
        return [
            self._decode(new, question.sampling, ids, continues=_goes_on(question.messages))
            for new, (ids, question) in zip(written, batch, strict=True)
        ]


def _goes_on(messages: object) -> bool:
    return isinstance(messages, str) or is_prefilled(messages)


def _plain_settings(model: Any, tokenizer: Any) -> Any:
    """Keep only the end tokens of a model's settings: its penalties and suppressed tokens would change the draws."""
    from transformers import GenerationConfig

    return GenerationConfig(eos_token_id=model.generation_config.eos_token_id, pad_token_id=tokenizer.pad_token_id)
