"""Commands that a program has us run in its folder: without a shell, for a while, told in part."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from skill_agent.errors import ToolFailed
from skill_agent.identifiers import new_id
from skill_agent.programs.environment import PROXIES, environment
from skill_agent.programs.running import Running, start
from skill_agent.text.printing import printable

MOST = 16
"""At a time."""
MOST_BYTES = 100_000
"""Of what one says, from its end."""
LONGEST_S = 600.0


class _Terminal:
    def __init__(self, process: Running, most: int) -> None:
        self.process, self._most = process, most
        self._said, self.cut = bytearray(), False
        self._reading = asyncio.create_task(self._read(), name="output of a terminal")
        self.over = asyncio.create_task(self._run(), name="terminal")

    async def _run(self) -> None:
        await self.process.gone(LONGEST_S)
        await self.process.end(at_once=True)
        await self._reading

    async def _read(self) -> None:
        while piece := await self.process.output.read(65_536):
            self._said += piece
            if len(self._said) > self._most:
                del self._said[: len(self._said) - self._most]
                self.cut = True

    @property
    def said(self) -> str:
        return printable(self._said.decode("utf-8", "replace"))


class Terminals:
    """Those of one turn; what still runs at its end is ended."""

    def __init__(self) -> None:
        self._running: dict[str, _Terminal] = {}

    async def create(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], most: int | None
    ) -> str:
        """Raises ToolFailed for what cannot be run."""
        if len(self._running) >= MOST:
            raise ToolFailed(f"{MOST} commands are kept already; release one first")
        here = environment(PROXIES)
        found = shutil.which(command[0], path=here.get("PATH"))
        if found is None:
            raise ToolFailed(f"there is no program {command[0]!r}")
        try:
            process = await start((found, *command[1:]), cwd=cwd, env={**here, **env}, log=None)
        except OSError as error:
            raise ToolFailed(f"{found} cannot be started: {error.strerror}") from None
        name = new_id()
        self._running[name] = _Terminal(process, min(most or MOST_BYTES, MOST_BYTES))
        return name

    def output(self, name: str) -> tuple[str, bool, int | None]:
        """What it has said, whether the beginning of that is cut, and its exit code."""
        one = self._of(name)
        return one.said, one.cut, one.process.code

    async def wait(self, name: str) -> int | None:
        """Its exit code, once it has one."""
        one = self._of(name)
        await asyncio.shield(one.over)
        return one.process.code

    async def kill(self, name: str) -> None:
        await self._of(name).process.end(at_once=True)

    async def release(self, name: str) -> None:
        one = self._running.pop(name, None)
        if one is not None:
            await one.process.end(at_once=True)
            await one.over

    async def end(self) -> None:
        for name in [*self._running]:
            await self.release(name)

    def _of(self, name: str) -> _Terminal:
        if (one := self._running.get(name)) is None:
            raise ToolFailed("there is no such terminal")
        return one
