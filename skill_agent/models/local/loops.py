"""Whether a text has run into a loop: small models sometimes never leave one by themselves."""

import re

LEAST, TIMES, LONGEST = 90, 4, 160
"""A loop is so many characters long, has so many turns, and none of them is longer than that."""


ALIKE, BEGINNING = 4, 6
"""So many sentences in a row that begin with the same so many words are a loop too."""


def loops(text: str) -> bool:
    """Whether the end of a text is one piece over and over; numbers that count up are the same.

    Rules and the borders of tables may be long, but are made of signs alone.
    """
    return _alike(text) or _repeats(text)


def _alike(text: str) -> bool:
    """ "It does not handle X. It does not handle Y. It does not …" """
    whole = re.split(r"(?<=[.!?])\s+|\n+", text[-2 * LONGEST * TIMES :])[:-1]
    begun = [re.sub(r"^[\W\d]+", "", one).split()[:BEGINNING] for one in whole[-ALIKE:]]
    same = len(begun) == ALIKE and all(one == begun[0] for one in begun)
    return same and len(begun[0]) == BEGINNING


def _repeats(text: str) -> bool:
    tail = re.sub(r"\d+", "0", text[-(LONGEST * TIMES) :])
    if not any(letter.isalpha() for letter in tail[-LEAST:]):
        return len(set(tail[-2 * LEAST :])) == 1 and len(tail) >= 2 * LEAST
    for length in range(1, LONGEST + 1):
        times = max(TIMES, -(-LEAST // length))
        if len(tail) >= times * length and tail.endswith(tail[-length:] * times):
            return True
    return False
