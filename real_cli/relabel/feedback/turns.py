"""The prompts of a trace, each with its replies, and the records that come of them."""

from collections import Counter
from collections.abc import Iterator

from real_cli.records.messages import text_key
from real_cli.records.record import Record
from real_cli.relabel.feedback.choices import FeedbackRows
from real_cli.relabel.feedback.rules import RULES, FeedbackRow, Left, Reply, Turn
from real_cli.relabel.feedback.tree import Tree
from real_cli.text.phrases import say_count


def turns_of(tree: Tree) -> Iterator[Turn]:
    """Find the prompts of a trace and their replies, in the order of the messages.

    A reply is a way from a user's message down to the next one: an assistant's messages and what tools gave it.
    """
    anchors, done = _anchors(tree), _done_in_replies(tree)
    followed = {parent for index, parent in enumerate(tree.parents) if tree.is_reply(index)}
    continued = {parent for index, parent in enumerate(tree.parents) if not tree.is_reply(index)}
    turns: dict[int, Turn] = {}
    for index in filter(tree.is_reply, range(len(tree.messages))):
        anchor, acts = anchors[index], tree.acts[index]
        turn = turns.setdefault(anchor, Turn(tree, anchor))
        turn.edits += [index] * acts.is_edit
        turn.has_regeneration |= acts.regenerated
        turn.left[Left.edit_text] += acts.lacks_text
        if index in continued or index not in followed:
            is_last = tree.active is None or index in tree.active
            turn.replies.append(Reply(tree, anchor, index, *done[index], index in continued, is_last))
    only = None if tree.only is None else anchors[tree.only]
    return (turn for turn in turns.values() if only is None or only == turn.anchor)


def _anchors(tree: Tree) -> list[int]:
    """Find the message before the reply that each message is in."""
    anchors: list[int] = []
    for parent in tree.parents:
        anchors.append(anchors[parent] if parent >= 0 and tree.is_reply(parent) else parent)
    return anchors


def _done_in_replies(tree: Tree) -> list[tuple[bool, bool, bool, bool]]:
    """Join what was done with a message and with those before it in its reply: up, down, copied, edited."""
    done: list[tuple[bool, bool, bool, bool]] = []
    for acts, parent in zip(tree.acts, tree.parents, strict=True):
        up, down, copied, edited = done[parent] if parent >= 0 and tree.is_reply(parent) else (False,) * 4
        done.append((up or acts.up, down or acts.down, copied or acts.copied, edited or acts.is_edit))
    return done


def _is_asked(tree: Tree) -> list[bool]:
    """Tell of each message whether a user has spoken up to it."""
    asked: list[bool] = []
    for index, parent in enumerate(tree.parents):
        asked.append(tree.role(index) == "user" or (parent >= 0 and asked[parent]))
    return asked


class FeedbackReader:
    """Make records of traces, and count them and what is left.

    >>> from real_cli.relabel.feedback.shapes import read_trace
    >>> said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho", "rating": 1}]
    >>> [row["label"] for row in FeedbackReader(FeedbackRows.all)(read_trace({"messages": said}))]
    [True]
    """

    def __init__(self, emit: FeedbackRows, *, copies: bool = False) -> None:
        self._emit = emit
        self._copies = copies
        self.num_pairs = self.num_labeled = self.num_traces = 0
        self.left: Counter[Left] = Counter()

    def __call__(self, tree: Tree) -> Iterator[Record]:
        """Make the records of a trace; its counts are complete once all are taken."""
        self.num_traces += 1
        self.left[Left.thoughts] += tree.num_thoughts
        self._count_beside_replies(tree)
        asked = _is_asked(tree)
        for turn in turns_of(tree):
            if turn.anchor < 0 or not asked[turn.anchor]:
                self.left[Left.no_prompt] += any(
                    reply.up or reply.down or reply.copied or reply.edited for reply in turn.replies
                )
                continue
            turn.takes_copies = self._copies
            seen: set[tuple[bytes, bool]] = set()
            for rule in RULES:
                for row in rule.find(turn):
                    yield from self._records(tree, row, seen)
            self.left.update(turn.left)

    def _count_beside_replies(self, tree: Tree) -> None:
        for index, acts in enumerate(tree.acts):
            if tree.only in (None, index):
                self.left[Left.unread] += acts.num_unread
                self.left[Left.other_key] += acts.num_others
                self.left[Left.not_reply] += acts.any and not tree.is_reply(index)

    def _records(self, tree: Tree, row: FeedbackRow, seen: set[tuple[bytes, bool]]) -> Iterator[Record]:
        """Write a row as --emit asks; the sides of several pairs of a prompt are labeled once each."""
        head: Record = {"prompt": row.prompt}
        end = tree.beside | {"event": row.event}
        if row.chosen is not None and row.rejected is not None and self._emit is not FeedbackRows.unpaired:
            self.num_pairs += 1
            yield head | {"chosen": row.chosen, "rejected": row.rejected} | end
            return
        for side, label in ((row.chosen, True), (row.rejected, False)):
            if side is None:
                continue
            if self._emit is FeedbackRows.pairs:
                self.left[Left.unpaired] += 1
            elif (key := (text_key(side), label)) not in seen:
                seen.add(key)
                self.num_labeled += 1
                yield head | {"completion": side, "label": label} | end

    def sentence(self) -> str:
        """Report the counts in one line."""
        counts = [say_count(self.num_pairs, "pair")] * (self._emit is not FeedbackRows.unpaired)
        counts += [say_count(self.num_labeled, "labeled reply", "labeled replies")] * (
            self._emit is not FeedbackRows.pairs
        )
        left = [say_count(self.left[kind], *kind.value[:2]) for kind in Left if self.left[kind]]
        sentence = f"{', '.join(counts)} from {say_count(self.num_traces, 'trace')}"
        return f"{sentence}; in no record: {', '.join(left)}" if left else sentence
