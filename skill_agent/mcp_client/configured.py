"""The servers of config.toml as they are now: read anew when the file has changed."""

from collections.abc import Mapping
from pathlib import Path

from skill_agent.errors import ConfigError
from skill_agent.files.private import read_text
from skill_agent.settings.parsing import parse_settings
from skill_agent.settings.schema import McpSettings


class Configured:
    """A broken edit of the file keeps the last good state; `problem` says what is wrong."""

    def __init__(self, file: Path, first: McpSettings, env: Mapping[str, str]) -> None:
        """`first` are the settings as they were read when the home was opened."""
        self._file, self._good, self._env = file, first, env
        self._stamp = self._stamp_now()
        self.problem = ""

    def now(self) -> McpSettings:
        stamp = self._stamp_now()
        if stamp is None or stamp == self._stamp:
            return self._good
        self._stamp = stamp
        try:
            settings, _ = parse_settings(read_text(self._file), str(self._file), self._env)
        except ConfigError as error:
            self.problem = error.message
        else:
            self._good, self.problem = settings.mcp, ""
        return self._good

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
