"""Reward-augmented relabeling: each pair twice, once for the goal each response reaches."""

from real_cli.errors import RecordError, UsageError, clip
from real_cli.records.messages import Text, is_conversation, is_number
from real_cli.records.place_words import HUMAN_MARK, SEPARATOR
from real_cli.records.record import STALE_FIELDS, Record, swap_labels
from real_cli.relabel.goal.choices import DEFAULT_TEMPLATE, Placement


def check_template(template: str) -> str:
    """Check that a goal template has its hole once."""
    if template.count("{goal}") != 1:
        raise UsageError(f"--template {clip(template)}: write {{goal}} once, where the score goes")
    return template


def goal_text(goal: float, template: str = DEFAULT_TEMPLATE) -> str:
    """Fill the template with a score; whole numbers have no decimal point."""
    number = int(goal) if float(goal).is_integer() else goal
    return template.replace("{goal}", str(number))


def add_goals(record: Record, placement: Placement, template: str = DEFAULT_TEMPLATE) -> list[Record]:
    """Make two records of a scored pair: one aims at the chosen score, the other, labels swapped, at the rejected.

    The response whose score is nearer to the goal is preferred, R(x, y, g) = -(g - r(x, y))^2. A tie gives none: both
    records would ask for the same goal and contradict each other.

    >>> rows = add_goals({"prompt": "Q", "chosen": "A", "rejected": "B", "score_chosen": 9, "score_rejected": 4},
    ...                  Placement.user, "Reach {goal}.")
    >>> [(row["prompt"], row["chosen"], row["rejected"]) for row in rows]
    [('Reach 9.\\n\\nQ', 'A', 'B'), ('Reach 4.\\n\\nQ', 'B', 'A')]

    References:
        Zhang et al., 2024, Reward-Augmented Data, arXiv:2410.08067, section 4.
    """
    _check_scores(record)
    if record["score_chosen"] == record["score_rejected"]:
        return []
    fresh = {field: value for field, value in record.items() if field not in STALE_FIELDS}
    rows = []
    for row in (fresh, swap_labels(fresh)):
        goal = row["score_chosen"]
        rows.append(row | {"prompt": _placed(row["prompt"], goal_text(goal, template), placement), "goal": goal})
    return rows


def strip_goal(record: Record, placement: Placement, template: str = DEFAULT_TEMPLATE) -> Record:
    """Undo `add_goals` on one of its records, given the same placement and template.

    >>> strip_goal({"prompt": "Reach 4.\\n\\nQ", "chosen": "B", "rejected": "A", "score_chosen": 4,
    ...             "score_rejected": 9, "goal": 4}, Placement.user, "Reach {goal}.")
    {'prompt': 'Q', 'chosen': 'A', 'rejected': 'B', 'score_chosen': 9, 'score_rejected': 4}
    """
    if not is_number(record.get("goal")):
        raise RecordError("field 'goal' is missing; only records of 'real relabel goal' can be stripped")
    _check_scores(record)
    prompt = _removed(record["prompt"], goal_text(record["goal"], template), placement)
    stripped = {field: value for field, value in record.items() if field != "goal"} | {"prompt": prompt}
    return swap_labels(stripped) if stripped["score_chosen"] < stripped["score_rejected"] else stripped


def _check_scores(record: Record) -> None:
    for field in ("score_chosen", "score_rejected"):
        if not is_number(record.get(field)):
            raise RecordError(f"field '{field}' is {clip(record.get(field))}; a goal needs the score of both responses")


def _placed(prompt: Text, goal: str, placement: Placement) -> Text:
    if isinstance(prompt, str):
        if placement is Placement.system:
            raise RecordError("'prompt' is plain text and has no system message; use --placement user")
        mark = _mark(prompt)
        return f"{mark}{goal}{SEPARATOR}{prompt[len(mark) :]}"
    turn = _turn(prompt, placement)
    if turn is None:
        return [{"role": "system", "content": goal}, *prompt]
    content = prompt[turn]["content"]
    # The goal follows an existing system message, and precedes a user's words.
    joined = f"{content}{SEPARATOR}{goal}" if placement is Placement.system else f"{goal}{SEPARATOR}{content}"
    return [*prompt[:turn], prompt[turn] | {"content": joined}, *prompt[turn + 1 :]]


def _removed(prompt: Text, goal: str, placement: Placement) -> Text:
    if isinstance(prompt, str):
        mark = _mark(prompt)
        return mark + _cut(prompt[len(mark) :], goal + SEPARATOR, placement)
    turn = _turn(prompt, placement)
    if turn is None:
        raise RecordError("the prompt has no turn that could hold a goal")
    if placement is Placement.system and prompt[turn]["content"] == goal:
        return [*prompt[:turn], *prompt[turn + 1 :]]
    part = SEPARATOR + goal if placement is Placement.system else goal + SEPARATOR
    content = _cut(prompt[turn]["content"], part, placement)
    return [*prompt[:turn], prompt[turn] | {"content": content}, *prompt[turn + 1 :]]


def _cut(content: str, part: str, placement: Placement) -> str:
    shorter = content.removesuffix(part) if placement is Placement.system else content.removeprefix(part)
    if shorter == content:
        raise RecordError(f"the prompt does not hold its goal {clip(part.strip())}; give the template it was made with")
    return shorter


def _mark(prompt: str) -> str:
    """Return the opening mark of an HH transcript, so that the goal lands inside the first human turn."""
    return f"{HUMAN_MARK} " if prompt.startswith(f"{HUMAN_MARK} ") else ""


def _turn(prompt: Text, placement: Placement) -> int | None:
    """Find the message that takes the goal; None if a system message must be added."""
    if not is_conversation(prompt) or isinstance(prompt, str):
        raise RecordError(f"'prompt' is {clip(prompt)}; a string or a conversation is needed")
    role = placement.value
    for index, turn in enumerate(prompt):
        if turn.get("role") == role:
            if not isinstance(turn.get("content"), str):
                raise RecordError(f"the first {role} message has no text content to put a goal into")
            return index
    if placement is Placement.user:
        raise RecordError("the prompt has no user message; use --placement system")
    return None
