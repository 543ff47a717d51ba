"""What memory can do in each language that is spoken here, and what helps where it cannot."""

from collections import Counter
from collections.abc import Iterable, Sequence

from skill_agent.models.files.catalogue import entries, known
from skill_agent.text.language import language, language_of, spoken
from skill_agent.values import LanguageCoverage

LOOKED_AT = 2_000
"""Log rows, the newest, whose messages are told apart."""
_RULES = ("words", "time", "changes", "facts", "standing")
"""Headings of a language's file."""


def coverage(said: Iterable[str], embedder: str, model: str) -> list[LanguageCoverage]:
    """The languages of these messages, the most spoken first, then the others there is a file for.

    `embedder` is the index's name of it, `model` the chat model's; of one that the catalogue does
    not have nobody knows.
    """
    counts = Counter(language_of(text) for text in said)
    total = max(1, counts.total())
    codes = [code for code, _ in counts.most_common()]
    codes += [one.code for one in spoken() if one.code not in counts]
    reads, thinks = _languages_of(embedder.split("+")), _languages_of([model])
    return [
        LanguageCoverage(
            id=code,
            messages=counts[code],
            share=round(counts[code] / total, 4),
            rules=_rules(code),
            embedder=None if reads is None else code in reads,
            model=None if thinks is None else code in thinks,
            advice=tuple(_advice(code, reads, thinks)),
        )
        for code in codes
    ]


def _rules(code: str) -> tuple[str, ...]:
    """What of the language code knows beside the sentences it says."""
    found = language(code)
    if found is None:
        return ()
    filled = tuple(name for name in _RULES if found.tables.get(name))
    return (*(("remember",) if found.remember else ()), *filled)


def _languages_of(names: Sequence[str]) -> set[str] | None:
    """Those the models of these names know together; None where the catalogue has none of them."""
    found = [one for name in names if (one := known(name.removeprefix("embedded/")))]
    return {code for one in found for code in one.profile.languages} if found else None


def _advice(code: str, reads: set[str] | None, thinks: set[str] | None) -> Iterable[str]:
    if reads is not None and code not in reads and (name := _able(code, "embedder")):
        yield f"ska init --embedder {name}"
    if thinks is not None and code not in thinks and (name := _able(code, "chat")):
        yield f"ska init --model {name}"


def _able(code: str, kind: str) -> str:
    """The least of the catalogue's models that knows it: of those one may propose, if there are."""
    able = [one for one in entries() if one.kind == kind and code in one.profile.languages]
    able.sort(key=lambda one: (not one.proposed, one.likely_size))
    return able[0].name if able else ""
