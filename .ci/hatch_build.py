"""Tell the wheel which man pages there are; hatchling takes a list, not a pattern."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# A room that opens the manual itself finds it here: in a checkout a link to man/, which no archive keeps.
CARRIED = "real_cli/help/pages"


class ManPages(BuildHookInterface[Any]):
    """Puts each page into the folder of its section."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """List the pages, for wheels and editable installs alike."""
        root = Path(self.root)
        is_carried = version == "standard" and (root / CARRIED).parent.is_dir()
        for page in sorted((root / "man").glob("*.[157]")):
            build_data["shared_data"][str(page)] = f"share/man/man{page.suffix[1]}/{page.name}"
            if is_carried:
                build_data["force_include"][str(page)] = f"{CARRIED}/{page.name}"
