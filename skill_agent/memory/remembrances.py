"""What a person asks to be remembered, in the language they write.

English has rules of its own, with the agent's phrases; every other language its phrases, as data.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from skill_agent.memory.english.remember import Remembrance, find_remembrances, is_private
from skill_agent.text.language import ENGLISH, Language

_SENTENCES = re.compile(r"(?<=[^\d][.!?])\s+|(?<=[。！？])|\n\s*\n")
_ASKS = re.compile(r"[?？؟]\s*$")
_EDGES = " \t\n,:;–—-、，：。．"
_LEAD_CHARACTERS = 24
"""So far into a sentence a request may begin: "Ach ja, bitte merk dir …"."""
_WHOLE_SHARE = 0.5


def remembrances(words: str, language: Language, phrases: Sequence[str]) -> list[Remembrance]:
    """Every request to remember in what a person typed, in order; what lies beside their words
    asks for nothing."""
    found = find_remembrances(words, phrases)
    if found or language.code == ENGLISH:
        return found
    sentences = [one.strip() for one in _SENTENCES.split(words) if one.strip()]
    for at, sentence in enumerate(sentences):
        said = _found(sentence, " ".join(sentences[at:]), language)
        if said is None:
            continue
        if not said.content and at:  # "My code is 12. Remember that."
            said = replace(said, content=sentences[at - 1])
        elif not said.content and len(sentences) > 1:  # "Remember this. My code is 12."
            said = replace(said, content=" ".join(sentences[1:]))
        found.append(said)
    return found


def is_all(text: str, found: Sequence[Remembrance]) -> bool:
    """Whether a message hardly holds anything beside what it asks to be remembered."""
    if not found or _ASKS.search(text.strip()):
        return False
    kept = sum(len(one.content) for one in found)
    return kept == 0 or kept >= _WHOLE_SHARE * len(text)


def _found(sentence: str, rest: str, language: Language) -> Remembrance | None:
    """The request in a sentence; `rest` is the paragraph from it on, which a colon leads to."""
    folded = sentence.casefold().replace("’", "'")
    if _ASKS.search(sentence):
        return None
    for phrase in language.remember:
        at, end = _place(folded, phrase, language)
        if at < 0:
            continue
        after = _content(sentence[end:], language)
        if not re.search(r"\w", after):  # "…、覚えておいて": the request comes last
            after = _content(sentence[:at], language)
        elif at > _LEAD_CHARACTERS:
            continue
        elif sentence.rstrip().endswith(":"):
            after = _content(rest[end:], language)
        return Remembrance(content=after, private=is_private(sentence))
    return None


def _place(sentence: str, phrase: str, language: Language) -> tuple[int, int]:
    """Where a phrase stands as words of its own, little words between them; (-1, -1) where not."""
    if _is_close(phrase):
        at = sentence.find(phrase)
        return at, at + len(phrase)
    little = "|".join(re.escape(one) for one in language.led if not _is_close(one))
    words = rf"(?:\s+(?:{little}))?\s+".join(map(re.escape, phrase.split()))
    match = re.search(rf"(?<!\w){words}(?!\w)", sentence)
    return match.span() if match else (-1, -1)


def _is_close(text: str) -> bool:
    """Written without blanks between words."""
    return not text[0].isascii() and not re.match(r"[а-яёà-ÿ]", text)


def _content(text: str, language: Language) -> str:
    """What is to be kept, without the little words that lead to it or end it."""
    text = text.strip(_EDGES)
    changed = True
    while changed:
        changed = False
        for word in sorted(language.led, key=len, reverse=True):
            close = _is_close(word)
            edge = "" if close or word.endswith("'") else r"(?!\w)"
            short = re.sub(rf"^{re.escape(word)}{edge}", "", text, flags=re.IGNORECASE)
            short = re.sub(rf"{re.escape(word)}$", "", short) if close else short
            if short != text:
                text, changed = short.strip(_EDGES), True
    text = " ".join(text.split()).rstrip("!")
    return text[:1].upper() + text[1:]
