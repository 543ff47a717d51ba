"""Recognising credentials in text: where they stand and what they are.

Two ways of knowing one: by its own shape (`credentials_by_shape`), and by what it is called where
it stands (`credentials_by_name`). Time is linear in the text, whatever that holds.
"""

import re
from collections.abc import Iterable
from functools import cache

from .by_name import named_secrets
from .by_shape import OTHER_KINDS, shaped_secrets
from .credential import Secret, credential_data

__all__ = ["Secret", "secrets_in"]


def secrets_in(text: str) -> tuple[Secret, ...]:
    """Every credential in a text, in order, none over another."""
    shaped = list(shaped_secrets(text))
    found = _apart(shaped, named_secrets(text, shaped))
    return _beside_marks(text, found) if found and "[" in text else found


@cache
def _mark() -> re.Pattern[str]:
    """What stands where a credential was taken out."""
    data = credential_data()
    kinds = {one["kind"] for part in ("token", "shape", "name") for one in data[part]}
    whole = "|".join(map(re.escape, sorted({*kinds, *OTHER_KINDS}, key=len, reverse=True)))
    return re.compile(rf"\[(?:redacted: )?(?:{whole})(?: …[A-Za-z0-9]{{4}})?\]")


def _beside_marks(text: str, found: tuple[Secret, ...]) -> tuple[Secret, ...]:
    """Without those that are made of a mark: what was taken out once stays as it is."""
    marks = [one.span() for one in _mark().finditer(text)]
    kept: list[Secret] = []
    at = 0
    for one in found:
        while at < len(marks) and marks[at][1] <= one.start:
            at += 1
        if at == len(marks) or marks[at][0] >= one.end:
            kept.append(one)
    return tuple(kept)


def _apart(certain: Iterable[Secret], likely: Iterable[Secret]) -> tuple[Secret, ...]:
    """Of those that overlap the one that is surer stays, then the one that began first."""
    ranked = sorted((*certain, *likely), key=lambda one: (one.start, -one.end))
    kept: list[Secret] = []
    for one in ranked:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
        elif one.certain and not kept[-1].certain:
            kept[-1] = one
    return tuple(kept)
