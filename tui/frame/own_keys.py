"""A person's own keys, `[tui.keys]` of config.toml, checked against the list of deeds."""

from collections.abc import Iterator, Mapping, Sequence

from skill_agent.text.nearest import did_you_mean

from .deeds import Deed, Part, key_words

_MODIFIERS = ("ctrl", "alt", "shift", "super", "meta", "hyper")


def checked(own: Mapping[str, str], parts: Sequence[Part]) -> tuple[dict[str, str], list[str]]:
    """The keys that can be used, by deed, and in words what is wrong with the others, or lost to
    them. What stands first keeps a key that two were given."""
    known = {deed.id: deed for part in parts for deed in part.deeds}
    good: dict[str, str] = {}
    told: list[str] = []
    for name, keys in own.items():
        if problem := _mistake(name, keys, known):
            told.append(problem)
            continue
        if rivals := [*_given(name, keys, good, parts)]:
            told.append(f'"{name}" and "{rivals[0]}" have the same key; the second is left out')
            continue
        good[name] = ",".join(one.strip() for one in keys.split(","))
    told += [*_lost(good, parts)]
    return good, told


def same_screen(one: str, parts: Sequence[Part]) -> Iterator[Deed]:
    """What can be done where that can be done: on its own part of the screen, and everywhere."""
    mine = [part for part in parts if any(deed.id == one for deed in part.deeds)]
    anywhere = any(map(_is_everywhere, mine))
    for part in parts:
        if anywhere or part in mine or _is_everywhere(part):
            yield from (deed for deed in part.deeds if deed.id != one)


def _is_everywhere(part: Part) -> bool:
    return any(deed.id.startswith("app.") for deed in part.deeds)


def _mistake(name: str, keys: str, known: Mapping[str, Deed]) -> str:
    deed = known.get(name)
    if deed is None:
        near = did_you_mean(name, known) or "`ska config keys` lists them"
        return f'there is no "{name}"; {near}'
    if not deed.action:
        return f'"{name}" has no key that could be changed'
    wrong = [one for one in _parts_of(keys) if not _is_key(one)]
    if wrong or not _parts_of(keys):
        return f'"{name}": no key is called "{(wrong or [keys])[0]}"; as in ctrl+n, f4, alt+m'
    return ""


def _given(name: str, keys: str, good: Mapping[str, str], parts: Sequence[Part]) -> Iterator[str]:
    """Deeds that were given one of these keys before, where both can be done."""
    beside = {deed.id for deed in same_screen(name, parts)}
    for other, taken in good.items():
        if other in beside and {*_parts_of(keys)} & {*_parts_of(taken)}:
            yield other


def _lost(good: Mapping[str, str], parts: Sequence[Part]) -> Iterator[str]:
    """Deeds that have no key any more, since the person gave it to another."""
    for name, keys in good.items():
        wanted = {*_parts_of(keys)}
        for deed in same_screen(name, parts):
            usual = {*_parts_of(deed.keys)}
            if deed.id not in good and deed.action and usual and usual <= wanted:
                word = key_words(min(usual))
                yield f'{word} is for "{name}" now; "{deed.id}" has no key left'


def _parts_of(keys: str) -> list[str]:
    return [one.strip() for one in keys.split(",") if one.strip()]


def _is_key(key: str) -> bool:
    """Whether a terminal can tell it apart; a sign may stand for its name."""
    from textual.keys import Keys

    *modifiers, last = key.split("+")
    named = {one.value for one in Keys}
    ok = len(last) == 1 or last in named or last.startswith("upper_") or _names_a_sign(last)
    return ok and all(one in _MODIFIERS for one in modifiers)


def _names_a_sign(name: str) -> bool:
    import unicodedata

    from textual.keys import REPLACED_KEYS

    try:
        unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return name in REPLACED_KEYS
    return True
