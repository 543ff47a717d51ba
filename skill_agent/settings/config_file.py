"""config.toml as it can be changed by command: one setting at a time, read whole before it is
written, replaced in one step.

The environment is an argument; nothing takes effect here but the file.
"""

import asyncio
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skill_agent.errors import ConfigError, ConfigErrors, Conflict, NotFound, StoreError, UsageError
from skill_agent.files.private import MOST_BYTES, read_text, resolved, write_private
from skill_agent.files.refusals import disk_refusals
from skill_agent.text.nearest import did_you_mean
from skill_agent.text.redaction import redact
from skill_agent.values import Setting, SettingKind

from .edits import with_value, without
from .environment import environment_variable, value_of
from .mistakes import Schema, dotted, expected, leaves, read_toml
from .operations import ConfigOperations, ListOfSettings
from .parsing import Origin, check_default_agent, parse_settings, value_at
from .schema import Settings
from .template import settings_schema, toml_value
from .toml_places import KeyPath

LOCKED_S = 5.0
"""How long another process may take to write."""
LARGEST = 20_000
"""Bytes of one setting."""
AGENT = "general.default_agent"
_KINDS: Mapping[str, SettingKind] = {
    "boolean": "truth", "integer": "whole", "number": "number", "array": "list", "object": "table",
}  # fmt: skip


def _nobody() -> Collection[str]:
    return ()


class ConfigFile(ConfigOperations):
    """One home's config.toml."""

    def __init__(
        self,
        file: Path,
        env: Mapping[str, str],
        *,
        running: Settings | None = None,
        slugs: Callable[[], Collection[str]] = _nobody,
    ) -> None:
        """`running` is what the home goes by since it was opened; `slugs` names the agents."""
        self._file, self._env, self._running, self._slugs = file, env, running, slugs

    async def list(self) -> ListOfSettings:
        """Raises ConfigErrors where the file has mistakes."""
        return await asyncio.to_thread(self.read)

    async def set(self, key: str, value: str, *, before: str | None = None) -> Setting:
        """Raises NotFound for no setting, UsageError for what it cannot be, Conflict where another
        was quicker, StoreError where the file cannot be written; nothing is changed then."""
        return await asyncio.to_thread(self.write, key, value, before)

    async def unset(self, key: str, *, before: str | None = None) -> Setting:
        """Raises as `set` does."""
        return await asyncio.to_thread(self.write, key, None, before)

    # -- the same without a loop, for who has none --------------------------------------------

    def read(self) -> ListOfSettings:
        """As `list`."""
        settings, origins = parse_settings(self._text(), str(self._file), self._env)
        return [*_told(settings, origins, self._running, self._slugs())]

    def write(self, key: str, value: str | None, before: str | None = None) -> Setting:
        """As `set`; None takes it back."""
        _check_text(key, value or "")
        path, name, node = find(key)
        leaf = dotted(path)
        with self._locked():
            text = self._text()
            was = _one(self._told_now(text, "mend them first, or in an editor"), leaf)
            self._check(was, before)
            new = self._edited(text, path, name, node, value)
            if new != text:
                if len(new.encode()) > MOST_BYTES:
                    raise UsageError(f"{self._file} would be too large to be read")
                self._look_at(new, key)
                self._check_writable()
                write_private(self._file, new)
            return _one(self._told_now(new, ""), leaf)

    def _told_now(self, text: str, hint: str) -> ListOfSettings:
        try:
            settings, origins = parse_settings(text, str(self._file), self._env)
        except ConfigErrors as error:
            said = f"{self._file} was not changed; {hint}" if hint else error.hint
            raise ConfigErrors(error.problems, hint=said) from None
        return [*_told(settings, origins, self._running, self._slugs())]

    def _check(self, was: Setting, before: str | None) -> None:
        if was.origin == "env":
            raise UsageError(
                f"{was.id} is set by {was.variable} in the environment, which wins over the file",
                hint=f"unset {was.variable} where the host is started, then set it here",
            )
        if before is not None and was.value != before:
            raise Conflict(
                f"{was.id} was changed meanwhile: it is {was.value} now",
                hint="Look at it again; nothing was changed.",
            )

    def _edited(self, text: str, path: KeyPath, name: str, node: Schema, value: str | None) -> str:
        there = value_at(tomllib.loads(text), path)
        if not name:
            if value is None:
                return without(text, path, value_at(Settings().model_dump(), path))
            return with_value(text, path, value_from(value, node, dotted(path)))
        table = {key: inner for key, inner in (there or {}).items() if key != name}
        if value is not None:
            table[name] = value
        return with_value(text, path, table) if table else without(text, path, {})

    def _look_at(self, text: str, key: str) -> None:
        """Raises UsageError, in words, for what would be a mistake in the file."""
        try:
            settings, origins = parse_settings(text, str(self._file), self._env)
            if key == AGENT and (slugs := self._slugs()):
                check_default_agent(settings, slugs, str(self._file), origins[key].line)
        except ConfigErrors as error:
            said = "; ".join(f"{one.key or key}: {one.said}" for one in error.problems)
            raise UsageError(said, hint="Nothing was changed.") from None

    def _check_writable(self) -> None:
        """It is replaced whole, which needs no leave of the file's own: ask for it all the same."""
        target = resolved(self._file)
        if target.exists() and not target.stat().st_mode & 0o200:
            raise StoreError(
                f"{target} is write-protected; it was not changed",
                hint=f"If that is not meant: chmod u+w '{target}'",
            )

    def _text(self) -> str:
        return read_text(self._file) if self._file.exists() else ""

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keeps a second process from writing between our read and our write."""
        from filelock import FileLock, Timeout

        target = resolved(self._file)
        if not target.parent.is_dir():
            raise NotFound(f"there is no home at {target.parent}", hint="ska init makes one")
        lock = FileLock(target.with_name(f".{target.name}.lock"), mode=0o600)
        try:
            with disk_refusals(target, f"{target} was not changed"):
                lock.acquire(timeout=LOCKED_S)
        except Timeout:
            raise Conflict(
                f"another process is changing {target}", hint="Try again in a moment."
            ) from None
        try:
            yield
        finally:
            lock.release()


# -- keys and values -----------------------------------------------------------------------------


def find(key: str) -> tuple[KeyPath, str, Schema]:
    """The setting of a dotted key, and the name inside it where it is a table of texts, as in
    `tui.keys.talk.new`; raises NotFound with the nearest."""
    schema = Settings.model_json_schema()
    known = {dotted(path): (path, node) for path, node in leaves(schema)}
    if key in known:
        return known[key][0], "", known[key][1]
    for leaf, (path, node) in known.items():
        named = key.removeprefix(f"{leaf}.").strip('"')
        if key.startswith(f"{leaf}.") and named and _holds_texts(node):
            return path, named, node
    if any(one.startswith(f"{key}.") for one in known):
        raise NotFound(f'"{key}" is a section', hint=f"ska config show {key} lists its settings")
    near = did_you_mean(key, known) or "`ska config show` lists them all"
    raise NotFound(f'no setting "{key}"', hint=near)


def value_from(text: str, node: Schema, key: str) -> Any:
    """What a person typed as the type its setting has; raises UsageError in words."""
    text = text.strip() if node.get("type") != "string" else text
    try:
        if node.get("type") in ("array", "object") and text[:1] in ("[", "{"):
            return read_toml(f"value = {text}", key)[0]["value"]
        return value_of(text, node)
    except ConfigError as error:
        raise UsageError(f"{key}: {error.said}", hint="Nothing was changed.") from None
    except ValueError as error:
        raise UsageError(f"{key}: {error}", hint="Nothing was changed.") from None


def _check_text(key: str, value: str) -> None:
    """Raises UsageError for what no file could hold, or what would make it too large to read."""
    try:
        size = len((key + value).encode())
    except UnicodeEncodeError:
        raise UsageError("half a character is no text", hint="Nothing was changed.") from None
    if size > LARGEST:
        raise UsageError(f"{size:,} bytes are too long for a setting; {LARGEST:,} are the most")


def without_passwords(value: Any) -> Any:
    """The value without what people do write into URLs."""
    match value:
        case str():
            return redact(re.sub(r"(://)[^/@\s]+@", r"\1[redacted]@", value))
        case dict():
            return {key: without_passwords(inner) for key, inner in value.items()}
        case list() | tuple():
            return [without_passwords(inner) for inner in value]
        case _:
            return value


def _holds_texts(node: Schema) -> bool:
    return node.get("type") == "object" and node.get("additionalProperties") == {"type": "string"}


def _one(found: ListOfSettings, key: str) -> Setting:
    return next(one for one in found if one.id == key)


def _told(
    settings: Settings,
    origins: Mapping[str, Origin],
    running: Settings | None,
    slugs: Collection[str],
) -> Iterator[Setting]:
    schema, defaults, now = settings_schema(), Settings().model_dump(), settings.model_dump()
    before = running.model_dump() if running else now
    for path, node in leaves(schema):
        key, value = dotted(path), value_at(now, path)
        shown, origin = without_passwords(value), origins[dotted(path)]
        choices = (*slugs,) if key == AGENT else tuple(map(str, node.get("enum", ())))
        plain = [*value] if isinstance(value, tuple) else value
        yield Setting(
            id=key,
            value=toml_value(shown),
            default=toml_value(value_at(defaults, path)),
            origin=origin.kind,
            line=origin.line,
            variable=environment_variable(path),
            kind="choice" if choices else _KINDS.get(str(node.get("type")), "text"),
            wanted=expected(schema, node),
            choices=choices,
            about=" ".join(str(node.get("description", "")).split()),
            hidden=shown != plain,
            waits=value_at(before, path) != value,
        )
