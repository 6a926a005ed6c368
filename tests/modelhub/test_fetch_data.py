"""``manage.py fetch_data`` against a real server with small archives: whole, resumed, wrong, hostile, or not there."""

from __future__ import annotations

import hashlib
import io
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from modelhub import download
from modelhub.datasets import layout, official, personas
from modelhub.datasets.official import RELEASES
from modelhub.dialogue import Skill
from tests.site_process import PROJECT, fresh_environment

#: What the official archives hold, in the folders in which they hold it, with more that is not wanted.
ARCHIVES = {
    "convai2": {
        "train_self_original.txt": layout.STARTER / "convai2" / "train.txt",
        "valid_self_original.txt": layout.STARTER / "convai2" / "valid.txt",
        "train_none_original.txt": layout.STARTER / "convai2" / "train.txt",
    },
    "wow": {
        "data.json": layout.STARTER / "wow" / "train.json",
        "train.json": layout.STARTER / "wow" / "train.json",
        "valid_random_split.json": layout.STARTER / "wow" / "valid.json",
        "test_random_split.json": layout.STARTER / "wow" / "test.json",
    },
    "ed": {
        f"empatheticdialogues/{split}.csv": layout.STARTER / "ed" / f"{split}.csv" for split in layout.SPLITS
    },
    "bst": {f"{split}.json": layout.STARTER / "bst" / f"{split}.json" for split in layout.SPLITS},
}


@dataclass
class Mirror:
    """A folder that a server gives out. ``cut`` ends the connection after so many bytes, once a request."""

    folder: Path
    url: str = ""
    asked: list[str] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)
    #: Where set, half of a file is sent and the rest held back until then.
    release: threading.Event | None = None

    def put(self, address: str, content: bytes) -> str:
        path = self.folder / address
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return hashlib.sha256(content).hexdigest()


class Handler(SimpleHTTPRequestHandler):
    """Ranges from a byte on, and cuts; otherwise the library's own server of files."""

    def __init__(self, mirror: Mirror, *args: object) -> None:
        self.mirror = mirror
        super().__init__(*args, directory=str(mirror.folder))

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        self.mirror.asked.append(name)
        self.mirror.ranges.append(self.headers.get("Range"))
        path = self.mirror.folder / name
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        begin = int((self.headers.get("Range") or "bytes=0-")[len("bytes=") : -1])
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        end = begin + self.mirror.cut.get(name, len(content))
        if self.mirror.release:
            half = len(content) // 2
            self.wfile.write(content[begin:half])
            self.wfile.flush()
            self.mirror.release.wait()
            begin = half
        self.wfile.write(content[begin:end])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A server of small archives; the recorded hashes are theirs."""
    served = Mirror(tmp_path / "served")
    for name, release in list(RELEASES.items()):
        downloads = tuple(
            replace(each, sha256=served.put(each.address, _content(name, each.name)))
            for each in release.downloads
        )
        monkeypatch.setitem(RELEASES, name, replace(release, downloads=downloads))
    monkeypatch.setattr(download, "PAUSE_S", 0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, served))
    served.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield served
    server.shutdown()
    server.server_close()


def _content(release: str, name: str) -> bytes:
    if name.endswith("gz"):
        return archive({inside: path.read_bytes() for inside, path in ARCHIVES[release].items()})
    if name == "human_annotations.json":
        return b"{}"
    if name == "safe_personas_2.txt":
        return b"I like tea|I sew\n"
    return (layout.STARTER / name.replace("personas_list", "persona_list")).read_bytes()


def archive(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return made.getvalue()


def wrap(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Serve this as ED's archive, with its hash recorded."""
    (only,) = RELEASES["ed"].downloads
    changed = replace(only, sha256=mirror.put(only.address, content))
    monkeypatch.setitem(RELEASES, "ed", replace(RELEASES["ed"], downloads=(changed,)))


@pytest.fixture
def fetched(mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """``fetched("ed")``: run the command; returns the folder of data sets and what was printed."""

    def run(name: str) -> tuple[Path, str]:
        folder = tmp_path / "sets"
        call_command("fetch_data", name, data=folder, mirror=mirror.url)
        return folder, capsys.readouterr().out

    return run


def nothing_is_in_place(folder: Path) -> bool:
    return {path.name for path in folder.iterdir()} <= {official.DOWNLOADS}


# --- All goes well ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("skill", Skill)
def test_a_data_set_is_laid_out_where_readers_find_it(fetched, skill: Skill) -> None:
    folder, printed = fetched(skill.value)
    for split in layout.SPLITS:
        if (skill, split) != (Skill.CONVAI2, "test"):
            ours = layout.read(skill, split, layout.STARTER)
            assert [each.turns for each in layout.read(skill, split, folder)] == [each.turns for each in ours]
    assert "licence CC BY" in printed and "put into" in printed
    # Neither archives nor what else was in them stay.
    (only,) = folder.iterdir()
    wanted = {name for each in RELEASES[skill.value].downloads for name in each.brings}
    assert {path.name for path in only.iterdir()} == wanted


def test_bst_brings_its_lists(fetched) -> None:
    folder, _ = fetched("bst")
    assert personas.read(folder).personas == personas.read(layout.STARTER).personas
    assert personas.read(folder).is_safe("i like tea.") and not personas.read(folder).is_safe("i bite.")
    assert (folder / "blended_skill_talk" / "human_annotations.json").is_file()


def test_all_brings_everything(fetched) -> None:
    folder, _ = fetched("all")
    assert {path.name for path in folder.iterdir()} == {release.folder for release in RELEASES.values()}


def test_a_second_run_says_that_it_is_there_and_asks_nobody(fetched, mirror: Mirror) -> None:
    fetched("bst")
    mirror.asked.clear()
    folder, printed = fetched("bst")
    assert not mirror.asked
    assert f"train.json, valid.json, test.json there already, in {folder / 'blended_skill_talk'}" in printed


def test_only_what_is_missing_is_fetched(fetched, mirror: Mirror) -> None:
    folder, _ = fetched("bst")
    (folder / "blended_skill_talk" / "safe_personas.txt").unlink()
    mirror.asked.clear()
    fetched("bst")
    assert mirror.asked == ["blended_skill_talk/safe_personas_2.txt"]


def test_a_file_that_is_there_stays_as_it_is(fetched) -> None:
    folder, _ = fetched("bst")
    (folder / "blended_skill_talk" / "train.json").write_text("mine")
    (folder / "blended_skill_talk" / "valid.json").unlink()
    fetched("bst")
    assert (folder / "blended_skill_talk" / "train.json").read_text() == "mine"
    assert layout.read(Skill.BST, "valid", folder)


def test_an_archive_that_was_put_there_by_hand_is_used(fetched, mirror: Mirror, tmp_path: Path) -> None:
    by_hand = tmp_path / "sets" / official.DOWNLOADS / "ed" / "empatheticdialogues.tar.gz"
    by_hand.parent.mkdir(parents=True)
    by_hand.write_bytes((mirror.folder / RELEASES["ed"].downloads[0].address).read_bytes())
    folder, _ = fetched("ed")
    assert not mirror.asked and layout.read(Skill.ED, "test", folder)


def test_without_options_the_settings_say_where_from_and_where_to(
    mirror: Mirror, tmp_path: Path, settings
) -> None:
    settings.DATASETS_URL, settings.DATA_DIR = f"{mirror.url}/", tmp_path / "site"
    call_command("fetch_data", "ed")
    assert layout.read(Skill.ED, "test", tmp_path / "site" / "datasets")


# --- Something goes wrong ---------------------------------------------------------------------------------


def test_another_file_than_the_recorded_one_is_refused_and_not_kept(
    fetched, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.put(RELEASES["ed"].downloads[0].address, archive({"train.csv": b"other"}))
    with pytest.raises(CommandError, match="another file came than was asked for"):
        fetched("ed")
    assert nothing_is_in_place(tmp_path / "sets")
    assert not list((tmp_path / "sets").rglob("*.gz*"))


def test_a_connection_that_is_cut_for_good_keeps_what_came_and_goes_on_next_time(
    fetched, mirror: Mirror, tmp_path: Path
) -> None:
    address = RELEASES["ed"].downloads[0].address
    size = (mirror.folder / address).stat().st_size
    mirror.cut[address] = size // 20
    with pytest.raises(CommandError, match=r"the connection was cut 8 times .* run it again to go on"):
        fetched("ed")
    assert nothing_is_in_place(tmp_path / "sets")
    mirror.cut.clear()
    folder, _ = fetched("ed")
    assert mirror.ranges[-1] == f"bytes={size // 20 * 8}-"
    assert layout.read(Skill.ED, "test", folder)


def test_ctrl_c_ends_it_without_a_traceback_and_keeps_what_came(
    mirror: Mirror, tmp_path: Path, eventually
) -> None:
    mirror.release = threading.Event()
    mirror.put(RELEASES["ed"].downloads[0].address, bytes(4 * download.CHUNK))
    command = [sys.executable, "manage.py", "fetch_data", "ed", "--data", str(tmp_path / "sets")]
    process = subprocess.Popen(
        [*command, "--mirror", mirror.url],
        cwd=PROJECT,
        env=fresh_environment() | {"COLLOQUY_DATA": str(tmp_path / "site")},
        stderr=subprocess.PIPE,
        text=True,
        # What runs in the background of a shell ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    part = tmp_path / "sets" / official.DOWNLOADS / "ed" / "empatheticdialogues.tar.gz.part"
    eventually(lambda: part.exists() and part.stat().st_size >= download.CHUNK, "the first half")
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=30)
    mirror.release.set()
    assert process.returncode == 130
    assert printed.splitlines()[-1] == "CommandError: stopped; run it again to go on"
    assert "Traceback" not in printed
    assert part.stat().st_size >= download.CHUNK


@pytest.mark.parametrize(
    "hostile", ["../escaped.csv", "/tmp/escaped.csv", "empatheticdialogues/../../../escaped.csv"]
)
def test_an_archive_that_would_write_elsewhere_is_refused(
    fetched, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hostile: str
) -> None:
    good = {name: path.read_bytes() for name, path in ARCHIVES["ed"].items()}
    wrap(mirror, monkeypatch, archive({**good, hostile: b"x"}))
    with pytest.raises(CommandError, match="could lie outside the folder; nothing was unpacked"):
        fetched("ed")
    assert nothing_is_in_place(tmp_path / "sets")
    assert not list(tmp_path.rglob("escaped.csv")) and not Path("/tmp/escaped.csv").exists()


def test_a_link_in_an_archive_is_not_taken_for_a_file(
    fetched, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name in ("valid.csv", "test.csv"):
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
        link = tarfile.TarInfo("train.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "valid.csv"
        tar.addfile(link)
    wrap(mirror, monkeypatch, made.getvalue())
    with pytest.raises(CommandError, match=r"holds 0 files train\.csv where 1 was expected"):
        fetched("ed")
    assert nothing_is_in_place(tmp_path / "sets")


@pytest.mark.parametrize("names", [["train.csv", "valid.csv"], ["a/train.csv", "b/train.csv"]])
def test_an_archive_without_what_it_should_hold_is_refused(
    fetched, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: list[str]
) -> None:
    wrap(mirror, monkeypatch, archive(dict.fromkeys(names, b"x")))
    with pytest.raises(CommandError, match=r"holds \d files \w+\.csv where 1 was expected"):
        fetched("ed")
    assert nothing_is_in_place(tmp_path / "sets")


def test_offline_the_address_and_the_place_for_a_copy_are_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("fetch_data", "ed", data=tmp_path, mirror="http://127.0.0.1:9")
    said = str(caught.value)
    assert "http://127.0.0.1:9/empatheticdialogues/empatheticdialogues.tar.gz: no answer" in said
    assert f"put it at {tmp_path}/.downloads/ed/empatheticdialogues.tar.gz" in said


def test_an_unknown_data_set_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no data set 'reddit'; choose convai2, wow, ed, bst or all"):
        call_command("fetch_data", "reddit", data=tmp_path)


def test_a_folder_that_cannot_be_written_is_named(fetched, tmp_path: Path) -> None:
    (tmp_path / "sets").write_text("a file")
    with pytest.raises(CommandError, match="cannot be read or written"):
        fetched("ed")


# --- The recorded addresses -------------------------------------------------------------------------------


def test_recorded_hashes_are_those_of_the_files_at_hand(reference_data: Path) -> None:
    """The lists are the only official files at hand whole; the archives' hashes cannot be checked without them."""
    recorded = {name: each.sha256 for each in RELEASES["bst"].downloads for name in each.brings}
    for name in (personas.PERSONAS, personas.TOPICS, personas.SAFE):
        content = (reference_data / "blended_skill_talk" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == recorded[name]


def test_every_download_has_an_address_of_its_own_and_a_whole_hash() -> None:
    downloads = [each for release in RELEASES.values() for each in release.downloads]
    assert len({each.address for each in downloads}) == len(downloads) == 8
    assert all(len(each.sha256) == 64 for each in downloads)
