"""The text a reader of an HTML page would see, found in one pass whatever the page looks like.

Every mark is looked at once: pages made to be slow cost no more than others of their length.
"""

import html
import re

_TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
_IN_TAG = re.compile(r"[>\"']")
_HIDDEN = frozenset({"script", "style", "noscript", "template", "svg", "head"})
_RAW = frozenset({"script", "style"})
"""What stands inside of these is no HTML until their end tag."""
_BREAKS = frozenset(
    {"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article"}
)


def html_text(page: str) -> str:
    """The visible text of a page, one block a line."""
    walk = _Walk(page)
    while walk.at < len(page):
        walk.step()
    lines = (" ".join(line.split()) for line in "".join(walk.pieces).splitlines())
    return "\n".join(line for line in lines if line)


class _Walk:
    """A place in a page, and what was seen before it."""

    def __init__(self, page: str) -> None:
        self.page, self.at = page, 0
        self.pieces: list[str] = []
        self._hidden = 0
        self._unclosed: set[str] = set()
        """Quotation marks of which there is none any more."""

    def step(self) -> None:
        """Past one tag, comment or stretch of text."""
        begun = self.page.find("<", self.at)
        begun = len(self.page) if begun < 0 else begun
        if begun > self.at:
            self._text(self.page[self.at : begun])
            self.at = begun
        elif tag := _TAG.match(self.page, begun):
            self._tag(tag)
        elif self.page.startswith("<!--", begun):
            self.at = self._past("-->", begun + 2)
        elif self.page.startswith(("<!", "<?", "</"), begun):
            self.at = self._past(">", begun)
        else:
            self._text("<")
            self.at = begun + 1

    def _tag(self, tag: re.Match[str]) -> None:
        name, closes = tag[2].lower(), bool(tag[1])
        if name in _BREAKS:
            self.pieces.append("\n")
        if name in _HIDDEN:
            self._hidden = max(0, self._hidden + (-1 if closes else 1))
        self.at = self._end_of_tag(tag.end())
        if name in _RAW and not closes:
            ending = re.compile(f"</{name}", re.IGNORECASE).search(self.page, self.at)
            self.at = ending.start() if ending else len(self.page)

    def _end_of_tag(self, at: int) -> int:
        """Past the `>` of a tag; one inside a quoted value is none."""
        while mark := _IN_TAG.search(self.page, at):
            at = mark.end()
            if mark[0] == ">":
                return at
            if mark[0] not in self._unclosed:
                closing = self.page.find(mark[0], at)
                if closing < 0:
                    self._unclosed.add(mark[0])
                else:
                    at = closing + 1
        return len(self.page)

    def _past(self, mark: str, at: int) -> int:
        found = self.page.find(mark, at)
        return len(self.page) if found < 0 else found + len(mark)

    def _text(self, piece: str) -> None:
        if not self._hidden:
            self.pieces.append(_unescaped(piece))


def _unescaped(piece: str) -> str:
    try:
        return html.unescape(piece)
    except ValueError:  # a number of thousands of digits
        return piece
