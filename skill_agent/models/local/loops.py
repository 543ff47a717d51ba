"""Whether a text has run into a loop: small models sometimes never leave one by themselves."""

import re

LEAST, TIMES, LONGEST = 90, 4, 160
"""A loop is so many characters long, has so many turns, and none of them is longer than that."""


def loops(text: str) -> bool:
    """Whether the end of a text is one piece over and over; numbers that count up are the same.

    Rules and the borders of tables may be long, but are made of signs alone.
    """
    tail = re.sub(r"\d+", "0", text[-(LONGEST * TIMES) :])
    if not any(letter.isalpha() for letter in tail[-LEAST:]):
        return len(set(tail[-2 * LEAST :])) == 1 and len(tail) >= 2 * LEAST
    for length in range(1, LONGEST + 1):
        times = max(TIMES, -(-LEAST // length))
        if len(tail) >= times * length and tail.endswith(tail[-length:] * times):
            return True
    return False
