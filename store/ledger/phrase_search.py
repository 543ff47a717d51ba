"""Where phrases stand, through everything a ledger holds; blocking, reads all of it.

Matching is literal, word by word: what means the same in other words is not found here.
"""

import json
import re
from collections.abc import Iterator, Sequence

from skill_agent.memory.words.phrases import Phrase, phrase_form, strings_in
from skill_agent.values import Occurrences

from .contents import Contents


class _Found:
    """One phrase's places, being collected."""

    def __init__(self, phrase: str) -> None:
        self.phrase = Phrase(phrase)
        self.memories: set[str] = set()
        self.messages: set[str] = set()
        self.notes: set[int] = set()
        self.changes: dict[int, str] = {}
        self.titles: set[str] = set()
        self.fixed: set[int] = set()

    def frozen(self) -> Occurrences:
        return Occurrences(
            memories=frozenset(self.memories),
            messages=frozenset(self.messages),
            notes=frozenset(self.notes),
            changes=self.changes,
            titles=frozenset(self.titles),
            fixed=frozenset(self.fixed),
        )


def occurrences(contents: Contents, phrases: Sequence[str]) -> dict[str, Occurrences]:
    """Reads everything once, whatever the number of phrases."""
    found = {phrase: _Found(phrase) for phrase in phrases}
    memories = set[str]()
    for name, content, subject, metadata in contents.memory_texts():
        memories.add(name)
        for one in _matching(found, f"{content}\n{subject}\n{_inner(metadata)}"):
            one.memories.add(name)
    for name, content, calls in contents.message_texts():
        for one in _matching(found, f"{content}\n{_inner(calls)}"):
            one.messages.add(name)
    sessions = {row[0] for row in contents.sessions()}
    for seq, kind, entity, reason, payload in contents.log_texts():
        for one in _matching(found, _inner(payload or "")):
            if kind.startswith("memory.") and kind != "memory.purged" and entity in memories:
                one.changes[seq] = entity
            elif kind.startswith("session.") and entity in sessions:
                one.titles.add(entity)
            else:
                one.notes.add(seq)
        for one in _matching(found, reason):
            one.fixed.add(seq)
    return {phrase: one.frozen() for phrase, one in found.items()}


def _matching(found: dict[str, _Found], text: str) -> Iterator[_Found]:
    if text:
        folded = phrase_form(text)
        yield from (one for one in found.values() if one.phrase.within(folded))


def _inner(text: str) -> str:
    """Every text inside a JSON document, a line each."""
    if not text or text in ("{}", "[]"):
        return ""
    try:
        return "\n".join(strings_in(json.loads(text)))
    except ValueError:
        return re.sub(r"\\[nrt]", " ", text)
