"""real soup: average checkpoints."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from real_cli.cli.completion_values import model_names
from real_cli.cli.option_sets import BaseOption
from real_cli.cli.typed_command import typed_command
from real_cli.errors import Status, UsageError, show_names
from real_cli.records.choices import Precision


@dataclass(frozen=True, kw_only=True)
class SoupOptions(BaseOption):
    """Which models are averaged, by which weights, and where the average goes."""

    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL",
            show_default=False,
            autocompletion=model_names,
            help="Two or more models of one architecture: a folder (a LoRA adapter's too), a .gguf file, a hub name, "
            "minilm or smollm2.",
        ),
    ]
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            show_default=False,
            help="The folder to write: safetensors, config and tokenizer, and real.json. It appears whole or not at "
            "all.",
        ),
    ]
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            "-w",
            metavar="X,Y,...",
            show_default="equal",
            help="The weight of each model, as 0.25,0.75 or 1/3,2/3; their sum is 1. A negative one extrapolates: "
            "1.5,-0.5 goes beyond the first model, away from the second.",
        ),
    ] = None
    dtype: Annotated[
        Precision,
        typer.Option("--dtype", help="Number format of what is written; 'auto' is that of the first model's tensors."),
    ] = Precision.auto


@typed_command
def soup(options: SoupOptions) -> Status:
    """Average checkpoints, weight by weight: a reference for DPO (SALSA), or a model.

    Reads folders of safetensors and writes one, in the first model's files; config, tokenizer and chat template are
    the first model's. Models of other shapes, settings or vocabularies are refused; up to eight differences of each are
    named, and more are counted. Standard output gets one JSON object: the models with their weights and the hashes of
    all files, as in real.json.

    Streams: memory holds a piece of a tensor, however large the models are. A LoRA adapter is merged into its base
    first, in a folder beside the output; that takes the memory of the base in float32.

    \b
    Examples:
      real soup sft-seed1 sft-seed2 -o soup
      real train-dpo --policy sft-seed1 --reference soup -o aligned pairs.jsonl
      real soup base aligned -o gentler --weights 0.7,0.3
    """
    if len(options.models) < 2:
        raise UsageError(f"{options.models[0]}: one model has no average; name two or more")
    from real_cli.io.folders import open_folder
    from real_cli.io.output import write_stdout
    from real_cli.io.progress import Counter, speaker
    from real_cli.models.load.checkpoints import open_checkpoint
    from real_cli.models.load.manifest import write_manifest
    from real_cli.soup.average import parse_weights
    from real_cli.soup.soup import Soup

    models, output, say = options.models, options.output, speaker(options.quiet)
    shares = parse_weights(options.weights, len(models))
    with open_folder(output) as folder, TemporaryDirectory(prefix=".merged-", dir=folder) as merged:
        checkpoints = [open_checkpoint(name, Path(merged) / str(number)) for number, name in enumerate(models, 1)]
        average = Soup(checkpoints, shares, dtype=None if options.dtype is Precision.auto else options.dtype.value)
        if differing := average.check():
            say(f"not alike in all models: {', '.join(differing)}; {models[0]}'s is copied")
        with Counter("tensors", quiet=options.quiet, total=average.num_tensors) as counter:
            facts = {"command": "soup", "output": str(output), **average.write(folder, counter.add)}
        write_manifest(folder, facts)
    write_stdout(show_names(facts))
    twice = sorted({name for name in models if models.count(name) > 1})
    repeated = f"; {', '.join(twice)} more than once" if twice else ""
    say(f"{len(models)} models averaged{repeated}, {average.num_tensors:,} tensors: {output}")
    return Status.done
