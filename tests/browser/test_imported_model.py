"""From a checkpoint that ParlAI wrote to a talk with it in a browser, by the commands of the documentation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.browser.tab import LINES, Tab
from tests.modelhub.parlai_files import write_model
from tests.site.running import Site

ANSWERS = [f"My boat number {number} is on the river." for number in range(1, 13)]
HELD_WITH = "SELECT a.revision_id FROM chat_conversation c JOIN chat_arm a ON c.arm_id = a.id WHERE c.id = ?"
LATEST = (
    "SELECT r.id FROM modelhub_revision r JOIN modelhub_registeredmodel m ON r.model_id = m.id "
    "WHERE m.slug = 'sailor' ORDER BY r.number DESC LIMIT 1"
)


def test_a_person_talks_with_an_imported_checkpoint(
    open_tab: Callable[..., Tab], site: Site, tmp_path: Path
) -> None:
    bank = tmp_path / "answers.txt"
    bank.write_text("\n".join(ANSWERS) + "\n")
    checkpoint = write_model(tmp_path / "parlai")
    site.manage("import_parlai", str(checkpoint), "--slug", "sailor", "--name", "Sailor", "--bank", str(bank))
    site.manage(
        "study", "create", "--template", "table7", "--models", "sailor", "--slug", "sailing", "--open"
    )

    tab = open_tab()
    tab.consent("sailing")
    talk = tab.start()
    for line in LINES:
        tab.say(line)
    heard = tab.replies.all_inner_texts()

    assert len(set(heard)) == len(LINES)
    assert set(heard) <= set(ANSWERS)
    assert "Sailor" not in tab.page.content()
    assert site.one(HELD_WITH, talk.replace("-", "")) == site.one(LATEST)
