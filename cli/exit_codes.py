"""What exit codes mean: the one table that the help of `ska` and its commands go by."""

from collections.abc import Mapping
from types import MappingProxyType

MEANING: Mapping[int, str] = MappingProxyType(
    {
        0: "done",
        1: "failed: it could not be done, was given up, or you said no",
        2: "wrong usage or settings: nothing was begun",
        3: "the model is unavailable, or its money is spent",
        129: "told to end (SIGHUP): its terminal was closed",
        130: "interrupted (Ctrl+C)",
        141: "nobody reads the output",
        143: "told to end (SIGTERM)",
    }
)
