"""What a start refuses, each in one sentence that says what to do."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from evalsite import preflight
from evalsite.errors import StartRefused
from evalsite.preflight import Address


def test_a_full_disk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match=r"has [\d.]+ MB free and a site needs \d+: free some space"):
        preflight.check_folder(tmp_path, needed_bytes=10**18)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StartRefused, match=r"cannot be written .* name another one with --data"):
        preflight.check_folder(tmp_path / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StartRefused, match="Permission denied"):
        preflight.check_folder(tmp_path)


def test_a_data_folder_is_made_private(tmp_path: Path) -> None:
    preflight.check_folder(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_taken_port_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartRefused, match=f"Port {port} is taken by another program"):
            preflight.check_port(Address("127.0.0.1", port))


def test_a_host_of_another_machine_is_refused() -> None:
    with pytest.raises(StartRefused, match=r"Cannot listen on 192\.0\.2\.1:8000"):
        preflight.check_port(Address("192.0.2.1", 8000))


def test_a_second_holder_of_a_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    with preflight.sole_use(tmp_path, "http://localhost:8000"):
        sentence = f"already runs on {tmp_path} (process {os.getpid()}, http://localhost:8000)"
        with pytest.raises(StartRefused, match=re.escape(sentence)), preflight.sole_use(tmp_path, "other"):
            pass
    with preflight.sole_use(tmp_path, "http://localhost:8001"):
        assert preflight.recorded(tmp_path)["url"] == "http://localhost:8001"


def test_links_name_an_address_that_others_reach() -> None:
    assert Address("127.0.0.1", 8000).url == "http://localhost:8000"
    assert Address("::1", 8000).url == "http://localhost:8000"
    assert Address("eval.example.org", 80).url == "http://eval.example.org:80"
    assert Address("2001:db8::7", 8000).url == "http://[2001:db8::7]:8000"
    assert "0.0.0.0" not in Address("0.0.0.0", 8000).url
