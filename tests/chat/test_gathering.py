"""What comes within a moment goes out together, what comes alone at once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from chat.gathering import Gathering

Sent = list[tuple[str, list[int]]]


def gathering(sent: Sent, pause_s: float = 0.0) -> Gathering[str, int]:
    return Gathering(lambda key, items: sent.append((key, list(items))), pause_s)


def test_what_comes_alone_does_not_wait_for_a_pause(eventually: Callable[..., None]) -> None:
    sent: Sent = []
    together = gathering(sent, pause_s=30)
    together.put("m1", 1)
    eventually(lambda: sent == [("m1", [1])], "the item")
    together.end()


def test_what_comes_in_the_pause_goes_out_together_by_key_and_in_order(
    eventually: Callable[..., None],
) -> None:
    sent: Sent = []
    together = gathering(sent, pause_s=0.5)
    together.put("m1", 0)
    eventually(lambda: sent, "the first")
    for number in range(1, 5):
        together.put("m1" if number < 4 else "m2", number)
    eventually(lambda: len(sent) == 3, "the others")
    assert sent == [("m1", [0]), ("m1", [1, 2, 3]), ("m2", [4])]
    together.end()


def test_nothing_is_lost_or_doubled_among_many_threads(eventually: Callable[..., None]) -> None:
    sent: Sent = []
    together = gathering(sent, pause_s=0.001)
    threads = [
        threading.Thread(target=lambda base=base: [together.put("m1", base + n) for n in range(200)])
        for base in range(0, 1600, 200)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together.end()
    assert sorted(number for _, numbers in sent for number in numbers) == list(range(1600))


def test_what_fails_costs_nothing_but_its_own(eventually: Callable[..., None], caplog) -> None:
    sent: Sent = []

    def send(key: str, items: Sequence[int]) -> None:
        if key == "broken":
            raise ValueError("whatever is wrong")
        sent.append((key, list(items)))

    together: Gathering[str, int] = Gathering(send, 0.0)
    together.put("broken", 1)
    together.put("m1", 2)
    eventually(lambda: sent == [("m1", [2])], "the one that can be sent")
    together.end()
    assert "could not be sent" in caplog.text


def test_a_process_that_ends_sends_what_it_has() -> None:
    program = (
        "from chat.gathering import Gathering\n"
        "together = Gathering(lambda key, items: print(key, *items, flush=True), 30)\n"
        "together.put('m1', 1)\n"
        "import time; time.sleep(0.3)\n"
        "together.put('m1', 2); together.put('m1', 3)\n"
    )
    begun = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=25
    )
    assert ended.stdout.splitlines() == ["m1 1", "m1 2 3"], ended.stderr
    assert time.monotonic() - begun < 20
