"""Whatever a model writes is on the screen, while it comes and when it is read again."""

import asyncio
import random
import unicodedata
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from skill_agent.tui.frame.plain import printable
from skill_agent.tui.talk.shown.code_block import CodeBlock
from skill_agent.tui.talk.shown.prose import Prose
from textual.app import App

from skill_agent.text.printing import Printer

LETTERS = (
    "abcdefgh", "àéîõü", "дежзи", "東京大阪名前", "שלום", "نور", ("क", "म", "ल", "कि"),
    ("e\u0301", "o\u0308\u0304", "u"), "🙂🚀",
)  # fmt: skip
Both = tuple[list[str], list[str]]
MARKS = "▌↪─"
"""What frames the words on the screen, and may stand within one that is folded."""


class Page(App[None]):
    """The same text twice: there from the start, and as it comes."""

    async def both(self, text: str, pieces: Sequence[str], width: int) -> Both:
        """What is on the screen of it, read and streamed."""
        await self.screen.remove_children()
        read, live = Prose(text), Prose()
        for one in (read, live):
            one.styles.width = width
        await self.screen.mount_all((read, live))
        printer = Printer(printable)
        with self.batch_update():
            for piece in pieces:
                await live.append(printer.feed(piece))
            await live.append(printer.rest())
            for code in self.query(CodeBlock):
                code.wrapped = True
        drawn = asyncio.Event()
        self.call_after_refresh(drawn.set)
        await drawn.wait()
        return lines(self, read), lines(self, live)


def lines(app: Page, prose: Prose) -> list[str]:
    strips = app.screen._compositor.render_strips()
    every = ["".join(segment.text for segment in strip).rstrip() for strip in strips]
    return every[prose.region.y : prose.region.bottom]


def squeezed(text: str) -> str:
    kept = (one for one in text if not one.isspace() and one not in MARKS)
    return unicodedata.normalize("NFC", "".join(kept))


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A reply, and the words of it."""
    words: list[str] = []

    def word(longest: int = 30) -> str:
        letters = draw(st.sampled_from(LETTERS))
        length = draw(st.integers(1, longest))
        if letters[0] in "東🙂":
            length = max(1, length // 2)
        words.append("".join(draw(st.sampled_from(letters)) for _ in range(length)))
        return words[-1]

    def name(longest: int = 12) -> str:
        words.append("w" + draw(st.text("abc123", min_size=1, max_size=longest)))
        return words[-1]

    def phrase() -> str:
        shapes = (
            lambda: word(),
            lambda: f"**{word()}** *{name()}*",
            lambda: f"<{name()}> a Vec<{name()}>",
            lambda: f"<b>{word()}</b><!-- {name()} -->",
            lambda: f"[{word()}](https://{name()}.example.org/{name()} '{name()}')",
            lambda: f"![{name()}](https://{name()}.example.org/x.png)",
            lambda: f"[{name()}][{name()}] and [^{name()}]",
            lambda: f"`{word()}` ~~{name()}~~",
            lambda: f"$${name()}*{name()}*$$ \\({name()}_1\\)",
            lambda: f"https://{name()}.example.org/{name()}",
            lambda: f"&#x202e;{name()} &lt;{name()}&gt;",
            lambda: f"\x1b[31m{name()}\x1b[0m \x1b]0;{name()}",
            lambda: f"{word()}\n{word()}",
        )
        return " ".join(draw(st.sampled_from(shapes))() for _ in range(draw(st.integers(1, 4))))

    def listed(depth: int = 0) -> str:
        made: list[str] = []
        for number in range(draw(st.integers(1, 3))):
            mark = draw(st.sampled_from(("-", "*", f"{number + 1}.", "- [ ]", "- [x]")))
            made.append(f"{'    ' * depth}{mark} {name()} {word(8)}")
            if depth < 3 and draw(st.booleans()):
                made.append(listed(depth + 1))
        return "\n".join(made)

    def table() -> str:
        columns = draw(st.integers(1, 7))
        rows = [[word(5) for _ in range(columns)], ["--"] * columns]
        for _ in range(draw(st.integers(0, 4))):
            count = max(1, columns + draw(st.sampled_from((0, 0, 0, -1, 2))))
            rows.append([" ".join(word(5) for _ in range(draw(st.integers(1, 6))))] * 1
                        + [word(5) for _ in range(count - 1)])  # fmt: skip
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def code() -> str:
        lines: list[str] = []
        for _ in range(draw(st.integers(1, 6))):
            said = " ".join(word(40) for _ in range(draw(st.integers(1, 8))))
            lines.append("  " * draw(st.integers(0, 3)) + said)
        body = "\n".join(lines)
        close = draw(st.sampled_from(("```", "```", "")))
        return f"```{draw(st.sampled_from(('', 'python', 'nosuch', 'sql')))}\n{body}\n{close}"

    blocks = (
        phrase, phrase, listed, table, code,
        lambda: f"{'#' * draw(st.integers(1, 6))} {phrase()}".replace("\n", " "),
        lambda: "> " + phrase().replace("\n", "\n> ") + f"\n> - {name()}\n> ***\n> > {word()}",
        lambda: f"[{name()}]: https://{name()}.example.org '{name()}'",
        lambda: f"[^{name()}]: {name()}",
        lambda: f"---\ntitle: {name()}\ntags: {name()}\n---",
        lambda: f"<details>\n<summary>{name()}</summary>\n\n{word()}\n</details>",
        lambda: f"    {name()} {name()}",
    )  # fmt: skip
    made: list[str] = []
    for _ in range(draw(st.integers(1, 5))):
        made += [draw(st.sampled_from(blocks))(), draw(st.sampled_from(("\n\n", "\n\n", "\n")))]
    return "".join(made), words


def pieces_of(text: str, seed: int) -> list[str]:
    chance, at, made = random.Random(seed), 0, list[str]()
    while at < len(text):
        size = chance.choice((1, 3, 30, 90))
        made.append(text[at : at + size])
        at += size
    return made


def check(document: tuple[str, list[str]], seen_as: Both) -> None:
    text, words = document
    read, live = seen_as
    seen = squeezed("".join(read))
    missing = [one for one in words if squeezed(one) not in seen]
    assert not missing, "\n".join([repr(missing), repr(text), *read])
    assert live == read, "\n".join([repr(text), *live, "-- read again:", *read])


async def hold(widths: st.SearchStrategy[int], **how: Any) -> None:
    """One page for every document; hypothesis runs in a thread beside it."""
    app = Page()
    async with app.run_test(size=(200, 600)):
        loop = asyncio.get_running_loop()

        @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], **how)
        @given(documents(), widths, st.integers(0, 9_999))
        def holds(document: tuple[str, list[str]], width: int, seed: int) -> None:
            making = app.both(document[0], pieces_of(document[0], seed), width)
            working = asyncio.run_coroutine_threadsafe(making, loop)
            try:
                check(document, working.result(30))
            except TimeoutError:
                raise app._exception or AssertionError(document[0]) from None

        await asyncio.to_thread(holds)


async def test_every_word_is_seen() -> None:
    await hold(
        st.sampled_from((20, 33, 60, 120)),
        max_examples=15,
        derandomize=True,
        phases=[Phase.generate],
    )


@pytest.mark.deep
async def test_every_word_of_anything_is_seen() -> None:
    await hold(st.integers(20, 200), max_examples=400)
