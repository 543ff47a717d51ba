"""Calls of tools as a stream brings them, in pieces; a model's mistake in one is said, not raised.

Servers number the pieces by index, by id, by both or by neither, and repeat the name or not.
"""

from dataclasses import dataclass
from typing import Any

from skill_agent.identifiers import new_id
from skill_agent.values import ToolCall

from .model_json import read

_LONGEST_ID = 200


@dataclass(slots=True)
class _Noted:
    """What has come of one call."""

    index: int | None
    id: str
    name: str
    arguments: str = ""

    @property
    def whole(self) -> bool:
        """Whether its arguments are complete, so that another beginning is another call's."""
        if not self.arguments.rstrip().endswith("}"):
            return False
        try:
            return isinstance(read(self.arguments), dict)
        except ValueError:
            return False


class Calls:
    """The calls of one stream."""

    def __init__(self) -> None:
        self._noted: list[_Noted] = []

    def __bool__(self) -> bool:
        return bool(self._noted)

    def add(self, index: int | None, id: str, name: str, arguments: str) -> None:
        """A piece; an index of None or less than nothing is none."""
        index = index if index is not None and index >= 0 else None
        noted = self._going_on(index, id, name)
        if noted is None:
            noted = _Noted(index, id, name)
            self._noted.append(noted)
        noted.id, noted.name = noted.id or id, noted.name or name
        noted.arguments += arguments

    def _going_on(self, index: int | None, id: str, name: str) -> _Noted | None:
        """The call a piece belongs to; None where it begins one."""
        found = next((one for one in reversed(self._noted) if self._fits(one, index, id)), None)
        if found is None or not name:
            # A piece without a name begins nothing: it goes on with the last.
            return found or (self._noted[-1] if self._noted and not name else None)
        other = bool(found.id and id and found.id != id) or bool(found.name and found.name != name)
        return None if other or found.whole else found

    def _fits(self, one: _Noted, index: int | None, id: str) -> bool:
        if index is not None and one.index is not None:
            return one.index == index
        return one.id == id if one.id and id else one is self._noted[-1]

    def told(self) -> list[ToolCall]:
        """Each call once, by an id of its own; one that is none has a `problem`."""
        calls: list[ToolCall] = []
        seen: set[tuple[str, str, str]] = set()
        taken: set[str] = set()
        for one in sorted(self._noted, key=lambda one: -1 if one.index is None else one.index):
            same = (one.id, one.name, one.arguments)
            if one.id and same in seen:
                continue  # sent once more, whole, at the end
            seen.add(same)
            id = one.id[:_LONGEST_ID]
            id = new_id() if not id or id in taken else id
            taken.add(id)
            arguments, problem = arguments_of(one.arguments)
            if not one.name.strip():
                problem = "the call names no tool"
            calls.append(
                ToolCall(id=id, name=one.name.strip(), arguments=arguments, problem=problem)
            )
        return calls


def arguments_of(text: str) -> tuple[dict[str, Any], str]:
    """The arguments a model wrote, and what is wrong with them; nothing written means none."""
    if not text.strip():
        return {}, ""
    try:
        value = read(text)
    except ValueError as error:
        return {}, f"the arguments are no JSON object: {error}"
    if isinstance(value, dict):
        return value, ""
    return {}, f"the arguments are no JSON object but {_KINDS.get(type(value), 'a number')}"


_KINDS: dict[type, str] = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
