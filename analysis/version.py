"""Which code made a report."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

VERSION = "0.1"
_HERE = Path(__file__).resolve().parent


@lru_cache(maxsize=1)
def code_version() -> str:
    """The version and the first 12 digits of the hash of the sources that compute numbers.

    Works without a repository: two reports with the same code version were computed by the same code.
    """
    digest = hashlib.sha256()
    modules = [_HERE / f"{name}.py" for name in ("annotations", "benchmarks", "exclusions", "inference")]
    folders = [
        path
        for name in ("planning", "reading", "statistics", "tables")
        for path in _HERE.glob(f"{name}/*.py")
    ]
    for path in sorted([*modules, *folders]):
        digest.update(path.relative_to(_HERE).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{VERSION}+{digest.hexdigest()[:12]}"
