"""What went wrong, as the protocol tells it: our sentence, and what to do next."""

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from acp.exceptions import RequestError

from skill_agent.errors import NotFound, SkillAgentError, UsageError
from skill_agent.text.redaction import redact

from .texts import shown

INTERNAL, INVALID_PARAMS, NOT_FOUND, INVALID_REQUEST = -32603, -32602, -32002, -32600

Given = ParamSpec("Given")
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


def refusal(message: str, hint: str = "", *, code: int = INTERNAL, **data: Any) -> RequestError:
    """An error that an editor shows as it is."""
    told = redact(shown(f"{message} ({hint})" if hint else message, 2_000))
    return RequestError(code, told, data or None)


def refused(problem: SkillAgentError) -> RequestError:
    """One of our errors."""
    code = INTERNAL
    if isinstance(problem, NotFound):
        code = NOT_FOUND
    elif isinstance(problem, UsageError):
        code = INVALID_PARAMS
    return refusal(problem.message, problem.hint, code=code, kind=type(problem).__name__)


def telling(
    method: Callable[Given, Awaitable[Result]],
) -> Callable[Given, Awaitable[Result]]:
    """The wall around a method of the protocol: whatever goes wrong is its answer."""

    @functools.wraps(method)
    async def walled(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return await method(*args, **kwargs)
        except RequestError:
            raise
        except SkillAgentError as problem:
            raise refused(problem) from None
        except ConnectionError:
            raise refusal("the editor is gone") from None
        except Exception as problem:  # a fault of ours: the editor goes on, the log has it
            _log.exception("%s failed", method.__name__)
            raise refusal(
                f"something broke ({type(problem).__name__})", "the log of the editor has more"
            ) from None

    return walled
