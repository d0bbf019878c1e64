"""What `sample` makes of a record: each mode is one function, and one row of MODES with the options it reads."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from real_cli.records.layouts import Adapted
from real_cli.records.messages import as_completion
from real_cli.records.place_words import place_words
from real_cli.records.prompts import PromptReader, Reader
from real_cli.records.questions import Inquiry
from real_cli.records.record import Record
from real_cli.records.seeds import response_seed
from real_cli.sample.drift import read_complaint, sample_improved
from real_cli.sample.magpie import sample_instruction
from real_cli.sample.principles import draw_principle
from real_cli.sample.responses import (
    Plan,
    Sampled,
    add_responses,
    ask_choices,
    count_from,
    new_response,
    template_fields,
)
from real_cli.sample.resume import (
    origin_of_contrast,
    origin_of_improved,
    origin_of_reference,
    origin_of_responses,
)


def sample_responses(record: Record, plan: Plan) -> Inquiry[Sampled]:
    """Add responses to a prompt."""
    texts, first = [record["prompt"]] * plan.num_responses, count_from(record, plan.policy)
    asked = yield from ask_choices(record["prompt"], texts, plan, first=first, template=template_fields(record, plan))
    return add_responses(record, [new_response(choice, plan) for choice in asked.choices], asked)


def sample_by_principle(record: Record, plan: Plan) -> Inquiry[Sampled]:
    """Add responses to a prompt, each guided by a principle of its own, which stays as `principle`.

    References:
        Cui et al., 2023, UltraFeedback, arXiv:2310.01377, section 2.
    """
    prompt, first = record["prompt"], count_from(record, plan.policy)
    drawn = [
        draw_principle(plan.principles, response_seed(plan.seed, prompt, plan.policy, first + number, "principle"))
        for number in range(plan.num_responses)
    ]
    texts = [place_words(prompt, principle.text) for principle in drawn]
    asked = yield from ask_choices(prompt, texts, plan, first=first, template=template_fields(record, plan))
    responses = [
        new_response(choice, plan) | {"principle": principle.name}
        for choice, principle in zip(asked.choices, drawn, strict=True)
    ]
    return add_responses(record, responses, asked)


def sample_contrast(record: Record, plan: Plan) -> Inquiry[Sampled]:
    """Add two responses: one to words that ask for the good, ranked 1, one to words that ask for its opposite.

    References:
        Liu et al., 2024, DLMA, arXiv:2402.11907: the words decide the label.
    """
    prompt = record["prompt"]
    texts = [place_words(prompt, words) for words in plan.contrast]
    asked = yield from ask_choices(prompt, texts, plan, template=template_fields(record, plan))
    sides = zip(asked.choices, ("positive", "negative"), (1, 2), strict=True)
    responses = [new_response(choice, plan) | {"contrast": side, "rank": rank} for choice, side, rank in sides]
    return add_responses(record, responses, asked)


def sample_reference(record: Record, plan: Plan) -> Inquiry[Sampled]:
    """Put the policy's answer on a record as `reference`, with `reference_model` and `reference_is_cut`.

    References:
        Zhang et al., 2024, SELM, arXiv:2405.19332: the reference's greedy answer in the exploration term.
    """
    prompt = record["prompt"]
    asked = yield from ask_choices(prompt, [prompt], plan, template=template_fields(record, plan))
    (choice,) = asked.choices
    marks = {"reference_model": plan.policy, "reference_is_cut": choice.is_cut}
    answer = {"reference": as_completion(prompt, choice.text)}
    return Sampled(record | answer | marks, asked, num_replaced="reference" in record)


def sample_again(record: Record, plan: Plan) -> Inquiry[Sampled]:
    """Add responses to a prompt whose best is not good enough; `retries` counts how often.

    What the record holds stays, so that the best score cannot fall.

    References:
        Chen et al., 2024, OPTune, arXiv:2406.07657: prompts with the lowest rewards are generated anew.
    """
    sampled = yield from sample_responses(record, plan)
    assert sampled.record is not None
    return sampled._replace(record=sampled.record | {"retries": record.get("retries", 0) + 1})


class ComplaintReader:
    """Reads records of `relabel dsat`."""

    num_chats = 0

    def __call__(self, record: Record) -> Adapted:
        """Read one record."""
        return read_complaint(record)


def read_for_responses(*, append: bool, chat: bool, system: str | None) -> Reader:
    """Make the reader for a mode that turns prompts into candidates."""
    return PromptReader(append=append, chat=chat, system=system)


def read_prompts_alone(*, append: bool, chat: bool, system: str | None) -> Reader:
    """Make the reader for a mode that ranks its own responses and no others."""
    return PromptReader(
        chat=chat, system=system, advice="--contrast ranks its own two responses and takes prompts alone"
    )


def read_for_prompts(*, append: bool, chat: bool, system: str | None) -> Reader:
    """Make the reader for a mode that leaves responses alone, or only adds to them."""
    return PromptReader(append=True, chat=chat, system=system)


def read_complaints(*, append: bool, chat: bool, system: str | None) -> Reader:
    """Make the reader for records of `relabel dsat`."""
    return ComplaintReader()


class SamplingMode(StrEnum):
    """What `sample` makes of a record."""

    responses = "responses"
    principles = "principles"
    contrast = "contrast"
    reference = "reference"
    improve = "improve"
    lowest_score = "lowest-score"
    pre_query = "pre-query"


class MakeReader(Protocol):
    """Makes the reader of a mode from options, some of which it may ignore."""

    def __call__(self, *, append: bool, chat: bool, system: str | None) -> Reader:
        """Make it."""


class Mode(NamedTuple):
    """One way of sampling.

    Attributes:
        begin: Starts the inquiry of one record.
        reader: Makes what reads the records.
        origin: Takes off a written record what these policies made, one name a response; none for what was read.
        reads: The options that it reads, besides those that all do.
        draws: Whether it may draw; otherwise it takes the likeliest tokens.
    """

    begin: Callable[[Record, Plan], Inquiry[Sampled]]
    reader: MakeReader
    origin: Callable[[Record, Sequence[str]], Record]
    reads: frozenset[str]
    draws: bool = True


DRAWN = {"temperature", "top_p", "top_k", "greedy"}
ASKED = {"stop", "chat", "system"}
SEVERAL = {"num_responses", "append", "policy"}
AGAIN = {"num_responses", "max_retries"}
WRITTEN = {"num_responses", "stop", "system", "response_temperature"}
MODES: dict[SamplingMode, Mode] = {
    mode: Mode(begin, reader, origin, frozenset().union(*reads), draws)
    for mode, begin, reader, origin, reads, draws in (
        (
            SamplingMode.responses,
            sample_responses,
            read_for_responses,
            origin_of_responses,
            (DRAWN, ASKED, SEVERAL),
            True,
        ),
        (
            SamplingMode.principles,
            sample_by_principle,
            read_for_responses,
            origin_of_responses,
            (DRAWN, ASKED, SEVERAL),
            True,
        ),
        (SamplingMode.contrast, sample_contrast, read_prompts_alone, origin_of_contrast, (DRAWN, ASKED), True),
        (SamplingMode.reference, sample_reference, read_for_prompts, origin_of_reference, (ASKED,), False),
        (
            SamplingMode.improve,
            sample_improved,
            read_complaints,
            origin_of_improved,
            (DRAWN, {"stop", "template"}),
            True,
        ),
        (SamplingMode.lowest_score, sample_again, read_for_prompts, origin_of_responses, (DRAWN, ASKED, AGAIN), True),
        (SamplingMode.pre_query, sample_instruction, read_for_prompts, origin_of_responses, (DRAWN, WRITTEN), True),
    )
}
