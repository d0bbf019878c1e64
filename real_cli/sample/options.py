"""The options of `real sample`, and the groups in which its help lists them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from real_cli.cli.completion_values import language_model_names
from real_cli.cli.llm_options import LlmOptions
from real_cli.cli.option_sets import split_names
from real_cli.cli.options import Seed
from real_cli.cli.spread_options import SpreadOptions
from real_cli.records.choices import GENERATION_TOKENS, MAX_TOKENS

if TYPE_CHECKING:
    from real_cli.sample.sample_filter import SampleFilter


@dataclass(frozen=True, kw_only=True)
class SampleOptions(SpreadOptions, LlmOptions):
    """Who is asked, how, and what becomes of the answers."""

    GROUPS = split_names(
        {
            "Main options": """policy num_responses temperature top_p top_k greedy max_tokens stop system chat append
                seed""",
            "Ways of sampling": """per_row_reference principles contrast improve template lowest_score max_retries
                pre_query response_temperature""",
            "Model": "base batch_tokens device dtype devices on",
            "Server": """endpoint key_variable concurrency retries timeout thinks cache no_cache emit_requests
                apply_results price max_cost dry_run""",
            "Input and output": "shard numbered resume output on_error rejects input_format max_line_bytes",
            "Other": "quiet",
        }
    )

    policy: Annotated[
        list[str],
        typer.Option(
            "--policy",
            "-p",
            metavar="NAME",
            show_default=False,
            autocompletion=language_model_names,
            help="Who answers: a folder, a .gguf file, a hub name or smollm2; with --endpoint a model's name there. "
            "Give it again for a pool: each of them answers every prompt, and local ones are in memory together.",
        ),
    ]
    num_responses: Annotated[
        int,
        typer.Option("-n", "--num-responses", metavar="N", min=1, help="Responses of each policy."),
    ] = 1
    temperature: Annotated[float, typer.Option("--temperature", metavar="X", min=0, help="0 is --greedy.")] = 1.0
    top_p: Annotated[
        float,
        typer.Option(
            "--top-p",
            metavar="X",
            min=1e-6,
            max=1,
            help="Draw from the likeliest tokens that together have this share of the probability.",
        ),
    ] = 1.0
    top_k: Annotated[
        int | None,
        typer.Option(
            "--top-k",
            metavar="N",
            min=1,
            show_default="all",
            help="Draw from the N likeliest tokens, before --top-p takes its share of them. Servers need not know it.",
        ),
    ] = None
    greedy: Annotated[
        bool, typer.Option("--greedy", help="Take the likeliest token always: one response a policy.")
    ] = False
    max_tokens: Annotated[
        int,
        typer.Option(
            "--max-tokens",
            metavar="N",
            min=1,
            help="Most tokens of a response. One that this ends is counted, told, and has 'is_cut': true.",
        ),
    ] = MAX_TOKENS
    stop: Annotated[
        list[str] | None,
        typer.Option(
            "--stop",
            metavar="TEXT",
            show_default=False,
            help="A response ends before this text; may be given again. \\n is a line end.",
        ),
    ] = None
    system: Annotated[
        str | None,
        typer.Option(
            "--system",
            metavar="TEXT",
            show_default=False,
            help="Put this system message first (@FILE reads it); the prompt is written with it.",
        ),
    ] = None
    chat: Annotated[
        bool,
        typer.Option(
            "--chat", help="Make prompts that are strings a conversation of one user message, and write them so."
        ),
    ] = False
    append: Annotated[
        bool,
        typer.Option("--append", help="Add to the responses that records have; without it such records are refused."),
    ] = False
    seed: Seed = 0
    per_row_reference: Annotated[
        bool,
        typer.Option(
            "--per-row-reference",
            help="Write the policy's own greedy answer as 'reference', with 'reference_model' and 'reference_is_cut', "
            "and add no responses (SELM).",
        ),
    ] = False
    principles: Annotated[
        Path | None,
        typer.Option(
            "--principles",
            metavar="FILE",
            show_default=False,
            help="JSONL of {name, text, weight}, or TOML with [[principle]]: one is drawn for each response. It "
            "becomes a system message of a conversation, stands in front of a string, or takes the prompt in at "
            "{prompt}. Its name is written as 'principle' (UltraFeedback).",
        ),
    ] = None
    contrast: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--contrast",
            metavar="POSITIVE NEGATIVE",
            show_default=False,
            help="One response to each of two system prompts (or templates with {prompt}, or @FILEs of them), ranked "
            "1 and 2 (DLMA).",
        ),
    ] = None
    improve: Annotated[
        bool,
        typer.Option(
            "--improve",
            help="Read records of 'relabel dsat': a better reply becomes 'chosen', 'rejected' stays as it is (DRIFT).",
        ),
    ] = False
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="TEXT",
            show_default=False,
            help="The words of --improve, with {prompt}, {rejected} and {complaint}; or @FILE.",
        ),
    ] = None
    lowest_score: Annotated[
        str | None,
        typer.Option(
            "--lowest-score",
            metavar="R",
            show_default=False,
            help="Add responses to the prompts whose best score is lowest, a share (30%) or a number of them; the "
            "others pass as they are (OPTune). One whose answer fails is rejected, see --rejects.",
        ),
    ] = None
    max_retries: Annotated[
        int,
        typer.Option(
            "--max-retries",
            metavar="N",
            min=1,
            help="With --lowest-score: how often one prompt is sampled anew, over all runs; 'retries' counts it.",
        ),
    ] = 3
    pre_query: Annotated[
        bool,
        typer.Option(
            "--pre-query",
            help="Read nothing: the policy, given what its chat template puts before a user's words, writes -n "
            "instructions, and answers each (Magpie).",
        ),
    ] = False
    response_temperature: Annotated[
        float,
        typer.Option(
            "--response-temperature",
            metavar="X",
            min=0,
            help="With --pre-query: of the answers, which --top-p, --top-k and --stop leave alone; these and "
            "--temperature are of the instructions.",
        ),
    ] = 0.0
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            metavar="FILE",
            show_default=False,
            help="Append to FILE what is not in it yet: go on after a run that was killed, with the same options; only "
            "the policies and -n can be told from FILE. What failed before comes last, but "
            "for numbered records, which are put in order.",
        ),
    ] = None
    batch_tokens: Annotated[
        int | None,
        typer.Option(
            "--batch-tokens",
            metavar="N",
            min=1,
            show_default=str(GENERATION_TOKENS),
            help="Most tokens of one batch, prompts and the longest responses counted.",
        ),
    ] = None

    @property
    def sources(self) -> list[str]:
        """The files to read; --pre-query reads nothing."""
        return [os.devnull] if self.pre_query else super().sources

    @property
    def appends_to(self) -> Path | None:
        """The file that --resume goes on with."""
        return None if self.dry_run else self.resume

    def record_filter(self) -> "SampleFilter":
        """Set up the work, without a model yet."""
        from real_cli.sample.sample_filter import SampleFilter

        return SampleFilter(self)
