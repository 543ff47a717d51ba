"""Errors over the wire and back, and answers that are none of ours."""

import json

import pytest

from skill_agent import errors
from skill_agent.api.answers.error_answers import fault_of, status_of
from skill_agent.attach.remote_errors import error_of
from skill_agent.errors import (
    ConfigError,
    ConfigErrors,
    HomeBusy,
    ModelUnavailable,
    SkillAgentError,
)

EVERY = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, SkillAgentError)
    and kind not in (ConfigErrors, HomeBusy)
]


def crossed(error: SkillAgentError) -> SkillAgentError:
    return error_of(status_of(error), json.dumps(fault_of(error, "r")).encode())


@pytest.mark.parametrize("kind", EVERY)
def test_every_error_comes_out_as_it_went_in(kind: type[SkillAgentError]) -> None:
    back = crossed(kind("it is so", hint="do this"))
    assert type(back) is kind
    assert (back.message, back.hint, str(back)) == ("it is so", "do this", "it is so")


def test_what_else_an_error_says() -> None:
    busy = crossed(HomeBusy("busy", pid=7))
    assert isinstance(busy, HomeBusy) and busy.pid == 7
    later = crossed(ModelUnavailable("later", retry_after=3.5))
    assert isinstance(later, ModelUnavailable) and later.retry_after == 3.5
    one = ConfigError("bad", file="a.toml", line=3, key="x.y", hint="h")
    back = crossed(one)
    assert isinstance(back, ConfigError)
    assert (back.message, back.file, back.line, back.key, back.said) == (
        "a.toml:3: x.y: bad", "a.toml", 3, "x.y", "bad",
    )  # fmt: skip
    both = crossed(ConfigErrors([one, ConfigError("worse", key="z")], hint="mend them"))
    assert isinstance(both, ConfigErrors)
    assert [problem.said for problem in both.problems] == ["bad", "worse"]
    assert both.message == ConfigErrors([one, ConfigError("worse", key="z")]).message


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"{}", b"[" * 100_000, b"\xff", b"null"])
def test_an_answer_nobody_of_ours_gave(body: bytes) -> None:
    assert "502" in error_of(502, body).message


def test_a_kind_nobody_knows_is_judged_by_its_status() -> None:
    def told(status: int, kind: object) -> type:
        return type(error_of(status, json.dumps({"message": "m", "details": kind}).encode()))

    assert told(404, {"kind": "Sequence"}) is errors.NotFound
    assert told(409, {"kind": "__doc__"}) is errors.Conflict
    assert told(422, None) is errors.UsageError
    assert told(500, {"kind": 3}) is SkillAgentError
    assert "key" in error_of(401, b'{"message": "who?"}').hint
