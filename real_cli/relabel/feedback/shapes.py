"""The shapes of traces, each known by its fields and not by whose product wrote it."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.records.record import Record
from real_cli.relabel.feedback.acts import ACT_FIELDS, KEYS, ActReader, Acts
from real_cli.relabel.feedback.exchange import INPUT_FIELDS, OUTPUT_FIELDS, read_exchange
from real_cli.relabel.feedback.tree import Node, Tree, beside, chain, clean_message, grow, is_thought
from real_cli.text.phrases import say_count

CONVERSATIONS = ("messages", "conversation", "conversations")
ID_FIELDS = ("id", "messageId", "message_id")
PARENT_FIELDS = ("parentId", "parentMessageId", "parent_id", "parent_message_id", "parent")
# The nil UUID: LibreChat's parent of a first message.
NOBODY = "00000000-0000-0000-0000-000000000000"
# A node with none of these has links alone.
SPEAKING_FIELDS = ("role", "author", "from", "isCreatedByUser", "content", "text")
CHILDREN_FIELDS = ("children", "childrenIds", "children_ids")
CURRENT_FIELDS = ("current_node", "currentId", "current_id", "currentMessageId", "current_message_id")
BESIDE_TREE = "feedback stands beside a tree of messages; put it on the message that it is about"


class TraceShape(NamedTuple):
    """A row of the table of shapes.

    Attributes:
        name: What the manual calls it.
        fields: Those that tell it.
        acts: Where what users did stands.
        matches: Tells a record of this shape.
        read: Reads one.
    """

    name: str
    fields: str
    acts: str
    matches: Callable[[Record], bool]
    read: Callable[[Record, ActReader], Tree]


def read_trace(record: Record, keys: Collection[str] = KEYS) -> Tree:
    """Read a trace of any shape.

    Raises:
        RecordError: If it has no shape or several, or holds what cannot be read.
    """
    shapes = [shape for shape in SHAPES if shape.matches(record)]
    if not shapes:
        raise RecordError(
            f"no conversation with replies in the fields {clip(sorted(record))}; 'messages', 'mapping', 'history', or "
            "an input and an output are needed"
        )
    if len(shapes) > 1:
        raise RecordError(
            f"may be {' or '.join(shape.name for shape in shapes)}; keep the fields of one, and remove those of the "
            "other"
        )
    return shapes[0].read(record, ActReader(keys))


def _read_messages(record: Record, read: ActReader) -> Tree:
    name = _conversation_field(record)
    messages: list[Record] = []
    acts: list[Acts] = []
    for number, message in enumerate(record[name], 1):
        where = f"field '{name}': message {number}"
        cleaned = clean_message(message, where)
        if cleaned is not None:
            messages.append(cleaned)
            acts.append(read([message], where))
    tree = chain(messages, acts, beside(record))
    whole = read([record], "the record")
    if whole.is_empty:
        return tree
    ends = [
        index
        for index in range(len(messages))
        if tree.is_reply(index) and (index + 1 == len(messages) or not tree.is_reply(index + 1))
    ]
    if len(ends) != 1 or any(done.any for done in acts):
        raise RecordError(
            f"feedback stands beside a conversation of {say_count(len(ends), 'reply', 'replies')}; put it on the "
            "message that it is about"
        )
    acts[ends[0]] = whole
    return tree


def _conversation_field(record: Record) -> str:
    return next((name for name in CONVERSATIONS if _is_turns(record.get(name))), "")


def _is_turns(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(turn, dict) for turn in value)


def _is_linked(record: Record) -> bool:
    name = _conversation_field(record)
    return bool(name) and any(set(PARENT_FIELDS) & turn.keys() for turn in record[name])


def _has_output(record: Record) -> bool:
    return any(record.get(name) is not None for name in OUTPUT_FIELDS)


def _is_messages(record: Record) -> bool:
    name = _conversation_field(record)
    if not name or _is_linked(record) or _history_of(record) is not None:
        return False
    return not _has_output(record) or any(set(ACT_FIELDS) & turn.keys() for turn in record[name])


def _read_linked(record: Record, read: ActReader) -> Tree:
    name = _conversation_field(record)
    nodes = {
        _identifier(turn, f"field '{name}': message {number}"): turn for number, turn in enumerate(record[name], 1)
    }
    if len(nodes) < len(record[name]):
        raise RecordError(f"field '{name}': two messages have the same identifier; each needs another")
    return _grow(nodes, record, record, read)


def _read_mapping(record: Record, read: ActReader) -> Tree:
    return _grow(record["mapping"], record, record, read)


def _read_history(record: Record, read: ActReader) -> Tree:
    history, holder = _history_of(record) or ({}, {})
    return _grow(history["messages"], history, holder, read, about=record)


def _grow(turns: dict[str, Any], holder: Record, outer: Record, read: ActReader, about: Record | None = None) -> Tree:
    """Make a tree of messages by identifier; `holder` names the current one, and `about` may be of a single one."""
    if read([outer], "the record").any:
        raise RecordError(BESIDE_TREE)
    nodes: dict[str, Node] = {}
    num_thoughts = 0
    for name, turn in turns.items():
        where = f"message {clip(name)}"
        if not isinstance(turn, dict):
            raise RecordError(f"{where} is {clip(turn)}; an object is needed")
        inner = turn.get("message", turn if any(name in turn for name in SPEAKING_FIELDS) else None)
        if inner is not None and not isinstance(inner, dict):
            raise RecordError(f"{where} has the 'message' {clip(inner)}; an object, or null, is needed")
        thinks = inner is not None and is_thought(inner)
        num_thoughts += thinks
        spoken = None if inner is None or thinks else clean_message(inner, where)
        metadata = (inner or {}).get("metadata")
        holders = [part for part in (turn, *([inner] if inner is not turn else []), metadata) if isinstance(part, dict)]
        nodes[name] = Node(_parent(turn, where), _children(turn, where), spoken, read(holders, where))
    only = _about(about, nodes, read) if about else None
    current = next((_name(holder[name], f"'{name}'") for name in CURRENT_FIELDS if holder.get(name)), None)
    tree = grow(nodes, current=current, only=only, beside=beside(outer))
    return tree._replace(num_thoughts=num_thoughts)


def _about(record: Record, nodes: dict[str, Node], read: ActReader) -> str | None:
    """Find the message that a record of feedback is about, and add what it says to it."""
    data, meta = record.get("data"), record.get("meta")
    acts = read([data], "the feedback") if isinstance(data, dict) else Acts()
    if not isinstance(meta, dict) or not meta.get("message_id"):
        if acts.any:
            raise RecordError(BESIDE_TREE)
        return None
    only = _name(meta["message_id"], "'message_id'")
    if only in nodes:
        nodes[only].acts.join(acts)
    return only


def _history_of(record: Record) -> tuple[Record, Record] | None:
    """Find messages by identifier in a history, which may be within a chat or a snapshot of it; and what holds it."""
    holder: Any = record
    for _ in range(4):
        history = holder.get("history")
        if isinstance(history, dict) and isinstance(history.get("messages"), dict):
            return history, holder
        holder = holder.get("snapshot") or holder.get("chat")
        if not isinstance(holder, dict):
            return None
    return None


def _identifier(turn: Record, where: str) -> str:
    value = next((turn[name] for name in ID_FIELDS if turn.get(name) is not None), None)
    return _name(value, f"{where}: the identifier")


def _parent(turn: Record, where: str) -> str | None:
    value = next((turn[name] for name in PARENT_FIELDS if turn.get(name) is not None), None)
    return None if value is None or value == NOBODY else _name(value, f"{where}: the parent")


def _children(turn: Record, where: str) -> list[str]:
    value: Any = next((turn[name] for name in CHILDREN_FIELDS if turn.get(name) is not None), [])
    if not isinstance(value, list):
        raise RecordError(f"{where}: the children are {clip(value)}; a list of identifiers is needed")
    return [_name(child, f"{where}: a child") for child in value]


def _name(value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RecordError(f"{where} is {clip(value)}; an identifier, a string or a whole number, is needed")
    return str(value)


def _is_exchange(record: Record) -> bool:
    return _has_output(record) and any(record.get(name) is not None for name in INPUT_FIELDS)


SHAPES = (
    TraceShape(
        "a mapping of messages",
        "mapping: {id: {parent, children, message: {author: {role}, content: {parts}}}}, current_node (ChatGPT's "
        "export)",
        "on the node, its message or the message's metadata",
        lambda record: isinstance(record.get("mapping"), dict) and bool(record["mapping"]),
        _read_mapping,
    ),
    TraceShape(
        "a history of messages",
        "history: {messages: {id: {parentId, childrenIds, role, content}}, currentId}, itself or in chat or snapshot "
        "(Open WebUI's chats and feedback)",
        "on the message, as annotation: {rating}; or data: {rating} with meta: {message_id}, then of that message "
        "alone",
        lambda record: _history_of(record) is not None,
        _read_history,
    ),
    TraceShape(
        "messages with parents",
        "messages: [{messageId, parentMessageId, isCreatedByUser or role, text or content}] (LibreChat)",
        "on the message, as feedback: {rating}",
        lambda record: _is_linked(record) and _history_of(record) is None,
        _read_linked,
    ),
    TraceShape(
        "a list of messages",
        "messages, conversation or conversations: [{role, content}] (Vercel's AI SDK, LMSYS, Dify)",
        "on the message; beside the list where it holds one reply",
        _is_messages,
        _read_messages,
    ),
    TraceShape(
        "an input and an output",
        "input, inputs, prompt, request, ... and output, outputs, response, completion, ... (Langfuse, LangSmith, "
        "Helicone, tables of Argilla)",
        "beside them: scores: [{name, value}], feedback: [{key, score, correction}], edited_response, "
        "original_response, ...",
        _is_exchange,
        read_exchange,
    ),
)
