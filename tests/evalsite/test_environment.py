"""bin/setup on a small project of its own: a package that lies on disk, nothing fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
NAMES = (
    "requirements-constraints.txt",
    "requirements-torch.txt",
    "requirements.txt",
    "requirements-nodeps.txt",
    "requirements-dev.txt",
)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A project with this one's bin/ and requirement files that name one tiny wheel, set up once."""
    folder = tmp_path_factory.mktemp("setup") / "a checkout"
    shutil.copytree(PROJECT / "bin", folder / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    for name in NAMES:
        (folder / name).write_text("")
    make_wheel(folder, "tinytorch")
    (folder / "requirements-torch.txt").write_text("tinytorch==1.0\n")
    return folder, setup(folder)


@pytest.fixture
def checkout(first_run: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> Path:
    """A copy of that project to do as one likes with."""
    return shutil.copytree(first_run[0], tmp_path / "a copy", symlinks=True)


def make_wheel(folder: Path, name: str) -> None:
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "here = True\n")
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{about}/RECORD", "")


def environment(checkout: Path) -> dict[str, str]:
    own = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": checkout.as_uri(), "COLLOQUY_PYTHON": sys.executable}
    return {name: value for name, value in os.environ.items() if not name.startswith("COLLOQUY_")} | own


def setup(checkout: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "bin" / "setup", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(checkout) | variables,
    )


def imports(checkout: Path, module: str) -> bool:
    command = [checkout / ".venv" / "bin" / "python", "-c", f"import {module}"]
    return subprocess.run(command, capture_output=True).returncode == 0


def test_it_installs_in_order_says_so_and_is_silent_the_second_time(
    first_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    checkout, first = first_run
    assert first.returncode == 0, first.stdout + first.stderr
    told = [line for line in first.stdout.splitlines() if line.endswith(" ...")]
    assert [line.split()[0] for line in told] == ["Making", "Installing", "Installing", "Installing"]
    assert told[1] == "Installing torch, the largest package ..."
    assert first.stdout.count("  done in ") == 4
    assert imports(checkout, "tinytorch")
    second = setup(checkout)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_a_changed_requirement_is_installed_and_the_rest_stays(checkout: Path) -> None:
    make_wheel(checkout, "tinytests")
    (checkout / "requirements-dev.txt").write_text("tinytests==1.0\n")
    assert setup(checkout).stdout == ""
    again = setup(checkout, "--dev")
    assert again.returncode == 0, again.stderr
    assert "Making .venv" not in again.stdout
    assert imports(checkout, "tinytests")


def test_a_package_that_cannot_be_found_is_one_sentence_after_pips_own_words(checkout: Path) -> None:
    (checkout / "requirements.txt").write_text("no-such-package==9.9\n")
    failed = setup(checkout)
    assert failed.returncode == 2
    assert "No matching distribution found for no-such-package==9.9" in failed.stderr
    last = failed.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "Installing what serves the site failed. A package could not be fetched: check the network"
    )
    assert "Traceback" not in failed.stderr
    (checkout / "requirements.txt").write_text("")
    assert setup(checkout).returncode == 0


def test_two_at_once_install_once(checkout: Path) -> None:
    (checkout / ".venv" / ".installed").unlink()
    command = [checkout / "bin" / "setup"]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(checkout))
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("Installing torch" in text for text in said) == 1
    assert sum("waiting for it" in text for text in said) == 1
    assert imports(checkout, "tinytorch")


def test_an_environment_whose_python_is_gone_is_made_again(checkout: Path) -> None:
    (checkout / ".venv" / "bin" / "python").unlink()
    (checkout / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")
    again = setup(checkout)
    assert "Making .venv" in again.stdout, again.stdout + again.stderr
    assert imports(checkout, "tinytorch")


def test_an_old_python_is_one_sentence(checkout: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ncase "$2" in *python_version*) echo 3.9.2 ;; *) exit 1 ;; esac\n')
    old.chmod(0o755)
    refused = setup(checkout, COLLOQUY_PYTHON=str(old))
    assert refused.returncode == 2
    assert refused.stderr == (
        f"Colloquy needs Python 3.11 or later and found 3.9.2 ({old}); install one, or name it: "
        "COLLOQUY_PYTHON=/path/to/python3.\n"
    )


def test_a_python_without_venv_is_one_sentence(checkout: Path, tmp_path: Path) -> None:
    bare = tmp_path / "python3"
    bare.write_text('#!/bin/sh\ncase "$2" in *python_version*) echo 3.12.1 ;; *ensurepip*) exit 1 ;; esac\n')
    bare.chmod(0o755)
    refused = setup(checkout, COLLOQUY_PYTHON=str(bare))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"Python 3.12.1 ({bare}) lacks its venv module; install it")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_on_the_way_is_one_sentence(checkout: Path) -> None:
    (checkout / ".venv" / ".installed").unlink()
    (checkout / ".venv" / "setup.log").unlink()
    (checkout / ".venv" / "setup.log").symlink_to("/dev/full")
    failed = setup(checkout)
    assert failed.returncode == 2
    assert "The disk is full: free about 3 GB and run this again." in failed.stderr.strip().splitlines()[-1]
    assert "Traceback" not in failed.stderr
