"""Texts and whole numbers of a command line without the validation library that Typer loads.

Typer makes a Pydantic adapter for every parameter, absent ones too; loading that takes longer than
most commands that attach to a host. Whatever is not plain is left to Typer, mistakes above all; so
is everything with a Typer that is made otherwise inside.
"""

from contextlib import suppress
from typing import Any

RuntimeParam: Any = object
build_runtime_param: Any = None
with suppress(ImportError):
    from typer._coercion import RuntimeParam, build_runtime_param


class Plain(RuntimeParam):
    """Typer's way of reading a parameter, taken only when it is needed."""

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:
        if self.parameter_info.parser is None and (found := self._plain(value)) is not None:
            return found
        assert build_runtime_param is not None
        return build_runtime_param(param.type_descriptor).coerce(value, param, ctx)

    def _plain(self, value: Any) -> Any:
        """The value as the parameter's type; None where Typer has to say."""
        kind, info = self.annotation, self.parameter_info
        if kind is str:
            return value if type(value) is str else None
        if kind is int:
            if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
                return None
            number = int(value)
            too_low = info.min is not None and number < info.min
            too_high = info.max is not None and number > info.max
            return None if too_low or too_high else number
        if kind == list[str] and all(type(one) is str for one in value):
            return list(value)
        return None


def made_plain(command: Any) -> Any:
    """The command, reading what is plain by itself; its subcommands likewise."""
    if build_runtime_param is None:
        return command
    for parameter in command.params:
        _make_plain(parameter)
    theirs = command.get_help_option

    def help_option(ctx: Any) -> Any:
        return _make_plain(theirs(ctx))

    command.get_help_option = help_option
    inner = getattr(command, "commands", None)
    for one in inner.values() if isinstance(inner, dict) else ():
        made_plain(one)
    return command


def _make_plain(parameter: Any) -> Any:
    described = getattr(parameter, "type_descriptor", None)
    if described is None or not hasattr(parameter, "_runtime_param"):
        return parameter
    if not isinstance(parameter._runtime_param, Plain):
        parameter._runtime_param = Plain(
            parameter_info=described.parameter_info, annotation=described.annotation
        )
    return parameter
