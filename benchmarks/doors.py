"""How fast other programs come in: `ska mcp serve` beside a server of the SDK alone.

    python benchmarks/doors.py [--calls 200] [--json]

Both are started in turn as a client starts them, over standard streams, with the same fifty tools
that do nothing; ours with a host that is up and warm. The client is a few lines of its own, so that
nothing of the SDK's client is measured.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measuring import Row, show

HOST = str(Path(__file__).with_name("doors_host.py"))
ALONE = [sys.executable, HOST, "sdk"]
CLIENTS, STARTS = 20, 9
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "1"},
}


class Client:
    """One process, asked a line at a time."""

    def __init__(self, command: list[str]) -> None:
        began = time.perf_counter()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._last = 0
        self.ask("initialize", INITIALIZE)
        self.start_s = time.perf_counter() - began
        self._say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._last += 1
        self._say({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        assert self._process.stdout is not None
        answer = json.loads(self._process.stdout.readline())
        assert answer["id"] == self._last, answer
        return answer["result"]

    def call(self) -> dict[str, Any]:
        return self.ask("tools/call", {"name": "echo_25", "arguments": {"say": "hello"}})

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()


@contextmanager
def host() -> Iterator[list[str]]:
    """A host that is up; gives the command of a client's server."""
    with tempfile.TemporaryDirectory() as folder:
        home = str(Path(folder) / "home")
        process = subprocess.Popen([sys.executable, HOST, "home", home], stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield [sys.executable, "-m", "skill_agent.cli", "--home", home, "mcp", "serve"]
        finally:
            process.terminate()
            process.wait(30)


def starts(command: list[str]) -> list[float]:
    spent: list[float] = []
    for _ in range(STARTS):
        client = Client(command)
        client.close()
        spent.append(client.start_s)
    return spent


def asked(ours: Client, theirs: Client, method: str, many: int) -> tuple[float, float]:
    """Median milliseconds of both, asked in turn so that they meet the same machine."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(many):
        for client, times in zip((ours, theirs), spent, strict=True):
            began = time.perf_counter()
            if method == "tools/call":
                client.call()
            else:
                assert len(client.ask(method, {})["tools"]) == 50
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent[0]), statistics.median(spent[1])


def together(command: list[str], calls: int) -> float:
    """Seconds until so many clients, each started at the same moment, have had their answers."""

    def one(_: int) -> None:
        client = Client(command)
        for _ in range(calls):
            client.call()
        client.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(one, range(CLIENTS)))
    return time.perf_counter() - began


def measured(calls: int) -> list[Row]:
    with host() as command:
        first = Client(command)
        first.close()
        ours, theirs = starts(command), starts(ALONE)
        one, other = Client(command), Client(ALONE)
        call, their_call = asked(one, other, "tools/call", calls)
        listing, their_listing = asked(one, other, "tools/list", max(20, calls // 4))
        one.close()
        other.close()
        crowd, their_crowd = together(command, 10), together(ALONE, 10)
    fastest, median = min(ours), statistics.median(ours)
    return [
        Row(what="first client of a host: start to initialize", value=first.start_s, unit="s",
            note="it imports the SDK"),
        Row(what="start to initialize, best (baseline: the SDK alone)", value=fastest, unit="s",
            baseline=min(theirs), budget=0.6),
        Row(what="start to initialize, median", value=median, unit="s",
            baseline=statistics.median(theirs), note=_ratio(median, statistics.median(theirs))),
        Row(what="a call (budget: the SDK alone + 3 ms)", value=call, unit="ms",
            baseline=their_call, budget=their_call + 3, note=_ratio(call, their_call)),
        Row(what="listing 50 tools", value=listing, unit="ms", baseline=their_listing,
            note=_ratio(listing, their_listing)),
        Row(what=f"{CLIENTS} clients, started together, 10 calls each", value=crowd, unit="s",
            baseline=their_crowd, note=_ratio(crowd, their_crowd)),
    ]  # fmt: skip


def _ratio(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.2f} of the baseline"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    show("other programs at the door", measured(given.calls), as_json=given.json)


if __name__ == "__main__":
    main()
