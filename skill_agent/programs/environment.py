"""What of the environment a program of others gets."""

import os
from collections.abc import Collection, Mapping

HARMLESS = frozenset({
    "HOME", "PATH", "USER", "LOGNAME", "SHELL", "TERM", "COLORTERM", "NO_COLOR", "LANG", "LANGUAGE",
    "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
})  # fmt: skip
_FAMILIES = ("LC_", "XDG_")
PROXIES = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
"""Not among the harmless ones, for the address of a proxy may hold a password: to be named for what
is nothing without the network."""


def environment(
    named: Collection[str] = (), *, of: Mapping[str, str] | None = None
) -> dict[str, str]:
    """A few harmless variables, where it finds its own settings and login, and those that are
    named; of this program's own environment, unless another is given."""
    wanted = HARMLESS | {*named}
    return {
        name: value
        for name, value in (os.environ if of is None else of).items()
        if name in wanted or name.startswith(_FAMILIES)
    }
