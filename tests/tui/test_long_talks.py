"""Long conversations, long messages, code: what is far away comes when one goes there."""

import asyncio

from skill_agent.tui.talk.shown.blocks import Block, UserBlock
from skill_agent.tui.talk.shown.code_block import CodeBlock
from skill_agent.tui.talk.shown.conversation import MORE
from skill_agent.tui.talk.shown.earlier import PAGE
from skill_agent.tui.talk.shown.long_text import LongText
from skill_agent.tui.talk.shown.reply import ReplyBlock
from skill_agent.tui.talk.shown.tables import FittedText
from stage import StageRuntime

CODE = """First:

```python
x = "a line that is a good deal longer than any of these narrow screens has columns for it"
```

Then:

```
two
```
"""


def talked(count: int) -> StageRuntime:
    runtime = StageRuntime()
    runtime.add_session("Long", "kyra", *(f"line {number}" for number in range(count)))
    return runtime


async def test_what_came_before_is_drawn_as_one_scrolls_up(sit) -> None:
    async with sit(talked(260), size=(80, 24), session="latest") as seat:
        talk = seat.talk.conversation
        await seat.until(lambda: "line 259" in seat.shown())
        await seat.settled()
        assert talk.following
        assert len(talk.query_children(Block)) <= 2 * PAGE, "one page, and one ready above it"

        def at_the_top() -> bool:
            talk.scroll_home(animate=False, immediate=True)
            return MORE not in seat.shown()

        await seat.until(at_the_top)
        said = [line for line in seat.shown().split("\n") if line.startswith("line ")]
        said = list(dict.fromkeys(said))  # Markdown is there as it was written, and as drawn
        assert said == [f"line {number}" for number in range(260)], "each once, and in order"


async def test_what_one_looks_at_stays_where_it_is(sit) -> None:
    async with sit(talked(200), size=(80, 24), session="latest") as seat:
        talk = seat.talk.conversation
        await seat.until(lambda: "line 199" in seat.shown())
        await seat.settled()
        first = talk.query_children(Block).first()
        before = len(talk.children)
        talk.scroll_to(y=first.virtual_region.y - 1, animate=False, immediate=True)
        await seat.until(lambda: len(talk.children) > before)
        await seat.settled()
        assert first.region.y - talk.region.y == 1


async def test_a_conversation_may_be_opened_again_while_more_of_it_is_drawn(sit) -> None:
    runtime = talked(200)
    async with sit(runtime, size=(80, 40), session="latest") as seat:
        listener = seat.talk._home.listener
        for _ in range(3):
            await asyncio.wait_for(listener.open(runtime.stored["session-0"]), 60)
        await seat.settled()
        said = [line for line in seat.shown().split("\n") if line.startswith("line ")]
        assert list(dict.fromkeys(said))[-3:] == ["line 197", "line 198", "line 199"]
        assert seat.talk.conversation.following


async def test_a_long_message_is_folded_until_it_is_opened(sit) -> None:
    async with sit(StageRuntime([["Read."]])) as seat:
        await seat.say("\n".join(f"line {number}" for number in range(500)))
        await seat.until(lambda: seat.talk.figures.written)
        assert "line 11\n… 488 more lines, Enter opens" in seat.shown()
        seat.talk.set_focus(seat.talk.query_one(UserBlock))
        await seat.press("enter")
        assert "line 499" in seat.shown() and "more lines" not in seat.shown()
        assert seat.talk.query_one(LongText).open


async def test_code_is_copied_one_after_the_other_and_wrapped(sit) -> None:
    async with sit(StageRuntime([[CODE]]), size=(60, 30)) as seat:
        await seat.say("code")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.settled()
        first, last = seat.talk.query(CodeBlock)
        copied: list[str] = []
        seat.app.copy_to_clipboard = copied.append
        assert "… +" in on_screen(first) and "columns" not in on_screen(first)
        seat.talk.set_focus(seat.talk.query_one(ReplyBlock))
        await seat.press("C", "C")
        assert copied == [last.code, first.code]
        await seat.press("w")
        assert first.wrapped and not last.wrapped
        assert "columns" in on_screen(first).replace("\n↪ ", "")


def on_screen(code: CodeBlock) -> str:
    visual = code.render()
    assert isinstance(visual, FittedText)
    return visual.at(code.content_size.width).plain
