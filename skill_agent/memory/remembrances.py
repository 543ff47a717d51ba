"""What a person asks to be remembered, in the language they write; rules only, no model's good
will needed.

One mechanism reads every language: its words are data, the headings `remember`, `led` and `[keep]`
of its file. What is found is stored by the caller. Nothing here writes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from skill_agent.text.language import ENGLISH, Language, english, language, spoken
from skill_agent.text.scripts import SHORTENED, UNSPACED

_PARAGRAPHS = re.compile(r"\n\s*\n")
_SENTENCES = re.compile(
    rf"(?<=[^\d\s][.!?…]){SHORTENED}\s+(?=[^\sa-zа-яё])|(?<=\d[.!?])\s+(?=[\"'A-Z@]\D)|(?<=[。！？])(?!$)"
)
_ASKS = re.compile(r"[?？؟]\W*$")
_EDGES = " \t\n,:;–—-、，：。．"
_LEAD_CHARACTERS = 24
"""So far into a sentence a request may begin: "Ach ja, bitte merk dir …"."""
_COLON = re.compile(r"[^.!?。！？]{0,20}?[:：]\s*\S")
_NEW_CLAUSE = re.compile(r"[,;:.!?–—(、，。：]\s*(?:\w+\s+)?$")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_NOTHING = "(?!)"
_WHOLE_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembrance:
    """What a person asked to be kept."""

    content: str
    """Empty when the request points at the message before ("remember this.")."""
    private: bool = False
    """Meant for this agent's eyes alone."""


def is_private(text: str) -> bool:
    """Whether a person says, in any language, that something is for one agent's ears only."""
    return bool(_private().search(text))


def remembrances(words: str, language: Language, phrases: Sequence[str] = ()) -> list[Remembrance]:
    """Every request to remember in what a person typed, in order.

    `phrases` are the agent's own, beside those of the language and of English: people mix them.
    What lies beside a person's words asks for nothing.
    """
    asking = _asking(language.code, tuple(phrases))
    found: list[Remembrance] = []
    for paragraph in _PARAGRAPHS.split(words):
        sentences = [one.strip() for one in _SENTENCES.split(paragraph) if one.strip()]
        for at, sentence in enumerate(sentences):
            said = asking.found(sentence, rest=" ".join(sentences[at:]))
            if said is None:
                continue
            if not said.content and at:  # "My code is 12. Remember that."
                said = replace(said, content=_clean(sentences[at - 1]))
            elif not said.content and len(sentences) > 1:  # "Remember this. My code is 12."
                said = replace(said, content=_clean(" ".join(sentences[1:])))
            found.append(said)
            if len(said.content) > len(sentence):  # a list after a colon
                break
    if not found and language.code != ENGLISH:
        return remembrances(words, english(), phrases)
    return found


def is_all(text: str, found: Sequence[Remembrance]) -> bool:
    """Whether a message hardly holds anything beside what it asks to be remembered."""
    if not found or _ASKS.search(text.strip()):
        return False
    kept = sum(len(one.content) for one in found)
    return kept == 0 or kept >= _WHOLE_SHARE * len(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """How one language asks, as patterns."""

    plain: Sequence[re.Pattern[str]]
    bare: Sequence[re.Pattern[str]]
    """Requests only where a clause begins."""
    polite: Sequence[re.Pattern[str]]
    """Requests in a question too."""
    told: Mapping[str, re.Pattern[str]]
    """What stands around a request, by kind."""

    def found(self, sentence: str, rest: str) -> Remembrance | None:
        """The request in a sentence; `rest` is the paragraph from it on, which a colon leads to."""
        every = [(one, kind) for kind in (self.polite, self.plain, self.bare) for one in kind]
        matches = [(match, kind) for one, kind in every for match in one.finditer(sentence)]
        for match, kind in sorted(matches, key=lambda one: (one[0].start(), -one[0].end())):
            before, after = sentence[: match.start()], sentence[match.end() :]
            points = bool(self.told["points"].fullmatch(after))
            if self.told["talk_after"].match(after) and not points:
                continue
            listed = bool(_COLON.match(after) or after.rstrip().endswith((":", "：")))
            tag = points and bool(re.search(r"\w", after))  # "…, will you?"
            sure = kind is self.polite or listed or tag or not _ASKS.search(sentence)
            if not sure or (kind is not self.polite and self.told["talk"].search(before)):
                continue
            begins = self._begins_clause(before)
            told = self._told(match, rest[match.end() :] if listed else after)
            late = len(before) > _LEAD_CHARACTERS and not begins
            if (kind is self.bare and not begins) or (late and told):
                continue
            return Remembrance(content=told or self._head(before), private=is_private(sentence))
        return None

    def _begins_clause(self, before: str) -> bool:
        led = self.told["lead"].match(before) or _NEW_CLAUSE.search(before)
        return bool(led) or bool(_UNSPACED.search(before))

    def _told(self, match: re.Match[str], after: str) -> str:
        """What stands within the request or after it."""
        if self.told["duty"].match(after):  # reads right only with its verb
            return _clean(match[0] + after)
        return self._tail(f"{match.groupdict().get('said') or ''} {after}")

    def _tail(self, text: str) -> str:
        """Without the little words that lead to the content; empty where it only points."""
        if self.told["points"].fullmatch(text):
            return ""
        text = self.told["pointed"].sub("", text)
        text = _stripped(text, self.told["led"].match)
        return _clean(_stripped(text, self.told["please"].search))

    def _head(self, text: str) -> str:
        text = self.told["first"].sub("", _stripped(text, self.told["after"].search))
        return "" if self.told["lead"].match(text) else _clean(text)


@lru_cache(maxsize=64)
def _asking(code: str, phrases: tuple[str, ...]) -> _Asking:
    known = language(code) or english()
    table: Mapping[str, Any] = known.tables.get("keep", {})
    led = [re.escape(one) for one in known.led]
    spaced = "|".join(one for one in led if not _UNSPACED.search(one)) or _NOTHING
    close = "*" if _UNSPACED.search(str(table.get("please"))) else "+"
    own = dict.fromkeys(one.strip().casefold() for one in (*phrases, *known.remember))
    blank = rf"\s+(?:(?:{spaced})\s+)?"
    plain = [blank.join(map(re.escape, one.split())) for one in own if one]
    lead, point, aside, please, after = (
        table.get(name) or _NOTHING for name in ("lead", "point", "aside", "please", "after")
    )
    points = _alone("|".join([point, aside, please, *led]))
    words = {
        "lead": rf"\W*(?:@\S+\W*)?(?:{_alone(lead)}\W*)*$",
        "first": rf"^\W*(?:{_alone(lead)}\s*[,，、]\s*)+",
        "talk": table.get("talk", _NOTHING),
        "talk_after": table.get("talk_after", _NOTHING),
        "points": rf"\W*(?:{points}\W*)*",
        "pointed": rf"^\W*(?:{points}\s*)+[:：]",
        "led": rf"\W*{_alone('|'.join([*sorted(led, key=len, reverse=True), aside, please]))}",
        "please": rf"(?:[\s,，、]{close}{_alone(please)}|[,，、]\s*{_alone(aside)})\W*$",
        "after": rf"{_alone('|'.join([after, aside, please]))}[\s,，、]*$",
        "duty": rf"\W*(?:{table.get('duty', _NOTHING)})",
    }
    return _Asking(
        plain=_patterns(plain),
        bare=_patterns(table.get("bare", ())),
        polite=_patterns(table.get("polite", ())),
        told={name: re.compile(one, re.IGNORECASE) for name, one in words.items()},
    )


def _patterns(phrases: Sequence[str]) -> list[re.Pattern[str]]:
    spoken = (one.replace("…", r"(?P<said>[^.!?]{1,120}?)") for one in phrases)
    return [re.compile(_alone(one), re.IGNORECASE) for one in spoken]


def _alone(words: str) -> str:
    """As words of their own, where the script has blanks."""
    words = words.replace("'", "['’]")
    if _UNSPACED.search(words):
        return f"(?:{words})"
    return rf"(?<!\w)(?:{words})(?:(?<=['’])|(?!\w))"


def _stripped(text: str, found: Callable[[str], re.Match[str] | None]) -> str:
    """Without whatever is found at its end or beginning, again and again."""
    while match := found(text := text.strip(_EDGES)):
        if not match[0]:
            break
        text = text[match.end() :] if match.start() == 0 else text[: match.start()]
    return text


def _clean(text: str) -> str:
    text = " ".join(text.split()).strip(_EDGES).rstrip("!?？！").rstrip()
    return text[:1].upper() + text[1:] if re.search(r"\w", text) else ""


@cache
def _private() -> re.Pattern[str]:
    said = [one.tables.get("keep", {}).get("private", _NOTHING) for one in spoken()]
    return re.compile("|".join(map(_alone, said)), re.IGNORECASE)
