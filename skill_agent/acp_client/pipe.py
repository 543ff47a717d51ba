"""JSON-RPC messages over a program's standard streams, one a line, as many as we can take."""

import asyncio
import json
from typing import Any

from skill_agent.programs.running import Running

MOST_BYTES = 16 << 20
"""Of one message of a program."""
MOST_ODD = 50
"""Lines that are no messages: some programs print a greeting before they speak."""


class Pipe:
    """What the SDK asks of a transport."""

    def __init__(self, process: Running) -> None:
        self._process, self._odd = process, 0
        self._sending = asyncio.Lock()
        self.room = asyncio.Event()
        """Nothing is read while it is unset: the program waits then, and not our memory."""
        self.room.set()
        self.problem = ""
        """Why nothing is read any more, where the program is to blame."""
        self.first_odd = ""

    async def send(self, message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        async with self._sending:
            self._process.input.write(line)
            await self._process.input.drain()

    async def receive(self) -> dict[str, Any] | None:
        """None at the end, also where what comes is not to be borne."""
        while not self.problem:
            await self.room.wait()
            try:
                line = await self._process.output.readuntil(b"\n")
            except asyncio.IncompleteReadError as end:
                line = end.partial
                if not line.strip():
                    return None
            except asyncio.LimitOverrunError:
                self.problem = f"it sent a message of more than {MOST_BYTES >> 20} MB"
                return None
            except ConnectionError:
                return None
            if (message := self._message(line)) is not None:
                return message
        return None

    def _message(self, line: bytes) -> dict[str, Any] | None:
        if not line.strip():
            return None
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return found
        self._odd += 1
        self.first_odd = self.first_odd or line[:200].decode("utf-8", "replace")
        if self._odd > MOST_ODD:
            self.problem = "it does not speak the Agent Client Protocol"
        return None

    async def close(self) -> None:
        """The process is ended by whoever started it."""
