"""The name somebody probably meant."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import islice

LONGEST = 100
"""Characters of a word that are compared."""
MOST = 300
"""Known names that are looked at."""


def nearest(word: str, known: Iterable[str], *, floor: float = 0.6) -> str:
    """The known name most like the word, ignoring case and punctuation; empty if none is."""

    def plain(name: str) -> str:
        return "".join(char for char in name.casefold() if char.isalnum())

    wanted = plain(word[:LONGEST])
    scored = [
        (SequenceMatcher(None, wanted, plain(name)).ratio(), name) for name in islice(known, MOST)
    ]
    score, name = max(scored, default=(0.0, ""), key=lambda pair: pair[0])
    if score >= floor:
        return name
    begun = [name for _, name in scored if wanted and plain(name).startswith(wanted)]
    return begun[0] if len(begun) == 1 else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "name"?`, or nothing where no name is near."""
    name = nearest(word, known)
    return f'did you mean "{name}"?' if name else ""
