"""Finding "remember this" in what a person writes; rules only, no model's good will needed.

What is found is stored by the caller. Nothing here writes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LEAD = r"(?:please\s+|could you\s+|can you\s+|also,?\s+|and\s+|oh,?\s+|hey,?\s+|ok(?:ay)?,?\s+)*"
_QUESTION_BEFORE = re.compile(
    r"\b(do|did|does|can|can't|cannot|could|couldn't|will|would|won't|don't|didn't|never|"
    r"to|you|i|we|they|what|which|who)\s+(?:not\s+)?(?:also\s+)?$",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"\b(?:could|can|would|will) you (?:please )?(?:also )?(?:remember|keep|note)", re.IGNORECASE
)
_PRIVATE = re.compile(
    r"\b(between us|just (?:for )?you(?:rself)?|only you|keep (?:it|this) private|privately)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembrance:
    """What a person asked to be kept."""

    content: str
    """Empty when the request points at the message before ("remember this.")."""
    private: bool = False
    """Meant for this agent's eyes alone."""


def is_private(text: str) -> bool:
    """Whether a person says that something is for one agent's ears only."""
    return bool(_PRIVATE.search(text))


def find_remembrances(text: str, phrases: Sequence[str]) -> list[Remembrance]:
    """Every request to remember in a message, in order."""
    pattern = _pattern(phrases)
    found: list[Remembrance] = []
    for sentence in _sentences(text):
        match = pattern.search(sentence)
        if match is None or _only_talks_about_it(sentence, match):
            continue
        content = _content(sentence, match)
        found.append(Remembrance(content=content, private=bool(_PRIVATE.search(sentence))))
    return found


def _pattern(phrases: Sequence[str]) -> re.Pattern[str]:
    """The configured phrases, longest first, and bare "remember" where a sentence begins."""
    ranked = sorted({p.strip().lower() for p in phrases if p.strip()}, key=len, reverse=True)
    spoken = [r"\s+".join(map(_word, phrase.split())) for phrase in ranked]
    bare = rf"^{_LEAD}remember(?=\s*[:,]|\s+(?!when\b|how\b|what\b|who\b|me\b)\w)"
    return re.compile("|".join([*(rf"\b{phrase}\b" for phrase in spoken), bare]), re.IGNORECASE)


def _word(word: str) -> str:
    return re.escape(word).replace("'", "['’]")


def _sentences(text: str) -> list[str]:
    """Sentences; after a colon the rest of the paragraph belongs together."""
    sentences: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        pieces = re.split(r"(?<=[.!?])\s+(?=[\"'A-Z0-9@])", paragraph.strip())
        for index, piece in enumerate(pieces):
            if re.search(r"(?:remember|forget|mind|note)[^.!?]{0,20}:\s*\S", piece, re.IGNORECASE):
                sentences.append(" ".join(pieces[index:]))
                break
            sentences.append(piece)
    return [sentence for sentence in sentences if sentence]


def _only_talks_about_it(sentence: str, match: re.Match[str]) -> bool:
    """True for "do you remember that …?", "I can't remember this song" and the like."""
    before = sentence[: match.start()]
    if _POLITE.search(sentence[: match.end()]):
        return False
    if re.search(r"\bi (?:want|need|would like|'d like) you to $", before, re.IGNORECASE):
        return False
    if _QUESTION_BEFORE.search(before):
        return True
    return sentence.rstrip().endswith("?") and ":" not in sentence


def _content(sentence: str, match: re.Match[str]) -> str:
    """What stands after the phrase, or before it where it comes last."""
    after = sentence[match.end() :].strip(" \t\n,:;–—-")
    after = re.sub(r"^(?:that|this)\b[\s:,]*", "", after, flags=re.IGNORECASE)
    after = re.sub(r"^(?:please|for (?:me|later))[\s,.!?]*$", "", after, flags=re.IGNORECASE)
    if re.match(r"to\b", after, re.IGNORECASE):  # a duty reads right only with its verb
        return _clean(sentence[match.start() :])
    if re.search(r"\w", after):
        return _clean(after)
    before = re.sub(
        r"\b(?:so|and|please|but)\s*[,]?\s*$", "", sentence[: match.start()].rstrip(" ,;–—-")
    )
    return _clean(re.sub(r"^(?:please|hey|ok(?:ay)?)[\s,]+$", "", before, flags=re.IGNORECASE))


def _clean(text: str) -> str:
    text = " ".join(text.split()).strip(" ,;:–—-")
    text = text.rstrip("!?").rstrip()
    if not re.search(r"\w", text):
        return ""
    return text[0].upper() + text[1:]
