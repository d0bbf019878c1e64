"""What a server that scores is sent of a prompt and its responses."""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from real_cli.errors import UsageError
from real_cli.llm.served.scores import TokenIds, WireLayout
from real_cli.records.messages import Text, is_conversation, plain_text
from real_cli.records.prefills import begin_answers
from real_cli.records.public.message_checks import check_tools
from real_cli.records.record import Record
from real_cli.text.phrases import say_count


class Sent(NamedTuple):
    """What of a question goes to a server that scores.

    Attributes:
        messages: A conversation; the two texts of a pair, as messages; or token ids.
        template: What the server's chat template is given besides.
    """

    messages: Text
    template: Record | None = None


class ServedTexts:
    """Lays out prompt and response for a server's own chat template, or as a pair of texts.

    Attributes:
        num_flattened: Records whose conversation of several messages was sent without their roles.
    """

    def __init__(self, layout: WireLayout) -> None:
        self.num_flattened = 0
        self._layout = layout

    def __call__(self, record: Record, texts: Sequence[Text]) -> list[Sent]:
        """Lay out each response; RecordError for tools, which would not reach the model."""
        check_tools(record)
        begun = [begin_answers(record["prompt"], [text]) for text in texts]
        if self._layout is WireLayout.messages:
            kwargs = record.get("chat_template_kwargs")
            template = {"chat_template_kwargs": kwargs} if kwargs else None
            return [
                Sent([*_as_messages(prompt, "user"), *_as_messages(answer, "assistant")], template)
                for prompt, (answer,) in begun
            ]
        self.num_flattened += any(is_conversation(text) and len(text) > 1 for text in [record["prompt"], *texts])
        return [
            Sent(
                [{"role": "user", "content": plain_text(prompt)}, {"role": "assistant", "content": plain_text(answer)}]
            )
            for prompt, (answer,) in begun
        ]

    def sentence(self) -> str:
        """Tell what was changed, in one line."""
        return f"{say_count(self.num_flattened, 'conversation')} read without their roles" if self.num_flattened else ""


class TokenizedTexts:
    """Lays out prompt and response by a chat template here, as `relabel reward` does for a model at hand.

    Args:
        name: Whose tokenizer.
        max_length: Most tokens of a sequence; None for the tokenizer's own limit.
    """

    def __init__(self, name: str, max_length: int | None) -> None:
        from real_cli.models.load.loading import load_tokenizer
        from real_cli.models.load.resolve import resolve_model
        from real_cli.models.reward.reward_texts import RewardReader, conversation_writer

        tokenizer = load_tokenizer(name, resolve_model(name))
        if not tokenizer.chat_template:
            raise UsageError(f"--tokenizer {name}: it has no chat template; leave it out, and give --api score")
        limit = min(max_length or sys.maxsize, int(tokenizer.model_max_length or sys.maxsize))
        self._read = RewardReader(conversation_writer(tokenizer), limit, keeps_roles=True)

    def __call__(self, record: Record, texts: Sequence[Text]) -> list[Sent]:
        """Lay out each response."""
        sequences = self._read(record, [(text,) for text in texts])
        return [Sent(TokenIds(" ".join(map(str, sequence.ids)))) for sequence in sequences]

    def sentence(self) -> str:
        """Tell what was changed, in one line."""
        return self._read.sentence()


def _as_messages(text: Text, role: str) -> list[dict[str, Any]]:
    return [{"role": role, "content": text}] if isinstance(text, str) else text
