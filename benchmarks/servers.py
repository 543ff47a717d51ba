"""Which tools of servers are chosen for a message: `python benchmarks/servers.py [--set final]`.

Tools of eight servers, 30 messages a set in six languages, and 10 that want no tool. Printed are
recall at k (one of the tools that would serve is among the first k), and what a small model would
be shown. Build on `build`, look at `final` once. `--letters` goes without the embedder.
"""

import argparse
import tempfile
import time
import tomllib
from pathlib import Path

from skill_agent.store.embedders.choosing import chosen_embedder

from skill_agent.mcp_client.calls import FoundTool
from skill_agent.mcp_client.offering.borrowed import Sound, made_sound
from skill_agent.mcp_client.offering.choosing import Meanings, ranked
from skill_agent.mcp_client.offering.naming import offered_as
from skill_agent.mcp_client.offering.offering import clearly

DATA = Path(__file__).parent / "server_tools"
MODELS = Path.home() / ".cache" / "skill-agent" / "models"
AT = (1, 3, 5, 10, 20, 40)


def tools() -> list[Sound]:
    """All of them, as they are offered."""
    told = tomllib.loads((DATA / "tools.toml").read_text("utf-8"))
    return [
        made_sound(
            FoundTool(
                server=server,
                name=name,
                description=description,
                parameters={"type": "object", "properties": {}},
                digest=f"{server}/{name}",
            ),
            offered_as(server, name),
        )
        for server, named in told.items()
        for name, description in named.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default="build", choices=("build", "final"))
    parser.add_argument("--letters", action="store_true", help="without an embedder")
    parser.add_argument("--show", action="store_true", help="each message")
    told = parser.parse_args()
    known = tools()
    with tempfile.TemporaryDirectory() as folder:
        embedder = None if told.letters else chosen_embedder("embedded/all-minilm-l6-v2", MODELS)
        meanings = Meanings(embedder, Path(folder) / "v") if embedder else None
        _print(known, meanings, told.set, told.show)


def _print(known: list[Sound], meanings: Meanings | None, name: str, show: bool) -> None:
    sets = tomllib.loads((DATA / f"{name}.toml").read_text("utf-8"))
    ranks: dict[str, list[int]] = {}
    right = shown = needless = 0
    begun = time.perf_counter()
    for language, messages in sets.items():
        for message, wanted in messages.items():
            order = ranked(message, known, meanings)
            names = [f"{one.tool.found.server}/{one.tool.found.name}" for one in order]
            few = [f"{one.found.server}/{one.found.name}" for one in clearly(order)]
            rank = min((names.index(one) for one in wanted), default=-1)
            if show:
                print(f"{rank:4d} {order[0].near:.2f} {len(few)} {message} → {names[:3]}")
            if not wanted:
                needless += bool(few)
                continue
            ranks.setdefault(language, []).append(rank)
            right += bool({*few} & {*wanted})
            shown += bool(few)
    seconds = time.perf_counter() - begun
    every = [rank for one in ranks.values() for rank in one]
    print(f"{name}: {len(known)} tools, {len(every)} messages, {seconds:.1f} s")
    for language, one in [*ranks.items(), ("all", every)]:
        recall = "  ".join(f"@{k} {sum(rank < k for rank in one) / len(one):.2f}" for k in AT)
        print(f"  {language:4s} {recall}")
    chats = len(sets["chat"])
    print(f"  small model: shown any for {shown}/{len(every)}, the right one for {right}")
    print(f"  and needlessly for {needless}/{chats} that want none")


if __name__ == "__main__":
    main()
