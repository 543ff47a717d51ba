"""Pictures that come with a message: what they may be, and how large.

They are kept in the ledger with the message, as part of what was sent beside its words: so they are
replayed, exported, verified and erased with it, and no file lies about.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence

from skill_agent.errors import UsageError
from skill_agent.values import Image

LARGEST, LARGEST_IN_ALL = 5_000_000, 7_000_000
"""Bytes of one image and of all that come with a message: an HTTP body has room for no more."""


def image_of(raw: bytes, name: str) -> Image:
    """Raises UsageError for what is no image or too large; `name` is what the error calls it."""
    media_type = _media_type(raw)
    if not media_type:
        raise UsageError(f"{name} is no PNG, JPEG, WebP or GIF", hint="convert it first")
    _check_size(len(raw), name)
    return Image(data=b64encode(raw).decode(), media_type=media_type)


def checked_images(images: Sequence[Image]) -> tuple[Image, ...]:
    """The images with the types their bytes have; raises UsageError for one that is none."""
    checked: list[Image] = []
    for number, image in enumerate(images, start=1):
        name = f"image {number}"
        _check_size(size_of(image), name)
        try:
            raw = b64decode(image.data, validate=True)
        except ValueError:
            raise UsageError(f"{name} is not base64") from None
        checked.append(image_of(raw, name))
    if (total := sum(map(size_of, checked))) > LARGEST_IN_ALL:
        raise UsageError(
            f"the images have {_megabytes(total)} MB together; "
            f"a message takes {_megabytes(LARGEST_IN_ALL)} MB",
            hint="send them one after another",
        )
    return tuple(checked)


def size_of(image: Image) -> int:
    """How many bytes it has."""
    return len(image.data) * 3 // 4 - image.data[-2:].count("=")


def _check_size(size: int, name: str) -> None:
    if size > LARGEST:
        raise UsageError(
            f"{name} has {_megabytes(size)} MB; an image has at most {_megabytes(LARGEST)} MB",
            hint="make it smaller first",
        )


def _media_type(raw: bytes) -> str:
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if raw.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "image/webp"
    return "image/gif" if raw[:6] in (b"GIF87a", b"GIF89a") else ""


def _megabytes(size: int) -> str:
    """Rounded up, so that too much never looks like enough."""
    return f"{-(-size // 100_000) / 10:.1f}".removesuffix(".0")
