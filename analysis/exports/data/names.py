"""How people, talks and those who decide are called in an export.

By default by pseudonyms: keyed hashes under a key that is made of the site's key and the study, so that a person has
one name in all exports of a study and another in any other study, and nobody without the site's key can compute either.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.crypto import salted_hmac

from analysis.planning.standing import PLAN_ACTOR
from chat.models import Study
from ratings.quality.policy import DEFAULT_ACTOR

SALT = "analysis.exports.data.names"
#: 96 bits: among a hundred million ids the chance that any two share a name is below one in ten million.
DIGITS = 24
#: A letter first, so that a spreadsheet never takes a name for a number.
FIRST = "p"
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Names:
    """``key`` is None where internal ids stand in the export as they are (``--identified``)."""

    key: bytes | None = field(repr=False)

    @property
    def identified(self) -> bool:
        return self.key is None

    def of(self, identifier: UUID) -> str:
        """A worker or a talk."""
        return str(identifier) if self.key is None else self._name(identifier.bytes)

    def serial(self, kind: str, number: int) -> str:
        """A row that the database counts, such as a finding."""
        return str(number) if self.key is None else self._name(f"{kind} {number}".encode())

    def actor(self, user: str) -> str:
        """Who decided or declared something; the site's own default is nobody, and so is a study's plan."""
        if self.key is None or user in (DEFAULT_ACTOR, PLAN_ACTOR):
            return user
        return self._name(f"user {user}".encode())

    def note(self, text: str) -> str | None:
        """Free words of researchers, who may name people in them: kept in identified exports alone."""
        return (text or None) if self.identified else None

    def within(self, value: Any) -> Any:
        """A JSON value in which every id, wherever it stands, is called as elsewhere in the export."""
        if isinstance(value, str):
            return _UUID.sub(lambda found: self.of(UUID(found[0])), value)
        if isinstance(value, list):
            return [self.within(each) for each in value]
        if isinstance(value, dict):
            return {self.within(key): self.within(each) for key, each in value.items()}
        return value

    def _name(self, identifier: bytes) -> str:
        assert self.key is not None
        return FIRST + hmac.digest(self.key, identifier, hashlib.sha256).hex()[:DIGITS]


def pseudonyms(study: Study) -> Names:
    """Of this study on this site; they change with the site's secret key."""
    return Names(salted_hmac(SALT, f"{study.pk} {study.slug}", algorithm="sha256").digest())


INTERNAL = Names(None)
