"""The file of a backup, without a site: what is refused, and that nothing is written outside."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evalsite.backups import archive, model_folders
from evalsite.backups.manifest import Manifest, ModelFolder, Snapshot, Table
from evalsite.errors import BackupRefused

CONTENT = b"rows and rows " * 500


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    (tmp_path / "content").write_bytes(CONTENT)
    members = {name: archive.measured(tmp_path / "content") for name in ("database.sqlite3", "models/a/x")}
    database = Snapshot("sqlite", "3", ("chat.0001_initial",), {"chat_study": Table(1, "ab")})
    return Manifest("2026-01-01T00:00:00+00:00", "0.1", "00", database, (), members)


@pytest.fixture
def backup(manifest: Manifest, tmp_path: Path) -> Path:
    path = tmp_path / "b.tar"
    archive.write(path, manifest, dict.fromkeys(manifest.members, tmp_path / "content"))
    return path


def test_what_was_written_is_read(backup: Path, manifest: Manifest, tmp_path: Path) -> None:
    assert archive.extract(backup, {"models/a/x": tmp_path / "out"}) == manifest
    assert (tmp_path / "out").read_bytes() == CONTENT


def test_any_changed_byte_is_found(backup: Path, manifest: Manifest) -> None:
    whole, found = backup.read_bytes(), 0
    for place in range(0, len(CONTENT) * 2 + 3000, 97):
        backup.write_bytes(whole[:place] + bytes([whole[place] ^ 0x21]) + whole[place + 1 :])
        try:
            # tar itself does not read its padding, nor are times and owners of ours.
            assert archive.verify(backup) == manifest
        except BackupRefused:
            found += 1
    assert found > 140


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.7])
def test_a_cut_file_is_found(backup: Path, share: float) -> None:
    whole = backup.read_bytes()
    backup.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BackupRefused, match=r"is refused|is damaged"):
        archive.verify(backup)


def test_what_is_no_tar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_bytes(b"PK\x03\x04" * 500)
    with pytest.raises(BackupRefused, match="is damaged or no backup"):
        archive.verify(tmp_path / "b.tar")


def hostile(path: Path, manifest: Manifest, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as tar:
        raw = manifest.as_json()
        first = tarfile.TarInfo("manifest.json")
        first.size = len(raw)
        tar.addfile(first, io.BytesIO(raw))
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def plain(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = 1
    return member


def link(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("../outside", plain, "could lie outside"),
        ("/etc/outside", plain, "could lie outside"),
        ("models\\..\\x", plain, "could lie outside"),
        ("models/link", link, "no plain file"),
    ],
)
def test_a_member_that_could_lie_elsewhere_is_refused(
    manifest: Manifest, tmp_path: Path, name: str, make: Callable[[str], tarfile.TarInfo], words: str
) -> None:
    member = make(name)
    described = {name: archive.Member(bytes=member.size, sha256="0")}
    path = hostile(tmp_path / "b.tar", replace(manifest, members=described), member)
    with pytest.raises(BackupRefused, match=words):
        archive.extract(path, {name: tmp_path / "out"})
    assert not (tmp_path / "out").exists()


def test_a_member_that_the_manifest_does_not_name_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    path = hostile(tmp_path / "b.tar", replace(manifest, members={}), plain("extra"))
    with pytest.raises(BackupRefused, match="'extra' is not in its manifest"):
        archive.verify(path)


def test_a_member_that_is_there_twice_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    one = replace(manifest, members={"secret_key": archive.measured(tmp_path / "x")})
    path = hostile(tmp_path / "b.tar", one, plain("secret_key"), plain("secret_key"))
    with pytest.raises(BackupRefused, match="there twice"):
        archive.verify(path)


def test_a_missing_member_is_named(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match=r"lacks database\.sqlite3, models/a/x"):
        archive.verify(hostile(tmp_path / "b.tar", manifest))


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b'{"format": 2, "sha256": ""}', b'{"format": 1}', b'{"format": 1, "x": 3}']
)
def test_a_manifest_that_cannot_be_read_is_refused(raw: bytes) -> None:
    with pytest.raises(BackupRefused):
        Manifest.from_json(raw)


@pytest.mark.parametrize("place", ["../models", "/etc/models", "", "models/../.."])
def test_a_model_is_placed_inside_the_data_folder_alone(tmp_path: Path, place: str) -> None:
    with pytest.raises(BackupRefused, match="outside the data folder"):
        model_folders.target(ModelFolder("own@1", "/models/own", place, "0"), tmp_path)


def test_a_write_that_fails_leaves_nothing(manifest: Manifest, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (tmp_path / "content").write_bytes(b"something else")
    with pytest.raises((BackupRefused, OSError)):
        archive.write(folder / "b.tar", manifest, dict.fromkeys(manifest.members, tmp_path / "content"))
    assert list(folder.iterdir()) == []
