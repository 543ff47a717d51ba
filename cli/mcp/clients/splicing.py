"""Setting and removing one member of nested objects in a JSON text; all other text stays as it is.

Only the new text, and the comma it takes, is put in; comments, indentation, order, line ends and
the final newline stay. What comes out is read again before anybody gets it.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from .jsonc import Member, Node, NotJson, parsed, value_of

Path = Sequence[str]

_BLANK = " \t\r\n"
_INDENT = re.compile(r"[ \t]*")
_LINE_END = re.compile(r"[ \t]*(?:\r?\n|\Z)")
_CLOSE = re.compile(r"[ \t]*\}")


class NoObject(ValueError):
    """Where an object is needed on the way to a member, something else stands."""

    def __init__(self, path: Path, at: int) -> None:
        super().__init__(f"{'.'.join(path) or 'what it holds'} is no object")
        self.at = at


class Unchangeable(ValueError):
    """The change cannot be made without touching other text; nothing was changed."""


def with_member(text: str, path: Path, value: Any) -> str:
    """The text with the member at the path, made with all that leads there, or given this value.

    Raises NotJson; NoObject where the path leads through something else; Unchangeable where a
    name stands there twice.
    """
    made = _set(text, path, value)
    expected = _nested_set(value_of(text), path, value)
    return _checked(made, expected)


def without_member(text: str, path: Path) -> str:
    """The text without the member at the path; itself where there is none. Raises as above."""
    node = _at(text, path[:-1])
    member = node.member(path[-1]) if node else None
    if node is None or member is None:
        return text
    expected = value_of(text)
    parent = expected
    for name in path[:-1]:
        parent = parent[name]
    del parent[path[-1]]
    return _checked(_cut(text, node, node.members.index(member)), expected)


def is_bare(text: str, path: Path) -> bool:
    """Whether an object with nothing in it, not even a comment, stands at the path."""
    node = _at(text, path)
    return node is not None and not text[node.start + 1 : node.end - 1].strip(_BLANK)


def _at(text: str, path: Path) -> Node | None:
    """The object at the path, None where the way there ends before."""
    node = parsed(text)
    for depth, name in enumerate([*path, ""]):
        if node is None:
            return None
        if not isinstance(node.value, dict):
            raise NoObject(path[:depth], node.start)
        if depth == len(path):
            break
        member = node.member(name)
        node = member.node if member else None
    return node


def _set(text: str, path: Path, value: Any) -> str:
    root = parsed(text)
    if root is None:
        return _begun(text, path, value)
    node, form = root, _Form(text, root)
    for depth, name in enumerate(path):
        if not isinstance(node.value, dict):
            raise NoObject(path[:depth], node.start)
        member = node.member(name)
        if member is None:
            return _inserted(text, node, form, name, _wrapped(path[depth + 1 :], value))
        node = member.node
    indent = form.indent_at(node.start)
    inline = form.inline(node) if node.members else form.flat
    return text[: node.start] + form.written(value, indent, inline=inline) + text[node.end :]


def _begun(text: str, path: Path, value: Any) -> str:
    """The first object of a text that holds blanks and comments at most."""
    newline = _newline_of(text)
    gap = newline if text.strip() and not text.endswith("\n") else ""
    form = _Form(text, None)
    return text + gap + form.written(_wrapped(path, value), "", inline=False) + newline


def _inserted(text: str, node: Node, form: "_Form", name: str, value: Any) -> str:
    """The text with a member put behind all that an object holds."""
    close = node.end - 1
    behind = len(text[:close].rstrip(_BLANK))
    base = form.indent_at(node.start)
    last = node.members[-1] if node.members else None
    quoted, closing = json.dumps(name, ensure_ascii=False), ""
    if form.inline(node) if last else form.flat:
        added = f"{' ' if last else ''}{quoted}: {form.written(value, base, inline=True)}"
    else:
        indent = form.indent_within(node)
        added = f"{form.newline}{indent}{quoted}: {form.written(value, indent, inline=False)}"
        if "\n" not in text[behind:close]:
            behind, closing = close, form.newline + base
    rest = closing + text[behind:]
    if last is None:
        return text[:behind] + added + rest
    if last.comma >= 0:
        return text[:behind] + added + "," + rest
    return text[: last.end] + "," + text[last.end : behind] + added + rest


def _cut(text: str, node: Node, index: int) -> str:
    """The text without one member of an object."""
    member, close = node.members[index], node.end - 1
    inside = text[node.start + 1 : member.start] + text[member.end : close]
    if len(node.members) == 1 and not inside.strip(_BLANK):
        return text[: node.start + 1] + text[close:]
    start, end = _extent(text, member)
    if index == 0 or index < len(node.members) - 1 or member.comma >= 0:
        return text[:start] + text[end:]
    comma = node.members[index - 1].comma
    return text[:comma] + text[comma + 1 : start] + text[end:]


def _extent(text: str, member: Member) -> tuple[int, int]:
    """What goes with a member: its line with the break before it, where nothing else is on it;
    else the blanks on one side. A line comment before it never runs on into what follows."""
    start, end = member.start, member.end
    blanks = len(text[:start]) - len(text[:start].rstrip(" \t"))
    begins = text[: start - blanks].endswith("\n")
    if _LINE_END.match(text, end):
        if not begins:
            return start - blanks, end
        breaks = 2 if text[: start - blanks].endswith("\r\n") else 1
        return start - blanks - breaks, end
    if not begins and _CLOSE.match(text, end):
        return start - blanks, end
    found = _INDENT.match(text, end)
    return start, found.end() if found else end


def _wrapped(path: Path, value: Any) -> Any:
    for name in reversed(path):
        value = {name: value}
    return value


def _nested_set(whole: Any, path: Path, value: Any) -> Any:
    """A copy of the value with the member set, for comparison."""
    if not path:
        return value
    found = dict(whole or {})
    found[path[0]] = _nested_set(found.get(path[0]), path[1:], value)
    return found


def _checked(text: str, expected: Any) -> str:
    try:
        same = value_of(text) == expected
    except NotJson:
        same = False
    if not same:
        raise Unchangeable
    return text


def _newline_of(text: str) -> str:
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


class _Form:
    """How a text is laid out: its line ends and its indentation."""

    def __init__(self, text: str, root: Node | None) -> None:
        self._text = text
        self.newline = _newline_of(text)
        self.flat = root is not None and bool(root.members) and self.inline(root)
        """All of it stands on one line."""
        first = root.members[0].start if root and root.members else 0
        self.unit = (self._line_indent(first) if first else None) or "  "

    def inline(self, node: Node) -> bool:
        return "\n" not in self._text[node.start : node.end]

    def indent_at(self, at: int) -> str:
        """The blanks that begin the line of a place."""
        begin = self._text.rfind("\n", 0, at) + 1
        found = _INDENT.match(self._text, begin)
        return found[0] if found else ""

    def indent_within(self, node: Node) -> str:
        """The blanks before the members of an object that begin a line, as the last one has it."""
        for member in reversed(node.members):
            if (found := self._line_indent(member.start)) is not None:
                return found
        return self.indent_at(node.start) + self.unit

    def written(self, value: Any, indent: str, *, inline: bool) -> str:
        """A value as text; lists stand on one line, objects on one for each member."""
        if not isinstance(value, dict) or not value or inline:
            return json.dumps(value, ensure_ascii=False)
        inner = indent + self.unit
        lines = [
            f"{inner}{json.dumps(name, ensure_ascii=False)}: "
            f"{self.written(one, inner, inline=False)}"
            for name, one in value.items()
        ]
        return f"{{{self.newline}" + f",{self.newline}".join(lines) + f"{self.newline}{indent}}}"

    def _line_indent(self, at: int) -> str | None:
        """The blanks before a place, where nothing else is on its line."""
        begin = self._text.rfind("\n", 0, at) + 1
        blanks = self._text[begin:at]
        return blanks if begin and not blanks.strip(" \t") else None
