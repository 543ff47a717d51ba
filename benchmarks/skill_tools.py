"""What skills as tools cost: activating one again, listing fifty, using one, looking for edits.

    python benchmarks/skill_tools.py [--skills 50] [--json]

Over a real home in a scratch folder, in this process; medians. Exit code 1: a budget was not kept.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fakes import HashEmbedder
from in_process import open_in_process
from measuring import Row, show

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.skills.book import SkillBook

AGAIN_MS, LIST_MS, USE_MS = 1.0, 5.0, 5.0
AGENT = "mcp-bench"
HEAD = "---\nname: {0}\ndescription: Does it.\n---\nDo it.\n"


async def median_ms(work: Callable[[], Awaitable[object]], rounds: int = 200) -> float:
    took: list[float] = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await work()
        took.append(time.perf_counter() - begun)
    return 1000 * statistics.median(took)


async def measured(home: Home, count: int) -> list[Row]:
    names = [f"bench-{number:02}" for number in range(count)]
    for name in names:
        (home.skills / name).mkdir(parents=True)
        (home.skills / name / "SKILL.md").write_text(HEAD.format(name), encoding="utf-8")
    book = SkillBook([home.skills])
    rules = (f"* activate_skill:{one.name}@{one.digest}\n" for one in book.skills())
    home.rules.parent.mkdir(parents=True, exist_ok=True)
    home.rules.write_text("".join(rules), encoding="utf-8")
    gateway = ScriptedGateway(ScriptedModel(otherwise="Yes."))
    async with open_in_process(
        home.root, create=True, gateway=gateway, embedder=HashEmbedder()
    ) as runtime:
        group = runtime.skill_tools
        begun = time.perf_counter()
        for name in names:
            await group.activate(name, AGENT)
        first = 1000 * (time.perf_counter() - begun) / count

        async def look() -> None:
            book.skills()

        given = {"task": "x"}
        return [
            Row(what="activated for the first time", value=first, unit="ms"),
            Row(
                what="activated again",
                value=await median_ms(lambda: group.activate(names[0], AGENT)),
                unit="ms",
                budget=AGAIN_MS,
            ),
            Row(
                what=f"{count} tools listed",
                value=await median_ms(lambda: group.tools(AGENT)),
                unit="ms",
                budget=LIST_MS,
            ),
            Row(
                what="one used",
                value=await median_ms(
                    lambda: group.use(f"skill_{names[0].replace('-', '_')}", AGENT, given)
                ),
                unit="ms",
                budget=USE_MS,
            ),
            Row(what=f"a look at {count} folders", value=await median_ms(look), unit="ms"),
        ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skills", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(measured(Home(Path(folder) / "home"), asked.skills))
    show("skills as tools", rows, as_json=asked.json)
    return 1 if any(row.kept is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
