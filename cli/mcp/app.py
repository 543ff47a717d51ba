"""`ska mcp`: the home for other programs, and their tools for agents."""

from ..options import group
from . import installing, servers, serving

app = group("Open the home to other programs, and their tools to your agents (MCP)")
serving.register(app)
installing.register(app)
servers.register(app)
