"""The options of `real train-dpo` that do not decide a trajectory."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from real_cli.records.choices import Attention, Precision, Preset, TokenLayout


@dataclass(frozen=True)
class Extras:
    """What a run needs beside the settings that decide its trajectory."""

    policy: str
    preset: Preset | None
    reference: str | None
    eval_file: Path | None
    export_logps: Path | None
    dump: Path | None
    merge: bool
    attention: Attention
    layout: TokenLayout
    batch_tokens: int | None
    device: str
    dtype: Precision
    gradient_checkpointing: bool
    logging_steps: int
    save_steps: int
    report_to: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Take what belongs here from all options.

        Args:
            values: Options by name.

        Returns:
            The extras.
        """
        return cls(**{item.name: values[item.name] for item in fields(cls)})
