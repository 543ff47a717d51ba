"""What the shape of a message says of how hard it is, whatever its language."""

import math
import re

_CODE = re.compile(r"```|[{}]|\w\(|[=<>]=|->|::|;\s*$", re.MULTILINE)
_NUMBER = re.compile(r"\d+")
_LISTED = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s", re.MULTILINE)
_PART = re.compile("[,;:.!?\n\u3001\u3002\uff0c\uff1b\uff1a\uff0e\uff01\uff1f]")
_ENDS = " \n.?!\u3002\uff01\uff1f"
_SHORTHAND = re.compile(r"(?<![A-Za-z])[A-Z]{2,}(?![a-z])|(?<![A-Za-z])[A-Z][a-z]+[A-Z]\w*")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_WIDTH = 1.8
"""Letters that a sign of Chinese or Japanese stands for, beyond itself."""
_MOST_CHARACTERS = 4_000


def size_of(text: str) -> float:
    """How long a text is in letters, as if all of it were spelled."""
    return len(text) + _WIDTH * len(_WIDE.findall(text))


def shape_of(text: str) -> list[float]:
    """Figures about as large as one another."""
    text = text[:_MOST_CHARACTERS]
    size = size_of(text)
    return [
        math.log1p(size / 20),
        min(math.log1p(len(_PART.findall(text.strip(_ENDS)))), 3.0),
        min(math.log1p(len(_CODE.findall(text))), 3.0) / 2,
        min(math.log1p(len(_NUMBER.findall(text))), 3.0) / 2,
        min(len(_LISTED.findall(text)), 6) / 3,
        min(len(_SHORTHAND.findall(text)), 4) / 4,
        float("?" in text or "\uff1f" in text),
    ]
