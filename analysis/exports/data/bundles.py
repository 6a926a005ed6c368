"""Read a frozen study without a database: verify it, and make its tables again."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError, BundleRefused
from analysis.exports import FORMATS
from analysis.exports.data.folder import Part, digest_of, measured
from analysis.exports.data.formats.jsonl import read_jsonl
from analysis.exports.data.schema import Record
from analysis.reading.frames import Population, RatingsFrame, Row
from analysis.reading.frames import frame_of as frame_of_ratings
from analysis.tables.table7 import table7
from analysis.version import code_version
from chat.models import Conversation
from modelhub.archives import unpack
from modelhub.errors import ModelhubError

MANIFEST = "MANIFEST.json"
#: Grows when a reader of the old form could misread the new one.
SCHEMA = "colloquy.bundle/1"
RECORDS, TABLES, WEIGHTS = "records", "tables", "weights"
#: What tables are made of.
READ = tuple(f"{RECORDS}/{name}.jsonl" for name in ("study", "models", "ratings"))
LONGEST_NAME = 60
#: What records of other types than ours end in, somewhere on their way into a table.
MISREAD = (
    *(AnalysisError, OSError, ValueError, TypeError, AttributeError),
    *(ArithmeticError, LookupError, RecursionError, StopIteration),
)


@dataclass(frozen=True, slots=True)
class Remade:
    """A table of a bundle, made anew; ``same`` says whether it is the one that the bundle holds, byte for byte, apart
    from the version of the code that made it.
    """

    name: str
    text: str
    same: bool


@dataclass(frozen=True, slots=True)
class Remaking:
    """All tables of a bundle; ``made_by`` is the code version that froze it."""

    study: str
    files: int
    made_by: str
    tables: tuple[Remade, ...]

    @property
    def same_code(self) -> bool:
        return self.made_by == code_version()

    @property
    def differing(self) -> list[str]:
        return [table.name for table in self.tables if not table.same]


def remake(bundle: Path) -> Remaking:
    """Verify a bundle, a folder or a tar.gz, and make its tables again. Raises BundleRefused, saying what is wrong."""
    with opened(bundle) as folder:
        manifest = verified(folder, bundle)
        try:
            tables = tuple(_tables(folder, manifest["code_version"]))
        except MISREAD as error:
            raise BundleRefused(
                f"{bundle}: its records cannot be read ({error}). Take another copy."
            ) from None
        return Remaking(manifest["study"], len(manifest["files"]), manifest["code_version"], tables)


def _tables(folder: Path, made_by: str) -> Iterator[Remade]:
    table = table7(frame_of(lambda name: folder / RECORDS / name))
    for form in FORMATS:
        name, text = f"table7.{form.ending}", form.render(table)
        kept = folder / TABLES / name
        as_then = text.replace(code_version(), made_by).encode()
        yield Remade(name, text, kept.is_file() and kept.read_bytes() == as_then)


@contextmanager
def opened(bundle: Path) -> Iterator[Path]:
    """The folder of a bundle; an archive's is gone afterwards."""
    if bundle.is_dir():
        yield bundle
        return
    with tempfile.TemporaryDirectory(prefix="colloquy-bundle-") as temporary:
        folder = Path(temporary) / "bundle"
        try:
            unpack(bundle, folder)
        except ModelhubError as error:
            raise BundleRefused(str(error)) from None
        inside = [folder, *(each for each in folder.iterdir() if each.is_dir())]
        yield next((each for each in inside if (each / MANIFEST).is_file()), folder)


def verified(folder: Path, bundle: Path) -> dict[str, Any]:
    """The manifest, after every file that it names was found to be as it says; ``bundle`` is what people know the
    folder by. Raises BundleRefused.
    """
    manifest = _manifest(folder, bundle)
    told = {**dict.fromkeys(READ), **manifest["files"]}
    if wrong := [what for name, part in told.items() if (what := _wrong(folder, name, part))]:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise BundleRefused(f"{bundle} is damaged: {', '.join(wrong[:5])}{more}. Take another copy.")
    return manifest


def _wrong(folder: Path, name: str, told: Any) -> str:
    """What is wrong with a file; empty where it is as the manifest tells, which is none of ours perhaps."""
    try:
        path = (folder / name).resolve()
        if told is None or not path.is_relative_to(folder.resolve()) or not path.is_file():
            return f"{name} is missing"
        part = Part(**told)
        return "" if measured(path, part.records) == part else f"{name} has changed"
    except (OSError, ValueError):
        return f"{name[:LONGEST_NAME]!r} is missing"
    except TypeError:
        return f"what {MANIFEST} tells of {name} makes no sense"


def _manifest(folder: Path, bundle: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        schema, files, sha256 = manifest["schema"], manifest["files"], manifest["sha256"]
        named = [manifest["study"], manifest["code_version"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BundleRefused(
            f"{bundle} is no frozen study: {MANIFEST} cannot be read ({why}). Make one with manage.py export "
            "--format bundle."
        ) from None
    if schema != SCHEMA:
        raise BundleRefused(f"{bundle} is of schema {schema!r} and this code reads {SCHEMA}: use newer code.")
    texts = all(isinstance(text, str) and text for text in named)
    if digest_of(manifest) != sha256 or not isinstance(files, dict) or not texts:
        raise BundleRefused(
            f"{bundle} is damaged: {MANIFEST} is not what its SHA-256 says. Take another copy."
        )
    return manifest


def frame_of(path_of: Callable[[str], Path]) -> RatingsFrame:
    """The ratings that count, as those of the database are read; ``path_of`` finds a file of records."""
    study = next(read_jsonl(path_of("study.jsonl")))
    arms = [model for model in read_jsonl(path_of("models.jsonl")) if model["arm"] is not None]
    place_of = {model["arm"]: place for place, model in enumerate(arms)}
    return frame_of_ratings(
        (_row(rating, place_of) for rating in read_jsonl(path_of("ratings.jsonl")) if _counts(rating)),
        study=study["study"],
        title=study["title"],
        population=Population(study["population"]),
        models=tuple(model["label"] for model in arms),
    )


def _counts(rating: Record) -> bool:
    return rating["state"] == Conversation.State.COMPLETE and not rating["excluded"]


def _row(rating: Record, place_of: dict[int, int]) -> Row:
    return rating["worker"], rating["conversation"], place_of[rating["arm"]], rating["axis"], rating["score"]
