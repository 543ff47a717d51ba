"""Keeping secrets out of every sink; what counts as one is `credentials`' to say."""

from collections.abc import Callable
from typing import Any

from skill_agent.text.secrets.credentials import secrets_in

_SHOWN = 4
_LONG_ENOUGH = 16
"""Of a shorter one the last characters would give away too much."""
_LOOKS = 5


def redact(text: str) -> str:
    """The text with anything that looks like a credential replaced by a mark that says its kind."""
    return _replaced(text, lambda kind, _: f"[redacted: {kind}]")


def masked(text: str) -> str:
    """The text with each credential replaced by its kind and its last characters, by which whoever
    has it knows which one was meant. The same text gives the same mask, and a mask stays."""
    return _replaced(text, mask)


def masked_but(text: str, allowed: frozenset[str]) -> str:
    """As `masked`, but for these credentials, which stay."""
    return _replaced(text, mask, allowed)


def mask(kind: str, secret: str) -> str:
    """What is written in place of a secret."""
    last = secret[-_SHOWN:] if len(secret) >= _LONG_ENOUGH and not secret.count("\n") else ""
    tail = f" …{last}" if last.isascii() and last.isalnum() else ""
    return f"[{kind}{tail}]"


def _replaced(
    text: str, mark: Callable[[str, str], str], allowed: frozenset[str] = frozenset()
) -> str:
    """Looks again where something was found: beside a mark another one may come to light."""
    for _ in range(_LOOKS):
        found = [one for one in secrets_in(text) if text[one.start : one.end] not in allowed]
        if not found:
            break
        parts, at = [], 0
        for one in found:
            parts += [text[at : one.start], mark(one.kind, text[one.start : one.end])]
            at = one.end
        text = "".join([*parts, text[at:]])
    return text


def redacted(value: Any) -> Any:
    """`redact` for every text inside of lists and tables; a name tells of its value too."""
    return _each(value, redact)


def masked_within(value: Any) -> Any:
    """`masked` for every text inside of lists and tables; a name tells of its value too."""
    return _each(value, masked)


class Masker:
    """Masks texts on their way out of the home, and counts."""

    def __init__(self, *, own: frozenset[str] = frozenset(), keep: bool = False) -> None:
        """`own` names fields that hold the program's own words; with `keep` all stays."""
        self.count = 0
        self._own, self._keep = own, keep

    def __call__(self, value: Any) -> Any:
        """As `masked_within`."""
        return value if self._keep else _each(value, self._text, self._own)

    def _text(self, text: str) -> str:
        return _replaced(text, self._counted)

    def _counted(self, kind: str, secret: str) -> str:
        self.count += 1
        return mask(kind, secret)


def _each(value: Any, change: Callable[[str], str], own: frozenset[str] = frozenset()) -> Any:
    match value:
        case str():
            return change(value)
        case dict():
            return {
                name: inner if name in own else _named(str(name), inner, change, own)
                for name, inner in value.items()
            }
        case list() | tuple():
            return [_each(inner, change, own) for inner in value]
        case _:
            return value


def _named(name: str, value: Any, change: Callable[[str], str], own: frozenset[str]) -> Any:
    """A value under its name, read as `name="value"`."""
    if not isinstance(value, str) or '"' in value or "\n" in value:
        return _each(value, change, own)
    led = f'{name}="'
    told = change(f'{led}{value}"')
    return told[len(led) : -1] if told.startswith(led) else change(value)
