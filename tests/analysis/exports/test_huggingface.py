"""A Hugging Face data set: its card and its layout, by the Hub's rules and its own library."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard

from analysis.exports.data import KINDS, Exported, Options, export
from analysis.exports.data.formats.huggingface import size_class
from analysis.reading.frames import Population
from tests.analysis.exports.collected import Collected, empty_study


def card(folder: Path) -> tuple[dict[str, Any], str]:
    """The card's YAML and its words."""
    _, header, words = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(header), words


def test_the_card_is_one_that_the_hubs_library_takes(exported: Callable[..., Exported]) -> None:
    data = DatasetCard.load(exported("huggingface").folder / "README.md").data.to_dict()
    assert data["annotations_creators"] == ["crowdsourced"] and data["language"] == ["en"]
    assert data["pretty_name"] == "Talk with a stranger: 100 % <new>"
    assert data["size_categories"] == ["n<1K"] and data["source_datasets"] == ["original"]


def test_every_configuration_is_a_parquet_file_with_the_columns_that_the_card_lists(
    exported: Callable[..., Exported],
) -> None:
    import pyarrow.parquet

    folder = exported("huggingface").folder
    header, words = card(folder)
    assert {config["config_name"] for config in header["configs"]} == {kind.name for kind in KINDS}
    for config in header["configs"]:
        (file,) = config["data_files"]
        section = words.split(f"## {config['config_name'].capitalize()}\n")[1].split("\n## ")[0]
        columns = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        assert file["split"] == "train"
        assert pyarrow.parquet.read_schema(folder / file["path"]).names == columns


def test_conversations_are_what_one_loads_who_names_nothing(exported: Callable[..., Exported]) -> None:
    header, _ = card(exported("huggingface").folder)
    assert [config["config_name"] for config in header["configs"] if config.get("default")] == [
        "conversations"
    ]


@pytest.mark.parametrize(
    ("given", "stands"), [("", "unknown"), ("cc-by-4.0", "cc-by-4.0"), ('a: "b"\n- c', 'a: "b"\n- c')]
)
def test_the_licence_is_the_researchers(
    collected: Collected, tmp_path: Path, given: str, stands: str
) -> None:
    options = Options(licence=given)
    folder = export(collected.study, tmp_path / "out", form="huggingface", options=options).folder
    assert card(folder)[0]["license"] == stands


def test_the_card_counts_rows_and_talks(exported: Callable[..., Exported]) -> None:
    _, words = card(exported("huggingface").folder)
    assert "| ratings | 16 |" in words and "| conversations | 6 |" in words
    assert "| WoW \\| with \\*stars\\* | 2 | 2 |" in words and "| MT Two-Stage | 2 | 0 |" in words


def test_simulated_data_says_so(exported: Callable[..., Exported]) -> None:
    header, words = card(exported("huggingface", population=Population.SIMULATED).folder)
    assert "**Simulated data**" in words and header["annotations_creators"] == ["machine-generated"]


def test_a_choice_of_records_is_a_choice_of_configurations(exported: Callable[..., Exported]) -> None:
    folder = exported("huggingface", what=["ratings", "models"]).folder
    assert [config["config_name"] for config in card(folder)[0]["configs"]] == ["models", "ratings"]
    assert sorted(path.name for path in (folder / "data").iterdir()) == ["models.parquet", "ratings.parquet"]


def test_a_kind_without_a_record_is_no_configuration(db: None, tmp_path: Path) -> None:
    """The Hub's library refuses to load a split without a row."""
    study = empty_study().study
    header, words = card(export(study, tmp_path / "new", form="huggingface").folder)
    assert [config["config_name"] for config in header["configs"]] == ["study", "models", "contexts"]
    assert "| ratings | 0 |" in words
    nothing = export(study, tmp_path / "nothing", form="huggingface", what=["ratings"]).folder
    assert "configs" not in card(nothing)[0]


@pytest.mark.parametrize(
    ("rows", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1_000, "1K<n<10K"), (99_999, "10K<n<100K"), (1_000_000, "1M<n<10M")],
)
def test_sizes_are_the_hubs_classes(rows: int, name: str) -> None:
    assert size_class(rows) == name
