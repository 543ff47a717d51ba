"""A client's file as a document with named servers, whatever its form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Protocol

from skill_agent.errors import ConfigError

from . import jsonc, splicing, toml_text
from .files import Found
from .known import Client


class Form(Protocol):
    """How a text is read, and one member of it set or removed."""

    def value_of(self, text: str, /) -> Any: ...
    def with_member(self, text: str, path: Sequence[str], value: Any, /) -> str: ...
    def without_member(self, text: str, path: Sequence[str], /) -> str: ...


class _Json:
    value_of = staticmethod(jsonc.value_of)
    with_member = staticmethod(splicing.with_member)
    without_member = staticmethod(splicing.without_member)


class _Toml:
    value_of = staticmethod(toml_text.value_of)
    with_member = staticmethod(toml_text.with_member)
    without_member = staticmethod(toml_text.without_member)


_FORMS: Mapping[str, Form] = MappingProxyType({"json": _Json(), "toml": _Toml()})


@dataclass(frozen=True)
class Document:
    """A text of a client's file. Whatever is wrong with it is a ConfigError with the place."""

    client: Client
    file: str
    text: str

    @classmethod
    def of(cls, client: Client, found: Found) -> "Document":
        return cls(client, str(found.file), found.text)

    @property
    def container(self) -> tuple[str, ...]:
        """Where the servers stand."""
        return self.client.container_in(self.value)

    @cached_property
    def value(self) -> Any:
        """Everything it says."""
        return self._tried(lambda: self._form.value_of(self.text))

    @property
    def servers(self) -> dict[str, Any]:
        """Its servers by name; empty where none are named. Raises ConfigError for another thing in
        their place."""
        found = {} if self.value is None else self.value
        for depth, name in enumerate((*self.container, "")):
            if not isinstance(found, dict):
                raise self._no_object(self.container[:depth])
            found = found.get(name, {}) if name else found
        return found

    def with_server(self, name: str, entry: Mapping[str, Any]) -> "Document":
        """With this entry in the place of one of that name, of which only what differs is
        written."""
        there = self.servers.get(name)
        path = (*self.container, name)
        if not isinstance(there, dict) or self.client.form == "toml":
            return self._changed(lambda: self._form.with_member(self.text, path, dict(entry)))
        made = self
        for key in [key for key in there if key not in entry]:
            made = made._without((*path, key))
        for key, value in entry.items():
            if key not in there or there[key] != value:
                made = made._with((*path, key), value)
        return made

    def without_server(self, name: str) -> "Document":
        """Without the entry of that name."""
        return self._without((*self.container, name))

    def without_empty(self, path: Sequence[str]) -> "Document":
        """Without the object at the path, if nothing at all stands in it, no comment either."""
        bare = self.client.form == "json" and self._tried(lambda: splicing.is_bare(self.text, path))
        return self._without(path) if bare else self

    def has(self, path: Sequence[str]) -> bool:
        """Whether anything stands at the path."""
        found = self.value
        for name in path:
            if not isinstance(found, dict) or name not in found:
                return False
            found = found[name]
        return True

    def _with(self, path: Sequence[str], value: Any) -> "Document":
        return self._changed(lambda: self._form.with_member(self.text, path, value))

    def _without(self, path: Sequence[str]) -> "Document":
        return self._changed(lambda: self._form.without_member(self.text, path))

    def _changed(self, change: Any) -> "Document":
        return Document(self.client, self.file, self._tried(change))

    @property
    def _form(self) -> Form:
        return _FORMS[self.client.form]

    def _tried(self, work: Any) -> Any:
        try:
            return work()
        except (jsonc.NotJson, toml_text.NotToml) as error:
            what = "JSON" if self.client.form == "json" else "TOML"
            at = f" (column {error.column})" if error.column else ""
            raise ConfigError(
                f"not valid {what}: {error.said}{at}", file=self.file, line=error.line
            ) from None
        except splicing.NoObject as error:
            line, _ = jsonc.place_of(self.text, error.at)
            raise ConfigError(f"{error}", file=self.file, line=line) from None
        except splicing.Unchangeable:
            raise ConfigError(
                "cannot be changed from here without touching other text in it",
                file=self.file,
                hint="does a name stand there twice?",
            ) from None
        except toml_text.NoTable as error:
            raise ConfigError(f"{error}", file=self.file) from None

    def _no_object(self, path: Sequence[str]) -> ConfigError:
        if self.client.form == "json":
            self._tried(lambda: splicing.is_bare(self.text, path))  # which knows the line
        return ConfigError(f"{'.'.join(path)} is no table", file=self.file)
