"""What we take from libraries beyond what they promise: each piece is still where we look for it.

pyproject.toml bounds these libraries from above. When a bound is raised and something here fails,
the module named beside the piece is what has to change; other failures follow from it.
"""

import inspect
from importlib import import_module
from typing import Any

from house import told

PIECES = (
    ("typer._coercion", "RuntimeParam", "cli/plain_parameters.py"),
    ("typer._coercion", "RuntimeParam._coerce_value", "cli/plain_parameters.py"),
    ("typer._coercion", "build_runtime_param", "cli/plain_parameters.py"),
    ("typer.core", "TyperGroup.format_commands", "cli/lazy.py"),
    ("typer.core", "TyperGroup.get_help_option", "cli/plain_parameters.py"),
    ("uvicorn", "Server.capture_signals", "skill_agent/api/listener.py"),
    ("uvicorn", "Server.main_loop", "skill_agent/api/listener.py"),
    ("uvicorn", "Server.on_tick", "skill_agent/api/listener.py"),
    ("uvicorn", "Server.shutdown", "skill_agent/api/listener.py"),
    ("uvicorn", "Server._serve", "tests/api/conftest.py"),
    *(
        ("uvicorn.protocols.http.httptools_impl", f"HttpToolsProtocol.{name}",
         "skill_agent/api/connection.py")
        for name in (
            "connection_made", "connection_lost", "on_message_begin", "on_url", "on_header",
            "on_headers_complete", "on_response_complete", "send_400_response", "shutdown",
        )
    ),
)  # fmt: skip
"""Module, name in it, and which file of ours leans on it."""

CALLED_WITH = (
    ("typer._coercion", "RuntimeParam", {"parameter_info", "annotation"}),
    ("typer._coercion", "RuntimeParam._coerce_value", {"self", "value", "param", "ctx"}),
    ("uvicorn", "Server.on_tick", {"self", "counter"}),
    ("uvicorn", "Server.shutdown", {"self", "sockets"}),
    ("uvicorn.protocols.http.httptools_impl", "HttpToolsProtocol.send_400_response",
     {"self", "msg"}),
    ("uvicorn.protocols.http.httptools_impl", "HttpToolsProtocol.on_header",
     {"self", "name", "value"}),
)  # fmt: skip


def found(module: str, name: str) -> Any:
    """The piece; None where it is not there."""
    at: Any = import_module(module)
    for part in name.split("."):
        at = getattr(at, part, None)
    return at


def test_every_piece_is_there() -> None:
    gone = [
        f"{module}: {name} is gone; {ours} leans on it"
        for module, name, ours in PIECES
        if found(module, name) is None
    ]
    assert not gone, told(gone)


def test_every_piece_takes_what_we_give_it() -> None:
    changed = [
        f"{module}: {name} takes {sorted(parameters)} now"
        for module, name, expected in CALLED_WITH
        if (parameters := inspect.signature(found(module, name)).parameters.keys()) != expected
    ]
    assert not changed, told(changed)


def test_parameters_of_a_command_can_be_made_plain() -> None:
    """`made_plain` finds them as `_runtime_param`, described by `type_descriptor`."""
    import typer
    from skill_agent.cli.plain_parameters import Plain, made_plain

    app = typer.Typer(add_completion=False)

    @app.command()
    def greet(name: str, times: int = 1) -> None: ...

    command = made_plain(typer.main.get_command(app))
    made = [type(getattr(one, "_runtime_param", None)) for one in command.params]
    assert made == [Plain, Plain]


def test_a_server_keeps_its_connections_where_ours_looks() -> None:
    from uvicorn import Config, Server
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    config = Config(found, log_config=None)  # type: ignore[arg-type]
    state = Server(config).server_state
    assert isinstance(state.connections, set)
    assert isinstance(state.tasks, set)
    text = inspect.getsource(HttpToolsProtocol.__init__)
    assert "self.connections = server_state.connections" in text
    assert "self.transport" in text
