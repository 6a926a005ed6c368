"""What this process counts about talks. Names and labels are few and fixed: no id, no text."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

SOCKETS = Gauge("colloquy_sockets_open", "Sockets of talks that are open in this process.")
FRAMES = Counter("colloquy_frames", "Frames from browsers by type; bad ones fit none.", ["type"])
REFUSED = Counter("colloquy_refused", "Frames that were refused, by the code that the browser got.", ["code"])
ACKNOWLEDGED = Histogram(
    "colloquy_acknowledgement_seconds",
    "From a message's frame until its sender was told that it is stored.",
    buckets=SECONDS,
)
ASKED_AGAIN = Counter("colloquy_turns_asked_again", "Replies that had to be asked for again.")
SWEEPS = Counter("colloquy_sweeps", "Sweeps for idle talks and lost replies, by how they went.", ["outcome"])
SWEPT, SWEEP_FAILED = SWEEPS.labels("done"), SWEEPS.labels("failed")
