"""The Nth write of a process fails: what was acknowledged is there afterwards, and nothing else is
broken. The failing is done by a small library before the system's own (cc), so that every write of
the database's is met, too.
"""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.values import MemoryFilter

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long left = -1; static int code = 0;
static int refuses(int fd) {
    char name[64], path[512];
    if (left < 0) {
        const char *n = getenv("FAIL_AT"), *c = getenv("FAIL_WITH");
        left = n ? atol(n) : 0; code = c ? atoi(c) : EIO;
    }
    if (!left) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(name, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    if (!strstr(path, "ledger.duckdb")) return 0;
    return --left == 0;
}
#define REFUSE(fd) if (refuses(fd)) { errno = code; return -1; }
ssize_t write(int fd, const void *b, size_t n) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    REFUSE(fd) return real(fd, b, n);
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite");
    REFUSE(fd) return real(fd, b, n, at);
}
ssize_t pwrite64(int fd, const void *b, size_t n, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    REFUSE(fd) return real(fd, b, n, at);
}
int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    REFUSE(fd) return real(fd);
}
int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    REFUSE(fd) return real(fd);
}
int ftruncate(int fd, off_t n) {
    static int (*real)(int, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "ftruncate");
    REFUSE(fd) return real(fd, n);
}
"""
NO_ROOM, BROKEN = 28, 5

WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from skill_agent.errors import SkillAgentError
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.values import Memory, MemoryChange

def told(error):
    print("refused", error.message.replace(chr(10), " "), flush=True)

async def main():
    path, run = sys.argv[1:]
    now = datetime.now(UTC)
    try:
        ledger = await DuckLedger.open(path)
    except SkillAgentError as error:
        return told(error)
    for n in range(12):
        memory = Memory(id=f"{run}-{n}", content="x" * 3000, created_at=now, updated_at=now)
        change = MemoryChange(kind="memory.created", memory=memory, actor="u")
        try:
            await ledger.write_memories([change])
            print("kept", memory.id, flush=True)
            if n == 5:
                await ledger._run("checkpoint", lambda: ledger._database.run("CHECKPOINT"))
        except SkillAgentError as error:
            told(error)
    try:
        await ledger.close()
    except SkillAgentError as error:
        told(error)
    print("ended", flush=True)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("there is no C compiler, or no LD_PRELOAD")
    folder = tmp_path_factory.mktemp("shim")
    source, library = folder / "shim.c", folder / "shim.so"
    source.write_text(SHIM)
    made = subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"the library cannot be made: {made.stderr[:200]}")
    return library


def written(path: Path, run: str, shim: Path, at: int, code: int) -> list[list[str]]:
    """What a process said whose Nth write fails; it ends by itself, and never by a crash."""
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(path), run],
        env={"PATH": "", "LD_PRELOAD": str(shim), "FAIL_AT": str(at), "FAIL_WITH": str(code)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, (at, code, done.returncode, done.stderr[-2000:])
    return [line.split(maxsplit=1) for line in done.stdout.splitlines()]


async def whole(path: Path, kept: set[str]) -> None:
    """Everything that was acknowledged is there, and it verifies."""
    ledger = await DuckLedger.open(path)
    try:
        there = {one.id for one in await ledger.memories(MemoryFilter(limit=100_000))}
        assert kept <= there, f"lost: {sorted(kept - there)}"
        assert (await ledger.verify()).problems == ()
    finally:
        await ledger.close()


async def failing(path: Path, shim: Path, places: list[int], codes: list[int]) -> Counter[str]:
    kept, verdicts = set[str](), Counter[str]()
    for code in codes:
        for at in places:
            lines = written(path, f"run{code}-{at}", shim, at, code)
            kept |= {what for kind, *rest in lines if kind == "kept" for what in rest}
            refused = [rest[0] for kind, *rest in lines if kind == "refused"]
            verdicts["refused in words" if refused else "not noticed, nothing lost"] += 1
            assert not any("Traceback" in one for one in refused)
            await whole(path, kept)
    assert kept
    return verdicts


async def test_a_few_writes_fail(shim: Path, tmp_path: Path) -> None:
    await failing(tmp_path / "ledger.duckdb", shim, [3, 24], [NO_ROOM])


@pytest.mark.deep
async def test_every_write_fails_once(
    shim: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = list(range(1, 60, 2))
    verdicts = await failing(tmp_path / "ledger.duckdb", shim, places, [NO_ROOM, BROKEN])
    with capsys.disabled():
        print(f"\n{2 * len(places)} failing writes (LD_PRELOAD): {dict(verdicts)}")
