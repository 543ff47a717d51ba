"""Draws the pictures of the documentation: docs/pictures/*.svg, and docs/tour.svg, which moves.

Run it from the checkout: `python docs/make_screenshot.py`. They show the workstation over the real
runtime on the sample home of `ska demo`; the model is scripted and the clock fixed, so they change
only when the program does.
"""

import asyncio
import hashlib
import os
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from skill_agent.cli.opening.home import open_home
from skill_agent.cli.setup.sample import Month, play
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.screen import TalkScreen
from textual.pilot import Pilot

from skill_agent.models.scripted import Pause, ScriptedGateway, ScriptedModel
from skill_agent.ports import ModelRequest
from skill_agent.workstation import Workstation

DOCS = Path(__file__).parent
PICTURES, TOUR = DOCS / "pictures", DOCS / "tour.svg"
SIZE = (110, 34)
TODAY = datetime(2026, 11, 13, 9, 0, tzinfo=UTC)
CLIP = re.compile(r'(<clipPath id="terminal-clip-terminal">\s*<rect [^>]*height=")([\d.]+)"')
BELOW = 6
"""More of the last line than Rich shows, which cuts its letters off below."""
QUESTION = "When do I deploy, and what should I watch out for?"
REPLY = """On **Mondays**, from the `release` branch; Fridays were before you moved it. Two things:

1. Run the migration first and wait until it is done; two versions must not write the same table
2. Tom is away until the 20th, so nobody waits for staging

```bash
git switch release && git pull --ff-only
make migrate && make deploy
```
"""


class WordAxes:
    """Words hashed onto axes: an embedder without a model, the same on every machine."""

    name = "word-axes-64"
    dimensions = 64

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.full((len(texts), self.dimensions), 1e-6, np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                rows[row, hashlib.sha256(word.encode()).digest()[0] % self.dimensions] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the tour, and how long it stands."""

    svg: str
    seconds: float


async def draw() -> None:
    """Every picture, and the tour."""
    with tempfile.TemporaryDirectory() as folder:
        month = Month(today=TODAY)

        def answer(request: ModelRequest):
            asked = request.messages[-1].content
            if QUESTION in asked:
                return [
                    part for word in re.findall(r"\s*\S+", REPLY) for part in (word, Pause(0.03))
                ]
            return month.answer(request)

        @asynccontextmanager
        async def home() -> AsyncIterator[Workstation]:
            gateway = ScriptedGateway(ScriptedModel(otherwise=answer, name="openai/gpt-4o"))
            async with open_home(
                Path(folder) / "home", create=True, hosting=True, gateway=gateway,
                embedder=WordAxes(), clock=month.clock,
            ) as runtime:  # fmt: skip
                await play(runtime, month, lambda line: None)
                yield runtime

        app = WorkstationApp(home, draft_dir=Path(folder) / "drafts")
        app.animation_level = "none"
        async with app.run_test(size=SIZE) as pilot:
            frames = await tour(app, pilot)
            await places(app, pilot)
            await pilot.press("ctrl+q")
    TOUR.write_text(moving(frames), encoding="utf-8")


async def tour(app: WorkstationApp, pilot: Pilot[None]) -> list[Frame]:
    """From the first screen to an answer, and to where it came from."""
    screen = app.screen_stack[0]
    assert isinstance(screen, TalkScreen)
    await until(pilot, lambda: bool(screen.figures.member.slug))
    await until(pilot, lambda: "knows" in shot(app) and "Waiting" in shot(app))
    await until(pilot, lambda: "tried&#160;again" not in shot(app))
    await settled(pilot)
    frames = [Frame(save(app, "home"), 2.5)]
    for end in range(13, len(QUESTION) + 13, 13):
        screen.composer.put(QUESTION[:end])
        await pilot.pause(0.05)
        frames.append(Frame(shot(app), 0.18))
    await pilot.press("enter")
    while not screen.figures.written:
        await pilot.pause(0.45)
        frames.append(Frame(shot(app), 0.35))
    await settled(pilot)
    frames.append(Frame(save(app, "conversation"), 4.0))
    for key, name, seconds in (("f5", "memory", 3.5), ("f8", "inbox", 3.0), ("f7", "team", 3.0)):
        await pilot.press(key)
        await settled(pilot)
        frames.append(Frame(save(app, name), seconds))
    await pilot.press("escape")
    return frames


async def places(app: WorkstationApp, pilot: Pilot[None]) -> None:
    """Every other place, each as it opens, and what lies over a conversation."""
    from skill_agent.tui.places import PLACES

    known = {"memory", "inbox", "team"}
    for place in (one for one in PLACES if one.name not in known):
        app.action_place(place.name)
        await settled(pilot)
        save(app, place.name)
        await pilot.press("escape")
        await settled(pilot)
    for key, name in (("ctrl+s", "conversations"), ("ctrl+o", "go-to"), ("alt+m", "models")):
        await pilot.press(key)
        await settled(pilot)
        save(app, name)
        await pilot.press("escape")
        await settled(pilot)


def save(app: WorkstationApp, name: str) -> str:
    PICTURES.mkdir(exist_ok=True)
    svg = shot(app)
    (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")
    return svg


def shot(app: WorkstationApp) -> str:
    """The screen; Rich derives the names inside from its content, and fetches fonts, which a page
    that is read offline must not."""
    svg = re.sub(r"terminal-\d+-", "terminal-", app.export_screenshot(title="ska"))
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return re.sub(CLIP, lambda found: f'{found[1]}{float(found[2]) + BELOW:.1f}"', svg)


def moving(frames: Sequence[Frame]) -> str:
    """One SVG in which each frame stands for its time, round and round; who wants no motion sees
    the last but two, which is the answer."""
    total = sum(one.seconds for one in frames)
    (box,) = re.findall(r'viewBox="([^"]+)"', frames[0].svg)[:1]
    rules, parts, at = [], [], 0.0
    for number, one in enumerate(frames):
        begin, at = 100 * at / total, at + one.seconds
        end = 100 * at / total
        rules.append(
            f"@keyframes f{number}{{0%{{visibility:hidden}}{begin:.2f}%{{visibility:visible}}"
            f"{end:.2f}%{{visibility:hidden}}}}"
            f".f{number}{{animation:f{number} {total:.2f}s step-end infinite}}"
        )
        inner = re.sub(r"terminal-", f"t{number}-", one.svg)
        inner = inner.replace('class="rich-terminal"', f'class="f{number}" visibility="hidden"', 1)
        parts.append(inner)
    still = max(len(frames) - 4, 0)
    rules.append(
        "@media (prefers-reduced-motion: reduce){svg svg{animation:none!important}"
        f".f{still}{{visibility:visible}}}}"
    )
    style = "".join(rules)
    whole = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><style>{style}</style>'
        + "".join(parts)
        + "</svg>\n"
    )
    ElementTree.fromstring(whole)  # as a picture in a page it must be well-formed
    return whole


async def settled(pilot: Pilot[None]) -> None:
    """Until the picture has been the same for a while."""
    seen, same = "", 0
    end = time.monotonic() + 60
    while same < 6:
        if time.monotonic() > end:
            raise TimeoutError("the screen never came to rest")
        await pilot.pause(0.05)
        now = shot(pilot.app)  # type: ignore[arg-type]
        seen, same = now, same + 1 if now == seen else 0


async def until(pilot: Pilot[None], happened: Callable[[], bool]) -> None:
    """Lets the app work until it has happened; raises TimeoutError after a minute."""
    end = time.monotonic() + 60
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError("the screen never showed what was waited for")
        await pilot.pause(0.02)


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    asyncio.run(draw())
    print(TOUR, *sorted(PICTURES.glob("*.svg")), sep="\n")
