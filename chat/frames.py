"""What a browser may send: parsed strictly, so that nothing else reaches a service. No Django here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NoReturn

from chat.errors import FrameRefused
from chat.typing_dynamics import IN_WORDS, TypingDynamics, is_dynamics

#: Bytes of one text frame. The web server refuses longer ones itself.
MAX_BYTES = 16 * 1024
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: What a position's column holds.
MAX_POSITION = 32767
REASONS = ("harmful", "nonsense", "personal", "other")
#: Fields that a frame may lack.
OPTIONAL = frozenset({"typing"})


@dataclass(frozen=True, slots=True)
class Say:
    client_id: str
    text: str
    typing: TypingDynamics | None = None


@dataclass(frozen=True, slots=True)
class StillTyping:
    """The person is writing."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The person wants to go on to the rating."""


@dataclass(frozen=True, slots=True)
class ReportReply:
    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Send everything after a position."""

    after: int


Frame = Say | StillTyping | Finish | ReportReply | Resume
TYPES: Mapping[str, type[Frame]] = {
    "say": Say,
    "typing": StillTyping,
    "finish": Finish,
    "report": ReportReply,
    "resume": Resume,
}


def parse(text: str) -> Frame:
    """The frame that a browser sent.

    Raises FrameRefused with code ``bad_json``, ``unknown_type`` or ``bad_field``, naming the client id where
    the frame had a proper one.
    """
    raw = _object(text)
    known_id = str(raw["client_id"]) if _is_client_id(raw.get("client_id")) else ""
    kind = raw.pop("type", None)
    cls = TYPES.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise FrameRefused("unknown_type", f"A frame's type is one of {', '.join(TYPES)}.", known_id)
    expected = {field.name for field in fields(cls)}
    if not expected - OPTIONAL <= raw.keys() <= expected:
        wanted = ", ".join(f"perhaps {name}" if name in OPTIONAL else name for name in sorted(expected))
        raise FrameRefused("bad_field", f"A {kind} frame has exactly: {wanted or 'no fields'}.", known_id)
    for name, value in raw.items():
        is_valid, wanted = CHECKS[name]
        if not is_valid(value):
            raise FrameRefused("bad_field", f"{name} must be {wanted}.", known_id)
    if "typing" in raw:
        raw["typing"] = TypingDynamics(**raw["typing"])
    return cls(**raw)


def _object(text: str) -> dict[str, Any]:
    try:
        raw = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise FrameRefused("bad_json", "A frame is one JSON object.") from None
    if not isinstance(raw, dict):
        raise FrameRefused("bad_json", "A frame is one JSON object.")
    return raw


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_client_id(value: object) -> bool:
    return isinstance(value, str) and CLIENT_ID.match(value) is not None


def _is_text(value: object) -> bool:
    """No database takes a NUL; a lone surrogate is no text at all."""
    return isinstance(value, str) and not UNSTORABLE.search(value)


def _is_position(lowest: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and lowest <= value <= MAX_POSITION


CHECKS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "client_id": (_is_client_id, "1 to 64 letters, digits, - or _"),
    "text": (_is_text, "text"),
    "typing": (is_dynamics, IN_WORDS),
    "after": (_is_position(0), "a whole number from 0"),
    "position": (_is_position(1), "a whole number from 1"),
    "reason": (lambda value: value in REASONS if isinstance(value, str) else False, " | ".join(REASONS)),
}
