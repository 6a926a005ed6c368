"""Archives that others made: unpacked whole, or not at all."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from modelhub.archives import ArchiveError, unpack

Member = tarfile.TarInfo


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


@pytest.fixture
def tar(tmp_path: Path) -> Callable[..., Path]:
    """``tar(member, ...)``: a tar.gz of these members; files hold zeros."""

    def make(*members: Member, name: str = "made.tar.gz") -> Path:
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            for info in members:
                archive.addfile(info, io.BytesIO(bytes(info.size)) if info.isreg() else None)
        return tmp_path / name

    return make


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., Path]:
    """``zipped({name: text})``: a zip; a name may be a ZipInfo."""

    def make(files: dict) -> Path:
        with zipfile.ZipFile(tmp_path / "made.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return tmp_path / "made.zip"

    return make


def nothing_is_left(folder: Path) -> bool:
    """Neither the folder nor what it was to become, and nothing beside the archive."""
    return not folder.exists() and {path.suffix for path in folder.parent.iterdir()} <= {".gz", ".zip"}


def test_a_tar_is_unpacked_with_its_folders_and_inner_links(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "model").write_text("weights")
    (source / "link").symlink_to("deep/model")
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        archive.add(source, ".")
    unpack(tmp_path / "a.tgz", tmp_path / "out")
    assert (tmp_path / "out" / "deep" / "model").read_text() == "weights"
    assert (tmp_path / "out" / "link").read_text() == "weights"


def test_a_zip_is_unpacked(zipped, tmp_path: Path) -> None:
    unpack(zipped({"a.txt": "one", "deep/b.txt": "two"}), tmp_path / "out")
    assert (tmp_path / "out" / "deep" / "b.txt").read_text() == "two"


def test_the_umask_alone_protects_what_is_unpacked(zipped, tmp_path: Path) -> None:
    unpack(zipped({"a.txt": "one"}), tmp_path / "out")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o777 & ~umask


@pytest.mark.parametrize(
    "name", ["/etc/colloquy", "../colloquy", "deep/../../colloquy", "deep\\..\\..\\x", "C:\\x", "\\\\host\\x"]
)
def test_a_path_that_leaves_the_folder_is_refused(tar, zipped, tmp_path: Path, name: str) -> None:
    for archive in (tar(member("good", size=1), member(name, size=1)), zipped({"good": "x", name: "x"})):
        with pytest.raises(ArchiveError, match="could lie outside the folder; nothing was unpacked"):
            unpack(archive, tmp_path / "out")
        assert nothing_is_left(tmp_path / "out")
        assert not (tmp_path.parent / "colloquy").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "inner/../../secret"])
def test_a_link_that_leaves_the_folder_is_refused(tar, tmp_path: Path, kind: bytes, target: str) -> None:
    with pytest.raises(ArchiveError, match=r"'?bad, a link to .*could lie outside"):
        unpack(tar(member("bad", kind, target)), tmp_path / "out")
    assert nothing_is_left(tmp_path / "out")


def test_a_hard_link_to_nothing_is_refused(tar, tmp_path: Path) -> None:
    archive = tar(member("a/b", tarfile.LNKTYPE, link="a/nothing"))
    with pytest.raises(ArchiveError, match=r"made\.tar\.gz: damaged or cut off .*'a/nothing' not found"):
        unpack(archive, tmp_path / "out")
    assert nothing_is_left(tmp_path / "out")


def test_a_chain_of_links_leads_nowhere(tar, tmp_path: Path) -> None:
    """Each link alone looks harmless where targets are resolved by their text."""
    chain = [
        member("a", tarfile.DIRTYPE),
        member("a/b", tarfile.SYMTYPE, "."),
        member("a/b/c", tarfile.SYMTYPE, "../.."),
    ]
    with pytest.raises(ArchiveError, match="a link to"):
        unpack(tar(*chain, member("a/b/c/escaped", size=1)), tmp_path / "out")
    assert nothing_is_left(tmp_path / "out")


def test_a_file_written_through_an_inner_link_stays_inside(tar, tmp_path: Path) -> None:
    members = (member("d", tarfile.DIRTYPE), member("l", tarfile.SYMTYPE, "d"), member("l/f", size=3))
    unpack(tar(*members), tmp_path / "out")
    assert (tmp_path / "out" / "d" / "f").stat().st_size == 3


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_are_refused(tar, tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(ArchiveError, match="dev is a device or a pipe"):
        unpack(tar(member("dev", kind)), tmp_path / "out")
    assert nothing_is_left(tmp_path / "out")


def test_a_link_in_a_zip_is_refused(zipped, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(ArchiveError, match="link is a link or a device"):
        unpack(zipped({link: "/etc/passwd"}), tmp_path / "out")


def test_a_bomb_is_refused_by_size(tar, zipped, tmp_path: Path) -> None:
    for archive in (tar(member("zeros", size=5000), member("more", size=5000)), zipped({"z": bytes(9999)})):
        with pytest.raises(ArchiveError, match="more than 9000 bytes or 10 files"):
            unpack(archive, tmp_path / "out", max_bytes=9000, max_files=10)
        assert nothing_is_left(tmp_path / "out")


def test_a_bomb_is_refused_by_number(tar, zipped, tmp_path: Path) -> None:
    for archive in (tar(*(member(f"f{n}") for n in range(11))), zipped({f"f{n}": "" for n in range(11)})):
        with pytest.raises(ArchiveError, match="more than 9000 bytes or 10 files"):
            unpack(archive, tmp_path / "out", max_bytes=9000, max_files=10)


def test_a_bomb_behind_the_archives_end_is_refused(tar, tmp_path: Path) -> None:
    import gzip

    archive = tar(member("a", size=1))
    with archive.open("ab") as file:
        file.write(gzip.compress(bytes(10_000_000)))
    with pytest.raises(ArchiveError, match="more than 1000000 bytes"):
        unpack(archive, tmp_path / "out", max_bytes=1_000_000)


def test_a_giant_header_is_not_read(tmp_path: Path) -> None:
    import gzip

    header = member("x", tarfile.XHDTYPE, size=1 << 26).tobuf(tarfile.USTAR_FORMAT)
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(header + bytes(1 << 26)))
    with pytest.raises(ArchiveError, match="a header of 67108864 bytes"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out")


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_a_cut_archive_leaves_nothing(tmp_path: Path, keep: float) -> None:
    (tmp_path / "data").write_bytes(os.urandom(20_000))
    with tarfile.open(tmp_path / "a.gz", "w:gz") as archive:
        archive.add(tmp_path / "data", "data")
    (tmp_path / "data").unlink()
    whole = (tmp_path / "a.gz").read_bytes()
    (tmp_path / "a.gz").write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(ArchiveError, match="damaged or cut off"):
        unpack(tmp_path / "a.gz", tmp_path / "out")
    assert nothing_is_left(tmp_path / "out")


def test_a_changed_byte_is_noticed(zipped, tmp_path: Path) -> None:
    archive = zipped({"a": "the same sentence again. " * 40})
    changed = bytearray(archive.read_bytes())
    changed[60] ^= 0xFF
    archive.write_bytes(changed)
    with pytest.raises(ArchiveError, match="damaged or cut off"):
        unpack(archive, tmp_path / "out")
    assert nothing_is_left(tmp_path / "out")


@pytest.mark.parametrize("content", [b"<!DOCTYPE html>", b"", b"\x1f"])
def test_what_is_no_archive_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "page").write_bytes(content)
    with pytest.raises(ArchiveError, match=r"page: neither a tar\.gz nor a zip"):
        unpack(tmp_path / "page", tmp_path / "out")


def test_an_archive_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"gone\.zip cannot be read"):
        unpack(tmp_path / "gone.zip", tmp_path / "out")


def test_what_is_in_the_folder_stays(zipped, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("precious")
    with pytest.raises(ArchiveError, match="out is there already"):
        unpack(zipped({"mine": "other"}), tmp_path / "out")
    assert (tmp_path / "out" / "mine").read_text() == "precious"


def test_what_a_killed_run_left_is_cleared_away(zipped, tmp_path: Path) -> None:
    (tmp_path / ".out.unpacking").mkdir()
    (tmp_path / ".out.unpacking" / "half").write_text("half")
    unpack(zipped({"a": "whole"}), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]
    assert not (tmp_path / ".out.unpacking").exists()
