"""What the core asks of the outside world, as Protocols; no implementation lives here."""

from .callbacks import Clock, Progress
from .choosing import ChoosesAgent, ChoosesModel, KeepsDecisions, KeepsSeats
from .models import (
    ChatMessage,
    CountsTokens,
    Disclosure,
    Embedder,
    EmbedsQuestions,
    EndPart,
    Model,
    ModelGateway,
    ModelPart,
    ModelRequest,
    PieceEmbedder,
    Pieces,
    Reranker,
    StatusPart,
    TextPart,
    ThoughtPart,
    ToolPart,
    ToolSpec,
)
from .stores import Ledger, LedgerCopies, MemoryIndex
from .tables import Sheet, TableReader
from .tools import Tool, ToolOutcome

__all__ = [
    "ChatMessage",
    "ChoosesAgent",
    "ChoosesModel",
    "Clock",
    "CountsTokens",
    "Disclosure",
    "Embedder",
    "EmbedsQuestions",
    "EndPart",
    "KeepsDecisions",
    "KeepsSeats",
    "Ledger",
    "LedgerCopies",
    "MemoryIndex",
    "Model",
    "ModelGateway",
    "ModelPart",
    "ModelRequest",
    "PieceEmbedder",
    "Pieces",
    "Progress",
    "Reranker",
    "Sheet",
    "StatusPart",
    "TableReader",
    "TextPart",
    "ThoughtPart",
    "Tool",
    "ToolOutcome",
    "ToolPart",
    "ToolSpec",
]
