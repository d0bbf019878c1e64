"""What inside a response the policy did not say: results of tools, a user's turns. It is read, and not scored.

In the token ids of a response such a token is `~id`, below zero; so it stays with its response wherever ids go.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from real_cli.errors import RecordError
from real_cli.models.score.template_check import CONTEXT_ROLES, Message

# Words that stand in for a message to see where the template begins it; they share no first letter with real ones.
STAND_IN = "\u2603realstandin"


def token_id(value: int) -> int:
    """Return the id of a token of a response, context or not.

    Args:
        value: As it stands in the response.

    Returns:
        The id that the model reads.

    Example:
        >>> [token_id(value) for value in (7, ~7)]
        [7, 7]
    """
    return value if value >= 0 else ~value


def is_scored(value: int) -> bool:
    """Tell whether a token of a response is the policy's.

    Args:
        value: As it stands in the response.

    Returns:
        False for context.

    Example:
        >>> [is_scored(value) for value in (7, ~7)]
        [True, False]
    """
    return value >= 0


def num_scored(ids: Sequence[int]) -> int:
    """Count the tokens of a response that are the policy's.

    Args:
        ids: Of a response.

    Returns:
        How many are no context.

    Example:
        >>> num_scored([7, ~8, ~9, 1])
        2
    """
    return sum(map(is_scored, ids))


def common_length(ids: Sequence[object], others: Sequence[object]) -> int:
    """Say how far two sequences are the same.

    Args:
        ids: A sequence.
        others: Another one.

    Returns:
        Length of the common beginning.

    Example:
        >>> common_length("abcd", "abx")
        2
    """
    for index, pair in enumerate(zip(ids, others, strict=False)):
        if pair[0] != pair[1]:
            return index
    return min(len(ids), len(others))


def context_spans(
    render: Callable[[Sequence[Message], bool], str], prompt: Sequence[Message], response: Sequence[Message], whole: str
) -> Iterator[tuple[int, int]]:
    """Find the context in a response, the headers around it included.

    Args:
        render: Renders messages by the chat template; if True with the opening of an answer.
        prompt: The messages before.
        response: Those of the response.
        whole: Both, as rendered.

    Yields:
        Where context begins and ends in `whole`; nothing if all messages are of such roles: then the response itself is
        written under another role.
    """
    is_context = [message["role"] in CONTEXT_ROLES for message in response]
    if all(is_context):
        return
    first = 0
    for inside, group in groupby(is_context):
        last = first + len(list(group))
        if inside:
            through = [*prompt, *response[:last]]
            begin = 0 if first == 0 else _begin(render, prompt, response, first, whole)
            end = len(whole) if last == len(response) else common_length(whole, render(through, True))
            if begin < end:
                yield begin, end
        first = last


def _begin(
    render: Callable[[Sequence[Message], bool], str],
    prompt: Sequence[Message],
    response: Sequence[Message],
    first: int,
    whole: str,
) -> int:
    """Find where what the policy had said before a message is over."""
    before = [*prompt, *response[:first]]
    ended = render(before, False)
    if whole.startswith(ended):
        return len(ended)
    # A template renders a last message otherwise; so another one follows, at best one whose header differs too.
    for role in ("assistant", response[first]["role"]):
        try:
            other = render([*before, {"role": role, "content": STAND_IN}, *response[first + 1 :]], False)
        except RecordError:  # a template may want roles to take turns
            continue
        begin = common_length(whole, other)
        return begin - _shared_header(render(prompt, False), render(prompt, True), whole[:begin])
    raise RecordError("the chat template does not show where a tool's result begins inside a response; use another one")


def _shared_header(bare: str, opened: str, text: str) -> int:
    """Count the last characters of a text that are the first of a header; every message begins with those."""
    header = opened[common_length(bare, opened) :]
    return max(size for size in range(len(header) + 1) if text.endswith(header[:size]))


def mark_context(ids: list[int], spans: Sequence[tuple[int, int]]) -> list[int]:
    """Mark the context in a response's ids.

    Args:
        ids: Token ids.
        spans: First and last-but-one places of context.

    Returns:
        Ids, those of context as `~id`.

    Example:
        >>> mark_context([5, 6, 7, 8], [(1, 3)])
        [5, -7, -8, 8]
    """
    marked = list(ids)
    for begin, end in spans:
        marked[begin:end] = [~value for value in ids[begin:end]]
    return marked
