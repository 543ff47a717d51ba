"""Recalled memories as a model reads them: one line each, the sides of a dispute together, the
oldest first."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeGuard

from skill_agent.text.clock import day_of
from skill_agent.text.gate import tamed_line
from skill_agent.text.language import Language, english
from skill_agent.text.origins import in_words
from skill_agent.text.redaction import masked
from skill_agent.text.scripts import HAN
from skill_agent.values import Hit, IndexItem, Memory

from .summed import is_summary

_LABELS = {
    "semantic": "FACT",
    "episodic": "EVENT",
    "procedural": "PATTERN",
    "agent_private": "PRIVATE",
    "shared": "TEAM",
    "user_profile": "USER-PROFILE",
    "identity": "IDENTITY",
}


_KEPT = '[SAVED NOW] "{}"'
DISPUTED = "⚡DISPUTED"
INSTRUCTION = "user.instruction"
"""Subject of a standing instruction."""
ASKED = "The user asked for good, follow it:"
"""Before a standing instruction, which stands behind the data, for it is to be followed."""
ASK = "These contradict each other: ask the user which is right before you rely on either."


def together(memories: Sequence[Memory]) -> list[list[Memory]]:
    """Memories in their order, each followed at once by those it is in dispute with."""
    groups: list[list[Memory]] = []
    placed: set[str] = set()
    for memory in memories:
        if memory.status != "disputed":
            groups.append([memory])
        elif memory.id not in placed:
            against = [memory.id, *memory.contradicts]
            others = [one for one in memories if one.id != memory.id and one.id not in placed]
            group = [memory]
            group += [one for one in others if one.id in against or memory.id in one.contradicts]
            placed |= {one.id for one in group}
            groups.append(group)
    return groups


def recall_line(
    item: IndexItem, memory: Memory | None = None, *, when: str = "", plain: Language | None = None
) -> str:
    """One recalled item as the model reads it: label, date, who said it, what.

    With the whole memory a pattern tells how often it has served. `when` replaces the day. `plain`
    leaves the labels out and introduces the person's words in that language.
    """
    when = when or day_of(item.created_at)
    text = _shown(item.text)
    by_user = item.speaker == "user" or (item.kind == "turn" and item.speaker is None)
    source = ""
    if memory is not None and memory.origins:
        by_user, source = False, f", from {in_words(memory.origins)}"
    # What was read out of their words tells of them already; only their own "I" needs the quotes.
    told_of = by_user and not text.startswith(("The user ", "The user's "))
    if plain is not None:
        mark = f"{DISPUTED} " if item.status == "disputed" else ""
        if told_of:
            return mark + plain.said.format(day=when, text=text)
        named = item.speaker and not by_user and not source
        by = f"{item.speaker.capitalize()}: " if item.speaker and named else ""
        return f"{mark}{by}{text} ({when}{source})"
    if item.kind == "turn":
        who = "The user" if by_user else (item.speaker or "").capitalize()
        return f'[SAID {when}] {who} said: "{text}"'
    label = _LABELS.get(item.memory_type or "semantic", "FACT")
    label = "SUMMARY" if is_summary(item.subject) else label
    mark = f" {DISPUTED}" if item.status == "disputed" else ""
    body = f'The user said: "{text}"' if told_of else text
    if item.speaker and not by_user and not source:
        body = f'{item.speaker} said: "{text}"'
    return f"[{label}{mark} {when}{source}{_served(memory)}] {body}"


def _shown(text: str) -> str:
    """A text as it may stand in a prompt: what was kept long ago may hold a credential."""
    return tamed_line(masked(text))


def _served(memory: Memory | None) -> str:
    """`, 95 % success, 12 uses` of a procedural memory somebody has rated."""
    if memory is None or memory.memory_type != "procedural":
        return ""
    rate, uses = memory.metadata.get("success_rate"), memory.metadata.get("times_used")
    parts = [f"{rate:.0%}".replace("%", " %") + " success"] if _number(rate) else []
    if _number(uses) and uses:
        parts.append(f"{int(uses)} use" + ("s" if uses != 1 else ""))
    return "".join(f", {part}" for part in parts)


def _number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def presentable(
    hits: Sequence[Hit], memories: Mapping[str, Memory], now: datetime
) -> tuple[Hit, ...]:
    """The hits that may be told, by what the ledger says of them now.

    Replaced, archived and expired memories fall out, also where the index has not heard of it;
    behind each disputed one come the others of its dispute, as far as `memories` has them.
    """
    told: dict[str, Hit] = {}
    for hit in hits:
        memory = memories.get(hit.item.id)
        hit = replace(hit, item=_as_now(hit.item, memory)) if memory else hit
        if not stands(hit.item, now):
            continue
        told.setdefault(hit.item.id, hit)
        if memory is None or memory.status != "disputed":
            continue
        for other in memories.values():
            if other.id in memory.contradicts or memory.id in other.contradicts:
                item = _as_now(replace(hit.item, id=other.id), other)
                if stands(item, now) and item.status == "disputed":
                    told.setdefault(other.id, replace(hit, item=item, reason="in dispute"))
    return tuple(told.values())


def _as_now(item: IndexItem, memory: Memory) -> IndexItem:
    return replace(
        item,
        text=memory.content,
        created_at=memory.created_at,
        speaker=memory.speaker,
        memory_type=memory.memory_type,
        status=memory.status,
        tier=memory.tier,
        importance=memory.importance,
        pinned=memory.pinned,
        expires_at=memory.expires_at,
    )


def stands(item: IndexItem, now: datetime) -> bool:
    if item.kind == "turn":
        return True
    expired = item.expires_at is not None and item.expires_at <= now
    return item.status in ("active", "disputed") and not expired


def data_block(
    hits: Sequence[Hit],
    now: datetime,
    kept: Sequence[Memory] = (),
    memories: Mapping[str, Memory] | None = None,
    *,
    profile: Sequence[Memory] = (),
    team: Sequence[Memory] = (),
    plain: Language | None = None,
) -> str:
    """Layers 4 to 6: the time, what is known of the person and the team, then recalled items, the
    oldest first so that the newest word stands nearest the question, then what this message has
    just put into memory.

    `now` is told in its own time zone. `memories` are the whole memories behind the hits, and the
    other sides of their disputes: with them the sides stand together. `plain` as in `recall_line`.
    """
    memories = memories or {}
    ordered = sorted(hits, key=lambda hit: (hit.item.created_at, hit.item.position))
    ordered = [hit for hit in ordered if stands(hit.item, now)]
    shared = Counter(hit.item.created_at.astimezone(now.tzinfo).date() for hit in ordered)

    newest = ordered[-1] if plain and _takes_up(ordered) else None

    def line(hit: Hit) -> str:
        said = hit.item.created_at.astimezone(now.tzinfo)
        when = f"{said:%Y-%m-%d %H:%M}" if shared[said.date()] > 1 else f"{said:%Y-%m-%d}"
        when += f", {plain.newest}" if plain and hit is newest else ""
        when += f", {_was(hit.until.astimezone(now.tzinfo), plain)}" if hit.until else ""
        return recall_line(hit.item, memories.get(hit.item.id), when=when, plain=plain)

    asked = [one for one in profile if one.subject == INSTRUCTION]
    known = [one for one in profile if one.subject != INSTRUCTION]
    lines = _standing(known, "" if plain else "About the user:")
    lines += _standing(team, "" if plain else "Team knowledge:")
    for group in _in_dispute(ordered, memories):
        lines += map(line, group)
        lines += [ASK] if any(hit.item.status == "disputed" for hit in group) else []
    lines += [] if plain else [_KEPT.format(_shown(one.content)) for one in kept]
    today = f"It is {now:%A}, {now.day} {now:%B} {now.year}, {now:%H:%M} {now.tzname()}."
    orders = [f'{ASKED} "{_shown(one.content)}"' for one in asked]
    return "\n".join(["<recalled>", today, *lines, "</recalled>", *orders])


def _was(until: datetime, plain: Language | None) -> str:
    """That something newer was said about it, in the words of the language."""
    words = (plain or english()).tables.get("changes", {}).get("was", "")
    return str(words or english().tables["changes"]["was"]).format(day=f"{until:%Y-%m-%d}")


def _takes_up(hits: Sequence[Hit]) -> bool:
    """Whether the last item speaks of what one before it spoke of."""
    *before, last = [_words(hit.item.text) for hit in hits] or [set[str]()]
    return any(last & one for one in before)


def _words(text: str) -> set[str]:
    """Of some length, and each two characters of a script without blanks."""
    long = re.findall(rf"[^\W\d_{HAN}]{{5,}}", text.casefold())
    return {*long, *re.findall(rf"(?=([{HAN}]{{2}}))", text)}


def _standing(memories: Sequence[Memory], title: str) -> list[str]:
    """One line a memory; what contradicts each other stands together, with what to do about it."""
    lines: list[str] = []
    for group in together(memories):
        disputed = group[0].status == "disputed"
        mark = f"{DISPUTED} " if disputed else ""
        lines += [f"{'- ' if title else ''}{mark}{_standing_line(memory)}" for memory in group]
        lines += [f"  {ASK}"] if disputed else []
    return [title, *lines] if lines and title else lines


def _standing_line(memory: Memory) -> str:
    """What was read in passing are the person's own words: their "I" needs the quotes."""
    text = _shown(memory.content)
    own = memory.speaker == "user" and memory.source_type == "extraction"
    told = text.startswith(("The user ", "The user's "))
    return f'The user said: "{text}"' if own and not told else text


def _in_dispute(hits: Sequence[Hit], memories: Mapping[str, Memory]) -> list[list[Hit]]:
    """Hits in their order; the sides of a dispute together, at the place of the last of them."""
    known = [memories[hit.item.id] for hit in hits if hit.item.id in memories]
    side = {one.id: group[0].id for group in together(known) for one in group}
    last = {side[hit.item.id]: hit.item.id for hit in hits if hit.item.id in side}
    groups: dict[str, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(side.get(hit.item.id, hit.item.id), []).append(hit)
    return [
        groups[side.get(hit.item.id, hit.item.id)]
        for hit in hits
        if last.get(side.get(hit.item.id, ""), hit.item.id) == hit.item.id
    ]
