"""Answers that have to be JSON of a given schema: checked, and asked for once more when wrong.

Which model speaks is the caller's business.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from skill_agent.conversations.usage import add
from skill_agent.errors import ModelFailed, ModelRejected
from skill_agent.ports import ChatMessage, EndPart, ModelPart, ModelRequest, StatusPart, TextPart
from skill_agent.values import Usage

from .model_json import read

Speak = Callable[[ModelRequest], AsyncGenerator[ModelPart, None]]


async def checked(speak: Speak, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
    """A structured answer, held back until it satisfies the schema; asked for twice at most.

    Raises ModelFailed when the second answer is no better.
    """
    schema = request.response_schema or {}
    spent = Usage()
    wrong = ""
    for _ in range(2):
        text, cut = "", False
        async with aclosing(speak(replace(request, tools=()))) as parts:
            async for part in parts:
                match part:
                    case TextPart():
                        text += part.text
                    case EndPart():
                        spent = _both(spent, part.usage)
                        cut = part.finish in ("length", "cut", "filtered")
                    case _:
                        yield part
        wrong = problem(text, schema, cut=cut)
        if not wrong:
            yield TextPart(text=bare(text))
            yield EndPart(usage=spent)
            return
        yield StatusPart(text="the answer did not have the asked form; asking again")
        request = replace(request, messages=request.messages + correction(text, wrong))
    raise ModelFailed(f"the model's answer does not have the asked form: {wrong}")


def _both(one: Usage, other: Usage) -> Usage:
    """Two calls as one; the first token is the first call's."""
    return replace(add(one, other), first_token_s=one.first_token_s or other.first_token_s)


def problem(text: str, schema: dict[str, Any], *, cut: bool = False) -> str:
    """What is wrong with an answer, in words a model can act on; empty when it is right.

    `cut` says the answer ended at the token limit, which makes it worthless even if it parses.
    Raises ModelRejected where the schema itself is no JSON schema.
    """
    if cut:
        return "it was cut off before its end; answer more briefly"
    try:
        value = read(bare(text))
    except ValueError as error:
        return f"it is not JSON: {error}"
    if wrong := schema_problem(schema):
        raise ModelRejected(f"the response schema is not valid: {wrong}")
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # A registry of its own: the usual one fetches what a reference names from the network.
    checker: Any = validator_for(schema)(schema, registry=Registry())
    try:
        error = next(checker.iter_errors(value), None)
    except Unresolvable as missing:
        raise ModelRejected(f"the response schema names what is not in it: {missing}") from None
    return f"{error.json_path}: {error.message}" if error else ""


def schema_problem(schema: dict[str, Any]) -> str:
    """Why it is no JSON schema; empty where it is one."""
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for

    if not isinstance(schema.get("$schema", ""), str):
        return "$.$schema: it is not a text"
    try:
        validator_for(schema).check_schema(schema)
    except SchemaError as error:
        return f"{error.json_path}: {error.message}"
    return ""


def bare(text: str) -> str:
    """The JSON inside a code fence, or the text as it is."""
    stripped = text.strip()
    if not stripped.startswith("```"):
        return stripped
    return stripped.partition("\n")[2].removesuffix("```").strip()


def correction(answer: str, wrong: str) -> tuple[ChatMessage, ...]:
    """The messages that show a model its answer and ask once more."""
    ask = f"That answer cannot be used: {wrong}. Give the whole answer again, as JSON only."
    return (
        ChatMessage(role="assistant", content=answer or "(nothing)"),
        ChatMessage(role="user", content=ask),
    )
