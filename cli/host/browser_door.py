"""Who may open the workstation in a browser: the holder of an API key that may do everything.

A page of the workstation can do what its person can: answer approvals, correct and erase memories,
see every conversation. So a key needs `admin`. It is given once, in a form or as a header, never in
an address, which histories and logs keep; the browser then has a cookie that no script reads, no
other website sends and that ends with this process. The key is looked at again with every request.
"""

import html
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

from skill_agent.access.keys import ApiKey, KeyRing, includes
from skill_agent.api.door.limiting import Limiter, address_of
from skill_agent.errors import StoreError
from skill_agent.ports import Clock

COOKIE = "ska_browser"
SCOPE = "admin"
MOST_COOKIES = 64
LONGEST_FORM = 4096
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""Nothing of another website is loaded, and none shows the workstation inside of itself."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class BrowserDoor:
    """Judges every request before anything of it is answered."""

    keys: KeyRing
    clock: Clock
    loopback: bool
    """Whether only this machine can come here; then only by its own names."""
    _let_in: dict[str, str] = field(default_factory=dict)
    """Ids of keys by the cookies that were given for them."""
    _limiter: Limiter = field(init=False)

    def __post_init__(self) -> None:
        self._limiter = Limiter(self.clock)

    @web.middleware
    async def judge(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """401 without a key, 403 for another website, before page, file or socket."""
        answer = await self._judged(request, handler)
        if not answer.prepared:
            answer.headers.update(
                {
                    "Content-Security-Policy": POLICY, "Cache-Control": "no-store",
                    "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
                    "X-Frame-Options": "DENY",
                }
            )  # fmt: skip
        return answer

    async def _judged(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._own_name(request):
            return web.Response(status=421, text="this address is not served here")
        if not _same_origin(request):
            return web.Response(status=403, text="another website may not come in")
        if request.path == "/login" and request.method == "POST":
            return await self._login(request)
        if self.key_of(request) is None:
            return login_page(401)
        return await handler(request)

    def key_of(self, request: web.Request) -> ApiKey | None:
        """The key that lets a request in, as it is now."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._good(self._matching(request, given.strip()))
        known = self._let_in.get(request.cookies.get(COOKIE, ""))
        return self._good(self.keys.known(known)) if known else None

    def _good(self, key: ApiKey | None) -> ApiKey | None:
        good = key is not None and key.state(self.clock()) == "active"
        return key if key and good and includes(key.scopes, SCOPE) else None

    def _matching(self, request: web.Request, plain: str) -> ApiKey | None:
        """Wrong ones are counted by address; a right one is let in however many were wrong."""
        try:
            found = self.keys.matching(plain)
        except StoreError:
            return None
        if found is None and not self._limiter.hit("auth", _caller(request)).allowed:
            raise web.HTTPTooManyRequests(text="too many wrong keys; wait a minute")
        return found

    async def _login(self, request: web.Request) -> web.StreamResponse:
        if (request.content_length or LONGEST_FORM + 1) > LONGEST_FORM:
            return login_page(413, "That is no key.")
        plain = str((await request.post()).get("key", "")).strip()
        found = self._matching(request, plain)
        if self._good(found) is None:
            few = found is not None and found.state(self.clock()) == "active"
            why = f"This key lacks the scope {SCOPE}." if few else "This key does not open it."
            return login_page(403 if few else 401, why)
        assert found is not None
        cookie = secrets.token_urlsafe(32)
        while len(self._let_in) >= MOST_COOKIES:
            del self._let_in[next(iter(self._let_in))]
        self._let_in[cookie] = found.id
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(
            COOKIE, cookie, httponly=True, samesite="Strict", path="/", secure=request.secure
        )
        return answer

    def _own_name(self, request: web.Request) -> bool:
        """Against pages that have their own name lead here: on this machine only its own names."""
        name = urlsplit(f"//{request.host}").hostname or ""
        return not self.loopback or name in LOOPBACK_NAMES or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _same_origin(request: web.Request) -> bool:
    """A browser names the page that asks; a program names none."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _caller(request: web.Request) -> str:
    return address_of((request.remote or "",))


def login_page(status: int, why: str = "") -> web.Response:
    """The form for the key."""
    told = f"<p role='alert'>{html.escape(why)}</p>" if why else ""
    return web.Response(
        status=status, content_type="text/html", text=_LOGIN.replace("{told}", told),
        headers={"WWW-Authenticate": 'Bearer realm="skill-agent"'} if status == 401 else {},
    )  # fmt: skip


_LOGIN = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>skill-agent</title>
<meta name="viewport" content="width=device-width">
<style>
body { background: #14161b; color: #d6dae2; font: 16px/1.6 system-ui, sans-serif; margin: 0;
  min-height: 100vh; display: grid; place-content: center; }
form { width: min(26rem, 90vw); }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
input { margin: .4rem 0 1rem; padding: .6rem .8rem; color: inherit; background: #232731;
  border: 1px solid #4a5262; border-radius: 4px; }
button { padding: .6rem; color: #14161b; background: #7fb4dc; border: 0; border-radius: 4px; }
p { color: #a9b0be; } [role=alert] { color: #e58a87; } code { color: #e3a877; }
</style>
<form method="post" action="/login" autocomplete="off">
<label for="key">API key of your skill-agent home</label>
<input id="key" name="key" type="password" autofocus required>
<button>Open the workstation</button>
{told}
<p>Make one on its machine: <code>ska keys create browser --scope admin</code></p>
</form>
"""
