"""Text to unit vectors: the shipped model on onnxruntime, any other through sentence-transformers.

Both load at first use and are safe to call from several threads. The shipped model is made twice
as fast by an 8-bit copy of it, computed once, checked and kept.
"""

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from skill_agent.errors import ModelUnavailable
from skill_agent.memory.recall.late import NO_PIECES, Axes
from skill_agent.memory.words.spelling import Dictionary
from skill_agent.ports import EmbedsQuestions, PieceEmbedder, Pieces

if TYPE_CHECKING:
    from skill_agent.ports import Embedder

_log = logging.getLogger(__name__)

_BATCH, _ALIKE_LENGTHS = 16, 1.25
"""Rows of a batch, and how much longer its longest may be than its shortest: beyond, the padding
costs more than the larger product saves. A question and a reply of ten times its length take 41 ms
together and 24 ms one after the other (measured)."""
_MAX_TOKENS = 256
_UNKNOWN = "[UNK]"
FAST_MODEL = "model.int8.onnx"
"""What `quantise` leaves beside `model.onnx`; used where it is there."""
_ALIKE = 0.98
"""Lowest cosine between the two models' vectors that is let pass (0.983 to 0.997 measured)."""
_SAMPLES = (
    "When did Ana go to the support group?",
    "user (8 May 2023): I moved to Porto last week, the flat is small but the light is wonderful.",
    "The deadline of project Falcon is 15 March.",
    "def recall(query, limit=10): return best(fuse(views), limit)",
)
_SENTENCE_TRANSFORMERS = "sentence-transformers/"
_Embedded = tuple[np.ndarray, list[Pieces]]
_Embed = Callable[[Sequence[str]], _Embedded]


class OnnxEmbedder:
    """Runs a directory with `model.onnx` and `tokenizer.json`: mean pooling, then unit length.

    It skips torch altogether: 0.4 s to load and some 4 ms a question instead of 6 s and 11 ms.
    """

    def __init__(
        self, directory: Path, *, name: str = "", threads: int = 2, axes: Axes | None = None
    ) -> None:
        self._directory = directory
        self._name = name or directory.name
        self._threads = threads
        self._lock = Lock()
        self._loaded: tuple[Any, Any] | None = None
        self._dimensions = 0
        self._axes = axes or Axes.of(self._name)

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimensions(self) -> int:
        if not self._dimensions:
            self._dimensions = _hidden_size(self._directory) or len(self.embed(["a"])[0])
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dimensions); equal texts are computed once.

        Raises ModelUnavailable where the files are missing or do not load.
        """
        return self._embedded(texts, None)[0]

    def embed_pieces(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Pieces]]:
        """As `embed`, and the pieces of each text from the same run."""
        return self._embedded(texts, self._axes)

    def _embedded(self, texts: Sequence[str], axes: Axes | None) -> tuple[np.ndarray, list[Pieces]]:
        if not texts:
            return np.zeros((0, self.dimensions), np.float32), []
        session, tokenizer = self._load()
        distinct = list(dict.fromkeys(texts))
        encoded = tokenizer.encode_batch(distinct)
        batches = _batches([len(one.ids) for one in encoded])
        rows: list[np.ndarray] = [np.empty(0)] * len(distinct)
        pieces = [NO_PIECES] * len(distinct)
        unknown = tokenizer.token_to_id(_UNKNOWN)

        def fill(batch: list[int]) -> None:
            vectors, states = _run(session, [encoded[i] for i in batch])
            for row, vector, state in zip(batch, vectors, states, strict=True):
                rows[row] = vector
                if axes is not None:
                    pieces[row] = _pieces(distinct[row], encoded[row], state, axes, unknown)

        self._each(batches, fill)
        place = {text: row for row, text in enumerate(distinct)}
        order = [place[text] for text in texts]
        return np.stack([rows[row] for row in order]), [pieces[row] for row in order]

    def piece_states(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (all pieces, hidden size), uncompressed: what axes are fitted on."""
        session, tokenizer = self._load()
        encoded = [tokenizer.encode(text) for text in texts]
        return np.concatenate([_run(session, [one])[1][0, 1:-1] for one in encoded])

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Of each text only what is read of it counts."""
        _, tokenizer = self._load()
        return sum(len(one.ids) for one in tokenizer.encode_batch(list(texts)))

    def _each(self, batches: list[list[int]], fill: Callable[[list[int]], None]) -> None:
        """A thread a batch, where there is much to do: within one batch a second thread waits more
        than it helps."""
        if sum(map(len, batches)) <= _BATCH or self._threads == 1:
            for batch in batches:
                fill(batch)
            return
        with ThreadPoolExecutor(self._threads, thread_name_prefix="embedding") as pool:
            list(pool.map(fill, batches))

    def knows(self, word: str) -> bool:
        """Whether it is one of the model's own words, as nearly all ordinary ones are."""
        return len(self._load()[1].encode(word, add_special_tokens=False).ids) == 1

    def _load(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                self._loaded = _open_model(self._directory)
            return self._loaded


class SentenceTransformerEmbedder:
    """Any model or directory that sentence-transformers can load; its import takes seconds.

    With `fetch` False a model that is not on this machine is not looked for elsewhere.
    """

    def __init__(self, model: str, *, fetch: bool = True) -> None:
        self._model_name = model
        self._fetch = fetch
        self._lock = Lock()
        self._model: Any = None

    @property
    def name(self) -> str:
        return f"{_SENTENCE_TRANSFORMERS}{self._model_name}"

    @property
    def dimensions(self) -> int:
        return int(self._load().get_embedding_dimension())

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dimensions). Raises ModelUnavailable where it cannot be loaded."""
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        vectors = self._load().encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(vectors, np.float32)

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Of each text only what is read of it counts."""
        model = self._load()
        read = model.tokenizer(list(texts), truncation=True, max_length=model.max_seq_length)
        return sum(map(len, read["input_ids"]))

    def _load(self) -> Any:
        with self._lock:
            if self._model is None:
                kind = _sentence_transformer(self._model_name)
                try:
                    self._model = kind(
                        self._model_name, device="cpu", local_files_only=not self._fetch
                    )
                except (OSError, ValueError) as error:
                    raise ModelUnavailable(
                        f"the embedding model {self._model_name!r} could not be loaded: {error}"
                    ) from error
            return self._model


class WordsOnly:
    """Stands in until a model is installed: one empty dimension, so that recall goes by words.

    Its name differs from any model's, so the index is projected anew once there is one.
    """

    @property
    def name(self) -> str:
        return "words-only"

    @property
    def dimensions(self) -> int:
        return 1

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 zeros (len(texts), 1)."""
        return np.zeros((len(texts), 1), np.float32)


class Missing:
    """Stands for a model whose vectors are held but which cannot be loaded any more."""

    def __init__(self, name: str, dimensions: int) -> None:
        self._name = name
        self._dimensions = dimensions

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Raises ModelUnavailable, except for no texts."""
        if not texts:
            return np.zeros((0, self._dimensions), np.float32)
        raise ModelUnavailable(f"the embedding model {self._name} is not there any more")


class CachedEmbedder:
    """Remembers the vectors of recent single texts: one question is often asked several times.

    By digest: what is purged must not live on in here.
    """

    def __init__(self, inner: "Embedder", *, size: int = 512) -> None:
        self._inner = inner
        self._size = size
        self._lock = Lock()
        self._kept: OrderedDict[bytes, tuple[np.ndarray, list[Pieces]]] = OrderedDict()

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def dimensions(self) -> int:
        return self._inner.dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """As the inner embedder; only calls with one text are remembered."""
        return self._inner.embed(texts) if len(texts) != 1 else self.embed_pieces(texts)[0]

    def embed_pieces(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Pieces]]:
        """As the inner embedder; no pieces where it gives none."""
        return self._remembered(b"", texts, self._fresh)

    def question(self, text: str) -> tuple[np.ndarray, Pieces]:
        """One question as the inner embedder reads questions, and its pieces."""
        vectors, pieces = self._remembered(b"?", [text], self._asked)
        return vectors[0], pieces[0]

    def _remembered(self, kind: bytes, texts: Sequence[str], embed: _Embed) -> _Embedded:
        if len(texts) != 1:
            return embed(texts)
        key = kind + text_digest(texts[0])
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = embed(texts)
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return found

    def _fresh(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Pieces]]:
        if isinstance(self._inner, PieceEmbedder):
            return self._inner.embed_pieces(texts)
        return self._inner.embed(texts), [NO_PIECES] * len(texts)

    def _asked(self, texts: Sequence[str]) -> _Embedded:
        if not isinstance(self._inner, EmbedsQuestions):
            return self._fresh(texts)
        pieces = [NO_PIECES] * len(texts)
        if isinstance(self._inner, PieceEmbedder):
            pieces = self._inner.embed_pieces(texts)[1]
        return self._inner.embed_questions(texts), pieces

    def dictionary(self) -> Dictionary | None:
        """The inner embedder, where it knows ordinary words from others."""
        return self._inner if isinstance(self._inner, Dictionary) else None


def as_questions(embedder: "Embedder", texts: Sequence[str]) -> np.ndarray:
    """The texts as questions to what the embedder embeds, where it tells the two apart."""
    if isinstance(embedder, EmbedsQuestions):
        return embedder.embed_questions(texts)
    return embedder.embed(texts)


def text_digest(text: str) -> bytes:
    """Stands for a text in a cache of vectors."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _hidden_size(directory: Path) -> int:
    """The vectors' length as `config.json` tells it, so that nothing need be loaded; else 0."""
    try:
        config = json.loads((directory / "config.json").read_text())
    except (OSError, ValueError):
        return 0
    return int(config.get("hidden_size", 0))


def _open_model(directory: Path) -> tuple[Any, Any]:
    """The onnxruntime session and the tokenizer of a model directory."""
    for part in ("model.onnx", "tokenizer.json"):
        if not (directory / part).is_file():
            raise ModelUnavailable(
                f"the embedding model lacks {part} in {directory}",
                hint="fetch it with `ska models pull`",
            )
    import onnxruntime
    from tokenizers import Tokenizer

    model = directory / FAST_MODEL
    if not model.is_file():
        model = directory / "model.onnx"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            str(model if model.is_file() else directory / "model.onnx"),
            options,
            providers=["CPUExecutionProvider"],
        )
        tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    except Exception as error:
        raise ModelUnavailable(
            f"the embedding model in {directory} could not be loaded: {error}"
        ) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MAX_TOKENS)
    _log.info("loaded the embedder %s", directory.name)
    return session, tokenizer


def _sentence_transformer(model: str) -> Any:
    """The library's class; it brings torch along, so it is an extra."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ModelUnavailable(
            f"the embedding model {model!r} needs sentence-transformers, which is not installed",
            hint='install it: pip install "skill-agent[sentence-transformers]"',
        ) from error
    return SentenceTransformer


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Rows by alike lengths, so that little of a batch is padding."""
    batches: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        last = batches[-1] if batches else []
        if last and len(last) < _BATCH and lengths[row] <= lengths[last[0]] * _ALIKE_LENGTHS:
            last.append(row)
        else:
            batches.append([row])
    return batches


def _pieces(text: str, encoded: Any, states: np.ndarray, axes: Axes, unknown: int) -> Pieces:
    """The pieces that say something: the model's own signs stand nowhere in the text, marks are one
    character long, and what it does not know looks all the same to it."""
    spans = np.array(encoded.offsets, np.int64).reshape(-1, 2)
    lengths = spans[:, 1] - spans[:, 0]
    kept = (lengths > 0) & (np.array(encoded.ids) != unknown)
    for row in np.flatnonzero(lengths == 1):
        kept[row] &= text[spans[row, 0]].isalnum()
    return Pieces(vectors=axes.project(states[: len(kept)][kept]), spans=spans[kept])


def _run(session: Any, encoded: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """One batch: token vectors averaged under the attention mask, then scaled to length 1; and
    the token vectors."""
    width = max(len(one.ids) for one in encoded)
    ids = np.zeros((len(encoded), width), np.int64)
    mask = np.zeros((len(encoded), width), np.int64)
    for row, one in enumerate(encoded):
        ids[row, : len(one.ids)] = one.ids
        mask[row, : len(one.ids)] = 1
    feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    wanted = {entry.name for entry in session.get_inputs()}
    states = session.run(None, {name: feeds[name] for name in feeds if name in wanted})[0]
    weights = mask[:, :, None].astype(np.float32)
    pooled = (states * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
    norms = np.linalg.norm(pooled, axis=1, keepdims=True)
    return (pooled / np.maximum(norms, 1e-12)).astype(np.float32), states


def quantise(directory: Path) -> bool:
    """Writes the fast copy into a model directory; True if it is there and good enough.

    The shipped file stores 8-bit weights but multiplies in float32. Here the weights are unpacked
    and quantised again for integer arithmetic, per channel; LoCoMo recall stays within its noise.
    Wants the `onnx` package; without it, or where the copy strays too far, the original goes on
    serving. Blocking, some three seconds. Raises ModelUnavailable where the model does not load.
    """
    if (directory / FAST_MODEL).is_file():
        return True
    try:
        import onnx  # noqa: F401
    except ImportError:
        return False
    reference = OnnxEmbedder(directory).embed(_SAMPLES)
    plain, fast = directory / "plain.onnx.new", directory / f"{FAST_MODEL}.new"
    try:
        _convert(directory / "model.onnx", plain, fast)
        fast.replace(directory / FAST_MODEL)
    finally:
        plain.unlink(missing_ok=True)
        fast.unlink(missing_ok=True)
    likeness = np.sum(OnnxEmbedder(directory).embed(_SAMPLES) * reference, axis=1)
    if likeness.min() < _ALIKE:
        (directory / FAST_MODEL).unlink()
        return False
    return True


def _convert(stored: Path, plain: Path, fast: Path) -> None:
    """Folds the stored weights into float32, then quantises those."""
    import onnx
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(plain)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(stored), options, providers=["CPUExecutionProvider"])
    folded = onnx.load(str(plain))
    # Says that it is preprocessed; else a warning would be printed across the terminal.
    onnx.helper.set_model_props(folded, {"onnx.quant.pre_process": "onnxruntime.quant"})
    quantize_dynamic(folded, str(fast), weight_type=QuantType.QInt8, per_channel=True)
