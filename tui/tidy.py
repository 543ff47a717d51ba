"""Keeps Python's full collections short while a reply streams.

With the libraries of a home imported, one takes a tenth of a second and more, and streamed
Markdown makes enough objects for two a second. What lives long is put out of the collector's
sight (`gc.freeze`), at moments when nobody waits.
"""

import gc


def settle_garbage() -> None:
    """After a turn: what it left behind goes, what stays is not looked through again."""
    gc.collect()
    gc.freeze()


def release_garbage() -> None:
    """After another conversation was opened: the widgets of the former may go as well."""
    gc.unfreeze()
    settle_garbage()


def give_back() -> None:
    """On the way out: extension modules complain at exit about what they cannot find freed."""
    gc.unfreeze()
