"""Where a prompt ends and a response begins in what a chat template makes of both, and what goes wrong there."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from real_cli.models.score.contexts import STAND_IN, common_length
from real_cli.models.score.template_check import Message


class Trouble(StrEnum):
    """Why a prompt with a response behind it does not begin with the prompt alone."""

    merges = "merges"
    opens = "opens"
    moves = "moves"


def prompt_trouble(prompt: str, bare: Callable[[], str], whole: str) -> Trouble:
    """Say why the tokens of a prompt are not the first ones of prompt and response.

    `merges`: the text is the same, the tokens differ. `opens`: the answer opens otherwise than the prompt asks.
    `moves`: the prompt itself is rendered otherwise.

    >>> prompt_trouble("U: hi A:", lambda: "U: hi ", "U: hi A: yes")
    <Trouble.merges: 'merges'>
    >>> prompt_trouble("U: hi A: <think>", lambda: "U: hi ", "U: hi A: yes")
    <Trouble.opens: 'opens'>
    >>> prompt_trouble("U: hi! A:", lambda: "U: hi! ", "U: hi A: yes")
    <Trouble.moves: 'moves'>
    """
    if whole.startswith(prompt):
        return Trouble.merges
    messages = bare()
    return Trouble.opens if common_length(prompt, whole) >= common_length(prompt, messages) else Trouble.moves


def response_begin(
    render: Callable[[Sequence[Message], bool], str],
    prompt: Sequence[Message],
    response: Sequence[Message],
    whole: str,
    begun: str,
) -> int:
    """Find where in `whole` the words of a response begin, however the prompt before it is rendered.

    `begun` are words of the first message that belong to the prompt.
    """
    other = response[0] | {"content": begun + STAND_IN}
    return common_length(whole, render([*prompt, other, *response[1:]], False))
