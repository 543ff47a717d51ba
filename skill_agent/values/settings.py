"""Settings and lines of the log, as front ends are told of them."""

from dataclasses import dataclass
from typing import Literal

SettingKind = Literal["truth", "choice", "whole", "number", "text", "list", "table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of config.toml: what it is, where that comes from, and what it may be."""

    id: str
    """`models.default`: its key with its tables."""
    value: str
    """As config.toml would write it; with `hidden` a password was taken out."""
    default: str
    origin: Literal["default", "file", "env"] = "default"
    line: int = 0
    """Of config.toml; 0 where it does not stand there."""
    variable: str
    """Of the environment, which sets it where that is the origin, and could where it is not."""
    kind: SettingKind
    wanted: str
    """What it must be, in words."""
    choices: tuple[str, ...] = ()
    about: str = ""
    """What it means."""
    hidden: bool = False
    waits: bool = False
    """It differs from what the host of the home goes by: it holds once that is started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLines:
    """A piece of the host's log, the oldest line first, without secrets."""

    lines: tuple[str, ...] = ()
    after: str
    """What is asked with for the lines that come then."""
    missed: bool = False
    """More came than are given at once, or were rotated away: there is a gap before these."""
