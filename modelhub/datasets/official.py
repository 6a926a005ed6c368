"""The official archives of the paper's data sets: fetched, checked and laid out where ``layout`` looks. No Django."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelhub.archives import unpack
from modelhub.datasets.errors import DatasetError
from modelhub.download import fetch

#: Told what is being fetched, the bytes that are there, and how many there will be, where that is known.
Progress = Callable[[str, int, int | None], None]

#: Archives and parts of them, until everything they bring is in place; inside the folder of data sets.
DOWNLOADS = ".downloads"


class UnknownDataset(DatasetError):
    """No such data set."""

    code = "unknown_dataset"


class WrongArchive(DatasetError):
    """An archive does not hold what it should."""

    code = "wrong_archive"


@dataclass(frozen=True, slots=True)
class Download:
    """One file of a release. ``brings`` are the names of the files that it leaves in the data set's folder.

    An archive brings several, wherever in it they lie; a plain file brings itself under a name of its own.
    """

    address: str
    sha256: str
    brings: tuple[str, ...]
    is_archive: bool = True

    @property
    def name(self) -> str:
        return self.address.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Release:
    """A data set as its authors give it out. Addresses are below a base, the mirror."""

    name: str
    folder: str
    licence: str
    downloads: tuple[Download, ...]


def _list(name: str, saved_as: str, sha256: str) -> Download:
    return Download(f"blended_skill_talk/{name}", sha256, (saved_as,), is_archive=False)


RELEASES = {
    release.name: release
    for release in (
        Release(
            "convai2",
            "convai2",
            "CC BY 4.0",
            (
                Download(
                    "convai2/convai2_fix_723.tgz",
                    "d0ae89defe2fd0b0a4221eaa642a457d7d40cef475f54798119c7f3b8dd9361d",
                    ("train_self_original.txt", "valid_self_original.txt"),
                ),
            ),
        ),
        Release(
            "wow",
            "wizard_of_wikipedia",
            "CC BY 4.0",
            (
                Download(
                    "wizard_of_wikipedia/wizard_of_wikipedia.tgz",
                    "2a549627a83fea745efa2076a41d1c0078ad002ab2b54eae6a4e3d3d66ae24b7",
                    ("train.json", "valid_random_split.json", "test_random_split.json"),
                ),
            ),
        ),
        Release(
            "ed",
            "empatheticdialogues",
            "CC BY-NC 4.0",
            (
                Download(
                    "empatheticdialogues/empatheticdialogues.tar.gz",
                    "56f234d77b7dd1f005fd365bb17769cfe346c3c84295b69bc069c8ccb83be03d",
                    ("train.csv", "valid.csv", "test.csv"),
                ),
            ),
        ),
        Release(
            "bst",
            "blended_skill_talk",
            "CC BY 4.0",
            (
                Download(
                    "blended_skill_talk/blended_skill_talk.tar.gz",
                    "5fbed0068ee89e2d43b93c3ecb341e784617033efa5e8e911a219d4eda6134a6",
                    ("train.json", "valid.json", "test.json"),
                ),
                _list(
                    "personas_list.txt",
                    "persona_list.txt",
                    "59a51adedc78e806a380f16477de3740cefe3494d20f8a2a733841bedaaa3ee5",
                ),
                _list(
                    "topic_to_persona_list.txt",
                    "topic_to_persona_list.txt",
                    "47cdb6cbee0516ca7400be35fa07761339b86c6c026425bf5dba00e5534e8182",
                ),
                _list(
                    "safe_personas_2.txt",
                    "safe_personas.txt",
                    "2ee292aa0006ea002e9b23d4f7326fe9e17514ce5793d31fd8d679035d4366a7",
                ),
                _list(
                    "human_annotations.json",
                    "human_annotations.json",
                    "fe76a989d4fdcfa4a5beb214054069ed0abf45f3530eaeb8df38e75f7bb14795",
                ),
            ),
        ),
    )
}
EVERYTHING = "all"


def releases(name: str) -> list[Release]:
    """The release of this name, or every one for ``all``. Raises UnknownDataset."""
    if name == EVERYTHING:
        return list(RELEASES.values())
    if name not in RELEASES:
        raise UnknownDataset(f"there is no data set {name!r}; choose {', '.join(RELEASES)} or {EVERYTHING}")
    return [RELEASES[name]]


def install(release: Release, folder: Path, mirror: str, progress: Progress) -> Iterator[str]:
    """Fetch what is missing of a release into ``folder``; yields lines for a person.

    A file that is there stays as it is. After an interruption the next call goes on where this one ended. Raises
    DownloadError, ArchiveError or WrongArchive; nothing of a download is in place then.
    """
    target = folder / release.folder
    yield f"{release.name}: licence {release.licence}"
    for download in release.downloads:
        if all((target / name).is_file() for name in download.brings):
            yield f"{release.name}: {', '.join(download.brings)} there already, in {target}"
            continue
        _bring(download, target, folder / DOWNLOADS / release.name, mirror, progress)
        yield f"{release.name}: {', '.join(download.brings)} put into {target}"


def _bring(download: Download, target: Path, aside: Path, mirror: str, progress: Progress) -> None:
    """Fetch one file, check it, and move what it brings into place."""
    fetched = aside / download.name
    url = f"{mirror.rstrip('/')}/{download.address}"
    fetch(url, fetched, download.sha256, lambda done, total: progress(download.name, done, total))
    try:
        if download.is_archive:
            unpacked = aside / "unpacked"
            shutil.rmtree(unpacked, ignore_errors=True)
            unpack(fetched, unpacked)
            found = {name: _one(unpacked, name, fetched) for name in download.brings}
        else:
            found = {download.brings[0]: fetched}
        target.mkdir(parents=True, exist_ok=True)
        for name, path in found.items():
            if not (target / name).exists():
                path.replace(target / name)
    except OSError as error:
        raise DatasetError(
            f"{target} cannot be written ({error}); make room, and run it again: {fetched} is kept"
        ) from error
    finally:
        shutil.rmtree(aside / "unpacked", ignore_errors=True)
    fetched.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        # Archives that were put there by hand may wait beside it.
        aside.rmdir()
        aside.parent.rmdir()


def _one(unpacked: Path, name: str, archive: Path) -> Path:
    """The file of this name, the one that lies least deep."""
    found = [path for path in unpacked.rglob(name) if path.is_file() and not path.is_symlink()]
    depths = sorted((len(path.parts), path) for path in found)
    if not found or (len(found) > 1 and depths[0][0] == depths[1][0]):
        raise WrongArchive(f"{archive} holds {len(found)} files {name} where 1 was expected")
    return depths[0][1]
