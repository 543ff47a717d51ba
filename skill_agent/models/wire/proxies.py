"""Which proxy stands between this machine and an address; never one before this machine itself."""

import ipaddress
import re
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    import httpx

_SECRET = re.compile(r"//[^/@]*@")
_NOWHERE = SplitResult("", "", "", "", "")


def proxy_for(url: str) -> str:
    """The proxy that environment or system name for an address; empty where none does, and for a
    loopback address, which a proxy elsewhere would take for its own."""
    from urllib.request import getproxies, proxy_bypass

    address = _split(url)
    if not address.hostname or is_loopback(url):
        return ""
    named = getproxies()
    proxy = named.get(address.scheme) or named.get("all", "")
    if not proxy or proxy_bypass(address.netloc.rpartition("@")[2]):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def through(url: str) -> str:
    """What an error adds about the way to an address: the proxy without its password."""
    proxy = proxy_for(url)
    return f" (through the proxy {_SECRET.sub('//', proxy)})" if proxy else ""


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own, however it is written."""
    host = (_split(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _is_short_loopback(host)
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return address.is_loopback or address.is_unspecified


def client(url: str, **wishes: Any) -> "httpx.Client":
    """A client for one address, past any proxy where it is this machine's own.

    Raises httpx.ProxyError where the proxy that stands before it cannot be used.
    """
    import httpx

    try:
        if not is_loopback(url):
            return httpx.Client(**wishes)
        # Certificates that the environment names hold for this machine's addresses too.
        verify = httpx.create_ssl_context() if url.startswith("https:") else True
        return httpx.Client(trust_env=False, verify=verify, **wishes)
    except (ImportError, ValueError) as error:
        raise httpx.ProxyError(unusable(error)) from None


def unusable(error: Exception) -> str:
    """Why a proxy cannot be used: it takes a package that is not there, or is no address."""
    if isinstance(error, ImportError):
        return "a SOCKS proxy takes another package: pip install socksio"
    return _SECRET.sub("//", str(error))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return _NOWHERE


def _is_short_loopback(host: str) -> bool:
    """`127.1` and the like, which no standard knows and every resolver takes."""
    if not re.fullmatch(r"[0-9a-fA-FxX.]+", host):
        return False
    try:
        return socket.inet_aton(host)[0] == 127
    except OSError:
        return False
