"""Readers: each turns a record of one layout into candidates or preference, as `real_cli.records.layouts` says."""

import re
from collections.abc import Iterable
from os.path import commonprefix
from typing import Any

from real_cli.errors import RecordError
from real_cli.records.messages import as_completion, is_conversation, is_text
from real_cli.records.public.beside_prompts import check_extras, check_inside
from real_cli.records.public.named_prompts import NamedPrompt, named_prompt
from real_cli.records.public.rendered_chats import as_turn, end_of_asking
from real_cli.records.public.repeated_prompts import ASSISTANT_MARK, HUMAN_MARK
from real_cli.records.record import Record

# Other programs' true and false for TRL's label.
GOOD = (
    *("1", "1.0", "true", "t", "yes", "y", "good", "positive", "chosen", "desirable", "preferred", "accepted", "up"),
    "thumbs_up",
)
BAD = (
    *("0", "0.0", "-1", "-1.0", "false", "f", "no", "n", "bad", "negative", "rejected", "undesirable", "dispreferred"),
    *("down", "thumbs_down"),
)
RESPONSE_FIELDS = ("response", "completion", "output")
KTO_TAG = "kto_tag"  # LlamaFactory's label
QUESTIONS_DIFFER = "'chosen' and 'rejected' are dialogues, and their questions differ; both must answer one prompt"
PARALLEL_FIELDS = {
    "text": ("responses", "generations"),
    "score": ("scores", "rewards", "ratings", "rewards_armorm", "rating", "score"),
    "rank": ("ranks", "rank"),
    "model": ("models", "generation_models", "generation_model"),
    "embedding": ("embeddings",),
}


def rest(record: Record, used: Iterable[str], **ours: Any) -> Record:
    """Return our fields first, then every unused field of the record."""
    taken = {*used, *ours}
    return ours | {field: value for field, value in record.items() if field not in taken}


def keep(record: Record) -> Record:
    """Return a record that is in our shape already."""
    return record


def join_arrays(record: Record) -> Record:
    """Join `responses`, `scores`, `models`, `ranks` and `embeddings`, lists of one length, into objects."""
    columns: dict[str, str] = {}
    for name, fields in PARALLEL_FIELDS.items():
        lists = [field for field in fields if isinstance(record.get(field), list)]
        columns |= dict.fromkeys(lists[:1], name)  # of two lists for the same thing, the second stays a field
    texts = record[first_text_list(record, PARALLEL_FIELDS["text"])]
    responses: list[Record] = [{} for _ in texts]
    for field, name in columns.items():
        values = record[field]
        if len(values) != len(texts):
            raise RecordError(
                f"field '{field}' has {len(values)} values for {len(texts)} responses; the lists must match"
            )
        for response, value in zip(responses, values, strict=True):
            # Magpie wraps each reward: {"score": 0.11}
            response[name] = (
                value["score"] if isinstance(value, dict) and name == "score" and "score" in value else value
            )
    prompt, uses = prompt_of(record)
    return rest(record, [*columns, *uses], prompt=prompt, responses=responses)


def first_text_list(record: Record, fields: Iterable[str]) -> str:
    """Return the first of the fields whose value is a list of texts; empty if there is none."""
    for field in fields:
        values = record.get(field)
        if isinstance(values, list) and values and all(is_text(value) for value in values):
            return field
    return ""


def prompt_of(record: Record) -> NamedPrompt:
    """Read a record's prompt and the names of its fields; refuse none, or two that rival.

    >>> prompt_of({"question": "Why?", "response": "So."})
    NamedPrompt(prompt='Why?', uses=('question',))
    """
    named = named_prompt(record)
    if named is None:
        raise RecordError("field 'prompt' is missing; each record needs 'prompt' and 'responses', or a known layout")
    return named


def split_transcripts(record: Record) -> Record:
    """Split two dialogues after the last "Assistant:" that they share; HH's prompt is implicit."""
    chosen, rejected = record["chosen"], record["rejected"]
    shared = commonprefix([chosen, rejected])
    end = chosen.rfind(ASSISTANT_MARK, 0, len(shared)) + len(ASSISTANT_MARK)
    if HUMAN_MARK in shared[end:]:
        raise RecordError(QUESTIONS_DIFFER)
    return rest(record, [], prompt=chosen[:end], chosen=chosen[end:], rejected=rejected[end:])


def split_texts(record: Record) -> Record:
    """Take the words that two texts begin with for the prompt, of dialogues those up to the answer.

    A space after them is the answer's.
    """
    check_extras(record)
    chosen, rejected = record["chosen"], record["rejected"]
    shared = commonprefix([chosen, rejected])
    answered = end_of_asking(chosen, rejected, shared)
    if answered < 0:
        raise RecordError(QUESTIONS_DIFFER)
    if answered:
        return rest(record, [], prompt=chosen[:answered], chosen=chosen[answered:], rejected=rejected[answered:])
    end = len(shared)
    while end and not chosen[end - 1 : end].isspace():
        end -= 1
    end = len(chosen[:end].rstrip())
    return rest(record, [], prompt=chosen[:end], chosen=chosen[end:], rejected=rejected[end:])


def split_conversations(record: Record) -> Record:
    """Take two conversations' shared first messages for the prompt; each keeps at least its last message."""
    prompt, chosen, rejected = part_conversations(record["chosen"], record["rejected"])
    if not prompt:
        raise RecordError("'chosen' and 'rejected' share no first message; give the prompt they answer as 'prompt'")
    check_question(prompt, chosen, rejected)
    check_inside(record, prompt)
    return rest(record, [], prompt=prompt, chosen=chosen, rejected=rejected)


def part_conversations(first: list[Record], second: list[Record]) -> tuple[list[Record], list[Record], list[Record]]:
    """Split two conversations into shared first messages and rests; each rest keeps its last message.

    >>> user = {"role": "user", "content": "Hi"}
    >>> part_conversations([user, {"role": "assistant"}], [user, {"role": "tool"}])
    ([{'role': 'user', 'content': 'Hi'}], [{'role': 'assistant'}], [{'role': 'tool'}])
    """
    end = 0
    while end < min(len(first), len(second)) - 1 and first[end] == second[end]:
        end += 1
    while end and first[end - 1]["role"] == first[end]["role"] == second[end]["role"] == "assistant":
        end -= 1  # two assistant messages: the first would pass for the beginning of the second
    return first[:end], first[end:], second[end:]


def check_question(prompt: list[Record], first: list[Record], second: list[Record]) -> None:
    """Refuse two conversations that part before a question: each answers another.

    >>> user, answer = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
    >>> check_question([user], [answer], [answer])
    """
    if any(side[0]["role"] in ("user", "system", "developer") for side in (first, second)):
        raise RecordError(
            f"the two conversations part at message {len(prompt) + 1}, and each answers another question; both must "
            "answer one prompt"
        )


def split_binarized(record: Record) -> Record:
    """Replace a text prompt by the messages that open both conversations (UltraFeedback-binarized)."""
    split = record | split_conversations(record)
    if all(turn.get("content") != record["prompt"] for turn in split["prompt"]):
        raise RecordError(
            "'prompt' is none of the messages that 'chosen' and 'rejected' share; leave it out, or correct it"
        )
    return split


def unify_forms(record: Record) -> Record:
    """Give prompt, chosen and rejected one form where one side is text and the other a conversation."""
    prompt = record["prompt"]
    if isinstance(prompt, str):
        return record | {"prompt": as_turn(prompt)}
    return record | {field: as_completion(prompt, record[field]) for field in ("chosen", "rejected")}


def wrap_response(record: Record) -> Record:
    """Read one response a row: {prompt, response, score}, unpaired TRL rows, AlpacaEval outputs."""
    text_field = next((field for field in RESPONSE_FIELDS if is_text(record.get(field))), None)
    if text_field:
        prompt, uses = prompt_of(record)
        response: Record = {"text": record[text_field]}
        used = [*uses, text_field]
    else:
        prompt, answer, used = part_last(record)
        response = {"text": answer}
    if record.get("score") is not None:
        response["score"] = record["score"]
        used.append("score")
    field = next((field for field in ("label", KTO_TAG) if _is_label(record, field)), None)
    if field:
        # A reward model's score takes the label's place, and leaves the label.
        response.setdefault("score", int(record[field]))
        response["label"] = record[field]
        used.append(field)
    if "generator" in record:
        response["model"] = record["generator"]
        used.append("generator")
    return rest(record, used, prompt=prompt, responses=[response])


def _is_label(record: Record, field: str) -> bool:
    """Tell whether a field is true or false; refuse what other programs write for these."""
    value = record.get(field)
    word = str(value).strip().lower() if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    if re.sub("[ -](?=[a-z])", "_", word) in (*GOOD, *BAD):
        good, bad = ("|".join(words) for words in (GOOD, BAD))
        raise RecordError(
            f"field '{field}' is {value!r}; true or false is needed, in a table as a word: jq -c '.{field} |= "
            f'(tostring | ascii_downcase | gsub("[ -](?=[a-z])"; "_") | if test("^({good})$") then true elif '
            f'test("^({bad})$") then false else error end)\''
        )
    return isinstance(value, bool)


def part_last(record: Record) -> tuple[Any, list[Record], list[str]]:
    """Split a conversation that ends with a response: LlamaFactory's and ms-swift's rows.

    Returns the messages before the last one, the last one, which must be an assistant's, and the fields read.

    >>> turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    >>> part_last({"messages": turns})[:2]
    ([{'role': 'user', 'content': 'Hi'}], [{'role': 'assistant', 'content': 'Hello'}])
    """
    turns: Any
    turns, uses = prompt_of(record)
    if not is_conversation(turns) or len(turns) < 2 or turns[-1]["role"] != "assistant":
        raise RecordError(f"field '{uses[0]}' ends with no assistant's message; the last one must be the response")
    return turns[:-1], turns[-1:], list(uses)
