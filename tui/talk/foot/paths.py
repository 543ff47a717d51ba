"""A path among what is pasted, as terminals and desktops write one that was dropped on them."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

_ESCAPED = re.compile(r"\\(.)")


def path_in(pasted: str) -> Path | None:
    """The whole path that a pasted or dropped text is, as terminals and desktops write them."""
    text = pasted.strip()
    if not text or "\n" in text or "\r" in text or len(text) > 4_096:
        return None
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    elif text.startswith("file://"):
        text = unquote(urlsplit(text).path)
    else:
        text = _ESCAPED.sub(r"\1", text)
    if text.startswith("~/"):
        return Path(text).expanduser()
    return Path(text) if text.startswith("/") and "\0" not in text else None
