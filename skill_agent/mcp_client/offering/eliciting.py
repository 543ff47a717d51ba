"""A server's question in the middle of a call, put to the person as any question is.

Only flat forms are asked; whatever is not answered, or not as the form wants it, is declined. What
looks like a credential is masked wherever a question is kept, so none reaches a server this way.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from skill_agent.errors import SkillAgentError
from skill_agent.ports import Asks, ToolsWanted
from skill_agent.values import Answer, NewQuestion

from .borrowed import mistake_in
from .schemas import Broken, sound, told

TRIES = 2
"""How often it is asked where the answer does not fit the form."""
MOST_FIELDS = 12
_LONGEST = 600
_FLAT = frozenset({"string", "number", "integer", "boolean"})
_SECRET = re.compile(r"passw|secret|token|api.?key|credential|\bpin\b", re.IGNORECASE)
_YES = frozenset({"yes", "y", "true", "on", "1", "ja", "oui", "sí", "si", "да", "はい", "是"})
_NO = frozenset({"no", "n", "false", "off", "0", "nein", "non", "нет", "いいえ", "否"})


class NotAsked(Exception):
    """Why a server's question is not put to the person."""


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked for, by name."""

    schema: dict[str, Any]

    @property
    def fields(self) -> Mapping[str, dict[str, Any]]:
        return self.schema["properties"]

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(self.schema.get("required", ()))

    @property
    def yes_or_no(self) -> str:
        """The one field, where the whole question is answered by yes or no."""
        only = [*self.fields] if len(self.fields) == 1 else []
        return only[0] if only and self.fields[only[0]].get("type") == "boolean" else ""

    @property
    def lines(self) -> str:
        """The fields as the person reads them."""
        return "\n".join(self._line(name, one) for name, one in self.fields.items())

    def _line(self, name: str, one: Mapping[str, Any]) -> str:
        kind = ", ".join(map(str, choices(one))) or str(one["type"])
        needed = "" if name in self.required else ", may be left out"
        says = one.get("description") or one.get("title") or ""
        return f"- {name} ({kind}{needed})" + (f": {says}" if says else "")

    def read(self, words: str) -> dict[str, Any]:
        """The values in an answer; raises ValueError with what is wrong with it."""
        if len(self.fields) == 1:
            said = {next(iter(self.fields)): words.strip()}
        else:
            said = dict(self._pairs(words))
        values = {name: _value(text, self.fields[name]) for name, text in said.items()}
        return self.checked(values)

    def _pairs(self, words: str) -> "list[tuple[str, str]]":
        by_name = {name.casefold(): name for name in self.fields}
        found: list[tuple[str, str]] = []
        for part in filter(None, map(str.strip, re.split(r"[\n;]", words))):
            name, colon, text = part.partition(":")
            known = by_name.get(name.strip().casefold())
            if not colon or known is None:
                raise ValueError(f"{part[:60]!r} is not of the form NAME: VALUE")
            found.append((known, text.strip()))
        return found

    def checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """Those, with what is taken where nothing is said; raises ValueError."""
        given = {name: one["default"] for name, one in self.fields.items() if "default" in one}
        given |= values
        if mistake := mistake_in(given, self.schema):
            raise ValueError(mistake)
        return given


def form_of(schema: Any) -> Form:
    """The form of a question; raises NotAsked."""
    try:
        made = sound(schema)
    except (Broken, RecursionError) as why:
        raise NotAsked(f"its form cannot be used: {why}") from None
    fields = made["properties"]
    if len(fields) > MOST_FIELDS:
        raise NotAsked(f"it asks for more than {MOST_FIELDS} things at once")
    for name, one in fields.items():
        if one.get("type") not in _FLAT and not choices(one):
            raise NotAsked(f"its field {name} is no text, number, choice, or yes or no")
        if _SECRET.search(f"{name} {one.get('title', '')}"):
            raise NotAsked(f"it asks for {name}; a credential is not given this way")
        one.setdefault("type", "string")
    return Form(made)


def choices(one: Mapping[str, Any]) -> list[Any]:
    """The values that a field may have, where they are named."""
    named = [part["const"] for part in one.get("oneOf", one.get("anyOf", ())) if "const" in part]
    return [*one.get("enum", ()), *named]


def _value(text: str, one: Mapping[str, Any]) -> Any:
    plain = text.strip().casefold()
    if (known := choices(one)) and (
        meant := [value for value in known if str(value).casefold() == plain]
    ):
        return meant[0]
    match one.get("type"):
        case "boolean" if plain in _YES | _NO:
            return plain in _YES
        case "integer" if re.fullmatch(r"[+-]?\d{1,18}", plain):
            return int(plain)
        case "number" if re.fullmatch(r"[+-]?\d{1,18}(?:[.,]\d{1,18})?", plain):
            return float(plain.replace(",", "."))
        case _:
            return text.strip()


async def asked(
    asks: Asks, wanted: ToolsWanted, server: str, message: str, form: Form, timeout_s: float
) -> dict[str, Any] | None:
    """What the person answers; None where they decline, or nobody answers in time."""
    wrong = ""
    for _ in range(TRIES):
        answer = await _once(asks, _question(wanted, server, message, form, timeout_s, wrong))
        if answer.by in ("time-out", "withdrawn", "erased"):
            return None
        try:
            match answer.action:
                case "cancel" if form.yes_or_no and not answer.words:
                    return form.checked({form.yes_or_no: False})
                case "cancel":
                    return None
                case "revise":
                    return form.read(answer.words)
                case _:
                    return form.checked({form.yes_or_no: True} if form.yes_or_no else {})
        except ValueError as why:
            wrong = str(why)
    return None


def _question(
    wanted: ToolsWanted, server: str, message: str, form: Form, timeout_s: float, wrong: str
) -> NewQuestion:
    said = told(message, _LONGEST).replace('"', "'")
    how = "yes or no"
    if not form.yes_or_no:
        one = len(form.fields) == 1
        how = f'"change: {"VALUE" if one else "NAME: VALUE; NAME: VALUE"}", or no'
    again = f"\nThe answer before did not fit: {wrong}" if wrong else ""
    return NewQuestion(
        text=f'The server {server} asks: "{said}"',
        detail=f"{form.lines}\nAnswer {how}.{again}".strip(),
        source="tool",
        about=wanted.turn,
        timeout_s=timeout_s,
        agent=wanted.agent,
        session=wanted.session or None,
        turn=wanted.turn,
        origins=("tool",),
        key=str(uuid4()),
    )


async def _once(asks: Asks, question: NewQuestion) -> Answer:
    try:
        return await asks.ask(question)
    except asyncio.CancelledError:
        # Nobody waits for it any more; a question left behind could not be answered to anyone.
        await asyncio.shield(asks.withdraw(question.key or ""))
        raise
    except SkillAgentError:
        return Answer(action="cancel", by="withdrawn")
