"""On which line of a TOML text each key and array element stands.

Only for text that `tomllib` has accepted: nothing is checked here, and no value is read.
"""

import contextlib
import re
import tomllib
from collections.abc import Iterator, Mapping

KeyPath = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)+")
_SPACE = re.compile(r"[ \t]+")
_ATOM = re.compile(r"[^,\]\}\n#]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:\'{0,2})'
    r'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'',
    re.DOTALL,
)


def find_places(text: str) -> dict[KeyPath, int]:
    """Key path to 1-based line; a table's line is its header's, an element's where it begins."""
    scanner = _Scanner(text)
    # Better a missing line number than no message at all.
    with contextlib.suppress(ValueError, IndexError, RecursionError):
        scanner.scan()
    return scanner.places


class Places(Mapping[KeyPath, int]):
    """`find_places` put off until somebody asks, which for a file without mistakes is never."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[KeyPath, int] | None = None

    @property
    def _lines(self) -> dict[KeyPath, int]:
        if self._found is None:
            self._found = find_places(self._text)
        return self._found

    def __getitem__(self, path: KeyPath) -> int:
        return self._lines[path]

    def __iter__(self) -> Iterator[KeyPath]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def line_of(places: Mapping[KeyPath, int], path: KeyPath) -> int:
    """The line of the path, else of the nearest table around it; 0 where nothing is known."""
    for length in range(len(path), 0, -1):
        if path[:length] in places:
            return places[path[:length]]
    return 0


class _Scanner:
    """One pass over the text; `at` is the offset of the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[KeyPath, int] = {}
        self.counts: dict[KeyPath, int] = {}
        """Elements seen so far of each array of tables."""
        self.line = 1
        self.counted_to = 0

    def scan(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self) -> KeyPath:
        line = self._line_now()
        many = self._peek("[[")
        self.at += 2 if many else 1
        path = self._inside_arrays(self._key())
        self.at += 2 if many else 1
        if many:
            count = self.counts.get(path, 0)
            self.counts[path] = count + 1
            self.places.setdefault(path, line)
            path = (*path, count)
        self._note(path, line)
        return path

    def _inside_arrays(self, key: KeyPath) -> KeyPath:
        """A header's key with the index of the newest element after each array of tables."""
        path: KeyPath = ()
        for index, part in enumerate(key):
            path = (*path, part)
            if index < len(key) - 1 and path in self.counts:
                path = (*path, self.counts[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line_now()
        path = (*table, *self._key())
        self._note(path, line)
        self.at += 1
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> KeyPath:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            parts.append(self._key_part())
            self._skip(_SPACE)
            if not self._peek("."):
                return tuple(parts)
            self.at += 1

    def _key_part(self) -> str:
        pattern = _STRING if self.text[self.at] in "\"'" else _BARE
        raw = self._take(pattern)
        if pattern is _BARE:
            return raw
        if raw[0] == "'":
            return raw[1:-1]
        return tomllib.loads(f"key = {raw}")["key"]

    def _value(self, path: KeyPath) -> None:
        match self.text[self.at]:
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._take(_STRING)
            case _:
                self._take(_ATOM)

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip(_BLANK)
            if self._peek("]"):
                break
            self._note((*path, index), self._line_now())
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            if self._peek(","):
                self.at += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while True:
            self._skip(_BLANK)
            if self._peek("}"):
                break
            self._pair(path)
            self._skip(_BLANK)
            if self._peek(","):
                self.at += 1
        self.at += 1

    def _note(self, path: KeyPath, line: int) -> None:
        # A dotted key makes its parents; they stand where they were first seen.
        for length in range(1, len(path)):
            self.places.setdefault(path[:length], line)
        self.places[path] = line

    def _peek(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if found := pattern.match(self.text, self.at):
            self.at = found.end()

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            raise ValueError(f"not TOML at offset {self.at}")
        self.at = found.end()
        return found.group()

    def _line_now(self) -> int:
        self.line += self.text.count("\n", self.counted_to, self.at)
        self.counted_to = self.at
        return self.line
