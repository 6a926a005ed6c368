"""Downloads from a real server: resumed, checked, and whole or not there at all."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from modelhub import download
from modelhub.download import DownloadError, fetch

CONTENT = b"".join(f"line {n} of a file\n".encode() for n in range(60_000))
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """A server of one file, which misbehaves as told; it notes the Range headers that came."""

    content: bytes = CONTENT
    tag: str = '"one"'
    ranges: bool = True
    status: int = 200
    #: Bytes after which the connection is cut, for one request each.
    cuts: list[int] = field(default_factory=list)
    content_range: str | None = None
    announce: bool = True
    redirect: str = ""
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.headers.get("Range"))
            if server.redirect:
                self.send_response(302)
                self.send_header("Location", server.redirect)
                self.end_headers()
            elif server.status != 200:
                self.send_error(server.status)
            else:
                self.send_file()

        def send_file(self) -> None:
            begin = self.first_byte()
            size = len(server.content)
            if begin > 0 and begin >= size:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{size}")
                self.end_headers()
                return
            self.send_response(206 if begin else 200)
            self.send_header("ETag", server.tag)
            if begin:
                self.send_header("Content-Range", server.content_range or f"bytes {begin}-{size - 1}/{size}")
            if server.announce:
                self.send_header("Content-Length", str(size - begin))
            self.end_headers()
            keep = server.cuts.pop(0) if server.cuts else size
            self.wfile.write(server.content[begin : begin + keep])

        def first_byte(self) -> int:
            asked = self.headers.get("Range")
            other_version = self.headers.get("If-Range", server.tag) != server.tag
            if not server.ranges or asked is None or other_version:
                return 0
            return int(asked.removeprefix("bytes=").removesuffix("-"))

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "PAUSE_S", 0)
    told = Server()
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler(told))
    told.url = f"http://127.0.0.1:{listening.server_port}/file.bin"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield told
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "file.bin"


def beside(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir()) if path.parent.exists() else []


def test_a_file_comes_whole(server: Server, path: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    assert fetch(server.url, path, SHA256.upper(), lambda *step: steps.append(step)) == SHA256
    assert path.read_bytes() == CONTENT and beside(path) == ["file.bin"]
    assert steps[0] == (0, len(CONTENT)) and steps[-1] == (len(CONTENT), len(CONTENT)) and len(steps) > 3


def test_without_a_hash_the_one_that_came_is_told(server: Server, path: Path) -> None:
    assert fetch(server.url, path, None) == SHA256


def test_a_file_that_is_there_is_not_fetched_again(server: Server, path: Path) -> None:
    fetch(server.url, path, SHA256)
    assert fetch(server.url, path, SHA256) == SHA256
    assert len(server.asked) == 1


def test_another_file_in_its_place_is_left_alone(server: Server, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(DownloadError, match=r"is there already, but is another file.*remove it"):
        fetch(server.url, path, SHA256)
    assert path.read_text() == "mine" and not server.asked


def test_a_wrong_hash_leaves_nothing(server: Server, path: Path) -> None:
    with pytest.raises(DownloadError, match=f"another file came.*SHA-256 {SHA256}, not {'0' * 64}"):
        fetch(server.url, path, "0" * 64)
    assert beside(path) == []


def test_a_cut_connection_is_taken_up_where_it_ended(server: Server, path: Path) -> None:
    server.cuts = [300_000, 200_000]
    assert fetch(server.url, path, SHA256) == SHA256
    assert server.asked == [None, "bytes=300000-", "bytes=500000-"]


def test_a_connection_that_is_always_cut_keeps_what_came(server: Server, path: Path) -> None:
    server.cuts = [1000] * download.CUTS
    with pytest.raises(
        DownloadError, match=rf"cut {download.CUTS} times.*{1000 * download.CUTS} bytes are kept"
    ):
        fetch(server.url, path, SHA256)
    assert not path.exists()
    assert fetch(server.url, path, SHA256) == SHA256
    assert server.asked[-1] == f"bytes={1000 * download.CUTS}-"


def test_an_interrupted_download_goes_on_next_time(server: Server, path: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        if done > 400_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server.url, path, SHA256, interrupt)
    kept = (path.parent / "file.bin.part").stat().st_size
    assert fetch(server.url, path, SHA256) == SHA256
    assert server.asked[1] == f"bytes={kept}-" and beside(path) == ["file.bin"]


def test_a_server_without_ranges_begins_again(server: Server, path: Path) -> None:
    server.cuts, server.ranges = [300_000], False
    assert fetch(server.url, path, SHA256) == SHA256
    assert server.asked == [None, "bytes=300000-"]


def test_a_part_of_an_older_version_is_not_continued(server: Server, path: Path) -> None:
    server.cuts = [300_000] + [0] * (download.CUTS - 1)
    with pytest.raises(DownloadError, match="was cut"):
        fetch(server.url, path, None)
    server.content, server.tag = CONTENT[::-1], '"two"'
    fetch(server.url, path, None)
    assert path.read_bytes() == CONTENT[::-1]


def test_a_part_that_is_whole_is_only_checked(server: Server, path: Path) -> None:
    path.parent.mkdir()
    (path.parent / "file.bin.part").write_bytes(CONTENT)
    assert fetch(server.url, path, SHA256) == SHA256 and beside(path) == ["file.bin"]


def test_a_part_that_is_longer_than_the_file_is_dropped(server: Server, path: Path) -> None:
    path.parent.mkdir()
    (path.parent / "file.bin.part").write_bytes(CONTENT + b"more")
    assert fetch(server.url, path, SHA256) == SHA256


def test_a_range_that_was_not_asked_for_is_refused(server: Server, path: Path) -> None:
    server.cuts, server.content_range = [300_000], f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"
    with pytest.raises(DownloadError, match="asked for the bytes from 300000 on, the server sends 'bytes 5-"):
        fetch(server.url, path, SHA256)


@pytest.mark.parametrize("announce", [True, False])
def test_a_file_above_the_limit_is_refused(server: Server, path: Path, announce: bool) -> None:
    server.announce = announce
    with pytest.raises(DownloadError, match="above the limit"):
        fetch(server.url, path, None, max_bytes=len(CONTENT) - 1)
    assert beside(path) == []


def test_a_time_limit_keeps_what_came(server: Server, path: Path) -> None:
    with pytest.raises(DownloadError, match=r"time limit is over with .* run it again to go on"):
        fetch(server.url, path, None, time_limit_s=0)
    assert fetch(server.url, path, SHA256) == SHA256


def test_an_answer_of_the_server_is_passed_on(server: Server, path: Path) -> None:
    server.status = 404
    with pytest.raises(DownloadError, match=r"the server answers 404 Not Found.*file\.bin by hand"):
        fetch(server.url, path, None)


def test_offline_it_says_what_to_do(server: Server, path: Path) -> None:
    with pytest.raises(
        DownloadError, match=r"no answer .*Without a network, download it elsewhere and put it at"
    ):
        # Port 9 of this machine: nothing listens there.
        fetch("http://127.0.0.1:9/file.bin", path, None)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/file", "file:///etc/passwd", "file.bin"])
def test_only_web_addresses_are_fetched(server: Server, path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="no http or https address"):
        fetch(url, path, None)
    server.redirect = url if "//" in url else "ftp://127.0.0.1/file"
    with pytest.raises(DownloadError, match="302"):
        fetch(server.url, path, None)
    assert beside(path) == []


def test_a_folder_that_cannot_be_made_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DownloadError, match=r"file\.bin cannot be read or written"):
        fetch(server.url, tmp_path / "file" / "file.bin", None)
    (tmp_path / "folder").mkdir()
    with pytest.raises(DownloadError, match="folder cannot be read or written"):
        fetch(server.url, tmp_path / "folder", None)
