"""Phrases of a language that bear on summaries, as patterns: `[summary]` in its file."""

import re
from functools import cache

from skill_agent.memory.words.table_phrases import pattern_of
from skill_agent.text.language import language


@cache
def phrases(code: str, name: str) -> re.Pattern[str]:
    """Those under a name; a pattern of nothing where a language has none."""
    known = language(code)
    return pattern_of(known.tables.get("summary", {}).get(name, ()) if known else ())
