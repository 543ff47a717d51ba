"""What is known of a model outside the catalogue: read from the file itself, or told by Ollama.

Kept in one small file beside the models, so that no start asks again.
"""

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skill_agent.errors import ConfigError, SkillAgentError
from skill_agent.files.private import read_json, write_private
from skill_agent.values import ModelProfile

from .gguf import Header, NotGguf, read_header

LARGE = 4_000_000_000
"""Parameters from which a model is taken for a large one."""
_NOTES = ".probed.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A model as it describes itself."""

    profile: ModelProfile
    trained_window: int = 0
    kv_bytes: int = 0
    """Of cache for one token of context; 0 where unknown."""


UNKNOWN = Probe(profile=ModelProfile(strength="small", tools=False))


class Probes:
    """What was found out about the models of one folder."""

    def __init__(self, models: Path) -> None:
        self._file = models / _NOTES

    def of_file(self, path: Path) -> Probe:
        """Of a GGUF file; read again when the file changes, UNKNOWN where it cannot be read."""
        try:
            found = path.stat()
            stamp = [found.st_size, found.st_mtime_ns]
            return self.kept(path.name, stamp) or self.keep(
                path.name, stamp, probe_of(read_header(path))
            )
        except (OSError, NotGguf):
            return UNKNOWN

    def kept(self, name: str, stamp: Any = None) -> Probe | None:
        """What is on record of a model, if that was learned of these very bytes."""
        try:
            note = self._notes()[name]
            if note["stamp"] != stamp:
                return None
            profile = {**note["profile"], "languages": tuple(note["profile"]["languages"])}
            return Probe(
                profile=ModelProfile(**profile),
                trained_window=note["trained_window"],
                kv_bytes=note["kv_bytes"],
            )
        except (KeyError, TypeError):
            return None

    def keep(self, name: str, stamp: Any, probe: Probe) -> Probe:
        """Puts it on record, where the folder can be written to."""
        notes = {**self._notes(), name: {"stamp": stamp, **asdict(probe)}}
        with contextlib.suppress(OSError, SkillAgentError):  # asked again next time
            write_private(self._file, json.dumps(notes, indent=1))
        return probe

    def _notes(self) -> dict[str, Any]:
        try:
            notes = read_json(self._file)
        except ConfigError:
            return {}
        return notes if isinstance(notes, dict) else {}


def probe_of(header: Header) -> Probe:
    """What a header says of the model."""
    template = str(header.values.get("tokenizer.chat_template") or "")
    large = header.parameters >= LARGE
    return Probe(
        profile=ModelProfile(
            strength="large" if large else "small",
            languages=_languages(header.values.get("general.languages")),
            tools=large and "tools" in template,
            reasoning="enable_thinking" in template or "<think>" in template,
        ),
        trained_window=_whole(header.of_model("context_length")),
        kv_bytes=_kv_bytes(header.of_model),
    )


def _languages(told: Any) -> tuple[str, ...]:
    codes = told if isinstance(told, list) else []
    return tuple(one for one in codes if isinstance(one, str) and len(one) == 2)


def _kv_bytes(value: Callable[[str], Any]) -> int:
    """Layers that attend × two × heads × width × two bytes."""
    layers, heads = _whole(value("block_count")), _whole(value("attention.head_count"))
    by_layer = value("attention.head_count_kv")
    kept = sum(by_layer) if isinstance(by_layer, list) else layers * (_whole(by_layer) or heads)
    kept //= max(1, _whole(value("full_attention_interval")))
    width = _whole(value("attention.key_length"))
    width = width or _whole(value("embedding_length")) // max(1, heads)
    return kept * 2 * width * 2


def _whole(told: Any) -> int:
    """A count; of one a layer the first, 0 where it is not told."""
    if isinstance(told, list):
        told = told[0] if told else 0
    return told if isinstance(told, int) else 0
