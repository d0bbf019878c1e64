"""Markdown as roff, for the pages that are written by hand, `man/NAME.md`, which GitHub shows as they are.

markdown-it-py reads Markdown, and comes with rich. Handled here is the part that a man page can show; anything else (a
quotation, a list in a list, HTML) is refused rather than lost.
"""

import re
import textwrap
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from real_cli import __released__, __version__
from real_cli.docs.roff import LONGEST, PLAIN, escape, guarded, literal, typeset

MANUALS = {"1": "User Commands", "5": "File Formats", "7": "Guides"}
TITLE = re.compile(r"([a-z-]+)\(([157])\): (.+)")
PAGE = re.compile(r"\b([a-z](?:[a-z]|\\?-)*)\(([157])\)")  # typed, or typeset
COLUMNS = 76  # what 80 columns leave for a preformatted table
NAMES = ("strong", "code_inline")
COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)


def man_page(markdown: str) -> str:
    """Convert a page whose first line is a title such as `# real-guide(7): what to do when`.

    A ValueError names what a man page cannot show.
    """
    title, *blocks = SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(markdown)).children
    match = TITLE.fullmatch(_plain(title)) if title.tag == "h1" else None
    if not match:
        raise ValueError("the first line must be like '# real-guide(7): what it is about'")
    name, section, summary = match.groups()
    head = [
        f'.TH {name.upper()} {section} {__released__} "real {__version__}" "{MANUALS[section]}"',
        *PLAIN,
        ".SH NAME",
        f"{escape(name)} \\- {escape(summary)}",
    ]
    if blocks and blocks[0].type != "heading":
        head.append(".SH DESCRIPTION")
    text = "\n".join([*head, *(line for block in blocks for line in _block(block))]) + "\n"
    return re.sub(r"^(\.S[HS] .*\n)\.PP\n", r"\1", text, flags=re.MULTILINE)  # a heading begins a paragraph


def _block(node: SyntaxTreeNode) -> list[str]:
    if node.type not in BLOCKS:
        raise ValueError(f"line {(node.map or (0,))[0] + 1}: a man page cannot show this: {node.type}")
    return BLOCKS[node.type](node)


def _heading(node: SyntaxTreeNode) -> list[str]:
    text = escape(_plain(node)).replace('"', "\\(dq")
    return [f".SH {text.upper()}" if node.tag == "h2" else f".SS {text}"]


def _paragraph(node: SyntaxTreeNode) -> list[str]:
    return [".PP", *_wrapped(_inline(node))]


def _fence(node: SyntaxTreeNode) -> list[str]:
    return _as_it_stands(node.content)


def _as_it_stands(text: str) -> list[str]:
    return [".PP", ".RS 4", ".nf", *literal(text.rstrip("\n")).splitlines(), ".fi", ".RE"]


def _comment(node: SyntaxTreeNode) -> list[str]:
    """Drop comments, which mark what is generated; refuse all other HTML."""
    if COMMENT.sub("", node.content):
        raise ValueError(f"line {(node.map or (0,))[0] + 1}: a man page cannot show this: {node.content.strip()}")
    return []


def _list(node: SyntaxTreeNode) -> list[str]:
    """Write a list; items that begin with a name in code or bold type and a colon are definitions."""
    first = int(node.attrs.get("start", 1))
    lines = []
    for number, item in enumerate(node.children, first):
        paragraph, *rest = item.children
        if any(child.type not in ("paragraph", "fence") for child in item.children):
            raise ValueError(f"line {(item.map or (0,))[0] + 1}: a man page cannot show a list in a list")
        tag, text = _tagged(paragraph)
        mark = f".IP {number}. 4" if node.type == "ordered_list" else ".IP \\(bu 2"
        lines += [".TP 7", tag, *_wrapped(text)] if tag else [mark, *_wrapped(text)]
        for child in rest:
            lines += [".IP", *_wrapped(_inline(child))] if child.type == "paragraph" else [*_fence(child)]
    return lines


def _tagged(paragraph: SyntaxTreeNode) -> tuple[str, str]:
    """Split an item into its leading names and their definition; no names if it defines none."""
    spans = [span for span in paragraph.children[0].children if span.type != "text" or span.content]
    end = next((place for place, span in enumerate(spans) if span.content.startswith(": ")), 0)
    is_definition = end and all(span.type in NAMES or span.content == ", " for span in spans[:end])
    if not is_definition:
        return "", _inline(paragraph)
    names = ", ".join(f"\\fB{literal(_plain(span))}\\fR" for span in spans[:end:2])
    return names, _spans(spans[end:]).removeprefix(": ")


def _table(node: SyntaxTreeNode) -> list[str]:
    """Lay out a narrow table in columns; of a wide one each row becomes a paragraph under its first cell."""
    head, *body = [row.children for part in node.children for row in part.children]
    texts = [[_plain(cell) for cell in row] for row in (head, *body)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    if sum(widths) + 2 * len(widths) <= COLUMNS:
        rows = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in texts]
        return _as_it_stands("\n".join(row.rstrip() for row in [rows[0], "-" * max(map(len, rows)), *rows[1:]]))
    lines = []
    for first, *cells in body:
        facts = [f"{_inline(title)}: {_inline(cell)}" for title, cell in zip(head[1:], cells, strict=True)]
        filled = [fact for fact, cell in zip(facts, cells, strict=True) if _plain(cell)]
        lines += [".TP 7", f"\\fB{escape(_plain(first))}\\fR", *"\n.br\n".join(map(_lines, filled)).splitlines()]
    return lines


BLOCKS: dict[str, Callable[[SyntaxTreeNode], list[str]]] = {
    "heading": _heading,
    "paragraph": _paragraph,
    "fence": _fence,
    "html_block": _comment,
    "bullet_list": _list,
    "ordered_list": _list,
    "table": _table,
}


def _inline(node: SyntaxTreeNode) -> str:
    return _spans([child for inline in node.children for child in inline.children])


def _spans(nodes: list[SyntaxTreeNode]) -> str:
    for node in nodes:
        if node.type not in SPANS:
            raise ValueError(f"a man page cannot show this: {node.type}: {node.content}")
    return "".join(SPANS[node.type](node) for node in nodes)


def _link(node: SyntaxTreeNode) -> str:
    """Write a link: a page's name suffices, any other address follows its text."""
    text, address = _spans(list(node.children)), str(node.attrs["href"])
    is_page = PAGE.fullmatch(_plain(node)) or address.startswith("#")
    return text if is_page or escape(address) == text else f"{text} <{escape(address)}>"


# A name in bold type, a page's too; of a picture the alternative text.
SPANS: dict[str, Callable[[SyntaxTreeNode], str]] = {
    "text": lambda node: PAGE.sub(r"\\fB\1\\fR(\2)", typeset(node.content)),
    "code_inline": lambda node: f"\\fB{literal(node.content)}\\fR",
    "strong": lambda node: f"\\fB{_spans(list(node.children))}\\fR",
    "em": lambda node: f"\\fI{_spans(list(node.children))}\\fR",
    "softbreak": lambda _: " ",
    "hardbreak": lambda _: "\n.br\n",
    "image": lambda node: f"[Picture: {typeset(_plain(node))}]",
    "link": _link,
}


def _plain(node: SyntaxTreeNode) -> str:
    """Return the text without its type faces."""
    if node.type == "softbreak":
        return " "
    return "".join(map(_plain, node.children)) if node.children else node.content


def _wrapped(text: str) -> list[str]:
    return _lines(text).splitlines()


def _lines(text: str) -> str:
    """Break lines of roff; none may begin like a request."""
    parts = text.split("\n.br\n")
    filled = [textwrap.fill(part, LONGEST, break_on_hyphens=False, break_long_words=False) for part in parts]
    return "\n.br\n".join(map(guarded, filled))
