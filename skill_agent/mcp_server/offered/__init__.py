"""What an MCP client finds in a home: memory, agents, conversations, skills to read."""

from skill_agent.mcp_server.server import Sets

from .agents import team
from .asking import asking
from .conversation_reading import conversations
from .memory_reading import reading
from .memory_writing import writing
from .prompts import HomePrompts
from .resources import HomeResources


def all_sets() -> Sets:
    """Everything here, for a server; who comes in is said with each call."""
    return Sets(
        tools=(reading(), writing(), asking(), team(), conversations()),
        resources=(HomeResources(),),
        prompts=(HomePrompts(),),
    )
