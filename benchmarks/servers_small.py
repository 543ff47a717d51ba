"""Whether a small model calls the right tool of a server, and none where none is wanted.

    python benchmarks/servers_small.py HOME

A server of eight tools works on real files in a folder of its own; each message is a conversation
of its own, every call is allowed once. HOME is a home with a model, best a copy: its agents.toml is
written anew. Printed are the tools that were called, and the reply.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from in_process import open_in_process

from skill_agent.errors import ToolFailed
from skill_agent.events import ApprovalAsked, Event, ToolStarted, TurnFailed, TurnFinished
from skill_agent.host.runtime import Runtime
from skill_agent.mcp_client.calls import Connections, FoundTool, Progress, Result
from skill_agent.mcp_client.offering.offering import Offering

PATH: dict[str, Any] = {"path": {"type": "string", "description": "e.g. notes.txt"}}
TOOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "read_file": ("Read the complete contents of a file.", PATH),
    "write_file": (
        "Create a file or overwrite it with new content.",
        PATH | {"content": {"type": "string"}},
    ),
    "list_directory": ("List files and directories at a path; . is the top.", PATH),
    "create_directory": ("Create a new directory.", PATH),
    "move_file": (
        "Move or rename a file.",
        {"source": {"type": "string"}, "destination": {"type": "string"}},
    ),
    "search_files": (
        "Search for files whose names match a pattern.",
        {"pattern": {"type": "string", "description": "e.g. *.txt"}},
    ),
    "get_file_info": ("Get size and date of a file.", PATH),
    "delete_file": ("Delete a file.", PATH),
}
MESSAGES: Sequence[tuple[str, str]] = (
    ("What is in the file notes.txt?", "read_file"),
    ("List the files in the folder reports.", "list_directory"),
    ("Rename draft.txt to final.txt, please.", "move_file"),
    ("Delete the file old.log", "delete_file"),
    ("How big is the file data.csv?", "get_file_info"),
    ("Create a folder called invoices.", "create_directory"),
    ("Lies mir die Datei notes.txt vor.", "read_file"),
    ("Good morning! How are you?", ""),
    ("Why is the sky blue?", ""),
    ("Tell me a short joke about cats.", ""),
    ("I just came home from the dentist.", ""),
    ("What is the capital of Norway?", ""),
)


@dataclass(frozen=True, slots=True)
class Files(Connections):
    """A file server over a real folder."""

    root: Path

    def names(self) -> list[str]:
        return ["files"]

    async def tools(self, server: str) -> Sequence[FoundTool]:
        return [
            FoundTool(
                server=server,
                name=name,
                description=said,
                parameters={"type": "object", "properties": parts, "required": [*parts]},
                digest=name,
            )
            for name, (said, parts) in TOOLS.items()
        ]

    async def call(
        self, server: str, tool: str, arguments: dict[str, Any], *, progress: Progress
    ) -> Result:
        paths = {
            name: self._inside(str(one)) for name, one in arguments.items() if name != "content"
        }
        try:
            return Result(text=self._done(tool, arguments, paths))
        except OSError as problem:
            raise ToolFailed(problem.strerror or "it failed") from None

    def on_changed(self, callback: Callable[[str], None]) -> Callable[[], None]:
        return lambda: None

    def _inside(self, path: str) -> Path:
        found = (self.root / path.lstrip("/")).resolve()
        if not found.is_relative_to(self.root.resolve()):
            raise ToolFailed("outside of the folder")
        return found

    def _done(self, tool: str, arguments: dict[str, Any], paths: dict[str, Path]) -> str:
        path = paths.get("path", self.root)
        match tool:
            case "read_file":
                return path.read_text("utf-8")
            case "write_file":
                path.write_text(str(arguments["content"]), "utf-8")
            case "list_directory":
                return "\n".join(sorted(one.name for one in path.iterdir()))
            case "create_directory":
                path.mkdir()
            case "move_file":
                paths["source"].rename(paths["destination"])
            case "search_files":
                found = self.root.rglob(str(arguments["pattern"]))
                return "\n".join(str(one.relative_to(self.root)) for one in found)
            case "get_file_info":
                return f"{path.stat().st_size} bytes"
            case _:
                path.unlink()
        return "done"


def fill(root: Path) -> None:
    """The files that the messages speak of."""
    (root / "notes.txt").write_text("Buy milk. Call Ana on Friday.\n", "utf-8")
    (root / "draft.txt").write_text("A draft.\n", "utf-8")
    (root / "old.log").write_text("old\n", "utf-8")
    (root / "data.csv").write_text("a,b\n" * 500, "utf-8")
    (root / "reports").mkdir()
    for name in ("may.txt", "june.txt"):
        (root / "reports" / name).write_text("report\n", "utf-8")


async def said(runtime: Runtime, text: str) -> list[Event]:
    events: list[Event] = []
    async for event in runtime.ask(text):
        events.append(event)
        if isinstance(event, ApprovalAsked):
            await runtime.approvals.answer(event.approval, "once")
    return events


async def main(home: str) -> None:
    agents = Path(home) / "agents.toml"
    agents.write_text('[agents.kyra]\nmcp = ["files"]\n', "utf-8")
    right = wrong = silent = 0
    with TemporaryDirectory() as folder:
        fill(Path(folder))
        async with open_in_process(home) as runtime:
            servers = runtime._doors.servers  # pyright: ignore[reportPrivateUsage]
            servers.offering = Offering(servers.means, Files(Path(folder)))
            for text, wanted in MESSAGES:
                begun = time.perf_counter()
                events = await said(runtime, text)
                calls = [one for one in events if isinstance(one, ToolStarted)]
                last = events[-1]
                reply = last.text if isinstance(last, TurnFinished) else f"failed: {last.line}"
                names = [one.tool.removeprefix("files_") for one in calls]
                good = wanted in names if wanted else not names
                right += good and bool(wanted)
                silent += good and not wanted
                wrong += isinstance(last, TurnFailed)
                told = [f"{one.tool}{one.arguments}" for one in calls]
                print(f"{'ok ' if good else 'BAD'} {time.perf_counter() - begun:5.1f} s {text}")
                print(f"      {told} → {reply[:160]!r}", flush=True)
    meant = sum(bool(one) for _, one in MESSAGES)
    print(f"called the right tool: {right}/{meant}")
    print(f"called none where none is wanted: {silent}/{len(MESSAGES) - meant}; failed: {wrong}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
