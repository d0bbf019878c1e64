"""Magpie: given what its chat format puts before a user's words, a model writes those words itself."""

import re
from collections.abc import Sequence

from real_cli.errors import RecordError
from real_cli.records.questions import Inquiry, Question, Rendered
from real_cli.records.record import Record
from real_cli.records.seeds import response_seed
from real_cli.sample.responses import DrawnTexts, Plan, PreQuery, Sampled, new_response

# Stands in for the user's words in a chat template; no template changes it.
SENTINEL = "REALUSERWORDS"
ASSISTANT = "assistant"


def read_template(turn: str, with_header: str, marks: Sequence[str]) -> PreQuery:
    """Read what a template puts before the user's words, and what ends them besides special tokens.

    Those are what follows the words in `turn`, the first line of an answer's header in `with_header`, up to a
    special token, and "assistant" where the header says so. The only user message of both is `SENTINEL`.

    >>> read_template(f"<u>{SENTINEL}</u>", f"<u>{SENTINEL}</u><a>assistant", ["<u>", "</u>", "<a>"])[:2]
    ('<u>', ('assistant',))
    >>> read_template(f"USER: {SENTINEL} ", f"USER: {SENTINEL} ASSISTANT:", ["</s>"])[:2]
    ('USER: ', ('ASSISTANT:',))

    References:
        Xu et al., 2024, Magpie, arXiv:2406.08464, section 2.
    """
    before, sentinel, after = turn.partition(SENTINEL)
    if not sentinel or not before:
        raise RecordError("its chat template has nothing before a user's words, or changes them")
    header = with_header[len(turn) :] if with_header.startswith(turn) else with_header.rpartition(SENTINEL)[2]
    mark = re.compile("|".join(map(re.escape, sorted(filter(None, marks), key=len, reverse=True))) or "(?!)")
    # Behind a special token a header's words end nothing more, and Gemma's "model" would cut instructions short.
    ends = _first_line(mark.sub("\n", after)) + _first_line(mark.split(header, maxsplit=1)[0])
    if ASSISTANT in header:
        ends.append(ASSISTANT)
    return PreQuery(before, tuple(dict.fromkeys(ends)), tuple(marks))


def _first_line(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()][:1]


def clean_instruction(text: str, marks: Sequence[str]) -> str:
    """Cut what a model wrote in a user's place before the first mark, and strip space.

    >>> clean_instruction(" Why is it so?<end> Because", ["<end>"])
    'Why is it so?'
    """
    places = [place for mark in marks if mark and (place := text.find(mark)) >= 0]
    return text[: min(places, default=len(text))].strip()


def sample_instruction(record: Record, plan: Plan) -> Inquiry[Sampled]:
    """Let a model write an instruction, then answer it.

    `id` of the record numbers the instruction. The record is None if none was written, or the limit cut it.
    """
    turn = plan.pre_query
    seed = response_seed(plan.seed, turn.text, plan.policy, record["id"])
    sampling = plan.sampling._replace(stop=(*plan.sampling.stop, *turn.stops), seed=seed)
    (answer,) = yield [Question(Rendered(turn.text), str, sampling, most_further=1)]
    words = clean_instruction(answer.text, turn.marks)
    if answer.is_cut or not words:
        return Sampled(
            None, DrawnTexts([]), "instruction that the token limit cut" if answer.is_cut else "empty instruction"
        )
    before = [] if turn.system is None else [{"role": "system", "content": turn.system}]
    prompt = [*before, {"role": "user", "content": words}]
    answering = turn.answering
    if answering.temperature > 0:
        answering = answering._replace(seed=response_seed(plan.seed, prompt, plan.policy, record["id"]))
    (answer,) = yield [Question(prompt, str, answering)]
    asked = DrawnTexts([answer.choices[0]])
    return Sampled(record | {"prompt": prompt, "responses": [new_response(asked.choices[0], plan)]}, asked)
