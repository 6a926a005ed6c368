"""Take the pictures of README.md and docs/ from a running site; bin/screenshots prepares and runs this."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from evalsite.site_data import claim_data_folder  # noqa: E402

claim_data_folder(sys.argv)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")

import django  # noqa: E402

django.setup()

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright  # noqa: E402

from chat.participation import simulation_token  # noqa: E402
from evalsite import sign_in  # noqa: E402
from ratings.simulation.behaviours import Behaviour  # noqa: E402
from ratings.simulation.cards import read_card  # noqa: E402
from ratings.simulation.pages import Page as ReadPage  # noqa: E402
from ratings.simulation.talking import Talker  # noqa: E402

PICTURES = PROJECT / "docs" / "pictures"
LOOKS = ("light", "dark")
PARTS = ("visit", "research", "quality", "serving")
LARGEST_BYTES = 300_000
DESK: ViewportSize = {"width": 1280, "height": 900}
LONG: ViewportSize = {"width": 1280, "height": 1240}
SHORT: ViewportSize = {"width": 1280, "height": 620}
PHONE: ViewportSize = {"width": 360, "height": 740}
#: So many fit below what was said before the talk.
TURNS = 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/screenshots", description="Take the README's pictures.")
    parser.add_argument("--url", default="http://localhost:8000", help="where the site runs")
    parser.add_argument("--data", help="the site's data folder (default: ./data)")
    parser.add_argument("--study", default="table7")
    parser.add_argument("--only", choices=PARTS, action="append", help="leave the other pictures as they are")
    options = parser.parse_args()
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("No Chromium found: install one (apt install chromium), or name its program by CHROMIUM.")
    PICTURES.mkdir(parents=True, exist_ok=True)
    token = sign_in.issue()  # before Playwright's event loop runs, which Django's database calls refuse
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        wanted = options.only or PARTS
        if "visit" in wanted:
            visit(browser.new_page(viewport={"width": 1280, "height": 800}), options.url, options.study)
        desk = browser.new_page(viewport=DESK)
        sign_in_at(desk, options.url, token)
        for part, take in (("research", research), ("quality", quality), ("serving", serving)):
            if part in wanted:
                take(desk, options.url, options.study)
        browser.close()


def visit(page: Page, url: str, study: str) -> None:
    """The talk and its rating, as a simulated worker sees them: it takes no slot."""
    page.goto(f"{url}/e/{study}/?sim={simulation_token(Behaviour.HONEST)}")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Take part").click()
    page.get_by_role("button", name=re.compile("Start")).click()
    page.wait_for_url("**/t/*/")
    talker = Talker(Behaviour.HONEST, read_card(ReadPage(page.url, 200, page.content())), Random(20))
    for turn in range(TURNS):
        say(page, talker, turn)
    picture(page, "chat")
    for turn in range(TURNS, 6):
        say(page, talker, turn)
    page.get_by_role("button", name="Finish and rate").click()
    page.wait_for_url("**/rate/")
    for axis, score in (("knowledge", 4), ("empathy", 5), ("personal", 2)):
        page.locator(f"#{axis}-{score}").check()
    page.set_viewport_size({"width": 1280, "height": 960})
    picture(page, "rate")


def say(page: Page, talker: Talker, turn: int) -> None:
    replies = page.locator("#log .said:not(.mine) .words")
    page.locator("#text").fill(talker.next(replies.all_inner_texts()))
    page.locator("#text").press("Enter")
    expect(replies).to_have_count(turn + 1, timeout=30_000)
    expect(page.locator("#typing")).to_be_hidden()


def sign_in_at(page: Page, url: str, token: str) -> None:
    page.goto(f"{url}/signin/{token}/")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/studies/")


def research(page: Page, url: str, study: str) -> None:
    """The study's progress, its report's beginning and some of its charts, as the researcher sees them."""
    page.goto(f"{url}/studies/{study}/")
    picture(page, "study")
    page.set_viewport_size(LONG)
    reports = [f"{url}/studies/{study}/report/?population={whose}" for whose in ("people", "simulated")]
    if not any(has_plots(page, report) for report in reports):
        sys.exit(f"Too few ratings for Table 7; run: manage.py simulate --study {study} --url {url}")

    picture(page, "table7", page.reload)
    page.set_viewport_size({"width": 1280, "height": 1000})

    def drawn() -> None:
        page.reload()
        part = page.locator("#differences")
        part.evaluate("part => part.scrollIntoView()")
        for canvas in part.locator(".canvas").all():
            expect(canvas.locator(".main-svg").first).to_be_attached(timeout=15_000)

    picture(page, "charts", drawn)


def quality(page: Page, url: str, study: str) -> None:
    """The study's workers, one who is due, and what was decided: they are excluded, and brought back at once."""
    workers = f"{url}/studies/{study}/workers/"
    page.set_viewport_size(DESK)
    page.goto(f"{workers}?rule=same_answer_everywhere")
    flagged = page.locator("table.workers tbody a.mono")
    if not flagged.count():
        sys.exit(f"Nobody gives one answer everywhere; run: manage.py quality --study {study} --simulated")
    one = flagged.first.get_attribute("href")
    page.set_viewport_size(LONG)
    page.goto(workers)
    picture(page, "workers", looks=("light",))
    page.set_viewport_size(DESK)
    page.goto(f"{url}{one}")
    expect(page.locator("[data-told]")).to_contain_text("talk", timeout=30_000)
    picture(page, "worker", looks=("light",))
    page.set_viewport_size(PHONE)
    picture(page, "worker-phone", looks=("light",))
    page.set_viewport_size(DESK)
    page.get_by_label("Reason").select_option("ratings")
    page.get_by_role("button", name="Exclude this worker").click()
    page.get_by_role("button", name="Undo").click()
    page.goto(f"{workers}policy/")
    picture(page, "policy", looks=("light",))
    page.set_viewport_size(LONG)
    page.goto(f"{workers}effects/")
    picture(page, "effects", looks=("light",))
    page.set_viewport_size(SHORT)
    page.goto(f"{workers}decisions/")
    picture(page, "decisions", looks=("light",))


def serving(page: Page, url: str, study: str) -> None:
    """Workers, models and queues while nobody talks."""
    page.set_viewport_size({"width": 1280, "height": 1050})
    page.goto(f"{url}/serving/")
    page.wait_for_load_state("networkidle")
    picture(page, "serving", looks=("light",))


def has_plots(page: Page, report: str) -> bool:
    page.goto(report)
    return page.locator(".plot").count() > 0


def picture(
    page: Page, name: str, before: Callable[[], None] = lambda: None, looks: Sequence[str] = LOOKS
) -> None:
    """Keep what the window shows, light and dark."""
    for look in looks:
        page.emulate_media(color_scheme=look, reduced_motion="reduce")  # type: ignore[arg-type]
        before()
        page.evaluate("document.activeElement.blur()")
        path = PICTURES / f"{name}-{look}.png"
        page.screenshot(path=path)
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            sys.exit(f"{path} has {size} bytes, more than {LARGEST_BYTES}.")
        print(f"{path.relative_to(PROJECT)}  {size // 1000} kB")


if __name__ == "__main__":
    main()
