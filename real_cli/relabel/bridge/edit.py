"""BMC's bridging: the rejected response, edited towards the chosen one, takes the chosen one's place."""

from real_cli.errors import RecordError, UsageError, clip, suggest
from real_cli.llm.rubric import Rubric
from real_cli.llm.thoughts import has_thoughts, spoken, unwrapped
from real_cli.records.messages import Text, is_text, plain_text, transcript
from real_cli.records.questions import Inquiry, Question, ask_nothing
from real_cli.records.record import STALE_FIELDS, Record, check_labeled, labeled_fields, pair_fields

ORIGINAL = "chosen_original"
# Derived from the old chosen response, and wrong beside a new one.
STALE = {*STALE_FIELDS, "degraded"}
TEXTS = ("prompt", "chosen", "rejected", "responses", ORIGINAL)


def begin_bridging(record: Record, rubric: Rubric, model: str) -> Inquiry[Record | None]:
    """Ask a model to edit the rejected response of a pair towards the chosen one; a bridged pair's original counts.

    References:
        Jiang et al., 2024, Bridging and Modeling Correlations, arXiv:2408.07471, section 3.1.
    """
    check_labeled(record)
    with_text(record["rejected"], "")
    return _bridge(record, rubric, {"model": model, "rubric": rubric.name, "rubric_hash": rubric.digest})


def _bridge(record: Record, rubric: Rubric, mark: Record) -> Inquiry[Record | None]:
    question = rubric.questions[0]
    messages = rubric.messages(
        question,
        prompt=transcript(record["prompt"]),
        chosen=transcript(record[ORIGINAL] if ORIGINAL in record else record["chosen"]),
        rejected=transcript(record["rejected"]),
    )
    # If the response itself holds reasoning, so may the edit.
    read = whole_edit if has_thoughts(plain_text(record["rejected"])) else read_edit
    answers = yield [Question(messages, read, rubric.sampling(question))]
    return bridged(record, with_text(record["rejected"], answers[0].value), mark)


def bridged(record: Record, edited: Text, mark: Record) -> Record | None:
    """Put an edited response in the place of the chosen one; None if the edit changed nothing.

    What was measured on the response that was chosen first becomes X_original, and stays so when bridged again.

    >>> pair = {"prompt": "q", "chosen": "Four.", "rejected": "It is 5.", "score_chosen": 9, "score_rejected": 1}
    >>> bridged(pair, "It is 4.", {})
    {'prompt': 'q', 'chosen': 'It is 4.', 'rejected': 'It is 5.', 'score_chosen_original': 9, 'score_rejected': 1, \
'chosen_original': 'Four.', 'bridge': {}}
    """
    if plain_text(edited) == plain_text(record["rejected"]):
        return None
    moved = {names[0] for field, names in labeled_fields(record).items() if field != "text"} | pair_fields(record)
    kept: Record = {}
    for name, value in record.items():
        if name in STALE:
            continue
        if name == "chosen":
            kept["chosen"] = edited
        elif name in moved and f"{name}_original" not in record:
            kept[f"{name}_original"] = value
        elif name not in moved:  # what was measured on an earlier edit goes with it
            kept[name] = value
    return kept | {ORIGINAL: record.get(ORIGINAL, record["chosen"]), "bridge": mark}


def check_edit_field(field: str) -> str:
    """Check --from, the name of the field that holds an edited response."""
    if not field or field in TEXTS:
        raise UsageError(f"--from {clip(field)}: name the field that holds the edited response, 'edit' say")
    return field


def bridge_from(record: Record, field: str) -> Inquiry[Record | None]:
    """Take the edited response from a field of the record, which is removed."""
    check_labeled(record)
    if field not in record and ORIGINAL in record:
        return ask_nothing(record)  # it was bridged before
    if not is_text(record.get(field)):
        needed = "the edited response is needed"
        if field in record:
            raise RecordError(f"field '{field}' is {clip(record[field])}; {needed}")
        raise RecordError(f"field '{field}' is missing; {suggest(field, record, needed)}")
    edited = record[field]
    whole_edit(plain_text(edited))
    rest = {name: value for name, value in record.items() if name != field}
    text = with_text(record["rejected"], edited) if isinstance(edited, str) else edited
    return ask_nothing(bridged(rest, text, {"field": field}))


def with_text(response: Text, text: str) -> Text:
    """Give a text the form of a response: a string, or one message."""
    if isinstance(response, str):
        return text
    if len(response) != 1:
        raise RecordError(f"the rejected response has {len(response)} messages; only a single one can be edited")
    return [response[0] | {"content": text}]


def read_edit(text: str) -> str:
    """Read an edited response, without the model's reasoning."""
    answer = spoken(text)
    return whole_edit(text if answer == text else unwrapped(answer))


def whole_edit(text: str) -> str:
    """Read an edited response as it stands; an empty one raises RecordError.

    >>> whole_edit(" It is 4. ")
    'It is 4.'
    """
    if not text.strip():
        raise RecordError("the edited response is empty")
    return text.strip()
