"""What a model says about a conversation, held against what was really said, in any language.

A model merges facts, takes a neighbour's name for the user's and invents numbers: its sentence is
kept only where every number and name in it was said; else the person's own words are.
"""

import re

from skill_agent.text.sameness import plain

_NUMBER = re.compile(r"\d+")
_NAME = re.compile(r"(?<![.!?…] )(?<!^)(?<!\w)[^\W\d_a-zа-яё][\w’'-]+")
"""A word with a capital, or of a script that has none, not at the beginning of a sentence."""
_ROOT = 4
"""Letters of a name that stay when it is inflected."""


def stands_in(quote: str, text: str) -> bool:
    """Whether words stand in a text just so, but for blanks, quotation marks and capitals."""
    return bool(quote.strip()) and plain(quote).casefold() in plain(text).casefold()


def grounded(told: str, heard: str, quote: str) -> bool:
    """Whether all numbers and names of what a model tells were heard, and it loses none of the
    quote's numbers."""
    numbers = set(_NUMBER.findall(told))
    if not numbers <= set(_NUMBER.findall(heard)) or not set(_NUMBER.findall(quote)) <= numbers:
        return False
    said = heard.casefold()
    return all(one.casefold()[:-1][:_ROOT] in said for one in _NAME.findall(told))
