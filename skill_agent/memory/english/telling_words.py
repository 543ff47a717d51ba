"""The words of a sentence that tell something, so far reduced that two tellings can be compared."""

import re

from .word_list import word_list

_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)?")
_EMPTY = word_list(
    """
    a an the user users user's their they them is are was were be been has have had do does did
    to of in on at for with and or but that this it its as by from so my our we i me not no team
    others will would can also very really just called named name who which
    """
)


def telling_words(text: str) -> list[str]:
    """The telling words, plural and verb endings off."""
    text = re.sub(r"n[’']t\b", "", text.replace("cannot", "can"))
    found = (word.lower().replace("’", "'").removesuffix("'s") for word in _WORD.findall(text))
    return [rough_stem(word) for word in found if word not in _EMPTY]


def rough_stem(word: str) -> str:
    """Rough, but the same for all forms of a word: "uses", "using" and "used" are "us"."""
    shorter = re.sub(r"(?:ing|ied|ies|ed|es|s|e|y)$", "", word) if len(word) > 2 else word
    return shorter if len(shorter) > 1 else word
