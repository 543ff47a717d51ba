"""Who a message is for: `@slug` anywhere in it; text work only, no routing by content."""

import re
from collections.abc import Collection

_MENTION = re.compile(r"(?<![\w@.])@([A-Za-z][A-Za-z0-9_-]*)(?![\w@])")


def mentioned(text: str, slugs: Collection[str]) -> str | None:
    """The first `@slug` that is an agent's; code in backticks and mail addresses do not count."""
    prose = re.sub(r"```.*?```|`[^`]*`", " ", text, flags=re.DOTALL)
    for match in _MENTION.finditer(prose):
        if match[1].lower() in slugs:
            return match[1].lower()
    return None


def without_address(text: str, slug: str) -> str:
    """The text without a leading `@slug`; in the middle of a sentence the name is left to read."""
    return re.sub(rf"^\s*@{re.escape(slug)}\b[\s,:]*", "", text, flags=re.IGNORECASE) or text
