"""What must not be read by everybody who reads a log or a sentence: passwords, tokens, cookies. No Django here."""

from __future__ import annotations

import re
from functools import lru_cache

SHOWN = "***"
#: ``scheme://user:password@host``; what stands before the last @ of an address.
_USER_OF_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/?#'\"]*@", re.IGNORECASE)
_SIGN_IN = re.compile(r"(/signin/)[^\s/?#'\"]+")
#: The signed link of a simulated worker.
_TOKEN_OF_QUERY = re.compile(r"([?&](?:sim|token)=)[^\s&#'\"]+")
#: ``password=...`` as database drivers write it, ``Cookie: ...`` as headers are, ``"token": "..."`` as JSON is.
_NAMED = re.compile(
    r"""\b((?:set-)?cookie|authorization|password|passwd|secret|secret_key|token|csrfmiddlewaretoken)
        (["']?\s*[=:]\s*["']?) (?:(?:bearer|basic)\s+)? [^\s"',;&)]+""",
    re.IGNORECASE | re.VERBOSE,
)
#: Cookies of ours. A worker's id alone is no secret; signed, as its cookie has it, it is. ``device=cuda:1`` is none.
_COOKIE = re.compile(
    r"\b((?:__Host-)?(?:(?:session|csrf)=|worker=(?=[^\s;:]+:)|device=(?=[^\s;:]+:[^\s;:]+:)))[^\s;,'\"]+"
)
#: One look tells of nearly every line that nothing is to be left out.
_SUSPECT = re.compile(
    "@|/signin/|[?&](?:sim|token)=|cookie|authorization|passw|secret|token|csrf|session=|worker=|device=",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(r"cookie|authorization|passw|secret|(?:^|_)token$", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """The text with the values of secrets left out; their names stay."""
    if not _SUSPECT.search(text):
        return text
    text = _USER_OF_URL.sub(rf"\1{SHOWN}@", text)
    text = _SIGN_IN.sub(rf"\1{SHOWN}", text)
    text = _TOKEN_OF_QUERY.sub(rf"\1{SHOWN}", text)
    text = _COOKIE.sub(rf"\1{SHOWN}", text)
    return _NAMED.sub(rf"\1\2{SHOWN}", text)


@lru_cache(maxsize=1000)
def is_secret(name: str) -> bool:
    """Whether a field of this name holds a secret, whatever it looks like."""
    return bool(_SECRET_NAME.search(name))
