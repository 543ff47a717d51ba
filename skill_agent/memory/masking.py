"""Credentials are kept out of memories: a memory goes into many prompts, and into the index."""

from collections.abc import Iterable
from dataclasses import replace

from skill_agent.text.redaction import masked, masked_within
from skill_agent.values import Memory, MemoryChange, Message


def without_secrets(memory: Memory) -> Memory:
    """The memory with each credential in it masked; the conversation still has it."""
    content, subject = masked(memory.content), memory.subject and masked(memory.subject)
    metadata = masked_within(memory.metadata)
    if (content, subject, metadata) == (memory.content, memory.subject, memory.metadata):
        return memory
    return replace(memory, content=content, subject=subject, metadata=metadata)


def messages_without_secrets(messages: Iterable[Message]) -> list[Message]:
    """Messages as memories are read from them: who reads may change a credential's letters, so
    that nobody would know it for one any more."""
    return [replace(one, content=masked(one.content)) for one in messages]


def change_without_secrets(change: MemoryChange) -> MemoryChange:
    """A change as it may be written: neither its memory nor its reason holds a credential."""
    memory, reason = without_secrets(change.memory), masked(change.reason)
    return replace(change, memory=memory, reason=reason)
