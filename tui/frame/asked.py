"""What a person is asked to allow or to decide, whole; no line of it passes for ours."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textual.content import Content

from skill_agent.text.decisions import around_host, in_a_row, in_one_line, tail_of, value_lines


def argument_lines(arguments: Mapping[str, Any]) -> Iterator[Content]:
    """Every argument of a call; several lines of one stand behind a bar."""
    for name, value in arguments.items():
        yield from _argument(in_one_line(name), value)


def _argument(name: str, value: Any) -> Iterator[Content]:
    first, *more = value_lines(value)
    head = (f"{name}: ", "$foreground-muted")
    if more:
        yield Content.assemble(head)
        for line in (first, *more):
            yield Content.assemble(("│ ", "$foreground-muted"), line)
    elif isinstance(value, str):
        before, host, after = around_host(value)
        yield Content.assemble(head, before, (host, "bold $warning"), after)
    else:
        yield Content.assemble(head, first)
    if tail := tail_of(value):
        yield Content.assemble("  ", (tail, "bold"))


def behind_a_bar(text: str, detail: str, chain: Sequence[str]) -> Content:
    """A question, and what is to be decided on."""
    parts = [Content(line) for line in value_lines(text)]
    if chain:
        parts.insert(0, Content.styled(f"asked for by {in_a_row(chain)}", "$warning"))
    for line in value_lines(detail) if detail else ():
        parts.append(Content.assemble(("│ ", "$foreground-muted"), line))
    return Content("\n").join(parts)
