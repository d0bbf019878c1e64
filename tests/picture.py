"""The guide's picture, drawn as reports draw it: `python -m tests.picture` renews man/labels.svg.

It shows what budgets of labels buy on the bundled demo, from the numbers of the command that real-guide(7) shows.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

import orjson

from real_cli.evaluate.labels.report import labels_report
from real_cli.report.contents import Plot
from real_cli.report.plots import draw, legend
from tests.docs.blocks import shell_blocks

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "man" / "labels.svg"
RENEW = "python -m tests.picture"
TITLE = "Expected flips by budget"
LINE_HEIGHT = 16


def labels_block():
    """Find the guide's block that makes the numbers."""
    (block,) = [block.shell for block in shell_blocks(ROOT / "man" / "real-guide.7.md") if "--budget" in block.shell]
    return block


def color_rules():
    """Take the colors of both schemes from the reports' style."""
    style = (ROOT / "real_cli" / "report" / "assets" / "style.css").read_text(encoding="utf-8")
    return style[: style.index("* {")].replace("@media screen and", "@media")


def picture(summary):
    """Draw the curves of a summary as a file of its own, with its legend above them."""
    (plot,) = [
        item
        for section in labels_report(summary, {}).sections
        for item in section.items
        if isinstance(item, Plot) and item.title == TITLE
    ]
    inner = draw(plot, "labels")
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', inner).groups())
    names = "".join(map(_legend_entry, count(), legend(plot)))
    box = inner.replace("<svg ", f'<svg y="{LINE_HEIGHT}" width="{width}" height="{height}" ', 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + LINE_HEIGHT}" '
        f'width="{2 * width:.0f}" height="{2 * (height + LINE_HEIGHT):.0f}" '
        f'font-family="system-ui, sans-serif" font-size="9.5">\n<style>{color_rules()}\n'
        f'text {{ fill: var(--ink); }}</style>\n<rect width="100%" height="100%" style="fill: var(--card)"/>\n'
        f"{names}\n{box}\n</svg>\n"
    )


def _legend_entry(number, entry):
    dashes = entry["dashes"] or "none"
    return (
        f'<g transform="translate({40 + 90 * number} 6)">'
        f'<line x2="22" y1="5" y2="5" style="stroke: {entry["color"]}" stroke-width="2" stroke-dasharray="{dashes}"/>'
        f'<text x="28" y="9">{entry["name"]}</text></g>'
    )


def main():
    """Run the guide's block, and draw."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["bash", "-euo", "pipefail", "-c", labels_block()], cwd=folder, check=True, env=environment)
        (name,) = [word for word in shlex.split(labels_block()) if word.endswith(".json")]
        PICTURE.write_text(picture(orjson.loads((Path(folder) / name).read_bytes())), encoding="utf-8")


if __name__ == "__main__":
    main()
