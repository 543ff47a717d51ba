"""Vectors of examples, kept in a file: computing them takes seconds, and they seldom change."""

import base64
import contextlib
import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.errors import SkillAgentError
from skill_agent.files.private import write_private

if TYPE_CHECKING:
    import numpy as np

    from skill_agent.ports import Embedder

_log = logging.getLogger(__name__)


class KeptVectors:
    """An embedder that computes a text once and reads it from `file` ever after.

    The file holds what the last call asked for, by digest, and no text. One that is missing,
    damaged or another embedder's is written anew; one that cannot be written is done without.
    """

    def __init__(self, embedder: "Embedder", file: Path) -> None:
        self._embedder, self._file = embedder, file

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    def embed(self, texts: Sequence[str]) -> "np.ndarray":
        import numpy as np

        kept = self._read()
        digests = [hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts]
        new = {d: text for d, text in zip(digests, texts, strict=True) if d not in kept}
        if new:
            vectors = self._embedder.embed([*new.values()])
            kept |= dict(zip(new, vectors, strict=True))
            self._write({digest: kept[digest] for digest in digests})
        return np.stack([kept[digest] for digest in digests]).astype(np.float32)

    def _read(self) -> "dict[str, np.ndarray]":
        import numpy as np

        try:
            name, *lines = self._file.read_text("utf-8").splitlines()
            if name != self.name:
                return {}
            pairs = (line.split(" ", 1) for line in lines)
            found = {d: np.frombuffer(base64.b64decode(v), np.float16) for d, v in pairs}
        except (OSError, ValueError):
            return {}
        return found if {len(one) for one in found.values()} <= {self.dimensions} else {}

    def _write(self, vectors: "dict[str, np.ndarray]") -> None:
        import numpy as np

        lines = [self.name]
        for digest, vector in vectors.items():
            coded = base64.b64encode(vector.astype(np.float16).tobytes()).decode()
            lines.append(f"{digest} {coded}")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_private(self._file, "\n".join(lines) + "\n")
        except SkillAgentError as problem:
            _log.warning("vectors of example requests are not kept: %s", problem.message)
