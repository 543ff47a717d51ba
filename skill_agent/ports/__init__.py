"""What the core asks of the outside world, as Protocols; no implementation lives here."""

from .alarms import Alarms, Calendar
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
from .telling import Asks, Delivers, Sink
from .tools import OffersTools, Tool, ToolOutcome, ToolsWanted

__all__ = [
    "Alarms",
    "Asks",
    "Calendar",
    "ChatMessage",
    "ChoosesAgent",
    "ChoosesModel",
    "Clock",
    "CountsTokens",
    "Delivers",
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
    "OffersTools",
    "PieceEmbedder",
    "Pieces",
    "Progress",
    "Reranker",
    "Sheet",
    "Sink",
    "StatusPart",
    "TableReader",
    "TextPart",
    "ThoughtPart",
    "Tool",
    "ToolOutcome",
    "ToolPart",
    "ToolSpec",
    "ToolsWanted",
]
