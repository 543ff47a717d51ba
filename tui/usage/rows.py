"""What was used as rows of a table with a bar each; as much of it as the width allows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from skill_agent.conversations.usage import drawn_by, in_all, usd
from skill_agent.values import UsageRow

from ..frame.bars import line_bar
from ..frame.plain import one_line

LEAST_BAR, MOST_BAR = 8, 84
GAP = "  "


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    shown: Callable[[UsageRow], str]
    from_width: int
    """It is there on screens of so many columns."""


def cost_of(row: UsageRow) -> str:
    """Short; what nobody knows a price for is not taken for nothing."""
    if not row.unpriced:
        return usd(row.cost_usd) if row.calls or row.turns or row.cost_usd else "–"
    return f"≥ {usd(row.cost_usd)}" if row.cost_usd else "unknown"


def cached_of(row: UsageRow) -> str:
    """Which part of what was sent had been read before."""
    if not row.prompt_tokens:
        return "–"
    return f"{min(row.cached_tokens / row.prompt_tokens, 1):.0%}"


def short(count: int) -> str:
    """A number of tokens in few signs."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if count >= size:
            scaled = count / (1_000 if letter == "k" else size)
            return f"{scaled:.1f}{letter}" if scaled < 100 else f"{scaled:.0f}{letter}"
    return f"{count:,}" if count else "–"


_COLUMNS = (
    _Column("turns", lambda row: f"{row.turns:,}" if row.turns else "–", 100),
    _Column("in", lambda row: short(row.prompt_tokens), 48),
    _Column("out", lambda row: short(row.completion_tokens), 48),
    _Column("cached", cached_of, 76),
    _Column("cost", cost_of, 0),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The table: its head, a line for each row, and what all of it comes to."""

    head: Content
    lines: tuple[Content, ...]
    total: Content
    plain: str
    """The same to copy, with every column."""


def drawn(rows: Sequence[UsageRow], names: Sequence[str], width: int, word: str) -> Drawn:
    """`names` are those of the rows, `word` says what they are."""
    shown = [one for one in _COLUMNS if width >= one.from_width]
    whole = in_all(rows)
    cells = [[one.shown(row) for one in shown] for row in (*rows, whole)]
    wide = [max(len(one.title), *(len(row[at]) for row in cells)) for at, one in enumerate(shown)]
    right = sum(wide) + len(GAP) * len(wide)
    longest = max(map(cell_len, (*names, word, "in all")), default=0)
    left = min(longest, max(8, (width - right) // 2 - 2))
    room = min(max(width - right - left - len(GAP), LEAST_BAR), MOST_BAR)
    paid, amounts = drawn_by(rows)
    most, what = max(amounts, default=0) or 1, "cost" if paid else "tokens"

    def line(name: str, bar: Content, figures: Sequence[str], look: str) -> Content:
        said = GAP.join(one.rjust(size) for one, size in zip(figures, wide, strict=True))
        return Content.assemble((_fit(name, left), look), GAP, bar, (f"{GAP}{said}", look))

    drawn_rows = zip(names, amounts, cells, strict=False)
    return Drawn(
        line(word, Content.styled(what.ljust(room), "$foreground-muted"),
             [one.title for one in shown], "$foreground-muted"),
        tuple(
            line(name, line_bar(amount / most, room, "$primary", rest=" "), row, "")
            for name, amount, row in drawn_rows
        ),
        line("in all", Content(" " * room), cells[-1], "bold"),
        _plain(rows, names, word),
    )  # fmt: skip


def _fit(name: str, width: int) -> str:
    name = one_line(name, 200)
    return set_cell_size(name, width) if cell_len(name) <= width else _cut(name, width)


def _cut(name: str, width: int) -> str:
    return set_cell_size(set_cell_size(name, max(width - 1, 1)).rstrip() + "…", width)


def _plain(rows: Sequence[UsageRow], names: Sequence[str], word: str) -> str:
    head = [word, "turns", "calls", "in", "cached", "out", "cost"]
    lines = [
        [
            one_line(name, 200), row.turns, row.calls, row.prompt_tokens, row.cached_tokens,
            row.completion_tokens, cost_of(row),
        ]
        for name, row in zip(names, rows, strict=True)
    ]  # fmt: skip
    return "\n".join("\t".join(map(str, line)) for line in [head, *lines])
