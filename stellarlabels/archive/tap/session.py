"""HTTP for a service: timeouts, time between requests, and a token that goes to the service's own host only."""

import threading
import time
from io import BytesIO
from urllib.parse import urlsplit

from stellarlabels import __version__
from stellarlabels.exceptions import InputError

__all__ = ["Session", "check_address"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Session:
    """What pyvo makes its requests with."""

    def __init__(self, url, *, token=None, session=None, timeout=(10, 300), interval=0):
        parts = urlsplit(url)
        if token is not None:
            if session is not None:
                raise InputError("token: expected either a token or a session, got both")
            if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
                raise InputError("token: expected a text of printable ASCII characters")
            if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
                raise InputError(f"token: anybody could read it on its way to {url}; expected an https address")
        self.has_login = token is not None or session is not None
        self._origin = parts.scheme, parts.netloc
        self._token, self._inner = token, session
        self._timeout, self._interval = timeout, interval
        self._next = 0.0
        self._lock = threading.Lock()

    def __repr__(self):
        return f"<Session: {'://'.join(self._origin)}>"

    def __getattr__(self, name):
        # Sessions of pyvo learn from the service's capabilities how it wants its logins.
        if name == "update_from_capabilities" and self._inner is not None:
            return getattr(self._inner, name)
        raise AttributeError(name)

    def get(self, url, **arguments):
        """A GET request, as `requests.Session.get`."""
        return self._request("get", url, arguments)

    def post(self, url, **arguments):
        """A POST request, as `requests.Session.post`."""
        return self._request("post", url, arguments)

    def delete(self, url, **arguments):
        """A DELETE request, as `requests.Session.delete`."""
        return self._request("delete", url, arguments)

    def _request(self, method, url, arguments):
        if self._inner is None:
            self._inner = _plain_session()
        if self._token is not None and urlsplit(url)[:2] == self._origin:
            arguments["auth"] = self._sign
        arguments.setdefault("timeout", self._timeout)
        with self._lock:
            wait = self._next - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self._next = time.monotonic() + self._interval
        response = getattr(self._inner, method)(url, **arguments)
        response.raw = _Body(response.content)  # pyvo would leave connections open, with replies half read
        return response

    def _sign(self, request):
        """Add the token; requests takes it off again if the service redirects to another host."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Body(BytesIO):
    """A reply that is here already, read as pyvo reads one that is coming."""

    def read(self, size=-1, decode_content=True):
        return super().read(size)


def _plain_session():
    from pyvo.utils.http import create_session

    session = create_session()
    session.headers["User-Agent"] = f"stellarlabels/{__version__} {session.headers['User-Agent']}"
    return session


def check_address(url):
    """The address of a service without a slash at its end, after a check."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
        login = parts.username is not None or parts.password is not None
    except ValueError:
        valid, login = False, False
    if login:
        raise InputError("service: the address holds a user name or password; give a session with them instead")
    if not valid or not url.isprintable() or " " in url:
        raise InputError(f"service: expected a name of the list or an http address, got {url!r}")
    return url.rstrip("/")
