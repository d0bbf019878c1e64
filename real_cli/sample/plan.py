"""What the options of `real sample` mean together: the way of sampling, and a plan for each policy."""

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from real_cli.errors import RecordError, UsageError, clip
from real_cli.io.jsonl import parse_record, read_lines
from real_cli.io.word_files import read_words
from real_cli.records.place_words import check_contrast
from real_cli.records.questions import Sampling
from real_cli.sample.drift import IMPROVING, check_improving
from real_cli.sample.modes import MODES, SamplingMode
from real_cli.sample.principles import Principle, parse_principles
from real_cli.sample.responses import Plan, PreQuery

# The option that asks for each mode.
WAYS = {
    "per_row_reference": SamplingMode.reference,
    "principles": SamplingMode.principles,
    "contrast": SamplingMode.contrast,
    "improve": SamplingMode.improve,
    "lowest_score": SamplingMode.lowest_score,
    "pre_query": SamplingMode.pre_query,
}
# Options that some modes do not read.
SPECIAL = (
    *("num_responses", "temperature", "top_p", "top_k", "greedy", "stop", "system", "chat", "append"),
    *("template", "max_retries", "response_temperature"),
)


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
    # An empty text was given, too; what reads it refuses it.
    ways = [name for name in WAYS if values[name] not in (None, False)]
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


def check_sampling(values: Mapping[str, Any]) -> None:
    """Refuse options that contradict each other.

    Args:
        values: All options by their parameters' names.

    Raises:
        UsageError: If there are some; the message names all of them.
    """
    policies, files = values["policy"], values["files"] or []
    drawn = [name for name in ("temperature", "top_p", "top_k") if values[name] is not None]
    is_greedy = values["greedy"] or values["temperature"] == 0
    local, resumes = is_local(values), values["resume"] is not None
    faults = {
        "--policy: a name is empty": "" in policies,
        f"--temperature {values['temperature']}: must be a number that is not infinite": (
            values["temperature"] is not None and not math.isfinite(values["temperature"])
        ),
        f"--policy {policies[0]}: is named twice; -n asks one policy for more": len(set(policies)) < len(policies),
        f"--greedy draws nothing; leave out {_names(drawn)}": values["greedy"] and bool(drawn),
        f"--temperature 0 draws nothing; leave out {_names(drawn[1:])}": (
            is_greedy and not values["greedy"] and len(drawn) > 1
        ),
        "-n: without draws all responses are the same; give a --temperature above 0, or leave out -n": (
            is_greedy and (values["num_responses"] or 1) > 1
        ),
        "--resume FILE appends to FILE; leave out --output": resumes and values["output"] is not None,
        "--resume: the lowest scores are known at the end of the input; leave it out": (
            resumes and values["lowest_score"] is not None
        ),
        "--shard: the lowest scores are those of all records; leave it out": (
            values["shard"] is not None and values["lowest_score"] is not None
        ),
        "--stop '': would end every response at once; give some text": "" in (values["stop"] or []),
        "--emit-requests: a batch is for one model; give one --policy": (
            len(policies) > 1 and values["emit_requests"] is not None
        ),
        "--cache: not read where a model on this machine answers; leave it out": local and values["cache"] is not None,
        "--pre-query continues raw text, which a chat server does not take; name a model at hand": (
            values["pre_query"] and not local
        ),
        "--pre-query reads nothing; leave out the files": values["pre_query"] and bool(files),
    }
    found = [fault for fault, is_there in faults.items() if is_there]
    if found:
        raise UsageError("; ".join(found))


def is_local(values: Mapping[str, Any]) -> bool:
    """Tell whether models on this machine are asked.

    Args:
        values: All options by their parameters' names.

    Returns:
        False with a server, a batch, or its results.
    """
    return all(values[name] is None for name in ("endpoint", "emit_requests", "apply_results"))


def _names(names: list[str]) -> str:
    return ", ".join("-n" if name == "num_responses" else f"--{name.replace('_', '-')}" for name in names)


def make_plan(values: Mapping[str, Any], mode: SamplingMode, policy: str) -> Plan:
    """Make the plan of one policy.

    Args:
        values: All options by their parameters' names.
        mode: The way of sampling.
        policy: The policy's name.

    Returns:
        The plan.

    Raises:
        UsageError: If words or files that it needs cannot be used.
        ModelError: If --pre-query finds no chat template.
    """
    temperature = 1.0 if values["temperature"] is None else values["temperature"]
    sampling = Sampling(
        values["max_tokens"],
        0.0 if values["greedy"] or not MODES[mode].draws else temperature,
        1.0 if values["top_p"] is None else values["top_p"],
        tuple(text.replace("\\n", "\n") for text in values["stop"] or []),
        top_k=values["top_k"] or 0,
    )
    positive, negative = ("-", "-") if values["contrast"] is None else values["contrast"]
    return Plan(
        policy,
        values["num_responses"] or 1,
        sampling,
        values["seed"],
        together=not is_local(values),
        principles=() if values["principles"] is None else read_principles(values["principles"]),
        contrast=(check_contrast(read_words(positive)), check_contrast(read_words(negative))),
        template=check_improving(IMPROVING if values["template"] is None else read_words(values["template"])),
        pre_query=_pre_query(values, policy) if values["pre_query"] else PreQuery("", ()),
    )


def _pre_query(values: Mapping[str, Any], policy: str) -> PreQuery:
    from real_cli.sample.chat_templates import find_pre_query

    found = find_pre_query(policy, None if values["system"] is None else read_words(values["system"]))
    return found._replace(answering=Sampling(values["max_tokens"], values["response_temperature"] or 0.0))


def read_principles(path: Path) -> tuple[Principle, ...]:
    """Read principles.

    Args:
        path: A .toml file, or JSONL.

    Returns:
        The principles.

    Raises:
        UsageError: If there is no such file, or it holds something else.
    """
    if not path.is_file():
        raise UsageError(f"--principles {path}: no such file")
    try:
        if path.suffix == ".toml":
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            entries = table.get("principle")
            if not isinstance(entries, list):
                raise UsageError(f"{path}: has {clip(sorted(table))}; [[principle]] is needed")
        else:
            with path.open("rb") as file:
                entries = [parse_record(data) for _, data in read_lines(file)]
    except (RecordError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    return parse_principles(entries, str(path))
