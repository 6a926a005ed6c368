"""What one worker's engine carries: talks that think and ask, without queue, database or sockets.

    .venv/bin/python bench/worker_talks.py [--device cuda] [--talks 100 500 2000] [--candidates 100000] [--think 5]

A poly-encoder of the paper's size with random weights (or of ``--layers`` and ``--width``) answers from a random
bank. Utterances are those of the starter corpus, so texts are as long as people's. As many threads as a worker has
take the talks that are due; a reply's time counts from when its talk was due, so waiting for a thread is in it.
"""

from __future__ import annotations

import heapq
import random
import statistics
import threading
import time
from dataclasses import dataclass, field, replace

import torch
from plain import PAPER_SIZE, open_project, paper_network, parser, table

options = parser(__doc__.splitlines()[0])
options.add_argument("--device", default="cpu")
options.add_argument("--talks", type=int, nargs="+", default=[100, 500, 2000])
options.add_argument("--candidates", type=int, default=100_000)
options.add_argument(
    "--think", type=float, default=5.0, help="mean seconds between a reply and the next message"
)
options.add_argument("--seconds", type=float, default=15.0, help="that each number of talks is measured for")
options.add_argument("--threads", type=int, default=32, help="SERVING_THREADS")
options.add_argument("--batch", type=int, default=32, help="SERVING_BATCH_SIZE")
options.add_argument("--tokens", type=int, default=360, help="of a context that are read at most")
options.add_argument("--layers", type=int, default=PAPER_SIZE["num_hidden_layers"])
options.add_argument("--float32", action="store_true", help="instead of bfloat16")
arguments = options.parse_args()
PAPER_SIZE["num_hidden_layers"] = arguments.layers
open_project(arguments.one_thread)

from modelhub.agents.retrieval import RetrievalAgent  # noqa: E402
from modelhub.datasets import layout  # noqa: E402
from modelhub.datasets.episodes import examples  # noqa: E402
from modelhub.dialogue import Dialogue, Skill  # noqa: E402
from modelhub.polyencoder.bank import Bank  # noqa: E402
from modelhub.polyencoder.base import base_folder  # noqa: E402
from modelhub.polyencoder.packed import fast  # noqa: E402
from modelhub.polyencoder.precision import has_fast_bfloat16  # noqa: E402
from modelhub.polyencoder.tokens import TextEncoder  # noqa: E402
from modelhub.serving.engine import Engine  # noqa: E402

DEVICE = torch.device(arguments.device)
#: The first seconds fill the queue and do not count.
SETTLING_S = 3.0


def agent() -> RetrievalAgent:
    """The paper's poly-encoder with random weights, placed as a worker places it, and a random bank."""
    quick = has_fast_bfloat16(DEVICE) and not arguments.float32
    precision = torch.bfloat16 if quick else torch.float32
    network = paper_network().to(DEVICE)
    if DEVICE.type == "cuda":
        network = network.to(precision)
    count = arguments.candidates
    rows = torch.randn(count, network.width, generator=torch.Generator().manual_seed(1)).half()
    texts = tuple(f"candidate {number}" for number in range(count))
    text_encoder = TextEncoder(base_folder(), replace(network.config, text_truncate=arguments.tokens))
    return RetrievalAgent(fast(network, precision), text_encoder, Bank(texts, ("",) * count, rows))


def dialogues() -> list[Dialogue]:
    """Contexts of the starter corpus's test talks, at every turn of them."""
    return [
        example.dialogue
        for skill in Skill
        for episode in layout.read(skill, "test", layout.STARTER)
        for example in examples(episode)
    ]


@dataclass
class Crowd:
    """Talks that are due at some time, and the threads that serve them."""

    engine: Engine
    talks: int
    asked: list[Dialogue]
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    times_ms: list[float] = field(default_factory=list)
    generated_ms: list[float] = field(default_factory=list)
    lock: threading.Condition = field(default_factory=threading.Condition)

    def run(self) -> None:
        begun = time.monotonic()
        self.counted_from, self.until = begun + SETTLING_S, begun + SETTLING_S + arguments.seconds
        self.due = [(begun + self.rng.uniform(0, arguments.think), talk) for talk in range(self.talks)]
        heapq.heapify(self.due)
        threads = [threading.Thread(target=self.serve) for _ in range(arguments.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def serve(self) -> None:
        while (due_at := self.next_due()) is not None:
            answer = self.engine.reply(1, self.rng.choice(self.asked))
            now = time.monotonic()
            with self.lock:
                if due_at >= self.counted_from:
                    self.times_ms.append((now - due_at) * 1000)
                    self.generated_ms.append(answer.generated_ms)
                heapq.heappush(self.due, (now + arguments.think * self.rng.uniform(0.5, 1.5), 0))
                self.lock.notify()

    def next_due(self) -> float | None:
        """When the next talk's message came; waits for one, None at the end."""
        with self.lock:
            while (now := time.monotonic()) < self.until:
                if self.due and self.due[0][0] <= now:
                    return heapq.heappop(self.due)[0]
                self.lock.wait(min(self.until, self.due[0][0] if self.due else self.until) - now)
        return None


def measured(engine: Engine, talks: int, asked: list[Dialogue]) -> list[object]:
    crowd = Crowd(engine, talks, asked)
    crowd.run()
    times, wanted = crowd.times_ms, talks / arguments.think
    p50, p95 = (statistics.quantiles(times, n=100)[percent - 1] for percent in (50, 95))
    generated = statistics.median(crowd.generated_ms)
    rate = len(times) / arguments.seconds
    return [talks, f"{wanted:.0f}", f"{rate:.1f}", f"{p50:.0f}", f"{p95:.0f}", f"{generated:.0f}"]


def main() -> None:
    engine = Engine(lambda *_: agent(), batch_size=arguments.batch)
    engine.load([1])
    name = torch.cuda.get_device_name(DEVICE) if DEVICE.type == "cuda" else "the CPU"
    asked = dialogues()
    rows = [measured(engine, talks, asked) for talks in arguments.talks]
    table(
        f"One worker's engine on {name}: {arguments.layers} layers, {arguments.candidates:,} candidates, "
        f"{arguments.threads} threads, batches up to {arguments.batch}, {arguments.think:g} s to think",
        ["talks", "asked a second", "turns a second", "p50, ms", "p95, ms", "a batch's p50, ms"],
        rows,
    )
    engine.close()
    time.sleep(0.5)  # its thread must not be cut off in the middle of a product


main()
