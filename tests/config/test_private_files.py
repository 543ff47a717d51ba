"""Files of a home, read within bounds and replaced only where a plain file stands."""

import os
from pathlib import Path

import pytest

from skill_agent.errors import ConfigError, UsageError
from skill_agent.files.private import read_json, read_text, write_private


def test_what_is_no_plain_file_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for place in (pipe, link, tmp_path):
        with pytest.raises(ConfigError):
            read_text(place)
        with pytest.raises(UsageError, match="no plain file"):
            write_private(place, "x")
    assert pipe.is_fifo() and link.is_symlink()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 100_000, "nested too deep"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": ' + "9" * 5000 + "}", "limit"),
        ('{"a": 1, "a": 2}', "'a' stands there twice"),
        ('["\\ud800"]', "surrogates not allowed"),
        ("{", "not valid JSON"),
        (" " * 1_000_001, "1,000,000 is the most"),
    ],
)
def test_json_is_read_strictly(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=why):
        read_json(file)
