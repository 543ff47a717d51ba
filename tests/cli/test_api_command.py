"""`ska api`: the API as one request, here, attached and refused."""

import json
from pathlib import Path

import pytest
from command_line import Ska


def test_one_request_where_nobody_holds_the_home(ska: Ska) -> None:
    made = ska("api", "POST", "/v1/memories", "-f", "content=The staging server is called heron",
               "-f", "importance=9")  # fmt: skip
    assert made.code == 0 and json.loads(made.out)["importance"] == 9
    found = ska("api", "v1/memories", "--field", "limit=3")
    assert [one["content"] for one in json.loads(found.out)["items"]] == [
        "The staging server is called heron"
    ]


def test_a_body_from_standard_input(ska: Ska) -> None:
    told = ska("api", "post", "/v1/memories", "--input", "-", stdin=b'{"content": "Heron is blue"}')
    assert told.code == 0 and json.loads(told.out)["content"] == "Heron is blue"
    told = ska("api", "/v1/agents/kyra/chat/stream", "--input", "-", stdin=b"{}")
    assert told.code != 0


def test_a_stream_is_printed_event_by_event(ska: Ska) -> None:
    told = ska("api", "POST", "/v1/agents/kyra/chat/stream", "-f", "content=hello")
    lines = [json.loads(line) for line in told.out.splitlines() if line.strip()]
    assert told.code == 0 and len(lines) > 1
    assert any("All right." in json.dumps(one) for one in lines)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["PSOT", "/v1/agents"], 'did you mean "POST"?'),
        (["GET", "/v1/agents", "more"], "one route"),
        (["/v1/memories", "-f", "limit"], "no NAME=VALUE"),
        (["POST", "/v1/memories", "--input", "/nowhere/x"], "cannot be read"),
        (["/v1/memories/none"], "no memory"),
        (["POST", "/v1/memories", "-f", "contents=x"], "contents"),
    ],
)
def test_mistakes_are_told_with_exit_code_2(ska: Ska, words: list[str], said: str) -> None:
    told = ska("api", *words)
    assert told.code == 2 and said in told.err, told.err


def test_a_body_that_is_no_json(ska: Ska, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    told = ska("api", "POST", "/v1/memories", "--input", str(tmp_path / "x.json"))
    assert told.code == 2 and "no JSON" in told.err
