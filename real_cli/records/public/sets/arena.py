"""Chatbot Arena's votes and MT-Bench's judgments: battles of two models."""

from real_cli.errors import RecordError, clip
from real_cli.records.public.comparisons import decide, read_number
from real_cli.records.public.layout import EITHER, Layout
from real_cli.records.public.layout_marks import are_conversations
from real_cli.records.public.layout_readers import check_question, part_conversations
from real_cli.records.public.written_lists import parse_list
from real_cli.records.record import Record

TIES = ("tie", "tie (bothbad)", "tie (both bad)", "tie (inconsistent)", "both_bad", "bothbad")
TRUE = ("1", "1.0", "true", "True")


def tell_winner(record: Record) -> Record:
    """Arena, 55k: turns as lists of texts, the winner as three numbers."""
    asked, first, second = (_turn_texts(record, field) for field in ("prompt", "response_a", "response_b"))
    if not len(asked) == len(first) == len(second):
        raise RecordError(
            f"'prompt', 'response_a' and 'response_b' have {len(asked)}, {len(first)} and {len(second)} turns; "
            "the lists must match"
        )
    conversations = [
        [
            {"role": role, "content": text}
            for turn in zip(asked, answers, strict=True)
            for role, text in zip(("user", "assistant"), turn, strict=True)
        ]
        for answers in (first, second)
    ]
    won = [str(record.get(f"winner_{name}")) in TRUE for name in ("model_a", "model_b", "tie")]
    if sum(won) != 1:
        raise RecordError("the winner is unclear; one of 'winner_model_a', 'winner_model_b' and 'winner_tie' must be 1")
    uses = ["response_a", "response_b", "winner_model_a", "winner_model_b", "winner_tie"]
    return _match(record, uses, conversations, won.index(True) if not won[2] else None)


def _turn_texts(record: Record, field: str) -> list[str]:
    value = record[field]
    if isinstance(value, str):
        parsed = parse_list(value) if value.lstrip()[:1] == "[" else None
        value = [value] if parsed is None else parsed
    if not isinstance(value, list) or not value or not all(isinstance(text, str | None) for text in value):
        raise RecordError(f"field '{field}' is {clip(value)}; a list of texts is needed")
    return [text or "" for text in value]


def tell_named_winner(record: Record) -> Record:
    """Arena, 33k to 140k, and MT-Bench: two conversations and the winner's place; MT-Bench judges the first turns."""
    conversations = [record["conversation_a"], record["conversation_b"]]
    if "question_id" in record and record.get("turn") is not None:
        turn = int(read_number(record, "turn"))
        conversations = [_first_turns(messages, turn) for messages in conversations]
    full = record.get("full_conversation")
    asked = sum(message["role"] == "user" for message in conversations[0])
    if isinstance(full, list) and len(full) > asked:
        raise RecordError(
            f"'full_conversation' has {len(full)} turns and 'conversation_a' {asked}: what other models said before is "
            "missing; leave such votes out: jq -c 'select(.evaluation_order == 1)'"
        )
    winner = record["winner"]
    if winner not in ("model_a", "model_b", *TIES):
        raise RecordError(f"field 'winner' is {clip(winner)}; 'model_a', 'model_b' or 'tie' is needed")
    place = None if winner in TIES else int(winner == "model_b")
    uses = ["conversation_a", "conversation_b", "full_conversation", "winner"]
    decided = _match(record, uses, conversations, place)
    if winner in TIES[1:]:
        decided["annotation"] |= {"winner": winner}
    return decided


def _first_turns(messages: list[Record], turns: int) -> list[Record]:
    users = [place for place, message in enumerate(messages) if message["role"] == "user"]
    return messages[: users[turns]] if 0 < turns < len(users) else messages


def _match(record: Record, uses: list[str], conversations: list[list[Record]], winner: int | None) -> Record:
    prompt, first, second = part_conversations(*conversations)
    if not prompt:
        raise RecordError("the two conversations share no first message; both must answer one prompt")
    check_question(prompt, first, second)
    models = (record["model_a"], record["model_b"])
    sides = [{"text": text, "model": model} for text, model in zip((first, second), models, strict=True)]
    return decide(record, [*uses, "prompt", "model_a", "model_b"], prompt, (sides[0], sides[1]), winner)


ROWS = (
    Layout(
        "Arena, 55k",
        "`prompt`, `response_a`, `response_b`: lists of turns, `model_a`, `model_b`, `winner_model_a`, "
        "`winner_model_b`, `winner_tie`",
        EITHER,
        lambda r: {"prompt", "response_a", "response_b", "model_a", "model_b", "winner_model_a"} <= r.keys(),
        tell_winner,
        ("response_a", "response_b", "model_a", "model_b", "winner_model_a", "winner_model_b", "winner_tie"),
        holds_turns=True,
    ),
    Layout(
        "Arena, 140k, MT-Bench",
        "`conversation_a`, `conversation_b`, `model_a`, `model_b`, `winner`; of MT-Bench the turns up to `turn`",
        EITHER,
        lambda r: (
            {"model_a", "model_b", "winner"} <= r.keys() and are_conversations(r, "conversation_a", "conversation_b")
        ),
        tell_named_winner,
        ("conversation_a", "conversation_b", "full_conversation", "model_a", "model_b", "winner"),
    ),
)
