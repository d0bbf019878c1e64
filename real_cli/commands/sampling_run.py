"""One run of `real sample`, from its options: who is asked what, and what is written."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from real_cli.commands.asking import Asking
from real_cli.commands.scored import read_words
from real_cli.core.asking import Inquiry, Sampling
from real_cli.core.contrasts import check_contrast
from real_cli.core.names import SamplingMode
from real_cli.core.records import Record
from real_cli.core.sampling import Plan, Sampled, SamplingTally
from real_cli.core.sampling_modes import IMPROVING, MODES, check_improving
from real_cli.core.shards import in_shard, parse_shard
from real_cli.core.texts import text_key
from real_cli.errors import Status, UsageError
from real_cli.models.device import default_generation_tokens
from real_cli.streams.job import Job, Located
from real_cli.streams.principle_files import read_principles
from real_cli.streams.resume import repair, unfinished

# The option that asks for each mode.
WAYS = {
    "per_row_reference": SamplingMode.reference,
    "principles": SamplingMode.principles,
    "contrast": SamplingMode.contrast,
    "improve": SamplingMode.improve,
    "lowest_score": SamplingMode.lowest_score,
}
# Options that some modes do not read.
SPECIAL = (
    *("num_responses", "temperature", "top_p", "greedy", "stop", "system", "chat", "append"),
    *("template", "max_retries"),
)


class SamplingRun:
    """Read records, let each policy answer them, write what they made."""

    def __init__(self, values: Mapping[str, Any], given: set[str]) -> None:
        self._values = values
        self._mode = choose_mode(values, given)
        check_sampling(values, given)
        self._plans = [_plan(values, self._mode, name) for name in values["policy"]]
        self._askings = [self._asking(name) for name in values["policy"]]
        self._reader = MODES[self._mode].reader(
            append=values["append"],
            chat=values["chat"],
            system=None if values["system"] is None else read_words(values["system"]),
        )
        self._tally = SamplingTally()

    def _asking(self, policy: str) -> Asking:
        options = dict(self._values) | {"model": policy}
        if _is_local(options):
            # The weights behind a folder's name may be others tomorrow; and the same text is drawn again.
            options["no_cache"] = True
        return Asking(options, default_generation_tokens)

    def run(self) -> Status:
        """Run.

        Returns:
            The exit status.
        """
        values = self._values
        shard, resume = parse_shard(values["shard"]), values["resume"]
        job = _open_job(values)
        if resume is not None:
            repair(resume)
        with job, ExitStack() as stack:
            for asking in self._askings:
                stack.enter_context(asking)
            wanted = (item for item in job.records(self._reader) if in_shard(item.record, shard))
            located = unfinished(wanted, resume, lambda record: text_key(record["prompt"]))
            for item in self._sampled(job, located):
                self._tally.num_prompts += 1
                job.write(item.record)
            job.summary = self._sentence()
        return job.status

    def _sampled(self, job: Job, located: Iterator[Located]) -> Iterator[Located]:
        """Let one policy after the other add to the records."""
        for asking, plan in zip(self._askings, self._plans, strict=True):
            located = self._by_one(job, asking, plan, located)
        return located

    def _by_one(self, job: Job, asking: Asking, plan: Plan, located: Iterator[Located]) -> Iterator[Located]:
        def begin(record: Record) -> Inquiry[Sampled]:
            return MODES[self._mode].begin(record, plan)

        for place, record, sampled in asking(job, begin, located):
            self._tally.add(sampled)
            if sampled.record is None:
                job.drop(place, record, sampled.reason)
            else:
                yield Located(place, sampled.record)

    def _sentence(self) -> str:
        told = self._tally.sentence(self._values["max_tokens"], self._reader.num_chats)
        if len(self._askings) == 1:
            return told + self._askings[0].sentence()
        policies = zip(self._values["policy"], self._askings, strict=True)
        return told + "".join(f"; {policy}: {asking.sentence().removeprefix('; ')}" for policy, asking in policies)


def choose_mode(values: Mapping[str, Any], given: set[str]) -> SamplingMode:
    """Find the way of sampling that the options ask for.

    Args:
        values: All options by their parameters' names.
        given: Those that the user gave.

    Returns:
        The mode.

    Raises:
        UsageError: If there are two, or options that this one does not read; the message names all of them.
    """
    ways = [name for name in WAYS if values[name]]
    if len(ways) > 1:
        raise UsageError(f"{_names(ways)}: each is a way of sampling; give one of them")
    mode = WAYS[ways[0]] if ways else SamplingMode.responses
    reads = MODES[mode].reads
    unread = [name for name in SPECIAL if name in given and name not in reads]
    if len(values["policy"]) > 1 and "policy" not in reads:
        unread.append("policy")
    if unread:
        shown = _names(unread).replace("--policy", "a second --policy")
        raise UsageError(f"{shown}: not read {f'with {_names(ways)}' if ways else 'here'}; leave it out")
    return mode


def check_sampling(values: Mapping[str, Any], given: set[str]) -> None:
    """Refuse options that contradict each other.

    Args:
        values: All options by their parameters' names.
        given: Those that the user gave.

    Raises:
        UsageError: If there are some.
    """
    policies = values["policy"]
    if len(set(policies)) < len(policies):
        raise UsageError(f"--policy {policies[0]}: is named twice; -n asks one policy for more")
    drawn = [name for name in ("temperature", "top_p") if values[name] is not None]
    if values["greedy"] and drawn:
        raise UsageError(f"--greedy draws nothing; leave out {_names(drawn)}")
    if (values["greedy"] or values["temperature"] == 0) and (values["num_responses"] or 1) > 1:
        raise UsageError("-n: without draws all responses are the same; give a --temperature above 0, or leave out -n")
    if values["resume"] is not None and values["output"] is not None:
        raise UsageError("--resume FILE appends to FILE; leave out --output")
    if "" in (values["stop"] or []):
        raise UsageError("--stop '': would end every response at once; give some text")
    if len(policies) > 1 and values["emit_requests"] is not None:
        raise UsageError("--emit-requests: a batch is for one model; give one --policy")
    if _is_local(values) and values["cache"] is not None:
        raise UsageError("--cache: not read where a model on this machine answers; leave it out")


def _is_local(values: Mapping[str, Any]) -> bool:
    return all(values[name] is None for name in ("endpoint", "emit_requests", "apply_results"))


def _names(names: list[str]) -> str:
    return ", ".join("-n" if name == "num_responses" else f"--{name.replace('_', '-')}" for name in names)


def _plan(values: Mapping[str, Any], mode: SamplingMode, policy: str) -> Plan:
    temperature = 1.0 if values["temperature"] is None else values["temperature"]
    sampling = Sampling(
        values["max_tokens"],
        0.0 if values["greedy"] or not MODES[mode].draws else temperature,
        1.0 if values["top_p"] is None else values["top_p"],
        tuple(text.replace("\\n", "\n") for text in values["stop"] or []),
    )
    positive, negative = values["contrast"] or ("-", "-")
    return Plan(
        policy,
        values["num_responses"] or 1,
        sampling,
        values["seed"],
        together=not _is_local(values),
        principles=read_principles(values["principles"]) if values["principles"] else (),
        contrast=(check_contrast(read_words(positive)), check_contrast(read_words(negative))),
        template=check_improving(read_words(values["template"]) if values["template"] else IMPROVING),
    )


def _open_job(values: Mapping[str, Any]) -> Job:
    emitted: Path | None = values["emit_requests"]
    return Job(
        values["files"] or [],
        output=values["resume"] or values["output"],
        append=values["resume"] is not None,
        also_writes=[emitted] if emitted else [],
        on_error=values["on_error"],
        rejects=values["rejects"],
        quiet=values["quiet"],
        max_line_bytes=values["max_line_bytes"],
    )
