"""What a person can do, in one list: the keys, the footer, F1, the palette and slash commands are
all made from it.

A deed stands once, in the table of its place. A widget or screen that can do some of them names
them in `DEEDS` and takes its `BINDINGS` from them, so that what the footer shows for the focus and
what the keys do cannot differ. A person's own keys (`[tui.keys]` in config.toml) go by a deed's id.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from textual.binding import Binding, BindingType

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.screen import Screen


ALWAYS = 90
"""Rank in the footer of ways out and on."""


NO_KEY = "no-key-"
"""Begins what stands for a key in the binding of a deed that has none: nobody can press it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing a person can do."""

    id: str
    """`talk.new`: what the keys of a person's own are given for; never changes."""
    what: str
    """What it does, as F1 says it."""
    label: str = ""
    """In one to three words, for the footer and the palette."""
    keys: str = ""
    """As Textual names them, `ctrl+n,f4`; empty where it has none."""
    action: str = ""
    """As Textual names it; empty where the widget takes the key itself."""
    shown: str = ""
    """The keys in words, where they are not what `keys` says."""
    slash: str = ""
    """Its slash command, without the slash; such a deed is in the palette as well."""
    foot: int = 0
    """Its rank in the footer, 1 before 2; 0 for none, from `ALWAYS` on it is never left out."""
    priority: bool = False
    """Whether it comes before what the focused widget does with the key."""


@dataclass(frozen=True, slots=True)
class Part:
    """Deeds that stand together on the page of all keys."""

    title: str
    deeds: tuple[Deed, ...]


class DoesDeeds(Protocol):
    """A widget or screen that can do some."""

    DEEDS: ClassVar[tuple[Deed, ...]]


def bindings(deeds: Iterable[Deed]) -> list[BindingType]:
    """The bindings of a widget or screen that can do these; one without keys can be given some."""
    return [
        Binding(
            one.keys or f"{NO_KEY}{one.id}", one.action, one.label, show=False,
            priority=one.priority, id=one.id,
        )
        for one in deeds
        if one.action
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offered:
    """A deed as it can be done now."""

    deed: Deed
    key: str
    """In words, with the person's own keys heeded."""
    label: str
    node: "DOMNode"
    """Who does it."""


def offered(screen: "Screen[object]") -> Iterator[Offered]:
    """What the footer may show: of the focused widget first, then of what is around it.

    A node with `foot_label(deed)` says what a deed is called now; None takes it away.
    """
    active = {
        one.binding.id: one for one in reversed(screen.active_bindings.values()) if one.binding.id
    }
    chain = _chain(screen)
    seen = set[str]()
    for node in chain:
        fresh = [one for one in _deeds_of(node) if one.foot and one.id not in seen]
        for deed in sorted(fresh, key=lambda one: one.foot):
            seen.add(deed.id)
            found = active.get(deed.id)
            if deed.action and (found is None or not found.enabled):
                continue
            label = _label(chain, deed)
            if label is not None:
                key = found.binding.key if found else deed.keys.split(",")[0]
                yield Offered(deed, key_words(key), label, node)


def deeds_of(screen: "Screen[Any]") -> Iterator[Deed]:
    """All that can be done from the focus outwards, each once."""
    seen = set[str]()
    for node in _chain(screen):
        for deed in _deeds_of(node):
            if deed.id not in seen:
                seen.add(deed.id)
                yield deed


def _chain(screen: "Screen[Any]") -> "Sequence[DOMNode]":
    return (screen.focused or screen).ancestors_with_self


def _deeds_of(node: "DOMNode") -> Sequence[Deed]:
    return getattr(node, "DEEDS", ())


def _label(chain: "Sequence[DOMNode]", deed: Deed) -> str | None:
    """What the nearest node that has a say calls it."""
    for node in chain:
        say = getattr(node, "foot_label", None)
        if say is not None and (label := say(deed)) != deed.label:
            return label
    return deed.label


def keys_of(deed: Deed) -> str:
    """Its keys in words: all of them."""
    return deed.shown or ", ".join(map(key_words, filter(None, deed.keys.split(","))))


_WORDS = {
    "escape": "Esc", "enter": "Enter", "tab": "Tab", "space": "Space", "backspace": "Backspace",
    "delete": "Del", "up": "Up", "down": "Down", "left": "Left", "right": "Right", "home": "Home",
    "end": "End", "pageup": "PgUp", "pagedown": "PgDn", "slash": "/", "plus": "+", "minus": "-",
    "question_mark": "?", "full_stop": ".", "comma": ",", "left_square_bracket": "[",
    "right_square_bracket": "]", "ctrl": "Ctrl", "alt": "Alt", "shift": "Shift", "super": "Super",
}  # fmt: skip


def key_words(key: str) -> str:
    """`ctrl+n` -> `Ctrl+N`; a letter alone stays as it is typed."""
    *modifiers, last = key.strip().split("+")
    if last.startswith("upper_"):
        last = last.removeprefix("upper_").upper()
    named = _WORDS.get(last, last)
    if modifiers or (len(last) > 1 and last[1:].isdecimal()):  # Ctrl+N, F5
        named = _WORDS.get(last, last.upper() if len(last) < 4 else last.capitalize())
    return "+".join([*(_WORDS.get(one, one.capitalize()) for one in modifiers), named])
