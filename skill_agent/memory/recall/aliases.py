"""Other names for the same thing, read out of sentences that say so; rules only.

"The team calls Robert 'Bob'" lets a question about Bob be asked about Robert too. Nothing is kept:
the memory that says it is found by the question itself.
"""

import re
from collections.abc import Iterable, Iterator

_LITTLE = (
    r"(?!(?:a|an|and|are|as|at|because|but|by|for|goes|has|he|in|is|it|means|now|of|on|or|runs|she|"
    r"since|stands|that|they|to|was|we|when|which|who|with)\b)"
)
_NAME = (
    r"(?:['\"“‘][^'\"“”‘’]{2,40}['\"”’]|(?:[Tt]he |[Mm]y |[Oo]ur )?[A-Z][\w-]*(?: [A-Z][\w-]*){0,2}"
    rf"|(?:[Tt]he|[Mm]y|[Oo]ur)(?: {_LITTLE}[a-z][\w-]*){{1,3}})"
)
_CALLED = (
    r"(?:(?:is|are|was|goes|go)(?: also| often| usually)? (?:called|known as|nicknamed|short for|by"
    r"|an alias (?:for|of)|another name for|a nickname (?:for|of)|the same (?:person )?as|what"
    r"(?: [\w']+){1,4} calls?)|means|stands for|refers to|=|aka|a\.k\.a\.|alias|also known as)"
)
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<one>{_NAME}),? \(?{_CALLED} (?P<two>{_NAME})",
        rf"(?P<one>{_NAME}) \((?:or )?(?P<two>{_NAME})\)",
        rf"\b[Cc]all(?:s|ed)? (?P<one>{_NAME}) (?P<two>['\"“‘][^'\"“”‘’]{{2,40}}['\"”’])",
        r"\b[Cc]all(?:s|ed)? (?P<one>[A-Z][\w-]*) (?P<two>[A-Z][\w-]*)",
        rf"[Ww]hen (?:I|we|they|he|she) says? (?P<one>{_NAME}),? (?:I|we|they|he|she) means? "
        rf"(?P<two>{_NAME})",
        rf"[Bb]y (?P<one>{_NAME}),? (?:I|we|they) mean (?P<two>{_NAME})",
        rf"^(?P<one>{_NAME}) (?:is|are)\b[^.]*?\bcalls? (?:it|them|him|her) (?P<two>{_NAME})",
    )
)
_HINT = re.compile(
    r"call|\baka\b|a\.k\.a|alias|known as|nick|short for|goes? by|mean|stands|refer|same"
    r"|another name|=|\("
)
_ARTICLE = re.compile(r"^(?:the|my|our) ", re.IGNORECASE)


def renamed(question: str, texts: Iterable[str]) -> str:
    """The question with a name exchanged for another that one of the texts gives; else empty."""
    for text in texts:
        for one, two in names(text):
            for known, other in ((one, two), (two, one)):
                said = re.compile(rf"(?<!\w){re.escape(known)}(?!\w)", re.IGNORECASE)
                if said.search(question) and other.casefold() not in question.casefold():
                    return said.sub(lambda _, new=other: new, question)
    return ""


def names(text: str) -> Iterator[tuple[str, str]]:
    """Pairs of names that a text gives to the same thing, without quotes and articles."""
    if not _HINT.search(text):
        return
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            one, two = (_ARTICLE.sub("", match[part].strip("'\"“”‘’")) for part in ("one", "two"))
            if one.casefold() != two.casefold():
                yield one, two
