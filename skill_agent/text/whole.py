"""Text that any UTF-8 can say: pairs of surrogates joined, single halves replaced."""

from typing import Any


def whole(text: str) -> str:
    """The text itself where it is sound; otherwise with U+FFFD for each half of a pair."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def whole_json(value: Any) -> Any:
    """The same for every text in a JSON document, names of fields among them."""
    match value:
        case str():
            return whole(value)
        case list():
            return [whole_json(one) for one in value]
        case dict():
            return {whole(name): whole_json(one) for name, one in value.items()}
        case _:
            return value
