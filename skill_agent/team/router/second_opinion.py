"""What the model of the role `fast` thinks of a message that lies near a border between tiers."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from skill_agent.agents.tiers import TIERS
from skill_agent.errors import SkillAgentError
from skill_agent.models.weighing import weigh
from skill_agent.ports import ChatMessage, Model, ModelGateway, ModelRequest
from skill_agent.text.gate import tamed
from skill_agent.values import TierName

from .lately import Lately

LONGEST_S = 1.5
"""A message waits no longer for it."""
_QUIET_S = 60.0
"""So long a model that failed or was slow is not asked again."""
_MOST_READ = 1_500
_PURPOSE = "routing"
_ASKED = """\
How capable must a language model be to answer the last message well?
fast: small talk, simple facts, short rewriting, yes or no
balanced: explaining, comparing, everyday writing, ordinary code
powerful: proofs, architecture, hard debugging, research, long demanding work
{earlier}<message>
{text}
</message>
Answer with one word: fast, balanced or powerful."""

_log = logging.getLogger(__name__)


class SecondOpinion:
    """Asks in an agent's name, which pays for it; whatever goes wrong is no opinion.

    A model of this machine is asked only where it is no small one and nothing runs: it would hold
    up the answer longer than it could be wrong by.
    """

    def __init__(
        self,
        gateway: Callable[[str], ModelGateway],
        idle: Callable[[], bool],
        *,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._gateway, self._idle, self._longest_s = gateway, idle, longest_s
        self._quiet = Lately[bool](_QUIET_S)

    async def of(
        self, agent: str, name: str, text: str, *, earlier: Sequence[str] = (), session: str = ""
    ) -> TierName | None:
        """`name` is the fast tier's model of the agent."""
        if self._quiet.get(name):
            return None
        try:
            async with asyncio.timeout(self._longest_s):
                gateway = self._gateway(agent)
                model = await gateway.model(name)
                if not self._may_ask(model):
                    return None
                gateway.check(name)
                likely = await weigh(model, _request(text, earlier, session))
        except (SkillAgentError, TimeoutError) as problem:
            self._quiet.keep(name, True)
            _log.info("%s had no opinion: %s", name, type(problem).__name__)
            return None
        best = max(likely, key=lambda one: likely[one])
        return next((tier for tier in TIERS if tier == best), None)

    def _may_ask(self, model: Model) -> bool:
        return not model.info.local or (not model.info.profile.small and self._idle())


def _request(text: str, earlier: Sequence[str], session: str) -> ModelRequest:
    before = "".join(f"<earlier>\n{tamed(one[:_MOST_READ])}\n</earlier>\n" for one in earlier[-1:])
    asked = _ASKED.format(earlier=before, text=tamed(text[:_MOST_READ]))
    return ModelRequest(
        messages=(ChatMessage(role="user", content=asked),),
        answers=TIERS,
        temperature=0.0,
        max_tokens=1,
        background=True,
        purpose=_PURPOSE,
        session=session,
    )
