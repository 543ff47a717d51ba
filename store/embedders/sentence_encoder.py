"""Text to unit vectors by a graph that pools by itself and reads texts of any length together."""

import logging
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from skill_agent.errors import ModelUnavailable

from .sentencepiece import BEGIN, END, IDS, STARTS, take_apart

GRAPH = "sentences.onnx"
"""As published: it takes strings, and wants a library of custom operators for that."""
_TOKENS, _TOKENIZER = "tokens.onnx", "tokenizer.json"
"""What is made of it once, beside it."""
_MAX_TOKENS = 256
_BATCH = 32

_log = logging.getLogger(__name__)


class SentenceEncoder:
    """Runs a directory with `sentences.onnx`; loads at first use, safe from several threads."""

    def __init__(self, directory: Path, dimensions: int, *, gain: float = 1.0) -> None:
        """`gain` brings products with questions to recall's scale."""
        self._directory = directory
        self._gain = gain
        self._dimensions = dimensions
        self._lock = Lock()
        self._loaded: tuple[Any, Any] | None = None

    @property
    def name(self) -> str:
        return self._directory.name

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dimensions). Raises ModelUnavailable where it does not load."""
        rows = np.zeros((len(texts), self._dimensions), np.float32)
        if not texts:
            return rows
        session, tokenizer = self._load()
        read = [[BEGIN, *one.ids, END] for one in tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(read)), key=lambda row: len(read[row]))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            ids = np.concatenate([np.array(read[row], np.int32) for row in batch])
            starts = np.cumsum([0, *(len(read[row]) for row in batch)], dtype=np.int64)
            rows[batch] = session.run(None, {IDS: ids, STARTS: starts})[0]
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)

    def embed_questions(self, texts: Sequence[str]) -> np.ndarray:
        """The same vectors, as long as the gain."""
        return self._gain * self.embed(texts)

    def knows(self, word: str) -> bool:
        """Whether it is one of the model's own words, as ordinary ones of its languages are."""
        return len(self._load()[1].encode(word).ids) == 1

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Of each text only what is read of it counts."""
        _, tokenizer = self._load()
        return sum(len(one.ids) + 2 for one in tokenizer.encode_batch(list(texts)))

    def _load(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                self._loaded = _opened(self._directory)
                _log.info("loaded the embedder %s", self.name)
            return self._loaded


def prepare(directory: Path) -> None:
    """Makes what is run of what was published, once; some two seconds. Raises ModelUnavailable."""
    tokens, tokenizer = directory / _TOKENS, directory / _TOKENIZER
    if tokens.is_file() and tokenizer.is_file():
        return
    new = [path.with_name(f"{path.name}.new") for path in (tokenizer, tokens)]
    try:
        take_apart(directory / GRAPH, new[1], new[0])
        new[0].replace(tokenizer)
        new[1].replace(tokens)
    except Exception as error:  # a damaged file fails in a way of its own at each byte
        raise ModelUnavailable(
            f"the embedding model in {directory} could not be made ready: {error}",
            hint=f"ska models pull {directory.name}",
        ) from error
    finally:
        for path in new:
            path.unlink(missing_ok=True)


def _opened(directory: Path) -> tuple[Any, Any]:
    """The onnxruntime session and the tokenizer."""
    prepare(directory)
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            str(directory / _TOKENS), options, providers=["CPUExecutionProvider"]
        )
        tokenizer = Tokenizer.from_file(str(directory / _TOKENIZER))
    except Exception as error:
        raise ModelUnavailable(
            f"the embedding model in {directory} could not be loaded: {error}",
            hint=f"remove {directory / _TOKENS} and try again",
        ) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MAX_TOKENS)
    return session, tokenizer
