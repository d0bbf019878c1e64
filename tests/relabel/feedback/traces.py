"""Traces for the tests of relabel feedback, all invented."""

from real_cli.relabel.feedback.choices import FeedbackRows
from real_cli.relabel.feedback.shapes import read_trace
from real_cli.relabel.feedback.turns import FeedbackReader


def asked(text="Q?"):
    return {"role": "user", "content": text}


def replied(text, **fields):
    return {"role": "assistant", "content": text, **fields}


def tree(current=None, **nodes):
    """A mapping: each node is its parent, its message, and what was done with it."""
    mapping = {name: {"parent": parent, "message": message} for name, (parent, message) in nodes.items()}
    return {"mapping": mapping} | ({"current_node": current} if current else {})


def records(trace, *, emit="all", copies=False, keys=("feedback",)):
    """What becomes of a trace, and what is counted and left."""
    reader = FeedbackReader(FeedbackRows(emit), copies=copies)
    rows = list(reader(read_trace(trace, keys)))
    return rows, {kind.name: number for kind, number in reader.left.items() if number}


def words(rows):
    """The texts of records: (chosen, rejected) of a pair, (text, label) of a labeled reply."""
    return [
        (row["chosen"][-1]["content"], row["rejected"][-1]["content"])
        if "chosen" in row
        else (row["completion"][-1]["content"], row["label"])
        for row in rows
    ]
