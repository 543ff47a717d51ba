"""Fetching a model into a home, with progress on stderr.

Where a model's bytes may come from and how they are checked is the core's to know.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..progress import Bar
from ..surroundings import Surroundings

if TYPE_CHECKING:
    from skill_agent.files.home import Home
    from skill_agent.models.files.reference import Wanted
    from skill_agent.ports import Progress


def fetch(around: Surroundings, home: "Home", name: str) -> Path:
    """Pulls a model and tells how far that is; raises NotFound or PullFailed."""
    bare = name.removeprefix("embedded/")
    with Bar(f"fetching {bare}", bytes_=True) as bar:
        return (around.pull or pull_model)(bare, home, bar)


def fetch_wanted(around: Surroundings, home: "Home", wanted: "Wanted") -> Path:
    """Pulls what a reference stands for and returns where its file or folder lies."""
    entry = wanted.entry
    if not wanted.loose and not wanted.sources:
        return fetch(around, home, entry.name)
    from skill_agent.models.files.pull import pull

    with Bar(f"fetching {entry.name}", bytes_=True) as bar:
        folder = pull(
            entry,
            home,
            bar,
            wanted.sources,
            loose=wanted.loose,
            environ=_with_cache(os.environ),
        )
    return folder / entry.files[0].name if wanted.loose else folder


def size_text(size: int) -> str:
    """Bytes for a person; empty for an unknown size."""
    if not size:
        return ""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def pull_model(name: str, home: "Home", progress: "Progress | None" = None) -> Path:
    """Fetches and verifies a model, and readies an embedder for speed; returns where it lies.

    Raises NotFound for an unknown name, PullFailed with every source tried.
    """
    from skill_agent.models.files.pull import pull

    path = pull(name, home, progress, environ=_with_cache(os.environ))
    if (path / "model.onnx").is_file():
        from ...store.embedding import quantise

        quantise(path)
    elif (path / "sentences.onnx").is_file():
        from ...store.embedders.sentence_encoder import prepare

        prepare(path)
    return path


def _with_cache(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with the user's cache folder, where it names none itself: a second home
    links what the first one fetched. Set but empty means no cache."""
    from platformdirs import user_cache_path

    from skill_agent.models.files.pull import CACHE_VARIABLE

    if CACHE_VARIABLE in environ:
        return dict(environ)
    cache = user_cache_path("skill-agent") / "models"
    cache.mkdir(parents=True, exist_ok=True)
    return {**environ, CACHE_VARIABLE: str(cache)}
