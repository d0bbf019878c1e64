"""Tell the wheel which man pages there are; hatchling takes a list, not a pattern."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManPages(BuildHookInterface[Any]):
    """Puts each page into the folder of its section."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """List the pages, for wheels and editable installs alike."""
        for page in sorted(Path(self.root, "man").glob("*.[157]")):
            build_data["shared_data"][str(page)] = f"share/man/man{page.suffix[1]}/{page.name}"
