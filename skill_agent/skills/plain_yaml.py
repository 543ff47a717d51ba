"""YAML whose values are text, lists and mappings only, read in bounded time.

The parser's events are put together here, so that nothing is built that the text only hints at:
no dates, no numbers of thousands of digits, no objects, no alias that unfolds into millions. A
value that YAML takes for something else than text is kept as it was written.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MOST_CHARACTERS, MOST_NODES, MOST_DEPTH = 64_000, 2_000, 30
_STANDARD = "tag:yaml.org,2002:"
_READ_AS_THEY_STAND = {"str", "int", "float", "bool", "null", "timestamp", "binary", "seq", "map",
                       "set", "omap", "pairs"}  # fmt: skip
_TOO_MUCH = "the front matter is nested too deeply or too large"
_MOST_REPEATED = 5


class FrontMatterError(ValueError):
    """Why a head could not be read, in words for the person."""


class BrokenYaml(FrontMatterError):
    """Not YAML as it stands, but perhaps with quotes."""


class AsWritten(str):
    """A value that other readers of YAML take for no text (a number, a date, `yes`), as it stands
    in the file."""

    __slots__ = ()


def is_text(value: object) -> bool:
    """Whether every reader of YAML takes the value for text."""
    return isinstance(value, str) and not isinstance(value, AsWritten)


def typed(value: Any) -> Any:
    """The value with truth and numbers for what YAML takes for them, where JSON has them too."""
    match value:
        case dict():
            return {key: typed(inner) for key, inner in value.items()}
        case list():
            return [typed(inner) for inner in value]
        case AsWritten():
            return _truth_or_number(str(value))
    return value


def _truth_or_number(text: str) -> str | bool | int | float:
    if (truth := yaml.SafeLoader.bool_values.get(text.lower())) is not None:
        return truth
    if re.fullmatch(r"[-+]?\d{1,18}", text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def read_yaml(text: str) -> tuple[Any, tuple[str, ...]]:
    """The value of one document, and which keys in it stand twice; raises FrontMatterError."""
    if len(text) > MOST_CHARACTERS:
        raise FrontMatterError(_TOO_MUCH)
    if text.startswith("%") or "\n%" in text:
        raise BrokenYaml("the YAML cannot be read: a line begins with %")
    try:
        composer = _Composer(yaml.parse(text, Loader=_Parser))
        return composer.document(), tuple(composer.repeated)
    except FrontMatterError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        # One line for the opening ---, one because YAML counts from nought.
        place = f" at line {mark.line + 2}" if mark else ""
        raise BrokenYaml(f"the YAML cannot be read{place}: {_short(str(error.problem))}") from None
    except Exception as error:  # the outer wall: odd escapes and directives end in any of them
        raise BrokenYaml(f"the YAML cannot be read: {_short(str(error))}") from None


class _Parser(yaml.SafeLoader):
    """Stops at brackets within brackets, each of which makes every later token dearer."""

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:
        if self.flow_level > MOST_DEPTH:
            raise FrontMatterError(_TOO_MUCH)
        super().fetch_flow_collection_start(TokenClass)


@dataclass(frozen=True, slots=True)
class _Node:
    value: Any
    weight: int
    """Nodes and characters in it, those of its aliases counted each time."""
    height: int
    """Levels below it."""


@dataclass(slots=True)
class _Composer:
    """Puts the events of one document together."""

    events: Iterator[Any]
    repeated: list[str] = field(default_factory=list)
    anchors: dict[str, _Node | None] = field(default_factory=dict)
    resolver: Any = field(default_factory=yaml.SafeLoader.yaml_implicit_resolvers.copy)
    nodes: int = 0
    weight: int = 0

    def document(self) -> Any:
        self._next()  # the stream begins
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        value = self._node(self._next(), 0).value
        self._next()  # the document ends
        if not isinstance(self._next(), yaml.StreamEndEvent):
            raise BrokenYaml("the YAML cannot be read: a second document begins in it")
        return value

    def _next(self) -> Any:
        return next(self.events)

    def _node(self, event: Any, depth: int) -> _Node:
        self.nodes += 1
        if depth > MOST_DEPTH or self.nodes > MOST_NODES:
            raise FrontMatterError(_TOO_MUCH)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor, depth)
        _check_tag(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        before, height = self.weight, 0
        match event:
            case yaml.ScalarEvent():
                value = self._scalar(event)
                self.weight += len(event.value)
            case yaml.SequenceStartEvent():
                value, height = self._list(depth)
            case _:
                value, height = self._mapping(depth)
        self.weight += 1
        node = _Node(value, self.weight - before, height)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _alias(self, anchor: str, depth: int) -> _Node:
        if anchor not in self.anchors:
            raise BrokenYaml(f"the YAML cannot be read: there is no &{_short(anchor)}")
        node = self.anchors[anchor]
        if node is None:  # it stands within itself
            raise FrontMatterError(_TOO_MUCH)
        self.weight += node.weight
        if self.weight > 2 * MOST_CHARACTERS or depth + node.height > MOST_DEPTH:
            raise FrontMatterError(_TOO_MUCH)
        return node

    def _scalar(self, event: Any) -> str | None:
        text = printable(event.value)
        tag = event.tag or ("" if event.style else self._implicit(event.value))
        kind = tag.removeprefix(_STANDARD)
        if kind == "null":
            return None
        return text if kind in ("", "str", "!") else AsWritten(text)

    def _implicit(self, text: str) -> str:
        """The tag YAML gives a value that stands without quotes."""
        for tag, pattern in self.resolver.get(text[:1], ()):
            if pattern.match(text):
                return tag
        return ""

    def _list(self, depth: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        height = 0
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            node = self._node(event, depth + 1)
            found.append(node.value)
            height = max(height, node.height + 1)
        return found, height

    def _mapping(self, depth: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        height = 0
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise BrokenYaml("the YAML cannot be read: a key is not text")
            key = printable(event.value)
            if key == "<<" and not event.style:
                raise FrontMatterError("the front matter merges other parts of itself")
            self._node(event, depth + 1)
            node = self._node(self._next(), depth + 1)
            if key in found and _short(key) not in self.repeated:
                self.repeated.append(_short(key))
                del self.repeated[_MOST_REPEATED:]
            found[key] = node.value
            height = max(height, node.height + 1)
        return found, height


def _check_tag(event: Any) -> None:
    tag = event.tag or ""
    if tag.startswith(_STANDARD) and tag.removeprefix(_STANDARD) in _READ_AS_THEY_STAND:
        return
    if tag not in ("", "!"):
        raise FrontMatterError(f"the front matter has a tag that is not read: {_short(tag)}")


def printable(text: str) -> str:
    """Text without control characters but tabs and line ends, and without half characters."""
    return "".join(
        char if char in "\n\t" or not (char < " " or "\x7f" <= char <= "\x9f") else " "
        for char in text
    ).encode("utf-8", "replace").decode("utf-8")  # fmt: skip


def _short(text: str) -> str:
    return printable(" ".join(text.split()))[:120]
