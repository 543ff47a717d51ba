"""Which embedder a name stands for: by the catalogue, by what lies in its folder, by its library.

Nothing is loaded here, and nothing is ever fetched unless a person named a model of
sentence-transformers.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.models.files.catalogue import EMBEDDER, Entry, known

from ..embedding import OnnxEmbedder, SentenceTransformerEmbedder, WordsOnly
from .fitted import Fitted
from .sentence_encoder import GRAPH, SentenceEncoder
from .two_views import TwoViews

if TYPE_CHECKING:
    from skill_agent.ports import Embedder

_SENTENCE_TRANSFORMERS = "sentence-transformers/"


def chosen_embedder(role: str, models: Path, *, threads: int = 2) -> "Embedder":
    """The embedder that the settings name, with the one it is to be read beside where that is
    installed; words alone until a model of the catalogue is pulled."""
    name = role.removeprefix("embedded/")
    found = _single(name, models, threads)
    entry = known(name)
    if entry is None:
        return found or SentenceTransformerEmbedder(name.removeprefix(_SENTENCE_TRANSFORMERS))
    if found is None:
        fallback = _single(EMBEDDER, models, threads)
        return fallback or WordsOnly()
    return _beside(entry, found, models, threads)


def embedder_named(name: str, models: Path, *, threads: int = 2) -> "Embedder | None":
    """The embedder an index was filled by, from the name it kept; None where there is no such
    model any more."""
    if name == WordsOnly().name:
        return WordsOnly()
    if name.startswith(_SENTENCE_TRANSFORMERS):
        return SentenceTransformerEmbedder(name.removeprefix(_SENTENCE_TRANSFORMERS), fetch=False)
    entry = known(name.rpartition("+")[2])
    found = _single(name.rpartition("+")[2], models, threads)
    if entry is None or found is None:
        return found
    both = _beside(entry, found, models, threads) if "+" in name else found
    return both if both.name == name else None


def _beside(entry: Entry, found: "Embedder", models: Path, threads: int) -> "Embedder":
    """Both views, where the model is to be read beside another that is there."""
    other = known(entry.embedding.beside) if entry.embedding else None
    few = _single(other.name, models, threads) if other else None
    if other is None or few is None:
        return found
    return TwoViews(few, found, other.profile.languages)


def _single(name: str, models: Path, threads: int) -> "Embedder | None":
    """One model by what lies in its folder."""
    folder = models / name
    entry = known(name)
    if (folder / "model.onnx").is_file():
        return OnnxEmbedder(folder, threads=threads)
    if entry is None or entry.kind != "embedder" or entry.embedding is None:
        return None
    file, facts = folder / entry.files[0].name, entry.embedding
    if not file.is_file():
        return None
    if file.name == GRAPH:
        return SentenceEncoder(folder, facts.dimensions, gain=facts.gain)
    from skill_agent.models.local.encoder import LlamaEmbedder

    inner = LlamaEmbedder(file, name=name, dimensions=facts.dimensions, threads=threads)
    return Fitted(inner, question=facts.question, passage=facts.passage, gain=facts.gain)
