"""What a command prints: data on stdout, narration on stderr, nothing else.

Rich is used only for a terminal; a pipe gets plain aligned text. No command logic lives here.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TextIO

from skill_agent.identifiers import iso
from skill_agent.text.clock import local
from skill_agent.text.printing import json_shown, printable
from skill_agent.values.json_types import plain

from .picking import chosen
from .streams import silence

_BLANKS = str.maketrans("\t\n\r", "   ")
INTERRUPTED = 130
"""Exit code of what a person ended with Ctrl+C."""
NOBODY_READS = 141
"""Exit code where whoever read the output has gone, as of a program that SIGPIPE ends."""


def emit_json(data: Any) -> None:
    """One JSON document on stdout: an array for a listing, an object for a single thing; or what
    `--jq` or `--format` pick from it."""
    picks = chosen.get()
    if picks is None:
        _write_line(_json(data, indent=2))
        return
    for found in picks(plain(data)):
        line = found if isinstance(found, str) else json_line(found)
        _write_line(encodable(without_controls(line) if sys.stdout.isatty() else line))


def emit_jsonl(data: Any) -> None:
    """One JSON object as one line on stdout, flushed, for streams."""
    if chosen.get() is None:
        _write_line(json_line(data))
    else:
        emit_json(data)
    sys.stdout.flush()


def json_line(data: Any) -> str:
    """A JSON document on one line."""
    return _json(data)


def emit_text(text: str) -> None:
    """Text for the person on stdout, with control sequences taken out."""
    _write_line(encodable("\n".join(harmless(line) for line in text.splitlines())))


def narrate(text: str) -> None:
    """What is going on, on stderr, so that stdout stays data. Where stderr takes nothing, there is
    nobody to tell, and the work goes on."""
    lines = "\n".join(harmless(line) for line in text.splitlines())
    try:
        sys.stderr.write(encodable(lines, sys.stderr) + "\n")
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)


def tell_masked(count: int, *, keeps: str = "") -> None:
    """That keys and passwords were not written, where some were; `keeps` is the option that would
    have written them."""
    if count:
        secrets = "1 key or password was" if count == 1 else f"{count} keys and passwords were"
        narrate(f"{secrets} masked" + (f"; {keeps} writes them too" if keeps else ""))


def tell_error(message: str, hint: str = "") -> None:
    """An error on stderr, with what to do next."""
    narrate(f"error: {message}")
    if hint:
        narrate(f"hint: {hint}")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "") -> None:
    """A listing on stdout, its times by the clock here where a person reads it; with no rows,
    `empty` goes to stderr instead."""
    cells = [[harmless(_text(value)) for value in row] for row in rows]
    if not cells:
        if empty:
            narrate(empty)
        return
    if sys.stdout.isatty():
        _rich_table(columns, cells)
    else:
        _plain_table(columns, cells)


def record(pairs: Iterable[tuple[str, object]]) -> None:
    """One thing on stdout as `name  value` lines; empty values are left out."""
    shown = [(name, _text(value)) for name, value in pairs if value not in ("", None, (), [], {})]
    width = max((display_width(name) for name, _ in shown), default=0)
    for name, value in shown:
        lines = value.splitlines() or [""]
        emit_text(f"{_pad(name, width)}  {lines[0]}")
        for line in lines[1:]:
            emit_text(f"{' ' * width}  {line}")


def harmless(line: str) -> str:
    """One line of stored text that cannot drive the terminal, nor hide anything in it."""
    return printable(line.translate(_BLANKS)).replace("\n", " ")


def without_controls(text: str) -> str:
    """The text with line breaks and tabs, without any other control character; what nobody would
    see is shown."""
    return printable(text)


def encodable(text: str, stream: TextIO | None = None) -> str:
    """The text with `?` for what the stream, stdout if none is named, cannot show."""
    encoding = (stream or sys.stdout).encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def display_width(text: str) -> int:
    """Terminal columns the text takes: wide characters two, combining marks none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _rich_table(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for index, name in enumerate(columns):
        # The first column is what one copies, so it is never folded.
        drawn.add_column(name, no_wrap=index == 0, overflow="fold")
    for row in cells:
        drawn.add_row(*(Text(cell) for cell in row))
    Console(file=sys.stdout).print(drawn)


def _plain_table(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    lines = [list(columns), *(list(row) for row in cells)]
    widths = [max(display_width(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        padded = (_pad(cell, width) for cell, width in zip(line, widths, strict=True))
        _write_line(encodable("  ".join(padded).rstrip()))


def _pad(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            seen = sys.stdout.isatty()  # a script reads UTC, a person their own clock
            return f"{local(value):%Y-%m-%d %H:%M:%S}" if seen else iso(value)
        case list() | tuple():
            return ", ".join(str(item) for item in value)
        case _:
            return str(value)


def _json(data: Any, *, indent: int | None = None) -> str:
    document = json.dumps(plain(data), ensure_ascii=False, allow_nan=False, indent=indent)
    if sys.stdout.isatty():
        document = json_shown(document)
    try:
        document.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # another encoding, or a lone surrogate in the data
        return json.dumps(plain(data), allow_nan=False, indent=indent)
    return document


def _write_line(text: str) -> None:
    sys.stdout.write(text + "\n")
