"""Whether the pairs that are measured are those that a policy was trained on."""

import hashlib
from pathlib import Path
from typing import Any

import orjson

from real_cli.io.checkpoint_marks import MANIFEST
from real_cli.io.jsonl import dump_record
from real_cli.records.record import Record

TRAINED_ON = "the policy was trained on these very pairs: they show how well it learned them, and nothing of others"


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


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        manifest = orjson.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None
