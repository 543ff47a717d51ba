"""How a home's backups stand, for `ska status` and `ska doctor`; files alone are looked at."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from skill_agent.errors import SkillAgentError
from skill_agent.files.home import Home
from skill_agent.text.clock import minute_of
from skill_agent.values import Backup, Finding

from .place import backup_settings, shelf_of, when

OLD = timedelta(days=8)
"""From then on the last backup is a finding, also where none are made by themselves."""


def last_backup(home: Home) -> Backup | None:
    """The newest in the folder of the settings; None where there is none, or no telling."""
    try:
        return next(iter(shelf_of(home, None).all(home)), None)
    except SkillAgentError:
        return None


def backup_findings(home: Home) -> Iterator[Finding]:
    """The last backup, and why there is no newer one."""
    from skill_agent.backups.daily import last_failure

    if (failure := last_failure(home)) is not None:
        yield Finding(
            id="backup.daily",
            level="error",
            title="the daily backup fails",
            detail=f"{failure.problem} (tried {minute_of(failure.at)})",
            fix=failure.hint or "ska backup create",
        )
    last = last_backup(home)
    if last is None:
        missing = home.ledger.exists() and failure is None
        detail = "ska up, or a window that stays open, makes one a day"
        if not backup_settings(home).daily:
            detail = "and none is made by itself ([backup] daily)"
        if missing:
            yield Finding(
                id="backup", level="warning", title="there is no backup yet", detail=detail,
                fix="ska backup create",
            )  # fmt: skip
        return
    aged = datetime.now(UTC) - last.at > OLD
    yield Finding(
        id="backup",
        level="warning" if aged else "ok",
        title="the last backup is old" if aged else "last backup",
        detail=f"{when(last)}, {last.path}",
        fix="ska backup create" if aged else "",
    )
