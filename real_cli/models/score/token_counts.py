"""What tokenizing changed, counted and reported."""

from dataclasses import dataclass, field
from enum import StrEnum

from real_cli.models.score.prompt_ends import Trouble
from real_cli.models.score.template_check import Effect
from real_cli.text.phrases import say_count


class LeftOut(StrEnum):
    """Why an example is not used."""

    too_long = "prompts too long"
    same_tokens = "pairs of the same tokens"


def say_is_cut(number: int, noun: str = "pair") -> str:
    """Tell how many were read of which a response was cut when it was sampled."""
    advice = " ('real eval pairs --sound FILE' leaves such pairs out)" if noun == "pair" else ""
    return (
        f"{say_count(number, noun)} with a response that was cut when it was sampled, read as if it ended there{advice}"
    )


@dataclass
class TokenCounts:
    """What tokenizing changed.

    Attributes:
        num_pairs: Pairs seen.
        num_truncated: Pairs of which a response lost its end to the length limit.
        num_too_long: Pairs whose prompt alone fills the limit; they cannot be used.
        num_same_tokens: Pairs whose responses became the same tokens; they teach nothing.
        num_prompts_cut: Pairs whose prompt lost its last tokens, because they merge with the response's first ones.
        num_prompts_opened: Pairs whose response the chat template opens otherwise than it asks for one.
        num_prompts_moved: Pairs whose prompt the chat template renders otherwise once a response follows.
        num_thoughts_stripped: Pairs of which the chat template leaves out thoughts.
        num_calls_unknown: Pairs with calls of tools that the chat template does not render.
        num_tools_unknown: Pairs with tools that the chat template does not describe.
        num_beside: Pairs with words beside tool calls, which the chat template leaves out.
        num_other_roles: Pairs with a response under a role that is not the policy's.
        num_changed: Pairs of which the chat template changes words.
        num_unended: Pairs with a response behind which the chat template puts no end token.
        num_with_context: Pairs with results of tools, or other context, inside a response.
        num_copies_left_out: Degraded copies that have the chosen response's tokens, none, or merge with the prompt's.
        num_ranks_left_out: Responses of rankings with the tokens of a better one.
        num_is_cut: Pairs that are read, of which a response is marked as cut when it was sampled.
        opening: What a chat template asks for a response with, where it opens none so.
    """

    num_pairs: int = 0
    num_truncated: int = 0
    num_too_long: int = 0
    num_same_tokens: int = 0
    num_prompts_cut: int = 0
    num_prompts_opened: int = 0
    num_prompts_moved: int = 0
    num_thoughts_stripped: int = 0
    num_calls_unknown: int = 0
    num_tools_unknown: int = 0
    num_beside: int = 0
    num_other_roles: int = 0
    num_changed: int = 0
    num_unended: int = 0
    num_with_context: int = 0
    num_copies_left_out: int = 0
    num_ranks_left_out: int = 0
    num_is_cut: int = 0
    opening: str = field(default="", repr=False)

    def add_effects(self, effects: set[Effect]) -> None:
        """Count what a chat template did to the messages of a pair."""
        self.num_thoughts_stripped += Effect.thoughts in effects
        self.num_calls_unknown += Effect.calls in effects
        self.num_tools_unknown += Effect.tools in effects
        self.num_beside += Effect.beside in effects
        self.num_other_roles += Effect.roles in effects
        self.num_changed += Effect.changed in effects

    def add_troubles(self, troubles: set[Trouble]) -> None:
        """Count what went wrong where the prompt of a pair ends."""
        self.num_prompts_cut += Trouble.merges in troubles
        self.num_prompts_opened += Trouble.opens in troubles
        self.num_prompts_moved += Trouble.moves in troubles

    def sentence(self, max_length: int, noun: str = "pair") -> str:
        """Tell what was changed in one line, empty if nothing was; `noun` is what is counted."""
        parts = []
        if self.num_truncated:
            parts.append(f"{say_count(self.num_truncated, noun)} cut to --max-length {max_length}")
        if self.num_too_long:
            parts.append(f"{self.num_too_long:,} left out: the prompt alone fills {max_length} tokens")
        if self.num_same_tokens:
            parts.append(f"{self.num_same_tokens:,} left out: chosen and rejected are the same tokens")
        if self.num_is_cut:
            parts.append(say_is_cut(self.num_is_cut, noun))
        parts += self.template_parts(noun)
        if self.num_copies_left_out:
            parts.append(
                f"{self.num_copies_left_out:,} degraded copies left out: their tokens are the chosen response's, or "
                "merge with the prompt's"
            )
        if self.num_ranks_left_out:
            ranked = say_count(self.num_ranks_left_out, "response")
            parts.append(f"{ranked} of rankings left out: the same tokens as a better one")
        return "; ".join(parts)

    def template_parts(self, noun: str) -> list[str]:
        """Tell what became of prompts and messages."""
        sooner = f"ended sooner: the chat template asks for a response with {self.opening} and begins these otherwise"
        prompts = {
            "cut at the end: last tokens merge with a response's first": self.num_prompts_cut,
            sooner: self.num_prompts_opened,
            "rendered otherwise once a response follows, and read so": self.num_prompts_moved,
        }
        pairs = {
            "the chat template strips thoughts of {}": self.num_thoughts_stripped,
            "the chat template renders no tool calls of {}": self.num_calls_unknown,
            "the chat template describes no tools to {}": self.num_tools_unknown,
            "the chat template leaves out words beside tool calls of {}": self.num_beside,
            "a response of {} is written under a role that is not the policy's, user or tool": self.num_other_roles,
            "the chat template changes words of {}": self.num_changed,
            "the chat template never ends a turn: {} without an end token": self.num_unended,
            "tool results and other context inside the responses of {} are read, not scored": self.num_with_context,
        }
        reasons = [f"{say_count(number, 'prompt')} {words}" for words, number in prompts.items() if number]
        return reasons + [words.format(say_count(number, noun)) for words, number in pairs.items() if number]
