"""Examples as token ids, as TRL makes pairs of them; whatever a template or a limit changes is counted."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.models.score.contexts import common_length, context_spans, mark_context, num_scored, token_id
from real_cli.models.score.prompt_ends import Trouble, prompt_trouble, response_begin
from real_cli.models.score.render import Renderer
from real_cli.models.score.template_check import Effect, Message
from real_cli.models.score.token_counts import LeftOut, TokenCounts
from real_cli.records.messages import Text
from real_cli.records.prefills import begin_answers
from real_cli.records.record import Record

# Characters of a template's text that a message shows.
SHOWN = 24


class TokenizedExample(NamedTuple):
    """Token ids of a prompt and its responses; the model reads prompt + response.

    In a response a context token, of a tool's result, say, is `~id`: read, and not scored.
    """

    prompt: list[int]
    responses: list[list[int]]


class Whole(NamedTuple):
    """Prompt and response together.

    Attributes:
        ids: Token ids, context marked.
        start: Where the response begins.
        effects: What a chat template did to messages.
        trouble: What is wrong where the prompt ends; None if nothing is.
        opening: What the prompt asks for an answer with, where the response does not begin so.
        is_ended: Whether an end token stands behind the response.
    """

    ids: list[int]
    start: int
    effects: set[Effect]
    trouble: Trouble | None
    opening: str = ""
    is_ended: bool = True


class ExampleTokenizer:
    """Turn examples into token ids: prompt and responses rendered together, split at their common prefix.

    Args:
        tokenizer: Of the model.
        max_length: Most tokens of prompt and response.
        num_embeddings: How many tokens the model knows; None for those of the tokenizer.
    """

    def __init__(self, tokenizer: Any, max_length: int, num_embeddings: int | None = None) -> None:
        self._tokenizer = tokenizer
        self._renderer = Renderer(tokenizer, num_embeddings)
        self._ends = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
        self._ends.update(tokenizer.all_special_ids)
        self.max_length = max_length
        self.counts = TokenCounts()

    def __call__(self, record: Record, texts: Sequence[Text] | None = None) -> TokenizedExample | LeftOut:
        """Tokenize a pair, with further responses perhaps, or say why it is left out.

        That is if the prompt alone fills the limit, or the first two responses are the same tokens. `texts` are
        the record's `chosen` and `rejected` if None.
        """
        pair = (record["chosen"], record["rejected"]) if texts is None else texts
        example, is_hollow = self._tokenize(record, pair)
        if isinstance(example, TokenizedExample) and example.responses[0] == example.responses[1]:
            self.counts.num_same_tokens += 1
            return LeftOut.same_tokens
        return self._solid(example, is_hollow=is_hollow)

    def responses(self, record: Record, texts: Sequence[Text]) -> TokenizedExample | LeftOut:
        """Tokenize responses that are not compared, or say that the prompt alone fills the limit."""
        example, is_hollow = self._tokenize(record, texts)
        return self._solid(example, is_hollow=is_hollow)

    def ranking(
        self, record: Record, texts: Sequence[Text], marks: list[float]
    ) -> tuple[TokenizedExample | LeftOut, list[float]]:
        """Tokenize a ranking, best first, with a score each; of equal tokens the best response stays."""
        example = self.responses(record, texts)
        if isinstance(example, LeftOut):
            return example, marks
        kept = [place for place, ids in enumerate(example.responses) if ids not in example.responses[:place]]
        if len(kept) == 1:
            self.counts.num_same_tokens += 1
            return LeftOut.same_tokens, marks
        self.counts.num_ranks_left_out += len(marks) - len(kept)
        ranked = TokenizedExample(example.prompt, [example.responses[place] for place in kept])
        return ranked, [marks[place] for place in kept]

    def with_copies(
        self, record: Record, texts: Sequence[Text], marks: list[float]
    ) -> tuple[TokenizedExample | LeftOut, list[float]]:
        """Tokenize a pair, as without them, and degraded copies of its chosen response, with a degree each.

        A copy is left out, and counted, if its tokens are the chosen response's, or it would need another split
        of prompt and response.
        """
        pair = self(record, texts[:2])
        if isinstance(pair, LeftOut):
            return pair, marks
        kept, degrees, start = list(pair.responses), marks[:2], len(pair.prompt)
        prompt = self._prompt(record)
        for text, degree in zip(texts[2:], marks[2:], strict=True):
            ids = self._whole(record, text, *prompt).ids
            copy = ids[start : self.max_length]
            if ids[:start] != pair.prompt or copy in ([], pair.responses[0]):
                self.counts.num_copies_left_out += 1
            else:
                kept.append(copy)
                degrees.append(degree)
        return TokenizedExample(pair.prompt, kept), degrees

    def _tokenize(self, record: Record, texts: Sequence[Text]) -> tuple[TokenizedExample | LeftOut, bool]:
        """Tokenize and count; tells too whether a response is nothing but tool calls that are not rendered."""
        prompt = self._prompt(record)
        wholes = [self._whole(record, text, *prompt) for text in texts]
        start = min(whole.start for whole in wholes)
        head = list(map(token_id, wholes[0].ids[:start]))
        if any(list(map(token_id, whole.ids[:start])) != head for whole in wholes):
            raise RecordError(
                "the chat template renders the prompt otherwise before each response; use another template"
            )
        if any(len(whole.ids) == start for whole in wholes):
            raise RecordError("a response has no tokens of its own behind its prompt; use another chat template")
        self._count(wholes, start)
        end = self.max_length
        responses = [whole.ids[start:end] for whole in wholes]
        is_hollow = any(Effect.hollow in whole.effects for whole in wholes)
        if start >= end or not all(map(num_scored, responses)):
            self.counts.num_too_long += 1
            return LeftOut.too_long, is_hollow
        self.counts.num_truncated += max(len(whole.ids) for whole in wholes) > end
        return TokenizedExample(head, responses), is_hollow

    def _count(self, wholes: Sequence[Whole], start: int) -> None:
        counts = self.counts
        counts.num_pairs += 1
        counts.add_effects({effect for whole in wholes for effect in whole.effects})
        counts.add_troubles({whole.trouble for whole in wholes if whole.trouble})
        counts.num_unended += not all(whole.is_ended for whole in wholes)
        counts.num_with_context += any(num_scored(whole.ids) < len(whole.ids) for whole in wholes)
        counts.opening = counts.opening or next((whole.opening for whole in wholes if whole.opening), "")

    def _solid(self, example: TokenizedExample | LeftOut, *, is_hollow: bool) -> TokenizedExample | LeftOut:
        if is_hollow and isinstance(example, TokenizedExample):
            raise RecordError(
                "the chat template renders no tool calls, and a response has nothing else; use another template"
            )
        return example

    def _prompt(self, record: Record) -> tuple[str, list[int]]:
        """Render a prompt alone; returns its text, and its token ids."""
        prompt = record["prompt"]
        if isinstance(prompt, str):
            return prompt, self._renderer.plain_ids(prompt)
        text = self._renderer.text(record, prompt, opens=True)
        return text, self._renderer.ids(text)

    def _whole(self, record: Record, response: Text, text: str, ids: list[int]) -> Whole:
        """Render prompt and response; `text` and `ids` are the prompt's."""
        prompt = record["prompt"]
        if isinstance(prompt, str) and isinstance(response, str):
            whole = self._renderer.plain_ids(prompt + response, ends=True)
            start = common_length(ids, whole)
            return Whole(whole, start, set(), Trouble.merges if start < len(ids) else None)
        if isinstance(prompt, list) and isinstance(response, list):
            return self._conversation(record, response, text, ids)
        raise RecordError("'prompt' is text and a response is a conversation; both must have one form")

    def _conversation(self, record: Record, response: list[Message], text: str, ids: list[int]) -> Whole:
        def render(messages: Sequence[Message], opens: bool) -> str:
            return self._renderer.text(record, messages, opens=opens)

        def place(number: int) -> int:
            return common_length(self._renderer.ids(whole[:number]), tokens)

        turns: Any = begin_answers(record["prompt"], [response])
        prompt, (response,) = turns
        begun = record["prompt"][-1].get("content") or "" if len(prompt) < len(record["prompt"]) else ""
        whole = render([*prompt, *response], False)
        effects = self._renderer.effects(record, [*prompt, *response], whole, len(prompt))
        tokens = self._renderer.ids(whole)
        start, trouble, opening = common_length(ids, tokens), None, ""
        if start < len(ids):
            trouble = prompt_trouble(text, lambda: render(prompt, False), whole)
            if trouble is Trouble.moves:
                start = place(response_begin(render, prompt, response, whole, begun))
            if trouble is Trouble.opens:
                opening = clip(self._tokenizer.decode(ids[start:]), SHOWN)
        spans = [
            (max(start, place(begin)), place(end)) for begin, end in context_spans(render, prompt, response, whole)
        ]
        last = response[-1]
        is_ended = bool(spans and spans[-1][1] == len(tokens)) or self._has_end(tokens) or not last.get("content")
        return Whole(mark_context(tokens, spans), start, effects, trouble, opening, is_ended)

    def _has_end(self, tokens: list[int]) -> bool:
        """Tell whether the last token that is no white space is a special one, as those that end turns are."""
        for token in reversed(tokens):
            if token in self._ends:
                return True
            if self._tokenizer.decode([token]).strip():
                return False
        return False
