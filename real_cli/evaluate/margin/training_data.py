"""What the manifest of a policy says of its training: whether on the pairs that are measured, and at what cost."""

import hashlib
from pathlib import Path
from typing import Any

import orjson

from real_cli.io.checkpoint_marks import MANIFEST
from real_cli.io.jsonl import dump_record
from real_cli.records.messages import is_number
from real_cli.records.record import Record

TRAINED_ON = "the policy was trained on these very pairs: they show how well it learned them, and nothing of others"
# Of a line of `--rows`: what the training came to, and what it took.
RESULT_FIELDS = {"train_steps": "step", "train_pairs": "num_pairs"}
COST_FIELDS = ("train_seconds", "peak_memory_bytes", "peak_device_bytes")


class TrainingDataCheck:
    """Compare the records of a run with what the manifests of policies say of their training."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._num_records = 0

    def add(self, record: Record) -> None:
        """Take a record, as `real train-dpo` takes it."""
        self._digest.update(dump_record(record))
        self._num_records += 1

    def is_of(self, policy: str) -> bool | None:
        """Tell whether a policy, or a model that it was trained from, learned these records; None if nobody knows."""
        seen: set[Path] = set()
        folder, known = Path(policy), False
        while folder not in seen and (manifest := _manifest(folder)):
            seen.add(folder)
            data = manifest.get("data")
            digest = data.get("sha256") if isinstance(data, dict) else None
            known |= isinstance(digest, str)
            if self._num_records and digest == self._digest.hexdigest():
                return True
            folder = Path(str(manifest.get("policy_path", "")))
        return False if known else None


def training_cost(policy: str) -> dict[str, float | None]:
    """Return what a policy's training took, as its manifest has it; nothing where there is none."""
    manifest = _manifest(Path(policy)) or {}
    result, cost = ({} if not isinstance(part := manifest.get(name), dict) else part for name in ("result", "cost"))
    if not cost:
        return {}
    outcome = {field: result.get(name) for field, name in RESULT_FIELDS.items()}
    outcome |= {field: cost.get(field) for field in COST_FIELDS}
    return {field: value if is_number(value) else None for field, value in outcome.items()}


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        manifest = orjson.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None
