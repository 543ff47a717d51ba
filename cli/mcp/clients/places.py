"""Where each client's files lie on this machine; nothing is read but whether a file is there."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .known import Client, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What decides where a person's files lie."""

    environment: Mapping[str, str]
    platform: str
    folder: Path
    """The project: the folder one is in."""

    @classmethod
    def here(cls) -> "Machine":
        return cls(environment=os.environ, platform=sys.platform, folder=Path.cwd())

    @property
    def home(self) -> Path:
        named = self.environment.get("USERPROFILE" if self.platform == "win32" else "HOME")
        return Path(named) if named else Path.home()

    @property
    def config(self) -> Path:
        """XDG's folder of settings; one that is not absolute does not count."""
        named = self.folder_in("XDG_CONFIG_HOME")
        return named if named and named.is_absolute() else self.home / ".config"

    @property
    def roaming(self) -> Path:
        return self.folder_in("APPDATA") or self.home / "AppData" / "Roaming"

    def folder_in(self, variable: str) -> Path | None:
        """The folder that a variable of the environment names."""
        named = self.environment.get(variable, "").strip()
        return Path(named).expanduser() if named else None


def file_of(client: Client, scope: Scope, machine: Machine) -> Path:
    """The file a client is set up in: the first that is there, or the one it would be."""
    files = files_of(client, scope, machine)
    return next((file for file in files if os.path.lexists(file)), files[0])


def files_of(client: Client, scope: Scope, machine: Machine) -> tuple[Path, ...]:
    """Every file in which the client looks, the usual one first."""
    return _project(client.name, machine) if scope == "project" else _user(client.name, machine)


def is_here(client: Client, machine: Machine) -> bool:
    """Whether the client seems to be on this machine: its program, or something of its own."""
    path = machine.environment.get("PATH")
    if any(shutil.which(program, path=path) for program in client.programs):
        return True
    file = _user(client.name, machine)[0]
    own = file.parent if file.parent != machine.home else machine.home / ".claude"
    return file.exists() or own.is_dir()


def _project(name: str, machine: Machine) -> tuple[Path, ...]:
    folder = machine.folder
    match name:
        case "claude-code":
            return (folder / ".mcp.json",)
        case "codex":
            return (folder / ".codex" / "config.toml",)
        case "opencode":
            inner = folder / ".opencode"
            return (*_either(folder, "opencode"), *_either(inner, "opencode"))
        case "gemini":
            return (folder / ".gemini" / "settings.json",)
        case "cursor" | "vscode":
            return (folder / f".{name}" / "mcp.json",)
        case _:
            return (folder / f".{name}" / "settings.json",)


def _user(name: str, machine: Machine) -> tuple[Path, ...]:
    home = machine.home
    match name:
        case "claude-code":
            return ((machine.folder_in("CLAUDE_CONFIG_DIR") or home) / ".claude.json",)
        case "codex":
            return ((machine.folder_in("CODEX_HOME") or home / ".codex") / "config.toml",)
        case "opencode":
            return _either(machine.config / "opencode", "opencode")
        case "gemini":
            own = machine.folder_in("GEMINI_CLI_HOME") or home
            return (own / ".gemini" / "settings.json",)
        case "cursor":
            return (home / ".cursor" / "mcp.json",)
        case "vscode":
            return (_code(machine) / "User" / "mcp.json",)
        case _:
            return (_zed(machine) / "settings.json",)


def _either(folder: Path, name: str) -> tuple[Path, ...]:
    return (folder / f"{name}.json", folder / f"{name}.jsonc")


def _code(machine: Machine) -> Path:
    if machine.platform == "win32":
        return machine.roaming / "Code"
    if machine.platform == "darwin":
        return machine.home / "Library" / "Application Support" / "Code"
    return machine.config / "Code"


def _zed(machine: Machine) -> Path:
    if machine.platform == "win32":
        return machine.roaming / "Zed"
    # On a Mac it does not ask XDG.
    return (machine.home / ".config" if machine.platform == "darwin" else machine.config) / "zed"
