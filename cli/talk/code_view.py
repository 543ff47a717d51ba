"""Of a reply only its last fenced code block, for `| sh`, `> file` and the like."""

import re
from typing import Any

from .render import TextView

_FENCE = re.compile(r"^ {0,3}(?P<mark>`{3,}|~{3,})(?P<rest>.*)$")


def last_code_block(text: str) -> str | None:
    """The lines of the last fenced block, each with its end; None where there is no block.

    A block without an end goes on to the end of the text.
    """
    last: str | None = None
    block: list[str] = []
    mark = ""
    for line in text.splitlines(keepends=True):
        fence = _FENCE.match(line.rstrip("\r\n"))
        if mark:
            if fence and fence["mark"].startswith(mark) and not fence["rest"].strip():
                last, mark = "".join(block), ""
            else:
                block.append(line)
        elif fence and not (fence["mark"][0] == "`" and "`" in fence["rest"]):
            mark, block = fence["mark"], []
    return "".join(block) if mark else last


class CodeView(TextView):
    """Holds the reply back and prints its last code block when the turn is over."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._held: list[str] = []
        self.block: str | None = None

    def _write(self, text: str) -> None:
        self._held.append(text)
        self._wrote = True

    def _finish_text(self) -> None:
        """Nothing of it stands on the screen yet."""

    def close(self) -> None:
        self.block = last_code_block("".join(self._held))
        if self.block is not None:
            super()._write(self.block)
            super()._finish_text()
