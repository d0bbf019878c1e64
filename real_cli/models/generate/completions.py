"""From the tokens that a model wrote to the text of its answer."""

from typing import Any

from real_cli.records.questions import Completion, Sampling
from real_cli.text.thought_marks import is_thought_mark

# Tokens of a prompt decoded with its continuation: whether that begins with a space may depend on them.
BEFORE = 8


class CompletionDecoder:
    """Decode what a model wrote, without special tokens but for the marks of thoughts, by which those can be told."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        ends = model.generation_config.eos_token_id
        self._ends = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}
        specials = {number: str(token) for number, token in tokenizer.added_tokens_decoder.items() if token.special}
        self._marks = {number: token for number, token in specials.items() if is_thought_mark(token)}

    def __call__(self, new: list[int], sampling: Sampling, before: list[int], *, continues: bool) -> Completion:
        """Decode one answer."""
        from real_cli.models.generate.sampler import cut_at_stop

        length = next((place for place, token in enumerate(new) if token in self._ends), None)
        written = new[: sampling.max_tokens if length is None else min(length, sampling.max_tokens)]
        if not self._marks.keys().isdisjoint(written):
            text = self._with_marks(written)
        elif continues:
            text = self._continuation(before[-BEFORE:], written)
        else:
            text = self._plain(written)
        text, has_stopped = cut_at_stop(text, sampling.stop)
        is_cut = (length is None or length >= sampling.max_tokens) and not has_stopped
        return Completion(text, is_cut, len(before), len(written))

    def _plain(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))

    def _with_marks(self, written: list[int]) -> str:
        text, begin = "", 0
        for place in [place for place, number in enumerate(written) if number in self._marks]:
            text += self._plain(written[begin:place]) + self._marks[written[place]]
            begin = place + 1
        return text + self._plain(written[begin:])

    def _continuation(self, before: list[int], written: list[int]) -> str:
        """Decode what continues a text: many tokenizers drop the space before a first word."""
        start, whole = self._plain(before), self._plain([*before, *written])
        return whole[len(start) :] if whole.startswith(start) else self._plain(written)
