"""Handing a backup to restic, which keeps it in a repository of its own.

Which repository, and its password, are restic's affair: its options and variables
(RESTIC_PASSWORD_FILE, RESTIC_PASSWORD_COMMAND …) hold as if a person had called it.
"""

import shutil
import subprocess
from pathlib import Path

from skill_agent.errors import SkillAgentError, UsageError

from ..output import narrate

LED = "restic:"


def checked_repository(target: str) -> str:
    """The repository a target names; raises before anything is done where restic is missing."""
    repository = target.removeprefix(LED)
    if not repository:
        raise UsageError("which repository?", hint="--to restic:/mnt/disk/repository")
    if shutil.which("restic") is None:
        raise SkillAgentError(
            "restic is not installed, or not on PATH",
            hint="install it (apt install restic), or name a folder: --to DIR",
        )
    return repository


def hand_over(folder: Path, repository: str) -> None:
    """Runs `restic backup` on the folder of one backup; raises SkillAgentError where it fails."""
    narrate(f"restic: {repository}")
    # Its files lie at the top of the snapshot, wherever the folder was for the moment.
    done = subprocess.run(
        ["restic", "--repo", repository, "backup", "--tag", "skill-agent", "--quiet", folder.name],
        cwd=folder.parent, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise SkillAgentError(
            f"restic ended with exit code {done.returncode}; it keeps no new backup",
            hint=f"a new repository is made by: restic --repo {repository} init",
        )
