"""The parts of a question that asks for several things at once.

Evidence measured over the whole of such a question starves each of its topics, so it is measured
over each part too. Where a question may be parted is punctuation and the words for "and" of its
language; a part that could not be asked alone is none.
"""

import re
from functools import cache

from skill_agent.memory.words.stemming import stems
from skill_agent.text.language import spoken
from skill_agent.text.scripts import UNSPACED

MOST = 4
"""Parts a question is asked in at most."""
_FEWEST = 2
"""Words that tell something a part needs to be asked alone, unless it is as long as a clause."""
_CLAUSE = 4
_FEWEST_CLOSE = 4
"""Characters, where a script is written without blanks."""
_MARKS = r"[,;:?!，、；：。？！؟]+\s*"
_CLOSE = re.compile(f"[{UNSPACED}]")


def parts_of(question: str) -> tuple[str, ...]:
    """Its parts in order; none where it asks for one thing."""
    parts = [one.strip(" .") for one in _between().split(question)]
    whole = [one for one in parts if _stands_alone(one)]
    return tuple(whole) if 2 <= len(whole) <= MOST else ()


def _stands_alone(part: str) -> bool:
    if _CLOSE.search(part):
        return len(part) >= _FEWEST_CLOSE
    return len(set(stems(part))) >= _FEWEST or len(part.split()) >= _CLAUSE


@cache
def _between() -> re.Pattern[str]:
    words = {word for one in spoken() for word in one.tables.get("standing", {}).get("and", ())}
    close = [word for word in words if _CLOSE.search(word)]
    spaced = "|".join(map(re.escape, words.difference(close)))
    either = "|".join([_MARKS, *map(re.escape, sorted(close, key=len, reverse=True))])
    return re.compile(rf"(?:{either}|\s+(?:{spaced})\s+)", re.IGNORECASE)
