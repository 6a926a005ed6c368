"""What a backup says about itself."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from typing import Any

from evalsite.errors import BackupRefused

FORMAT = 1
SECRET_KEY = "secret_key"  # noqa: S105 - a member's name

NO_SITE = "The database holds no site: name the site's by DATABASE_URL, or its data folder by --data."


@dataclass(frozen=True)
class Table:
    """``sha256`` is over the rows, in the order of the primary key."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Snapshot:
    """A database at one moment; ``migrations`` as app.name, in the order in which they were applied."""

    engine: str
    version: str
    migrations: tuple[str, ...]
    tables: dict[str, Table]


@dataclass(frozen=True)
class Member:
    """A file inside the backup."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class ModelFolder:
    """A registered model's folder that does not ship with the project.

    ``path`` is what the database says; ``place`` is where a restore puts it, relative to the data folder. ``files``
    is empty where the backup only lists it.
    """

    reference: str
    path: str
    place: str
    weights_sha256: str
    files: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """What the names of its members begin with."""
        return f"models/{self.reference}/"


@dataclass(frozen=True)
class Manifest:
    made_at: str
    code_version: str
    key_fingerprint: str
    database: Snapshot
    models: tuple[ModelFolder, ...]
    members: dict[str, Member]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.database.tables.values())

    @property
    def sha256(self) -> str:
        """Over everything that it says, so that a byte that changed in it is found too."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def as_json(self) -> bytes:
        return json.dumps({"format": FORMAT, "sha256": self.sha256, **asdict(self)}, indent=1).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> Manifest:
        """Raises BackupRefused for what is no manifest of a format that is known here."""
        try:
            found: dict[str, Any] = json.loads(raw)
            number, digest = found.pop("format"), found.pop("sha256")
            if number != FORMAT:
                raise BackupRefused(f"its format is {number!r} and this code reads {FORMAT}: use newer code")
            database = found.pop("database")
            tables = {name: Table(**table) for name, table in database.pop("tables").items()}
            migrations = tuple(database.pop("migrations"))
            models = tuple(
                ModelFolder(**{**model, "files": tuple(model["files"])}) for model in found.pop("models")
            )
            members = {name: Member(**member) for name, member in found.pop("members").items()}
            snapshot = Snapshot(**database, migrations=migrations, tables=tables)
            manifest = cls(**found, database=snapshot, models=models, members=members)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BackupRefused(f"its manifest cannot be read ({type(error).__name__}: {error})") from None
        if digest != manifest.sha256:
            raise BackupRefused("its manifest is damaged: it is not what its SHA-256 says")
        return manifest


def key_fingerprint(key: str) -> str:
    """Tells two keys apart and nothing else."""
    return hmac.new(key.encode(), b"which key signed this site's codes", hashlib.sha256).hexdigest()[:16]
