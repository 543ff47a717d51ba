"""How the Markdown of a reply is read, so that nothing a model wrote is left out.

A widget draws no HTML, no target of a link, no definition that stands apart and no cell beyond
the head of its table; here all of them become text. Made once for each text that is read.
"""

from typing import TYPE_CHECKING

from ...frame.plain import printable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token


def reader() -> "MarkdownIt":
    """As Textual's own, but `<name>` is text, and so is `[name]: target`: what a later line defines
    cannot change what is on the screen already."""
    from markdown_it import MarkdownIt

    made = MarkdownIt("gfm-like", {"html": False}).disable("reference")
    made.inline.ruler.before("escape", "formula", _formula)
    made.core.ruler.before("inline", "whole_rows", _whole_rows)
    made.core.ruler.push("all_shown", _all_shown)
    return made


_FORMULA = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}


def _formula(state: "StateInline", silent: bool) -> bool:
    """Leaves a formula as it was written: its signs are no emphasis, and no escapes."""
    begin = state.src[state.pos : state.pos + 2]
    if begin not in _FORMULA:
        return False
    end = state.src.find(_FORMULA[begin], state.pos + 2) + 2
    if end <= state.pos + 2 or end > state.posMax:
        return False
    if not silent:
        for number, line in enumerate(state.src[state.pos : end].split("\n")):
            if number:
                state.push("softbreak", "br", 0)
            state.push("text", "", 0).content = line
    state.pos = end
    return True


def _whole_rows(state: "StateCore") -> None:
    """Gives a table's row the cells that it has and its head has not."""
    from markdown_it.rules_block.table import escapedSplit

    lines = state.src.split("\n")
    made: list[Token] = []
    columns = cells = at = 0
    for token in state.tokens:
        match token.type:
            case "thead_open":
                columns = 0
            case "th_open":
                columns += 1
            case "tr_open":
                at, cells = (token.map or (0,))[0], 0
            case "td_open":
                cells += 1
            case "tr_close" if cells:
                written = escapedSplit(lines[at].lstrip(" \t>").rstrip())
                written = written[1:] if not written[0].strip() else written
                written = written[:-1] if written and not written[-1].strip() else written
                made += (one for text in written[columns:] for one in _cell(text, token))
            case _:
                pass
        made.append(token)
    state.tokens = made


def _cell(text: str, beside: "Token") -> "list[Token]":
    from markdown_it.token import Token

    inline = Token("inline", "", 0, content=text.strip(), children=[], level=beside.level + 2)
    return [Token("td_open", "td", 1), inline, Token("td_close", "td", -1)]


def _all_shown(state: "StateCore") -> None:
    made: list[Token] = []
    for token in state.tokens:
        if token.type == "hr" and token.level:
            made += _rule(token)  # Textual would put it before what it stands in
            continue
        if token.children:
            token.children = _seen(token.children)
        made.append(token)
    state.tokens = made


def _rule(token: "Token") -> "list[Token]":
    from markdown_it.token import Token

    opened, closed = Token("paragraph_open", "p", 1), Token("paragraph_close", "p", -1)
    opened.map, opened.level = token.map, token.level
    return [opened, Token("inline", "", 0, children=[_text("─" * 3)]), closed]


def _seen(tokens: "list[Token]") -> "list[Token]":
    """With targets behind what leads to them, and a line for a line."""
    made: list[Token] = []
    opened: list[tuple[Token, int]] = []
    for token in tokens:
        match token.type:
            case "softbreak":
                token.type = "hardbreak"
            case "link_open":
                opened.append((token, len(made)))
            case "image":
                token.children = [_text(printable(one.content)) for one in token.children or ()]
            case _:
                token.content = printable(token.content)  # an entity may have hidden something
        made.append(token)
        if token.type == "image":
            made.append(_text(_target(token, "src")))
        elif token.type == "link_close":
            link, at = opened.pop()
            said = "".join(one.content for one in made[at:])
            if link.attrs.get("title") or link.attrs.get("href") not in _ways(said):
                made.append(_text(_target(link, "href")))
    return made


def _target(token: "Token", name: str) -> str:
    title = f" “{token.attrs['title']}”" if token.attrs.get("title") else ""
    return printable(f" ({token.attrs.get(name, '')}{title})")


def _ways(said: str) -> tuple[str, ...]:
    """Targets that such words say already."""
    return (said, f"http://{said}", f"mailto:{said}")


def _text(said: str) -> "Token":
    from markdown_it.token import Token

    return Token("text", "", 0, content=said)
