"""A message as a person is shown it: the words, and each text that came beside them by itself."""

from dataclasses import replace

from skill_agent.values import Attachment, Message

from .client_context import as_read


def told_apart(message: Message) -> tuple[str, tuple[Attachment, ...]]:
    """The words, with what a client program sent before them; and the texts that were attached."""
    context = message.client_context
    if context is None or not context.attachments:
        return as_read(message), ()
    words = replace(message, client_context=replace(context, attachments=()))
    return as_read(words), context.attachments
