"""The text of what starts a host with a person's login: a systemd unit, a launchd agent.

Only text is made here; nothing is written, and no secret ever enters it.
"""

import os
import plistlib
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from skill_agent.errors import UsageError
from skill_agent.files.home import Home

from .up import LOG

Platform = Literal["linux", "macos"]

MARK = "Written by `ska service install`"
"""By this we know a file of ours."""

NAME = "skill-agent"
LABEL = "skill-agent.host"
ENVIRONMENT = "host.env"
"""File in the home with NAME=VALUE lines for the systemd unit, such as keys of model providers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A file that makes the system start a host, and the commands that go with it."""

    path: Path
    text: str
    begin: str
    end: str
    notes: tuple[str, ...] = ()


def this_platform() -> Platform | None:
    """The platform we run on, if its way of starting things is known."""
    if sys.platform.startswith("linux"):
        return "linux"
    return "macos" if sys.platform == "darwin" else None


def unit_for(platform: Platform, home: Home) -> Unit:
    """The unit that hosts a home; raises UsageError for a path no unit can name."""
    for path in (str(home.root), sys.executable):
        if any(ord(char) < 32 or ord(char) == 127 for char in path) or not _is_text(path):
            raise UsageError(f"a unit cannot name the path {path!r}", hint="rename it")
    return _systemd(home) if platform == "linux" else _launchd(home)


def _command() -> list[str]:
    return [sys.executable, "-P", "-m", "skill_agent.cli", "up", "--foreground"]


# The mount and user namespaces of further hardening are not to be had in every user session, and
# PrivateTmp would hide a socket that lies in the temporary folder.
_SYSTEMD = """\
# {mark}; `ska service remove` takes it away.
[Unit]
Description=skill-agent, host of {described}
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
ExecStart={command}
Environment={environment}
# Optional: NAME=VALUE lines, such as keys of model providers.
EnvironmentFile=-{file}
Restart=on-failure
RestartSec=5
TimeoutStopSec=60
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


def _systemd(home: Home) -> Unit:
    base = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    program, *arguments = _command()
    file = home.root / ENVIRONMENT
    text = _SYSTEMD.format(
        mark=MARK,
        described=_percent(str(home.root)),
        # systemd expands variables in arguments, and nowhere in the name of the program.
        command=" ".join([_quoted(program), *(_quoted(one, dollars=True) for one in arguments)]),
        environment=_quoted(f"SKILL_AGENT_HOME={home.root}"),
        file=_percent(str(file)),
    )
    control = f"systemctl --user {{}} --now {NAME}"
    return Unit(
        path=base / "systemd" / "user" / f"{NAME}.service",
        text=text,
        begin=f"systemctl --user daemon-reload && {control.format('enable')}",
        end=f"{control.format('disable')} && systemctl --user daemon-reload",
        notes=(
            f"Keys of model providers are not in it; put NAME=VALUE lines into {file} (chmod 600).",
            "To have it run while you are logged out: loginctl enable-linger",
        ),
    )


def _quoted(text: str, *, dollars: bool = False) -> str:
    """One word in systemd's own quoting."""
    for char, escaped in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%")):
        text = text.replace(char, escaped)
    return f'"{text.replace("$", "$$") if dollars else text}"'


def _percent(text: str) -> str:
    """A value that systemd reads to the end of the line."""
    return text.replace("%", "%%")


def _launchd(home: Home) -> Unit:
    path = Path("~/Library/LaunchAgents").expanduser() / f"{LABEL}.plist"
    log = str(home.logs / LOG)
    made = plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": _command(),
            "EnvironmentVariables": {"SKILL_AGENT_HOME": str(home.root)},
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ExitTimeOut": 60,
            "Umask": 0o077,
            "StandardOutPath": log,
            "StandardErrorPath": log,
        },
        sort_keys=False,
    ).decode("utf-8")
    head, tag, rest = made.partition("<plist ")
    domain = "gui/$(id -u)"
    return Unit(
        path=path,
        text=f"{head}<!-- {MARK}; `ska service remove` takes it away. -->\n{tag}{rest}",
        begin=f"launchctl bootstrap {domain} {shlex.quote(str(path))}",
        end=f"launchctl bootout {domain}/{LABEL}",
        notes=("Keys of model providers are not in it; `launchctl setenv NAME VALUE` passes one.",),
    )


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
