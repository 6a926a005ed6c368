"""Which code measured a result."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

#: What figures depend on: how data sets are read, what is asked, and what answers.
SOURCES = ("agents", "benchmarks", "datasets", "polyencoder", "dialogue.py")
_APP = Path(__file__).resolve().parent.parent


@lru_cache(maxsize=1)
def code_version() -> str:
    """The first 12 digits of the hash of the sources that figures depend on; works without a repository."""
    digest = hashlib.sha256()
    for path in sorted(path for name in SOURCES for path in _files(_APP / name)):
        digest.update(path.relative_to(_APP).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("*.py"))
