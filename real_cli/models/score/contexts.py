"""Context inside a response, such as tool results and a user's turns: read, and not scored.

In the token ids of a response such a token is `~id`, below zero, so the mark travels with the ids.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from real_cli.errors import RecordError
from real_cli.models.score.template_check import CONTEXT_ROLES, Message

# Stand-ins that show where a template begins a message: they share no first letter with real words.
STAND_IN = "\u2603realstandin"


def token_id(value: int) -> int:
    """Return the id that the model reads for a token of a response, context or not.

    >>> [token_id(value) for value in (7, ~7)]
    [7, 7]
    """
    return value if value >= 0 else ~value


def is_scored(value: int) -> bool:
    """Tell whether a token of a response is the policy's, not context.

    >>> [is_scored(value) for value in (7, ~7)]
    [True, False]
    """
    return value >= 0


def num_scored(ids: Sequence[int]) -> int:
    """Count the tokens of a response that are the policy's.

    >>> num_scored([7, ~8, ~9, 1])
    2
    """
    return sum(map(is_scored, ids))


def common_length(ids: Sequence[object], others: Sequence[object]) -> int:
    """Return the length of two sequences' common beginning.

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
    """Find the context in a response, as spans of `whole`, the headers around it included.

    There is none if all messages have such roles: then the response itself is written under another role.
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
    """Find where what the policy said before a message ends."""
    before = [*prompt, *response[:first]]
    ended = render(before, False)
    if whole.startswith(ended):
        return len(ended)
    # Templates treat a last message differently; so another follows, at best one whose header differs too.
    for role in ("assistant", response[first]["role"]):
        try:
            other = render([*before, {"role": role, "content": STAND_IN}, *response[first + 1 :]], False)
        except RecordError:  # a template may want roles to take turns
            continue
        begin = common_length(whole, other)
        return begin - _shared_header(render(prompt, False), render(prompt, True), whole[:begin])
    raise RecordError("the chat template does not show where a tool's result begins inside a response; use another one")


def _shared_header(bare: str, opened: str, text: str) -> int:
    """Count the last characters of a text that begin a header, which every message begins with."""
    header = opened[common_length(bare, opened) :]
    return max(size for size in range(len(header) + 1) if text.endswith(header[:size]))


def mark_context(ids: list[int], spans: Sequence[tuple[int, int]]) -> list[int]:
    """Mark the context in a response's ids: `~id` from the first to before the last place of each span.

    >>> mark_context([5, 6, 7, 8], [(1, 3)])
    [5, -7, -8, 8]
    """
    marked = list(ids)
    for begin, end in spans:
        marked[begin:end] = [~value for value in ids[begin:end]]
    return marked
