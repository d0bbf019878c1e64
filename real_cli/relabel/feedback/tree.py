"""A trace as a tree of messages: built without recursion, and refused where its links do not hold together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.records.messages import is_empty
from real_cli.records.public.chat_forms import KNOWN_ROLES, ROLES, SPOKEN, text_form
from real_cli.records.record import Record
from real_cli.relabel.feedback.acts import Acts

# Of a message, what a model reads; identifiers, names of users and times stay behind.
KEPT = ("role", "content", "tool_calls", "tool_call_id")
# Of a trace, what a chat template reads beside the messages.
BESIDE = ("tools", "chat_template_kwargs")
# What a model thought is no part of what it said.
THOUGHTS = ("thoughts", "reasoning_recap")


@dataclass
class Node:
    """A message and its links, as the trace has them.

    Attributes:
        parent: The identifier of the message before it; None at the beginning, or where only children are named.
        children: Identifiers of those that follow it.
        message: What was said, in `role` and `content`; None where nothing was.
        acts: What was done with it.
    """

    parent: str | None
    children: list[str]
    message: Record | None
    acts: Acts = field(default_factory=Acts)


class Tree(NamedTuple):
    """The messages of a trace.

    Attributes:
        messages: In an order in which each stands behind its parent.
        parents: The index of the message before each; -1 at the beginning.
        acts: What was done with each.
        beside: `tools` and `chat_template_kwargs`, where they are there.
        active: The messages of the branch where the conversation ended; None if the trace does not say.
        only: The message that the trace is about; None for all.
        num_thoughts: Messages that held thoughts and are left out.
    """

    messages: list[Record]
    parents: list[int]
    acts: list[Acts]
    beside: Record
    active: frozenset[int] | None = None
    only: int | None = None
    num_thoughts: int = 0

    def opening(self) -> list[Record]:
        """Return the first messages, up to one of the user: conversations that begin alike go into one shard."""
        first = next((index for index in range(len(self.messages)) if self.role(index) == "user"), -1)
        return self.path(first)

    def role(self, index: int) -> str:
        """Return who speaks; nobody before the beginning."""
        return str(self.messages[index]["role"]) if index >= 0 else ""

    def path(self, end: int, start: int = -1) -> list[Record]:
        """List the messages behind one, up to another."""
        backwards: list[Record] = []
        while end != start:
            backwards.append(self.messages[end])
            end = self.parents[end]
        return backwards[::-1]

    def is_reply(self, index: int) -> bool:
        """Tell whether a message is part of a reply."""
        return self.role(index) in SPOKEN


def chain(messages: list[Record], acts: list[Acts], beside: Record) -> Tree:
    """Make the tree of a conversation without branches."""
    return Tree(messages, list(range(-1, len(messages) - 1)), acts, beside)


def grow(nodes: Mapping[str, Node], *, current: str | None, only: str | None, beside: Record) -> Tree:
    """Make a tree of linked nodes; those without a message are passed over.

    Raises:
        RecordError: If a link leads nowhere, or the nodes go round in a circle.
    """
    for name, what in ((current, "current message"), (only, "message of the feedback")):
        if name is not None and name not in nodes:
            raise RecordError(f"the {what}, {clip(name)}, is not among the messages; the whole conversation is needed")
    parents = _parents(nodes)
    tree, places = Tree([], [], [], beside), dict[str | None, int]({None: -1})
    for name in _ordered(nodes, parents):
        node, before = nodes[name], places[parents[name]]
        if node.message is None:
            places[name] = before
            continue
        places[name] = len(tree.messages)
        tree.messages.append(node.message)
        tree.parents.append(before)
        tree.acts.append(node.acts)
    if only is not None and nodes[only].message is None:
        raise RecordError(f"the message of the feedback, {clip(only)}, says nothing; a reply is needed")
    return tree._replace(
        active=None if current is None else _line_to(places[current], tree.parents),
        only=None if only is None else places[only],
    )


def _line_to(index: int, parents: list[int]) -> frozenset[int]:
    line = set()
    while index >= 0:
        line.add(index)
        index = parents[index]
    return frozenset(line)


def _parents(nodes: Mapping[str, Node]) -> dict[str, str | None]:
    """Settle the parent of each node, which it or its parent names."""
    parents = {name: node.parent for name, node in nodes.items()}
    for name, parent in parents.items():
        if parent is not None and parent not in nodes:
            raise RecordError(
                f"message {clip(name)} follows {clip(parent)}, which is not there; the whole conversation is needed"
            )
    for name, node in nodes.items():
        for child in node.children:
            if child not in nodes:
                raise RecordError(
                    f"message {clip(name)} is followed by {clip(child)}, which is not there; the whole conversation "
                    "is needed"
                )
            if parents[child] not in (None, name):
                raise RecordError(
                    f"message {clip(child)} follows {clip(parents[child])} and {clip(name)}; it may follow one alone"
                )
            parents[child] = name
    return parents


def _ordered(nodes: Mapping[str, Node], parents: dict[str, str | None]) -> list[str]:
    """Order nodes so that each stands behind its parent, siblings as their parent lists them."""
    children: dict[str | None, dict[str, None]] = {None: {}} | {
        name: dict.fromkeys(node.children) for name, node in nodes.items()
    }
    for name, parent in parents.items():
        children[parent][name] = None
    order = list(children[None])
    for name in order:  # grows as it is read
        order.extend(children[name])
    if len(order) < len(nodes):
        lost = next(iter(nodes.keys() - set(order)))
        raise RecordError(f"messages go round in a circle, {clip(lost)} among them; each needs a way to the beginning")
    return order


def clean_message(message: Record, where: str) -> Record | None:
    """Bring a message into {role, content}; None if it says nothing that a reply follows from.

    Raises:
        RecordError: If nobody is named as its speaker, or it holds anything but text.
    """
    spoken = {"role": _role(message, where)} | _content(message)
    (read,) = text_form([spoken], where) if "content" in spoken or spoken.get("tool_calls") else (spoken,)
    content = read.get("content")
    if content is None and read.get("tool_calls"):
        content = ""
    if not isinstance(content, str):
        raise RecordError(f"{where} has the content {clip(content)}; this command reads text alone")
    cleaned = {name: read[name] for name in KEPT if read.get(name) is not None} | {"content": content}
    return None if cleaned["role"] in ("system", "developer") and is_empty([cleaned]) else cleaned


def _role(message: Record, where: str) -> str:
    author: Any = message.get("author")
    by_user = message.get("isCreatedByUser")
    speaker = message.get("role") or (author.get("role") if isinstance(author, dict) else None) or message.get("from")
    if speaker is None and isinstance(by_user, bool):
        return "user" if by_user else "assistant"
    role = ROLES.get(speaker.strip().lower(), speaker.strip().lower()) if isinstance(speaker, str) else ""
    if role not in KNOWN_ROLES:
        raise RecordError(f"{where} is from {clip(speaker)}; its role is needed: system, user, assistant or tool")
    return role


def _content(message: Record) -> Record:
    """Find what a message says, and its tool calls."""
    content = next((message[name] for name in ("content", "text", "value", "parts") if message.get(name)), "")
    if isinstance(content, dict) and isinstance(content.get("parts"), list):
        content = content["parts"]
    elif isinstance(content, dict) and "content_type" in content and isinstance(content.get("text"), str):
        content = content["text"]
    return {"content": content} | {
        name: message[name] for name in ("tool_calls", "tool_call_id", "function_call") if message.get(name)
    }


def beside(*holders: Record) -> Record:
    """Keep what a chat template reads beside the messages, from the first object that has it."""
    held = {name: [holder[name] for holder in holders if holder.get(name)] for name in BESIDE}
    return {name: values[0] for name, values in held.items() if values}


def is_thought(message: Record) -> bool:
    """Tell a message that holds what a model thought."""
    content = message.get("content")
    return isinstance(content, dict) and content.get("content_type") in THOUGHTS
