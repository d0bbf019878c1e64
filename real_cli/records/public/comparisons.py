"""Readers of published sets in which annotators compared two responses, or all of a prompt's.

A pair with a winner becomes a preference; a tie becomes candidates of one rank, with the verdict that `eval winrate`
reads. Signs, numbers and names that speak of a first and a second response are turned into chosen and rejected.
"""

import math
from collections.abc import Iterable
from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.records.messages import is_number
from real_cli.records.public.layout_readers import prompt_of, rest
from real_cli.records.record import Record, to_preference
from real_cli.records.verdicts import TIE


def decide(
    record: Record, uses: Iterable[str], prompt: Any, sides: tuple[Record, Record], winner: int | None, **more: Any
) -> Record:
    """Write two responses of which one won, or none.

    Args:
        record: What was read.
        uses: Its fields that are in the prompt, the responses and the verdict.
        prompt: A string or a conversation.
        sides: The two responses.
        winner: 0 or 1; None for a tie.
        **more: Further fields of the record.

    Returns:
        A preference; of a tie candidates, both of rank 1.

    Example:
        >>> decide({"id": 1}, [], "q", ({"text": "a"}, {"text": "b"}), 1)
        {'prompt': 'q', 'chosen': 'b', 'rejected': 'a', 'id': 1}
    """
    if winner is None:
        tied = [side | {"rank": 1} for side in sides]
        return rest(record, uses, prompt=prompt, responses=tied, **more, annotation={"verdict": TIE})
    candidates = rest(record, uses, prompt=prompt, responses=list(sides), **more)
    return to_preference(candidates, sides[winner], sides[1 - winner], {})


def read_number(record: Record, field: str) -> float:
    """Read a number, which a table may hold as a numeral.

    Args:
        record: One JSON object.
        field: Its field.

    Returns:
        The number.

    Raises:
        RecordError: If it is none.

    Example:
        >>> read_number({"preference": "1.5"}, "preference")
        1.5
    """
    value: Any = record.get(field)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    if not is_number(value) or not math.isfinite(value):
        raise RecordError(f"field '{field}' is {clip(record.get(field))}; a number is needed")
    return value  # type: ignore[no-any-return]


def _strength(record: Record, field: str) -> tuple[int | None, dict[str, Any]]:
    """Read a preference below 0 for the first, above 0 for the second."""
    strength = read_number(record, field)
    if not strength:
        return None, {}
    margin = abs(strength)
    return int(strength > 0), {"margin": int(margin) if margin == int(margin) else margin}


def weigh_strength(record: Record) -> Record:
    """HelpSteer2: `preference_strength` from -3, response 1 much better, to 3."""
    winner, margin = _strength(record, "preference_strength")
    prompt, uses = prompt_of(record)
    sides = ({"text": record["response_1"]}, {"text": record["response_2"]})
    return decide(record, [*uses, "response_1", "response_2", "preference_strength"], prompt, sides, winner, **margin)


def weigh_overall(record: Record) -> Record:
    """HelpSteer3: `overall_preference` from -3, response 1 much better, to 3."""
    winner, margin = _strength(record, "overall_preference")
    sides = ({"text": record["response1"]}, {"text": record["response2"]})
    uses = ["context", "response1", "response2", "overall_preference"]
    return decide(record, uses, record["context"], sides, winner, **margin)


def rank_answers(record: Record) -> Record:
    """Nectar: seven answers with ranks."""
    answers = _objects(record, "answers", "answer")
    responses = [
        {"text": one["answer"]} | {field: value for field, value in one.items() if field != "answer"} for one in answers
    ]
    return rest(record, ["answers"], prompt=record["prompt"], responses=responses)


def score_answers(record: Record) -> Record:
    """Stack Exchange: answers with `pm_score`."""
    answers = _objects(record, "answers", "text")
    responses = []
    for one in answers:
        score = {} if one.get("pm_score") is None else {"score": read_number(one, "pm_score")}
        others = {field: value for field, value in one.items() if field not in ("text", "pm_score")}
        responses.append({"text": one["text"], **score, **others})
    prompt, uses = prompt_of(record)
    return rest(record, [*uses, "answers"], prompt=prompt, responses=responses)


def _objects(record: Record, field: str, needed: str) -> list[Record]:
    values: list[Record] = record[field]
    for number, value in enumerate(values, 1):
        if not isinstance(value, dict) or needed not in value:
            raise RecordError(f"{field} {number} has no '{needed}': {clip(value)}")
    return values


SAFE_FIELDS = {
    "response_{}_severity_level": "severity_level",
    "response_{}_harm_category": "harm_category",
    "response_{}_source": "source",
    "response_{}_sha256": "sha256",
    "is_response_{}_safe": "is_safe",
}


def choose_better(record: Record) -> Record:
    """PKU-SafeRLHF: the better response is chosen; which is the safer one stays beside it."""
    winner = read_number(record, "better_response_id")
    if winner not in (0, 1):
        raise RecordError(f"field 'better_response_id' is {clip(record['better_response_id'])}; 0 or 1 is needed")
    sides: list[Record] = [{"text": record[f"response_{number}"]} for number in (0, 1)]
    uses = ["response_0", "response_1", "better_response_id"]
    for pattern, name in SAFE_FIELDS.items():
        names = [pattern.format(number) for number in (0, 1)]
        if all(field in record for field in names):
            uses += names
            for side, field in zip(sides, names, strict=True):
                side[name] = record[field]
    if "safer_response_id" in record:
        uses.append("safer_response_id")
        safer = read_number(record, "safer_response_id")
        for number, side in enumerate(sides):
            side["is_safer"] = safer == number
    return decide(record, uses, record["prompt"], (sides[0], sides[1]), int(winner))


def score_pair(record: Record) -> Record:
    """WebGPT: two answers with scores, quotes and tokens; equal scores stay a tie."""
    question = record["question"]
    responses: list[Record] = []
    uses = ["question"]
    for number in (0, 1):
        names = {name: f"{name}_{number}" for name in ("quotes", "tokens") if f"{name}_{number}" in record}
        response: Record = {"text": record[f"answer_{number}"], "score": record.get(f"score_{number}")}
        responses.append(response | {name: record[field] for name, field in names.items()})
        uses += [f"answer_{number}", f"score_{number}", *names.values()]
    about = {f"question_{name}": value for name, value in question.items() if name != "full_text"}
    ordered = {name: about[name] for name in sorted(about, reverse=True)}
    return rest(record, uses, prompt=question["full_text"], responses=responses, **ordered)


def choose_summary(record: Record) -> Record:
    """summarize-from-feedback: a post or an article, two summaries, and which was chosen."""
    info, summaries = record["info"], _objects(record, "summaries", "text")
    choice = read_number(record, "choice")
    if len(summaries) != 2 or choice not in (0, 1):
        raise RecordError(f"{len(summaries)} summaries and choice {clip(record['choice'])}; two, and 0 or 1 are needed")
    prompt, left = summary_prompt(info)
    sides: list[Record] = []
    for one in summaries:
        renamed = {"policy": "model"}
        sides.append({renamed.get(field, field): value for field, value in one.items()})
    return decide(
        record,
        ["info", "summaries", "choice"],
        prompt,
        (sides[0], sides[1]),
        int(choice),
        **({"info": left} if left else {}),
    )


def summary_prompt(info: Record) -> tuple[str, Record]:
    """Ask for the summary of a post or an article.

    Args:
        info: Its `title`, `subreddit`, and `post` or `article`.

    Returns:
        The prompt, and the fields that are not in it.

    Example:
        >>> summary_prompt({"id": 1, "post": "I saw a bird."})
        ('POST: I saw a bird.\\n\\nTL;DR:', {'id': 1})
    """
    names = {"subreddit": "SUBREDDIT: r/", "title": "TITLE: ", "post": "POST: ", "article": "ARTICLE: "}
    parts = [f"{mark}{info[name]}" for name, mark in names.items() if info.get(name)]
    return "\n\n".join([*parts, "TL;DR:"]), {name: value for name, value in info.items() if name not in names}


def name_letters(record: Record) -> Record:
    """Stack Exchange, paired: `response_j` was preferred."""
    prompt, uses = prompt_of(record)
    used = [*uses, "response_j", "response_k"]
    return rest(record, used, prompt=prompt, chosen=record["response_j"], rejected=record["response_k"])


def rank_lists(record: Record) -> Record:
    """RewardBench 2: the right responses share rank 1, the wrong ones rank 2."""
    responses: list[Record] = [
        {"text": text, "rank": rank} for rank, side in ((1, "chosen"), (2, "rejected")) for text in record[side]
    ]
    uses = ["chosen", "rejected"]
    models = record.get("models")
    if isinstance(models, list) and len(models) == len(responses):
        uses.append("models")
        for response, model in zip(responses, models, strict=True):
            response["model"] = model
    return rest(record, uses, prompt=record["prompt"], responses=responses)
