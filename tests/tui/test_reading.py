"""Scrolling, long streams, copying, narrow terminals."""

import asyncio
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from skill_agent.tui.frame.status import Figures, draw, short
from skill_agent.tui.frame.terminal import Route, copy_with, routes
from skill_agent.tui.talk.session_list import SessionList
from skill_agent.tui.talk.shown.code_block import CodeBlock
from skill_agent.tui.talk.shown.conversation import Badge
from skill_agent.tui.talk.shown.prose import BEAT, Flow, Prose
from skill_agent.tui.talk.shown.reply import ReplyBlock
from skill_agent.tui.talk.shown.tables import shared
from stage import StageRuntime, Stop
from textual.app import App, ComposeResult
from textual.await_complete import AwaitComplete
from textual.widgets import Markdown, Static
from textual.widgets._markdown import MarkdownBullet

LONG = "\n\n".join(f"Paragraph {number} of a long story." for number in range(60))


async def test_scrolling_is_never_stolen(sit) -> None:
    gate, end = asyncio.Event(), asyncio.Event()
    runtime = StageRuntime([[LONG], ["new text", Stop(gate), "\n\n" + LONG, Stop(end), "\n\nend"]])
    async with sit(runtime, size=(80, 24)) as seat:
        talk = seat.talk.conversation
        await seat.say("tell")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.until(lambda: talk.max_scroll_y > 40 and talk.following)
        await seat.say("more")
        await seat.until(lambda: "new text" in seat.shown())
        await seat.press("pageup", "pageup")
        await seat.until(lambda: not talk.following)
        await seat.settled()
        held, before = talk.scroll_y, talk.max_scroll_y
        gate.set()
        await seat.until(lambda: talk.max_scroll_y > before + 40)
        await seat.settled()
        assert talk.scroll_y == held
        assert seat.talk.query_one(Badge).has_class("-shown")
        await seat.press("end")
        await seat.until(lambda: talk.following)
        await seat.until(lambda: not seat.talk.query_one(Badge).has_class("-shown"))
        end.set()
        await seat.until(lambda: "end" in seat.shown()[-20:] or seat.talk.figures.read > 2000)
        await seat.until(lambda: talk.following)


class Counted(Prose):
    """Prose that keeps what each of its updates appended."""

    def __init__(self) -> None:
        super().__init__()
        self.appended: list[str] = []

    def append(self, markdown: str) -> AwaitComplete:
        self.appended.append(markdown)
        return super().append(markdown)


class Page(App[None]):
    """Nothing but two texts."""

    def compose(self) -> ComposeResult:
        yield Counted()
        yield Prose()


def picture(widget: Markdown) -> list[tuple[type, str]]:
    """What it is made of, in reading order."""
    return [
        (type(one), one.code if isinstance(one, CodeBlock) else str(text))
        for one in widget.walk_children()
        for text in [one.render() if isinstance(one, Static) else ""]
    ]


async def test_800_tokens_cost_far_fewer_updates_than_tokens() -> None:
    words = [f"word{n} " + ("\n\n" if n % 40 == 39 else "") for n in range(800)]
    async with Page().run_test() as pilot:
        prose = pilot.app.query_one(Counted)
        flow, begun = Flow(prose), time.monotonic()
        for word in words:
            flow.write(word)
            await asyncio.sleep(0)
        await flow.finish()
        assert "".join(prose.appended) == "".join(words) == prose.source
        beats = (time.monotonic() - begun) / BEAT
        assert len(prose.appended) <= beats + 2, "one a beat, and what is left at the end"


MIXED = """Intro with **bold**.

- one
- two
  - sub a
  - sub b
- three

1. first
2. second

   with a second paragraph
3. third

```python
x = 1
```

- a

- b

end"""


@pytest.mark.parametrize("step", [1, 3, 17])
async def test_growing_lists_end_up_as_if_written_at_once(step: int) -> None:
    async with Page().run_test() as pilot:
        prose, plain = pilot.app.query_one(Counted), pilot.app.query(Prose).last()
        for at in range(0, len(MIXED), step):
            await prose.append(MIXED[at : at + step])
        await plain.update(MIXED)
        await pilot.pause()
        assert picture(prose) == picture(plain)


async def test_a_growing_list_keeps_its_rows() -> None:
    async with Page().run_test() as pilot:
        prose = pilot.app.query_one(Counted)
        await prose.append("1. a\n2. b\n")
        await pilot.pause()
        rows = list(prose.query("Horizontal"))
        for number in range(3, 13):
            await prose.append(f"{number}. more\n")
        assert list(prose.query("Horizontal"))[:1] == rows[:1]
        bullets = [one.symbol for one in prose.query(MarkdownBullet)]
        assert bullets[0] == "  1. " and bullets[-1] == " 12. "


async def test_markdown_in_what_the_person_said_is_left_alone(sit) -> None:
    async with sit(StageRuntime([["fine [b]x[/b]"]])) as seat:
        await seat.say("a * b [bold]x[/bold]")
        await seat.until(lambda: seat.talk.figures.written)
        assert "a * b [bold]x[/bold]" in seat.shown()


async def test_control_sequences_of_a_model_do_not_reach_the_screen(sit) -> None:
    async with sit(StageRuntime([["safe\x1b[31m red \x1b]52;c;aGk=\x07 end"]])) as seat:
        await seat.say("x\x1b[2Jy")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.settled()
        lines = [
            "".join(segment.text for segment in strip)
            for strip in seat.app.screen._compositor.render_strips()
        ]
        assert not any("\x1b" in line or "\x07" in line for line in lines)


async def screen_of(seat) -> str:
    await seat.settled()
    strips = seat.app.screen._compositor.render_strips()
    lines = ("".join(segment.text for segment in strip) for strip in strips)
    return " ".join(" ".join(lines).split())


@pytest.mark.deep
@pytest.mark.parametrize(
    ("pieces", "wanted"),
    [
        (["Put <your", "-name> in, a Vec<String>, and <br>"], "Put <your-name> in, a Vec<String>"),
        (["<details>\n\nshown\n\n</details>"], "<details> shown </details>"),
        (["a \x1b", "]0;open\n\nsecond ", "part \x1b", "[31", "mred"], "second part red"),
        (["send to evil\u202e", "moc.knab now"], "send to evil‹U+202E›moc.knab now"),
        (["pay\u200b", "pal, a family \U0001f468\u200d", "\U0001f469"], "pay‹U+200B›pal"),
    ],
)
async def test_nothing_of_a_reply_is_swallowed_or_unseen(
    sit, pieces: list[str], wanted: str
) -> None:
    """While it comes, and when it is read again."""
    async with sit(StageRuntime([pieces])) as seat:
        await seat.say("x")
        await seat.until(lambda: seat.talk.figures.written)
        live = await screen_of(seat)
        assert wanted in live
        await seat.press("ctrl+n")
        await seat.press("ctrl+s")
        await seat.at(SessionList)
        await seat.press("enter")
        await seat.until(lambda: seat.talk.query(ReplyBlock))
        assert wanted in await screen_of(seat)


def test_narrow_columns_keep_their_width_and_wide_ones_share_the_rest() -> None:
    assert shared([6, 5, 200], 60) == [6, 5, 49]
    assert shared([100, 6, 100], 60) == [27, 6, 27]
    assert shared([50, 50, 50], 8) == [5, 5, 5], "never nothing"


@pytest.mark.deep
@pytest.mark.parametrize("width", [60, 100])
async def test_no_cell_of_a_table_vanishes(sit, width: int) -> None:
    rows = ("名前 | 値 | 説明", "--|--|--", f"東京 | 1 | {'とても' * 30}終", "大阪 | 2 | ok")
    table = "".join(f"| {row} |\n" for row in rows)
    pieces = [table[at : at + 9] for at in range(0, len(table), 9)]
    async with sit(StageRuntime([pieces, [table]]), size=(width, 36)) as seat:
        for count in (1, 2):
            await seat.say("x")
            await seat.until(lambda: len(seat.talk.query(ReplyBlock)) == count)  # noqa: B023
            await seat.until(lambda: not seat.talk.turns.of("session-0"))
            shown = await screen_of(seat)
            wanted = ("名前", "値", "説明", "東京", "大阪", "ok", "終")
            assert [one for one in wanted if one not in shown] == []
            assert "…" not in shown.partition("名前")[2].partition("Write a message")[0]


async def test_sixty_by_twenty_works(sit) -> None:
    async with sit(StageRuntime([["Hello."]]), size=(60, 20)) as seat:
        assert not seat.talk.query_one("#memory").display
        await seat.say("Hi")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.settled()
        assert seat.talk.composer.region.bottom <= 20
        await seat.press("f3")
        await seat.until(lambda: seat.talk.query_one("#memory").region.width >= 58)
        await seat.press("f3")
        await seat.until(lambda: seat.talk.conversation.region.width >= 58)


async def test_the_composer_grows_to_ten_lines(sit) -> None:
    async with sit(StageRuntime()) as seat:
        seat.talk.composer.put("\n".join("x" * 30))
        await seat.until(lambda: seat.talk.composer.size.height == 10)
        await seat.settled()
        assert seat.talk.composer.size.height == 10


def test_the_status_line_drops_the_least_telling_first() -> None:
    figures = Figures(
        model="embedded/qwen2.5-coder-1.5b", window=8192, filled=1300, read=2480, written=93,
        cached=2100, title="A title",
    )  # fmt: skip
    wide = draw(figures, 120).plain
    assert "qwen2.5-coder-1.5b · 1.3k/8.2k · ↑2.5k ↓93 · 85% cached · $0.00" in wide
    assert wide.endswith("A title") and len(wide) <= 120
    assert len(draw(figures, 40).plain) <= 40
    assert "1.3k/8.2k" in draw(figures, 50).plain
    assert [short(one) for one in (999, 1000, 12_345, 250_000, 2_000_000)] == [
        "999", "1k", "12.3k", "250k", "2.0M",
    ]  # fmt: skip


def _tool(folder: Path, name: str, script: str) -> str:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IEXEC)
    return str(file)


def test_the_native_tool_comes_before_tmux(tmp_path: Path) -> None:
    found = routes({"DISPLAY": ":0", "TMUX": "x"}, lambda name: f"/bin/{name}")
    assert [route.name for route in found] == ["xclip", "xsel", "tmux buffer"]
    assert routes({"DISPLAY": ":0"}, lambda name: None) == []


def test_a_tool_gets_the_text(tmp_path: Path) -> None:
    out = tmp_path / "clip"
    route = Route("fake", (_tool(tmp_path, "fake", f"cat > {out}"),))
    assert copy_with(route, "grüße ✓")
    assert out.read_text("utf-8") == "grüße ✓"


def test_a_failing_or_hanging_tool_is_not_believed(tmp_path: Path) -> None:
    assert not copy_with(Route("bad", (_tool(tmp_path, "bad", "exit 1"),)), "x")
    assert not copy_with(
        Route("slow", (_tool(tmp_path, "slow", "exec sleep 20"),)), "x", seconds=0.2
    )
    assert not copy_with(Route("gone", (str(tmp_path / "gone"),)), "x")


async def test_copying_says_which_way_it_went(sit, tmp_path: Path, monkeypatch) -> None:
    out = tmp_path / "clip"
    _tool(tmp_path, "xclip", f"/bin/cat > {out}")
    for name in ("WAYLAND_DISPLAY", "TMUX", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setenv("PATH", str(tmp_path))
    async with sit(StageRuntime([["the reply"]])) as seat:
        await seat.say("go")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.press("ctrl+y")
        await seat.until(out.exists)
        await seat.until(lambda: [one for one in seat.app._notifications if "xclip" in one.message])
        assert out.read_text() == "the reply"


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_without_a_terminal_it_refuses_at_once(stream: str, tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from skill_agent.tui.app import run_workstation\n"
        f"run_workstation(None, draft_dir=Path({str(tmp_path)!r}), log_file=Path('x'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, stdin=subprocess.DEVNULL,
        timeout=60, check=False,
    )  # fmt: skip
    assert "needs a terminal" in done.stderr


def test_native_output_goes_to_the_log(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from skill_agent.tui.frame.terminal import own_terminal\n"
        f"with own_terminal(Path({str(tmp_path / 'logs' / 'tui.log')!r})):\n"
        "    os.write(2, b'panic from a library')\n"
        "    os.write(1, b'and a print')\n"
        "    sys.__stderr__.write('drawn')\n"
        "os.write(2, b' after')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert (tmp_path / "logs" / "tui.log").read_text() == "panic from a libraryand a print"
    assert (done.stdout, done.stderr) == ("drawn", " after")
    assert (tmp_path / "logs" / "tui.log").stat().st_mode & 0o777 == 0o600


def test_first_paint_loads_nothing_heavy() -> None:
    code = "import skill_agent.tui.app, sys; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    heavy = {"litellm", "torch", "sentence_transformers", "transformers", "lancedb", "pyarrow"}
    heavy |= {"duckdb", "xllamacpp", "onnxruntime", "tokenizers", "telegram", "numpy", "pydantic"}
    assert not heavy & loaded
    assert "skill_agent.host.runtime" not in done.stdout.split()
