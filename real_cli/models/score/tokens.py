"""Examples as token ids, exactly as TRL makes pairs, with everything that was cut counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from real_cli.errors import RecordError
from real_cli.models.load.rendering import within_limits
from real_cli.records.messages import Text, is_conversation
from real_cli.records.record import Record
from real_cli.text.phrases import say_count


class TokenizedExample(NamedTuple):
    """Token ids of a prompt and its responses; prompt + response is what the model reads."""

    prompt: list[int]
    responses: list[list[int]]


@dataclass
class TokenCounts:
    """What tokenizing changed.

    Attributes:
        num_pairs: Pairs seen.
        num_truncated: Pairs of which a response lost its end to the length limit.
        num_too_long: Pairs whose prompt alone fills the limit; they cannot be used.
        num_prompts_cut: Pairs whose prompt lost its last tokens, because they merge with the response's first ones.
        num_copies_left_out: Degraded copies that have the chosen response's tokens, or merge with the prompt's.
    """

    num_pairs: int = 0
    num_truncated: int = 0
    num_too_long: int = 0
    num_prompts_cut: int = 0
    num_copies_left_out: int = 0

    def sentence(self, max_length: int) -> str:
        """Tell what was changed, in one line.

        Args:
            max_length: The limit.

        Returns:
            Counts; empty if nothing was changed.
        """
        parts = []
        if self.num_truncated:
            parts.append(f"{say_count(self.num_truncated, 'pair')} cut to --max-length {max_length}")
        if self.num_too_long:
            parts.append(f"{self.num_too_long:,} left out: the prompt alone fills {max_length} tokens")
        if self.num_prompts_cut:
            parts.append(
                f"{say_count(self.num_prompts_cut, 'prompt')} cut at the end: last tokens merge with a response's first"
            )
        if self.num_copies_left_out:
            parts.append(
                f"{self.num_copies_left_out:,} degraded copies left out: their tokens are the chosen response's, or "
                "merge with the prompt's"
            )
        return "; ".join(parts)


class ExampleTokenizer:
    """Turn examples into token ids: prompt and responses rendered together, split at their common prefix."""

    def __init__(self, tokenizer: Any, max_length: int) -> None:
        self._tokenizer = tokenizer
        self.max_length = max_length
        self.counts = TokenCounts()

    def __call__(self, record: Record, texts: Sequence[Text] | None = None) -> TokenizedExample | None:
        """Tokenize one example.

        Args:
            record: Its prompt, and what its chat template wants.
            texts: The responses; if None the record's `chosen` and `rejected`.

        Returns:
            Token ids, prompt + response at most the limit; None if the prompt alone fills it.

        Raises:
            RecordError: If a conversation cannot be rendered.
        """
        responses = (record["chosen"], record["rejected"]) if texts is None else texts
        prompt = self._ids(record, record["prompt"], prompt=True)
        whole = [self._ids(record, _joined(record["prompt"], response)) for response in responses]
        start = min(_common_length(prompt, ids) for ids in whole)
        if any(len(ids) == start for ids in whole):
            raise RecordError("a response has no tokens of its own behind its prompt; use another chat template")
        self.counts.num_pairs += 1
        self.counts.num_prompts_cut += start < len(prompt)
        end = self.max_length
        if start >= end:
            self.counts.num_too_long += 1
            return None
        self.counts.num_truncated += max(map(len, whole)) > end
        return TokenizedExample(prompt[:start], [ids[start:end] for ids in whole])

    def with_copies(self, record: Record, texts: Sequence[Text], marks: list[float]) -> tuple[Any, list[float]]:
        """Tokenize a pair and degraded copies of its chosen response; the pair is as it would be without them.

        Args:
            record: Its prompt, and what its chat template wants.
            texts: Chosen, rejected, and the copies.
            marks: A degree for each.

        Returns:
            Token ids as above, and the degrees of what is in them: a copy is left out, and counted, if it cannot be
            told from the chosen response any more, or would need another split of prompt and response.
        """
        pair = self(record, texts[:2])
        if pair is None:
            return None, marks
        kept, degrees = list(pair.responses), marks[:2]
        for text, degree in zip(texts[2:], marks[2:], strict=True):
            ids = self._ids(record, _joined(record["prompt"], text))
            start = len(pair.prompt)
            copy = ids[start : self.max_length]
            if ids[:start] != pair.prompt or copy == pair.responses[0]:
                self.counts.num_copies_left_out += 1
            else:
                kept.append(copy)
                degrees.append(degree)
        return TokenizedExample(pair.prompt, kept), degrees

    def _ids(self, record: Record, text: Text, *, prompt: bool = False) -> list[int]:
        if is_conversation(text):
            return render_conversation(self._tokenizer, record, text, prompt=prompt)
        assert isinstance(text, str)
        end = self._tokenizer.eos_token or ""
        return list(self._tokenizer(text if prompt or text.endswith(end) else text + end, verbose=False)["input_ids"])


def render_conversation(tokenizer: Any, record: Record, messages: Text, *, prompt: bool = False) -> list[int]:
    """Turn a conversation into token ids by the model's chat template.

    Args:
        tokenizer: Of the model.
        record: Carries what the template wants: `tools`, `chat_template_kwargs`.
        messages: The conversation.
        prompt: Whether an answer is to follow.

    Returns:
        Token ids.

    Raises:
        RecordError: If there is no template, or it cannot render the conversation.
    """
    if not tokenizer.chat_template:
        raise RecordError(
            "the model has no chat template for a conversation; use records of plain text, or another model"
        )
    tools, options = record.get("tools"), record.get("chat_template_kwargs") or {}
    try:
        tools = orjson.loads(tools) if isinstance(tools, str) else tools
        with within_limits():
            rendered = tokenizer.apply_chat_template(
                messages,
                tokenize=True,
                return_dict=True,
                tools=tools,
                add_generation_prompt=prompt,
                tokenizer_kwargs={"verbose": False},  # what is too long is cut, counted and told by us
                **options,
            )
    except RecordError:
        raise
    except Exception as error:  # templates raise what they like: jinja's errors, ValueError, TypeError
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise RecordError(f"the conversation cannot be rendered: {first}") from None
    return list(rendered["input_ids"])


def _joined(prompt: Text, response: Text) -> Text:
    """Put prompt and response together; `check_preference` and the adapters gave them one form."""
    if isinstance(prompt, str) and isinstance(response, str):
        return prompt + response
    if isinstance(prompt, list) and isinstance(response, list):
        return prompt + response
    raise RecordError("'prompt' is text and a response is a conversation; both must have one form")


def _common_length(ids: list[int], others: list[int]) -> int:
    for index, (one, other) in enumerate(zip(ids, others, strict=False)):
        if one != other:
            return index
    return min(len(ids), len(others))
