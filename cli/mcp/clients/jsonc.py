"""Reading JSON with comments and trailing commas, so that each member's place in the text is known.

What editors and command-line clients read: `//` and `/* */` comments and a comma after the last
member are allowed, nothing else that JSON forbids.
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

MOST_NESTED = 200

_BLANKS = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])", re.ASCII)
_WORD = re.compile(r"(?:true|false|null)(?!\w)", re.ASCII)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class NotJson(ValueError):
    """The text is no JSON with comments, from this place on."""

    def __init__(self, said: str, text: str, at: int) -> None:
        super().__init__(said)
        self.said = said
        self.line, self.column = place_of(text, at)


@dataclass(slots=True)
class Member:
    """One name with its value, from the name's first character on."""

    name: str
    start: int
    node: "Node"
    comma: int = -1
    """Where the comma behind it stands; -1 for none."""

    @property
    def end(self) -> int:
        """Behind the value, and behind its comma if it has one."""
        return self.comma + 1 if self.comma >= 0 else self.node.end


@dataclass(slots=True)
class Node:
    """A value and where it stands; `members` are those of an object."""

    start: int
    end: int = 0
    value: Any = None
    members: list[Member] = field(default_factory=list)

    def member(self, name: str) -> Member | None:
        """The member of this name; of several the last, as every parser of JSON has it."""
        return next((one for one in reversed(self.members) if one.name == name), None)


def parsed(text: str) -> Node | None:
    """The value of the whole text; None where that holds nothing but comments. Raises NotJson."""
    return _Reading(text).document()


def value_of(text: str) -> Any:
    """The value as Python has it; None for a text without any. Raises NotJson."""
    with suppress(ValueError, RecursionError):  # ten times as fast, where no comment is in the way
        return json.loads(text, parse_constant=_refused)
    node = parsed(text)
    return None if node is None else node.value


def place_of(text: str, at: int) -> tuple[int, int]:
    """The line and the column of a place, both from 1."""
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


class _Reading:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._depth = text, 0, 0

    def document(self) -> Node | None:
        self._pass_blanks()
        if self._at == len(self._text):
            return None
        node = self._value()
        self._pass_blanks()
        if self._at < len(self._text):
            raise self._wrong("nothing more was expected here")
        return node

    def _value(self) -> Node:
        match self._text[self._at : self._at + 1]:
            case "{":
                return self._nested(self._object)
            case "[":
                return self._nested(self._array)
            case '"':
                return self._string()
            case _:
                return self._plain()

    def _nested(self, read: Any) -> Node:
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise self._wrong("it is nested too deep")
        node = read()
        self._depth -= 1
        node.end = self._at
        return node

    def _object(self) -> Node:
        node = Node(self._at, value={})
        self._at += 1
        while True:
            self._pass_blanks()
            if self._next("}"):
                return node
            if node.members and node.members[-1].comma < 0:
                raise self._wrong("a comma or `}` was expected here")
            member = self._member()
            node.members.append(member)
            node.value[member.name] = member.node.value
            self._pass_blanks()
            if self._next(","):
                member.comma = self._at - 1

    def _member(self) -> Member:
        if self._text[self._at : self._at + 1] != '"':
            raise self._wrong("a name in double quotes was expected here")
        start, name = self._at, self._string().value
        self._pass_blanks()
        if not self._next(":"):
            raise self._wrong("a colon was expected here")
        self._pass_blanks()
        return Member(name, start, self._value())

    def _array(self) -> Node:
        node, comma = Node(self._at, value=[]), True
        self._at += 1
        while True:
            self._pass_blanks()
            if self._next("]"):
                return node
            if not comma:
                raise self._wrong("a comma or `]` was expected here")
            node.value.append(self._value().value)
            self._pass_blanks()
            comma = self._next(",")

    def _string(self) -> Node:
        found = _STRING.match(self._text, self._at)
        if found is None:
            raise self._wrong("this text in quotes is not ended, or holds what must be escaped")
        start, self._at = self._at, found.end()
        return Node(start, self._at, json.loads(found[0]))

    def _plain(self) -> Node:
        start = self._at
        if found := _NUMBER.match(self._text, start):
            self._at = found.end()
            return Node(start, self._at, _number(found[0]))
        if found := _WORD.match(self._text, start):
            self._at = found.end()
            return Node(start, self._at, _WORDS[found[0]])
        raise self._wrong("a value was expected here")

    def _next(self, char: str) -> bool:
        if not self._text.startswith(char, self._at):
            return False
        self._at += 1
        return True

    def _pass_blanks(self) -> None:
        found = _BLANKS.match(self._text, self._at)
        self._at = found.end() if found else self._at
        if self._text.startswith("/*", self._at):
            raise self._wrong("this comment is not ended")

    def _wrong(self, said: str) -> NotJson:
        return NotJson(said, self._text, self._at)


def _refused(word: str) -> float:
    raise ValueError(word)


def _number(digits: str) -> float | int:
    """Only whether it is the same number matters here; one of thousands of digits stays a float."""
    return int(digits) if len(digits) < 100 and digits.lstrip("-").isdecimal() else float(digits)
