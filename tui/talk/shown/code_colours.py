"""Colours of code: those of the theme at their full strength, and comments in the fainter grey."""

import re

from pygments.token import Token
from textual.content import Content
from textual.highlight import HighlightTheme, highlight

_PALER = re.compile(r" \d+%")


class CodeColours(HighlightTheme):
    """As Textual's own, without what it mixes with the ground: that is too pale to be read."""

    STYLES = {  # noqa: RUF012 Textual declares it as it is
        **{token: _PALER.sub("", style) for token, style in HighlightTheme.STYLES.items()},
        Token.Comment: "$foreground-disabled italic",
        Token.Literal.String.Backtick: "$foreground-muted",
        Token.Error: "$text-error underline",
        Token.Generic.Error: "$text-error",
    }


def coloured(code: str, language: str) -> Content:
    """The code with its colours."""
    return highlight(code, language=language, theme=CodeColours)
