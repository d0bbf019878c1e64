"""The options of `real train-reward`, and the groups in which its help lists them."""

from dataclasses import dataclass
from typing import Annotated

import typer

from real_cli.cli.completion_values import model_names, names_of
from real_cli.cli.option_sets import split_names
from real_cli.cli.options import AttentionName
from real_cli.records.choices import MAX_LENGTH, Attention
from real_cli.train.shared.options import RunOptions

SCORES = "scores"
CENTER_OF_ENSEMBLE = 0.01


@dataclass(frozen=True, kw_only=True)
class TrainRewardOptions(RunOptions):
    """The data, the objective, the optimization, the model, and what is written."""

    GROUPS = split_names(
        {
            "Objective": "margin center ensemble",
            "Optimization": """learning_rate schedule warmup optimizer weight_decay max_grad_norm epochs max_steps
                batch_size gradient_accumulation eval_steps patience seed""",
            "Data": "weight_field raw_weights order max_length no_chat_template eval_file",
            "Model": """model lora lora_rank lora_alpha gradient_checkpointing device devices dtype attention
                batch_tokens""",
            "Input and output": """output logging_steps save_steps resume resume_if_same report_to on_error rejects
                input_format max_line_bytes""",
            "Other": "quiet",
        }
    )
    NEEDED = ("model", "output")

    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            show_default=False,
            autocompletion=model_names,
            help="What to train: a language model, which gets a new head, or a sequence classifier; a folder, a .gguf "
            "file, a hub name, or smollm2.",
        ),
    ] = None
    margin: Annotated[
        str | None,
        typer.Option(
            "--margin",
            metavar="FIELD",
            show_default=False,
            autocompletion=names_of((SCORES,)),
            help="By how much chosen is to win: the number in this field; or scores, the gap between score_chosen and "
            "score_rejected.",
        ),
    ] = None
    center: Annotated[
        float | None,
        typer.Option(
            "--center",
            metavar="X",
            show_default="0; 0.01 with --ensemble",
            help="Hold the mean of the two rewards near 0: add X times the square of their sum to the loss.",
        ),
    ] = None
    ensemble: Annotated[
        int,
        typer.Option(
            "--ensemble",
            metavar="N",
            min=1,
            max=256,
            help="Heads on the model, each trained on a bootstrap of the prompts; 'real relabel reward' then writes "
            "score_std too.",
        ),
    ] = 1
    learning_rate: Annotated[float, typer.Option("--learning-rate", metavar="X", help="Peak learning rate.")] = 1e-5
    seed: Annotated[
        int,
        typer.Option("--seed", metavar="N", min=0, max=2**32 - 1, help="Seed of order, head, bootstrap and adapters."),
    ] = RunOptions.seed
    max_length: Annotated[
        int,
        typer.Option(
            "--max-length",
            metavar="N",
            min=2,
            help="Most tokens of prompt and response. A longer sequence loses the beginning of its prompt, and is "
            "counted.",
        ),
    ] = MAX_LENGTH
    no_chat_template: Annotated[
        bool,
        typer.Option(
            "--no-chat-template",
            help="Read prompt and response as a text pair even if there is a template; then give it to 'real relabel "
            "reward' too.",
        ),
    ] = False
    attention: AttentionName = Attention.auto
    batch_tokens: Annotated[
        int | None,
        typer.Option(
            "--batch-tokens",
            metavar="N",
            min=1,
            show_default="512 on a CPU, what fits from 4096 to 32768 on a GPU",
            help="Most tokens, padding counted, in one forward pass; the pairs of a batch take as many passes as they "
            "need. It changes speed and memory, not the result.",
        ),
    ] = None
