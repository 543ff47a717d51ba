"""The model that reads conversations: which role it has, and whether one can be trusted with it."""

from skill_agent.errors import SkillAgentError
from skill_agent.ports import Model, ModelGateway
from skill_agent.values import ModelInfo

ROLE = "extract"
SMALLEST_BYTES = 700_000_000
"""An embedded model's file below which it cannot extract: 135M parameters invent, 1.5B do not."""


def able(info: ModelInfo) -> bool:
    """Whether a model can be trusted with extraction: any but small embedded ones, unless the
    person gave it the role."""
    if ROLE in info.roles or info.provider != "embedded":
        return True
    return info.size_bytes >= SMALLEST_BYTES


async def extraction_model(gateway: ModelGateway) -> Model | None:
    """The model that reads memories out of conversations; None where there is none able to."""
    try:
        model = await gateway.model(ROLE)
    except SkillAgentError:
        return None
    return model if model.info.installed and able(model.info) else None
