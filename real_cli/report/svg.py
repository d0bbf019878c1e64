"""Figures of matplotlib as SVG that stands inside a page: its own names, the page's colors and fonts."""

import io
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUM_LINES = 6
COLORS = ("ink", "faint", "grid", *(f"line-{number}" for number in range(1, NUM_LINES + 1)))
# matplotlib knows no custom properties: it draws in colors that nothing else has, and the page's names replace them.
SENTINELS = {name: f"#0a0b{number:02x}" for number, name in enumerate(COLORS)}

SIZE = 9.0
SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be found, read aloud and copied
    "text.parse_math": False,  # "$" in a label is a dollar
    "font.size": SIZE,
    "axes.labelsize": SIZE,
    "xtick.labelsize": SIZE,
    "ytick.labelsize": SIZE,
    "text.color": SENTINELS["ink"],
    "axes.labelcolor": SENTINELS["ink"],
    "xtick.color": SENTINELS["faint"],
    "ytick.color": SENTINELS["faint"],
    "xtick.labelcolor": SENTINELS["ink"],
    "ytick.labelcolor": SENTINELS["ink"],
    "axes.edgecolor": SENTINELS["faint"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": SENTINELS["grid"],
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.0,
    "lines.scale_dashes": False,
}

FORBIDDEN = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 has no way to write
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
REFERENCE = re.compile(r"url\(#([^)]+)\)")


def safe_text(text: object) -> str:
    """Make a text fit for XML."""
    return FORBIDDEN.sub("\ufffd", str(text)).replace("\n", " ").replace("\t", " ")


@contextmanager
def drawing_settings(name: str) -> Iterator[None]:
    """Draw with our settings and matplotlib's defaults, whatever the user's own file says."""
    import matplotlib.style

    with matplotlib.style.context(["default", SETTINGS | {"svg.hashsalt": name}]):
        yield


def to_svg(figure: "Figure", name: str, label: str) -> str:
    """Write a figure as an SVG element."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata=METADATA, transparent=True)
    root = ElementTree.fromstring(stream.getvalue())
    for child in [child for child in root if child.tag == f"{SVG}metadata"]:
        root.remove(child)
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag == f"{SVG}style"]:
            parent.remove(child)
    used = set(_references(root))
    for element in root.iter():
        _adopt(element, name, used)
    box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"viewBox": box, "role": "img", "aria-label": safe_text(label)})
    return ElementTree.tostring(root, encoding="unicode")


def _references(root: ElementTree.Element) -> Iterator[str]:
    for element in root.iter():
        if LINK in element.attrib:
            yield element.attrib[LINK].removeprefix("#")
        yield from itertools.chain.from_iterable(REFERENCE.findall(value) for value in element.attrib.values())


def _adopt(element: ElementTree.Element, name: str, used: set[str]) -> None:
    """Give an element the page's colors and fonts, and a name of its own if another refers to it."""
    element.tag = element.tag.removeprefix(SVG)
    attributes = dict(element.attrib)
    element.attrib.clear()
    for key, value in attributes.items():
        if key == "id":
            if value in used:
                element.attrib["id"] = f"{name}-{value}"
        elif key == LINK:
            element.attrib["href"] = f"#{name}-{value.removeprefix('#')}"
        elif key == "style":
            element.attrib["style"] = _style(value)
        else:
            element.attrib[key] = REFERENCE.sub(rf"url(#{name}-\1)", value)


def _style(value: str) -> str:
    # The tree is the XML parser's; two replacements inside one attribute do not pay for a CSS parser (tinycss2).
    for color, sentinel in SENTINELS.items():
        value = value.replace(sentinel, f"var(--{color})")
    # "font: 9px 'DejaVu Sans', ..." names fonts that a reader may lack; the page's own is inherited.
    return re.sub(r"font: (?:[\w ]+ )?([\d.]+)px[^;]*", r"font-size: \1px", value)
