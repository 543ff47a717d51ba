"""Whom a home calls by itself: nobody, or the provider of its model and no one else."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from http_fake import Say, provider

CHILD = Path(__file__).with_name("calls_out.py")


def called(folder: Path, base: str = "") -> list[str]:
    """Addresses and names that a process asked for while it lived in a home."""
    asked = [sys.executable, str(CHILD), str(folder / "h"), base, str(folder / "me.zip")]
    done = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=120)
    return json.loads(done.stdout.splitlines()[-1])


def test_with_a_model_of_this_machine_nobody_is_called(tmp_path: Path) -> None:
    """Talking, remembering, reading in the background, searching and exporting."""
    assert called(tmp_path) == []


@pytest.mark.deep
def test_with_a_model_elsewhere_only_its_server_is_called(tmp_path: Path) -> None:
    """No prices, tokenizers or figures are fetched or sent, either."""
    with provider(Say(("Noted.",))) as server:
        at = urlsplit(server.base)
        found = called(tmp_path, server.base)
        assert server.bodies
    assert {one.split(":")[0] for one in found} == {at.hostname}
    assert {one for one in found if ":" in one} == {f"{at.hostname}:{at.port}"}
