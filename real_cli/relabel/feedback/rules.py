"""What becomes of what users did: rules in the order in which they are tried; the manual's table is made of them."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from real_cli.records.messages import is_empty
from real_cli.records.record import Record
from real_cli.relabel.feedback.tree import Tree


class Left(Enum):
    """What gives no record: how it is counted, for one and several, and what it means."""

    no_preference = (
        "regeneration without a preference",
        "regenerations without a preference",
        "Several replies to a prompt, and no pair of them: neither a thumb up nor a user who went on with a single one "
        "tells which is better; or a regeneration whose other reply is not in the trace.",
    )
    conflict = (
        "reply with thumbs up and down",
        "replies with thumbs up and down",
        "It is in no pair either.",
    )
    thumb_of_edit = (
        "thumb on an edited reply",
        "thumbs on edited replies",
        "The edit says more, and nobody knows which of the two texts was meant.",
    )
    same = (
        "pair of the same text",
        "pairs of the same text",
        "An edit that changes nothing, or a regeneration that came out the same.",
    )
    edit_text = (
        "edit without its other text",
        "edits without their other text",
        "The trace marks a reply as edited and holds one text of it.",
    )
    copy = ("copy", "copies", "A weak sign; --copies takes it.")
    empty = ("empty reply", "empty replies", "A reply without words and tool calls, or an edit of blanks alone.")
    no_prompt = (
        "reply without a prompt",
        "replies without a prompt",
        "The assistant speaks first, and something was done with that.",
    )
    not_reply = ("event on no reply", "events on no reply", "Something was done with a message of the user.")
    unread = (
        "comment",
        "comments",
        "Feedback without a thumb, an edit or a copy; words alone say nothing that can be counted.",
    )
    other_key = ("score of another name", "scores of other names", "An evaluator's, say; --key names others.")
    unpaired = ("labeled reply", "labeled replies", "With --emit pairs.")
    thoughts = ("message of thoughts", "messages of thoughts", "What a model thought is no part of what it said.")


class FeedbackRow(NamedTuple):
    """A pair, or a labeled reply where one side is None."""

    event: str
    prompt: list[Record]
    chosen: list[Record] | None
    rejected: list[Record] | None


@dataclass
class Reply:
    """A reply to a prompt: the messages up to the next one of the user.

    Attributes:
        tree: The trace.
        anchor: The index of the prompt's last message.
        end: The index of its last message.
        up: Whether a thumb up is on one of them; so on.
        went_on: Whether the user wrote on behind it.
        is_last: Whether the conversation's last branch goes through it; True if the trace does not say.
        is_paired: Whether it stands in a pair.
    """

    tree: Tree
    anchor: int
    end: int
    up: bool
    down: bool
    copied: bool
    edited: bool
    went_on: bool
    is_last: bool
    is_paired: bool = False

    @cached_property
    def messages(self) -> list[Record]:
        """Its messages; made when they are asked for, since most replies are in no record."""
        return self.tree.path(self.end, self.anchor)

    @property
    def is_conflicting(self) -> bool:
        """Whether thumbs contradict each other."""
        return self.up and self.down


@dataclass
class Turn:
    """A prompt and all replies to it.

    Attributes:
        tree: The trace.
        anchor: The index of the prompt's last message.
        replies: In the order of the messages.
        edits: Indices of the messages that a user rewrote.
        has_regeneration: Whether an event says that another reply was asked for.
        takes_copies: Whether a copy is a sign.
        left: What gave no record.
    """

    tree: Tree
    anchor: int
    replies: list[Reply] = field(default_factory=list)
    edits: list[int] = field(default_factory=list)
    has_regeneration: bool = False
    takes_copies: bool = False
    left: Counter[Left] = field(default_factory=Counter)


def pair_edits(turn: Turn) -> Iterator[FeedbackRow]:
    """Prefer what a user made of a message to the message."""
    for index in turn.edits:
        message, acts = turn.tree.messages[index], turn.tree.acts[index]
        edited = message | {"content": message["content"] if acts.edited is None else acts.edited}
        original = message | {"content": message["content"] if acts.original is None else acts.original}
        if is_empty([edited]) or is_empty([original]):
            turn.left[Left.empty] += 1
        elif edited == original:
            turn.left[Left.same] += 1
        else:
            yield FeedbackRow("edit", turn.tree.path(turn.tree.parents[index]), [edited], [original])


def pair_regenerations(turn: Turn) -> Iterator[FeedbackRow]:
    """Prefer the replies with a thumb up, else the one that the user went on with, to those left behind."""
    replies = [reply for reply in turn.replies if not (reply.edited or reply.is_conflicting)]
    chosen = [reply for reply in replies if reply.up]
    if not chosen:
        gone_on = [reply for reply in replies if reply.went_on]
        is_clear = len(gone_on) == 1 and gone_on[0].is_last and not gone_on[0].down
        chosen = gone_on if is_clear else []
    rejected = [reply for reply in replies if chosen and not reply.up and (reply.down or not reply.went_on)]
    if not (chosen and rejected) and (len(turn.replies) > 1 or turn.has_regeneration):
        turn.left[Left.no_preference] += 1
    prompt = turn.tree.path(turn.anchor) if chosen and rejected else []  # long, and most turns have no pair
    for better in chosen:
        for worse in rejected:
            if better.messages == worse.messages:
                turn.left[Left.same] += 1
            elif is_empty(better.messages) or is_empty(worse.messages):
                turn.left[Left.empty] += 1
            else:
                better.is_paired = worse.is_paired = True
                yield FeedbackRow("regeneration", prompt, better.messages, worse.messages)


def label_thumbs(turn: Turn) -> Iterator[FeedbackRow]:
    """Label a reply by its thumb, where it stands in no pair."""
    for reply in turn.replies:
        if reply.is_paired or not (reply.up or reply.down):
            continue
        if reply.edited:
            turn.left[Left.thumb_of_edit] += 1
        elif reply.is_conflicting:
            turn.left[Left.conflict] += 1
        elif is_empty(reply.messages):
            turn.left[Left.empty] += 1
        else:
            yield _labeled("thumb", turn, reply, is_good=reply.up)


def label_copies(turn: Turn) -> Iterator[FeedbackRow]:
    """Label a copied reply as good if that is asked for, where nothing else is known of it."""
    for reply in turn.replies:
        if not reply.copied or reply.is_paired or reply.edited or reply.up or reply.down:
            continue
        if is_empty(reply.messages):
            turn.left[Left.empty] += 1
        elif turn.takes_copies:
            yield _labeled("copy", turn, reply, is_good=True)
        else:
            turn.left[Left.copy] += 1


def _labeled(event: str, turn: Turn, reply: Reply, *, is_good: bool) -> FeedbackRow:
    prompt = turn.tree.path(turn.anchor)
    return FeedbackRow(event, prompt, reply.messages if is_good else None, None if is_good else reply.messages)


class FeedbackRule(NamedTuple):
    """A row of the table: what was done, what it becomes, and the function that finds it."""

    name: str
    becomes: str
    find: Callable[[Turn], Iterator[FeedbackRow]]


# In this order: a reply in a pair is not labeled too.
RULES = (
    FeedbackRule(
        "edit",
        "A pair: the user's text is 'chosen', the model's 'rejected'. Of several edits the last counts, against the "
        "first text. An edited reply is in no other pair, and its thumb is left.",
        pair_edits,
    ),
    FeedbackRule(
        "regeneration",
        "Several replies to a prompt. With a thumb up: a pair of each such reply with each that has a thumb down, or "
        "that the user did not go on with. Else, if the user went on with a single one, it has no thumb down, and the "
        "conversation ends on its branch: a pair of it with each other. A reply with thumbs up and down is in none.",
        pair_regenerations,
    ),
    FeedbackRule(
        "thumb",
        "Up: 'completion' with 'label' true. Down: 'label' false. Not for a reply that is in a pair.",
        label_thumbs,
    ),
    FeedbackRule(
        "copy",
        "With --copies, and if nothing else is known of the reply: 'completion' with 'label' true. Else it is counted "
        "and left.",
        label_copies,
    ),
)
