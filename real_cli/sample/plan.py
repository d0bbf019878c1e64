"""What the options of `real sample` mean together: a mode, and a plan for each policy."""

import math
import tomllib
from collections.abc import Sequence
from pathlib import Path

from real_cli.cli.option_sets import flag_of
from real_cli.errors import RecordError, UsageError, clip
from real_cli.io.jsonl import parse_record, read_lines
from real_cli.io.word_files import read_words
from real_cli.records.place_words import check_contrast
from real_cli.records.questions import Sampling
from real_cli.sample.drift import IMPROVING, check_improving
from real_cli.sample.modes import MODES, SamplingMode
from real_cli.sample.options import SampleOptions
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
LOWEST_OF_ALL = "the lowest scores are those of all records"
# Options that some modes do not read.
SPECIAL = (
    *("num_responses", "temperature", "top_p", "top_k", "greedy", "stop", "system", "chat", "append"),
    *("template", "max_retries", "response_temperature"),
)


def choose_mode(options: SampleOptions) -> SamplingMode:
    """Find the mode that the options ask for; refuse two, and options that it does not read."""
    # An empty text counts as given; its reader refuses it.
    ways = [name for name in WAYS if getattr(options, name) not in (None, False)]
    if len(ways) > 1:
        raise UsageError(f"{_names(ways)}: each is a way of sampling; give one of them")
    mode = WAYS[ways[0]] if ways else SamplingMode.responses
    reads = MODES[mode].reads
    unread = [name for name in SPECIAL if name in options.given and name not in reads]
    if len(options.policy) > 1 and "policy" not in reads:
        unread.append("policy")
    if unread:
        shown = _names(unread).replace("--policy", "a second --policy")
        raise UsageError(f"{shown}: not read {f'with {_names(ways)}' if ways else 'here'}; leave it out")
    return mode


def check_sampling(options: SampleOptions) -> None:
    """Refuse options that contradict each other, all in one message."""
    policies = options.policy
    drawn = [name for name in ("temperature", "top_p", "top_k") if name in options.given]
    is_greedy = options.greedy or options.temperature == 0
    local, resumes = options.is_local, options.resume is not None
    faults = {
        "--policy: a name is empty": "" in policies,
        f"--temperature {options.temperature}: must be a number that is not infinite": (
            not math.isfinite(options.temperature)
        ),
        f"--policy {policies[0]}: is named twice; -n asks one policy for more": len(set(policies)) < len(policies),
        f"--greedy draws nothing; leave out {_names(drawn)}": options.greedy and bool(drawn),
        f"--temperature 0 draws nothing; leave out {_names(drawn[1:])}": (
            is_greedy and not options.greedy and len(drawn) > 1
        ),
        "-n: without draws all responses are the same; give a --temperature above 0, or leave out -n": (
            is_greedy and options.num_responses > 1
        ),
        "--resume FILE appends to FILE; leave out --output": resumes and options.output is not None,
        "--resume: the lowest scores are known at the end of the input; leave it out": (
            resumes and options.lowest_score is not None
        ),
        f"--shard: {LOWEST_OF_ALL}; leave it out": (options.shard is not None and options.lowest_score is not None),
        "--numbered: --pre-query reads no records to number; leave it out": options.pre_query and options.numbered,
        "--stop '': would end every response at once; give some text": "" in (options.stop or []),
        "--emit-requests: a batch is for one model; give one --policy": (
            len(policies) > 1 and options.emit_requests is not None
        ),
        "--cache: not read where a model on this machine answers; leave it out": local and options.cache is not None,
        "--pre-query continues raw text, which a chat server does not take; name a model at hand": (
            options.pre_query and not local
        ),
        "--pre-query reads nothing; leave out the files": options.pre_query and bool(options.files),
    }
    complaints = [fault for fault, is_there in (faults | _spread_faults(options)).items() if is_there]
    if complaints:
        raise UsageError("; ".join(complaints))


def _spread_faults(options: SampleOptions) -> dict[str, bool]:
    """Say where there is nothing that several devices could share."""
    names = [name for name in ("devices", "on") if name in options.given]
    return {
        f"{_names(names)}: not read where no model on this machine answers; leave it out": (
            bool(names) and (not options.is_local or options.dry_run)
        ),
        f"{_names(names)}: the lowest scores are known at the end of the input; leave it out": (
            bool(names) and options.lowest_score is not None
        ),
    }


def _names(names: Sequence[str]) -> str:
    return ", ".join("-n" if name == "num_responses" else flag_of(name) for name in names)


def make_plan(options: SampleOptions, mode: SamplingMode, policy: str) -> Plan:
    """Make the plan of one policy."""
    sampling = Sampling(
        options.max_tokens,
        0.0 if options.greedy or not MODES[mode].draws else options.temperature,
        options.top_p,
        tuple(text.replace("\\n", "\n") for text in options.stop or []),
        top_k=options.top_k or 0,
    )
    positive, negative = ("-", "-") if options.contrast is None else options.contrast
    return Plan(
        policy,
        options.num_responses,
        sampling,
        options.seed,
        together=not options.is_local,
        principles=() if options.principles is None else read_principles(options.principles),
        contrast=(check_contrast(read_words(positive)), check_contrast(read_words(negative))),
        template=check_improving(IMPROVING if options.template is None else read_words(options.template)),
        pre_query=_pre_query(options, policy) if options.pre_query else PreQuery("", ()),
    )


def _pre_query(options: SampleOptions, policy: str) -> PreQuery:
    from real_cli.sample.chat_templates import find_pre_query

    pre_query = find_pre_query(policy, None if options.system is None else read_words(options.system))
    return pre_query._replace(answering=Sampling(options.max_tokens, options.response_temperature))


def read_principles(path: Path) -> tuple[Principle, ...]:
    """Read principles from a .toml file or JSONL."""
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
