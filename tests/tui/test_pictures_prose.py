"""Pictures of what a reply may hold: a table, code, links, a long message, earlier messages."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.screen import TalkScreen
from skill_agent.tui.talk.shown.reply import ReplyBlock
from stage import StageRuntime, opener
from textual.pilot import Pilot
from waiting import settled, until

SIZES = (60, 18), (80, 24), (120, 36), (200, 50)
REPLY = """## What changed

| place | before | now | what it means for you |
|---|--:|--:|---|
| start | 1.9 s | 0.4 s | the first paint needs no library of the home |
| search | 310 ms | 42 ms | words and meaning are looked up at once |
| 名前 | 12 | 9 | wide characters keep their column |

See [the notes](https://notes.example.org/2026/11) and run:

```python
def slowest(rows: list[Row]) -> Row:
    return max(rows, key=lambda one: one.seconds) if rows else Row(name="nothing was measured", \
seconds=0.0)
```

- [x] measured
- [ ] told to <everyone>
"""
LONG = "\n".join(f"{number:>4}  GET /v1/messages  200  {number % 7} ms" for number in range(500))


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def still(snap_compare, drafts: Path) -> Callable[..., bool]:
    def compare(said: str, *keys: str, size: tuple[int, int], theme: str = "workstation") -> bool:
        async def before(pilot: Pilot[None]) -> None:
            talk = pilot.app.screen_stack[0]
            assert isinstance(talk, TalkScreen)
            await until(pilot, lambda: talk.speaker)
            pilot.app.theme = theme
            talk.composer.put(said)
            await pilot.press("enter")
            await settled(pilot)
            if keys:
                talk.set_focus(talk.query(ReplyBlock).last())
                await pilot.press(*keys)
            await settled(pilot)

        app = WorkstationApp(opener(StageRuntime([[REPLY]])), draft_dir=drafts, seconds=lambda: 0.0)
        app.animation_level = "none"
        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


def test_a_table_and_code(still) -> None:
    assert still("What changed?", size=(120, 36))


def test_a_table_and_code_on_a_small_screen(still) -> None:
    assert still("What changed?", "w", size=(80, 24))


@pytest.mark.deep
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["workstation", "workstation-light"])
def test_at_any_size(still, size: tuple[int, int], theme: str) -> None:
    assert still(LONG, size=size, theme=theme)
