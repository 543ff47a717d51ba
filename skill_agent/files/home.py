"""Where a home keeps what; paths only, nothing is created or opened here."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one home."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config.toml"

    @property
    def agents(self) -> Path:
        return self.root / "agents.toml"

    @property
    def skills(self) -> Path:
        return self.root / "skills"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.duckdb"

    @property
    def index(self) -> Path:
        return self.root / "memory.lance"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def kv_cache(self) -> Path:
        return self.root / "models" / "kv"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def lock(self) -> Path:
        return self.run / "host.lock"

    @property
    def pairings(self) -> Path:
        """Chats that are let in from elsewhere, and codes that wait."""
        return self.root / "pairings.json"

    @property
    def updates(self) -> Path:
        """Which messages from elsewhere were taken in lately."""
        return self.run / "telegram-updates.json"

    @property
    def drafts(self) -> Path:
        return self.run / "drafts"

    @property
    def unfinished(self) -> Path:
        """Replies that are being given just now."""
        return self.run / "unfinished"

    @property
    def editor_folders(self) -> Path:
        """In which folder of this machine conversations were begun from an editor."""
        return self.run / "editor-folders"

    @property
    def templates(self) -> Path:
        """Messages a person keeps for `ska ask -t`."""
        return self.root / "templates"

    @property
    def inbox(self) -> Path:
        """Where what is told goes as files, unless the settings name another folder."""
        return self.root / "inbox"

    @property
    def rules(self) -> Path:
        """Approval rules a person stored with `always`."""
        return self.root / "approvals.txt"

    @property
    def webhooks(self) -> Path:
        """Addresses that are told what happens."""
        return self.root / "webhooks.json"

    @property
    def webhook_secrets(self) -> Path:
        """What those are signed with."""
        return self.root / "webhook-secrets.json"

    @property
    def backups(self) -> Path:
        """Where backups are put unless the settings name another folder: beside the home, for what
        lies in it is lost with it."""
        return self.root.with_name(f"{self.root.name}-backups")

    @property
    def backup_failure(self) -> Path:
        """Why the last daily backup was not made."""
        return self.run / "backup.json"

    @property
    def restored(self) -> Path:
        """A restored home that only waits to take this one's name; there for a moment, or after a
        restore was cut short."""
        root = self.root.resolve()
        return root.with_name(f"{root.name}.restored")

    @property
    def exists(self) -> bool:
        """Whatever stands where the settings are: what is wrong with it is told on reading."""
        return os.path.lexists(self.config)


def find_home(explicit: str | os.PathLike[str] | None = None) -> Home:
    """The home: the argument, else SKILL_AGENT_HOME, else XDG or the platform's data directory."""
    chosen = explicit or os.environ.get("SKILL_AGENT_HOME")
    if chosen:
        return Home(Path(chosen).expanduser().absolute())
    from platformdirs import user_data_path

    return Home(user_data_path("skill-agent"))
