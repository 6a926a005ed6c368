"""``manage.py agreement``: annotations of a file, in words and in every format."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from analysis.exports.reports import WHOLE_FORMATS
from tests.analysis.test_agreement import KRIPPENDORFF

SMALL = """annotator_id,unit_id,label
ann,u1,yes
bob,u1,yes
cat,u1,no
ann,u2,no
bob,u2,no
cat,u2,yes
ann,u3,yes
bob,u3,yes
cat,u3,yes
ann,u4,no
"""


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("agreement", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.csv"
    path.write_text(SMALL)
    return path


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """Krippendorff's own example; 0 is missing."""
    path = tmp_path / "example.csv"
    lines = [
        f"observer {a},{u},{value}"
        for a, row in enumerate(KRIPPENDORFF.tolist())
        for u, value in enumerate(row)
        if value
    ]
    path.write_text("\n".join(["annotator_id,unit_id,label", *lines]))
    return path


def as_json(path: Path, *options: object) -> dict:
    out = path.parent / "out"
    run("--annotations", path, "--out", out, "--format", "json", *options)
    return json.loads((out / "agreement.json").read_text())


# --- What comes out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("metric", "printed"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_the_printed_example(example: Path, metric: str, printed: float) -> None:
    found = as_json(example, "--metric", metric)
    alpha, kappa, same = found["tables"]["agreement"]
    assert (alpha["coefficient"], alpha["metric"]) == ("krippendorff_alpha", metric)
    assert alpha["value"] == pytest.approx(printed, abs=5e-4) and alpha["low"] < printed < alpha["high"]
    assert (alpha["units"], alpha["judgements"], alpha["annotators"]) == (11, 40, 4)
    assert kappa["metric"] == same["metric"] == "nominal"
    assert found["schema"] == "colloquy.agreement/1"
    assert f"alpha is {alpha['value']:.2f}" in found["answer"]["title"]


def test_reference_values_come_out_of_a_file(reference: Path, tmp_path: Path) -> None:
    folder = reference / "vectors" / "statistics" / "public"
    if not folder.is_dir():
        pytest.skip(f"no statistical reference values at {folder}; set COLLOQUY_REFERENCE")
    rows = list(csv.DictReader((folder / "utterances.csv").open()))
    path = tmp_path / "utterances.csv"
    lines = [f"{row['annotator_id']},{row['utterance_id']},{row['ordinal']},rank" for row in rows]
    lines += [f"{row['annotator_id']},{row['utterance_id']},{row['label']},label" for row in rows]
    path.write_text("\n".join(["annotator_id,unit_id,label,question", *lines]))
    expected = json.loads((folder / "expected_python.json").read_text())["agreement"]
    label, *_, rank, _, _ = as_json(path)["tables"]["agreement"]
    assert label["value"] == pytest.approx(expected["alpha_label_nominal_krippendorff"], abs=1e-9)
    assert rank["value"] == pytest.approx(expected["alpha_nominal_krippendorff"], abs=1e-9)
    path.write_text("\n".join(["annotator_id,unit_id,label,question", *lines[: len(rows)]]))
    for metric in ("ordinal", "interval"):
        found = as_json(path, "--metric", metric)["tables"]["agreement"][0]["value"]
        assert found == pytest.approx(expected[f"alpha_{metric}_krippendorff"], abs=1e-9)


def test_the_answer_names_who_disagrees_with_all_others(small: Path) -> None:
    said = run("--annotations", small)
    assert said.startswith("# small.csv\n\n**Krippendorff's alpha is 0.11")
    assert (
        "3 units judged by several of 3 annotators, 9 judgements; 1 unit that one alone judged tells nothing."
        in said
    )
    assert "Without annotator 3 alpha would be 1.00" in said
    assert not re.search(r"\b(ann|bob|cat)\b", said)


def test_where_no_one_annotator_is_behind_it_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "alike.csv"
    lines = [f"{who},u{unit},{unit % 2}" for who in "abc" for unit in range(4)]
    path.write_text("\n".join(["annotator_id,unit_id,label", *lines]))
    assert "Leaving any one of them out would raise alpha by less than 0.005." in run("--annotations", path)


def test_ids_stand_in_it_on_request(small: Path) -> None:
    assert "Without cat alpha would be 1.00" in run("--annotations", small, "--identified")


def test_tables_have_each_annotator_pair_and_unit(small: Path) -> None:
    tables = as_json(small, "--identified")["tables"]
    cat = tables["annotators"][2]
    assert (cat["annotator"], cat["judged"], cat["compared"]) == ("cat", 3, 3)
    assert cat["agreeing"] == pytest.approx(2 / 6) and cat["alpha_without"] == 1
    assert [(row["first"], row["second"], row["units"]) for row in tables["annotator_pairs"]] == [
        ("ann", "bob", 3),
        ("ann", "cat", 3),
        ("bob", "cat", 3),
    ]
    assert [row["label"] for row in tables["units"]] == ["yes", "no", "yes", "no"]
    assert tables["units"][3]["agreeing"] is None
    shares = [row["share"] for row in tables["labels_by_annotator"] if row["annotator"] == "cat"]
    assert shares == pytest.approx([1 / 3, 2 / 3], abs=1e-9)


def test_a_tie_has_no_label(tmp_path: Path) -> None:
    path = tmp_path / "tie.csv"
    path.write_text("annotator_id,unit_id,label\na,u,yes\nb,u,no\n")
    assert as_json(path)["tables"]["units"][0]["label"] is None


def test_several_questions_are_told_apart(small: Path) -> None:
    lines = [f"{line},{question}" for question in ("tone", "skill") for line in SMALL.splitlines()[1:]]
    small.write_text("\n".join(["annotator_id,unit_id,label,question", *lines]))
    said = run("--annotations", small)
    assert "alpha is 0.11 (skill) to 0.11 (tone)" in said
    assert "tone: without annotator 3 alpha would be 1.00" in said
    assert "### skill: how often each label was given" in said


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("a,u1,yes\nb,u2,no\n", "No unit was judged by several annotators."),
        ("a,u1,yes\nb,u1,yes\n", "All judgements are the same."),
    ],
)
def test_where_nothing_can_be_told_it_says_why(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "few.csv"
    path.write_text(f"annotator_id,unit_id,label\n{content}")
    said = run("--annotations", path)
    assert "**Agreement cannot be told.**" in said and why in said


def test_every_format_is_written_and_comes_again(small: Path, tmp_path: Path) -> None:
    said = run("--annotations", small, "--out", tmp_path / "one")
    assert said.startswith("Wrote 13 files into ")
    assert "agreement.html, agreement.md, agreement.tex, agreement.json, 7 in csv/ and 2 in pictures/" in said
    small.write_text("\n".join([SMALL.splitlines()[0], *reversed(SMALL.splitlines()[1:])]))
    run("--annotations", small, "--out", tmp_path / "two")
    for path in (tmp_path / "one").rglob("*.*"):
        assert (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("form", WHOLE_FORMATS)
def test_names_are_text_in_every_format(tmp_path: Path, form: str) -> None:
    path, wicked = tmp_path / "odd.csv", "<b>|_{%$&\\x"
    judged = [(who, unit) for unit in range(3) for who in "ab"]
    lines = [f"{who}{wicked},{unit}{wicked},{unit % 2}{wicked}" for who, unit in judged]
    path.write_text("\n".join(["annotator_id,unit_id,label", *lines]))
    run("--annotations", path, "--out", tmp_path / "out", "--identified", "--format", form)
    pages = (each for each in (tmp_path / "out").rglob("*.*") if each.suffix in (".html", ".svg"))
    assert not any("<b>" in page.read_text() for page in pages)


# --- Labels that have an order ------------------------------------------------------------------------------------


WORDS = SMALL.replace("yes", "good").replace(",no", ",bad") + "bob,u4,fair\n"


def test_words_have_the_order_that_is_given(small: Path) -> None:
    small.write_text(WORDS)
    labels = as_json(small, "--metric", "ordinal", "--order", "bad,fair,good")["tables"]["labels"]
    assert [row["label"] for row in labels] == ["bad", "fair", "good"]
    assert (
        as_json(small, "--metric", "ordinal", "--order", "fair,bad,good")["tables"]["agreement"][0]["value"]
        != (
            as_json(small, "--metric", "ordinal", "--order", "bad,fair,good")["tables"]["agreement"][0][
                "value"
            ]
        )
    )


def test_a_label_with_a_comma_stands_in_quotes(small: Path) -> None:
    small.write_text(WORDS.replace("fair", '"so, so"'))
    labels = as_json(small, "--metric", "ordinal", "--order", 'bad,"so, so",good')["tables"]["labels"]
    assert [row["label"] for row in labels] == ["bad", "so, so", "good"]


def test_numbers_have_their_own(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("annotator_id,unit_id,label\na,u,10\nb,u,9\na,v,9\nb,v,2\n")
    assert [row["label"] for row in as_json(path)["tables"]["labels"]] == ["2", "9", "10"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--metric", "ordinal"], "'bad' is no number, so that labels have no order of their own"),
        (["--metric", "interval"], "'bad' is no number, and interval distances are those of numbers"),
        (["--metric", "ordinal", "--order", "bad,good"], "--order names no 'fair'"),
        (["--order", "bad,bad,good"], "name each label once"),
        (["--level", "2"], "level is 2.0"),
        (["--format", "html"], "--format html goes with --out DIR"),
    ],
)
def test_what_does_not_go_is_said(small: Path, options: list[str], says: str) -> None:
    small.write_text(WORDS)
    with pytest.raises(CommandError, match=says):
        run("--annotations", small, *options)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Cannot read"):
        run("--annotations", tmp_path / "none.csv")
