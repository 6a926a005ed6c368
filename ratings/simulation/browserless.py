"""A visitor without a browser: goes through the front door of a running site over HTTP and its socket.

Used by simulated workers, by benchmarks and by the tests of a running site; knows what an evaluator's browser
knows and no more. No Django here.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import ssl
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from ratings.simulation import errors
from ratings.simulation.cards import read_card
from ratings.simulation.pages import Form, Page, words
from ratings.simulation.talking import Card

#: Close codes after which coming back is no use: another tab, not your talk, flooding.
FINAL_CLOSES = frozenset({4001, 4403, 4429})
#: Answers of a site, or of what stands before it, after which a person loads the page again in a moment.
AWAY_STATUSES = frozenset({502, 503, 504})
#: Phases in which nobody says anything any more.
OVER = ("rating", "complete", "ended")
#: Refusals after which the same message is sent again, and after how many seconds; the page does the same.
SEND_AGAIN_S = {"busy": 2.0, "try_again": 2.0, "slow_down": 2.0}
#: Longest pause between two attempts to come back, in seconds.
LONGEST_PAUSE_S = 4.0
#: Below the servers' own limit (uvicorn: 5 s), so that no request meets a connection that is being closed.
KEEP_ALIVE_S = 2.0
#: The page asks again for what it may have missed after this long; so does a visitor.
ASK_AGAIN_S = 10.0
CODE_LENGTH = 23  # 20 characters in four groups

#: Receives everything that the site sends: where it came from, and the text.
Watch = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply of the partner; ``waited_ms`` counts from sending the message before it."""

    position: int
    text: str
    waited_ms: float


class Visitor:
    """One evaluator's way through a study, one step a method. Use as an async context manager.

    ``tls`` says whom to trust where a site's certificate is not publicly known. A site that has answered before is
    waited for as long as the visitor's patience lasts: its processes may be started anew at any time, and every form
    may be sent twice. Raises the errors of ratings.simulation.errors.
    """

    def __init__(
        self,
        site: str,
        study: str,
        *,
        patience_s: float = 60.0,
        watch: Watch | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.site = site.rstrip("/")
        self.origin = self.site
        self.study = study
        self.patience_s = patience_s
        self.watch = watch or (lambda source, text: None)
        self.tls = tls
        self.http = httpx.AsyncClient(
            verify=tls or True,
            base_url=self.site,
            follow_redirects=True,
            timeout=patience_s,
            trust_env=False,
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_S),
            event_hooks={"response": [self._watch_response]},
        )
        self.page = Page(self.site, 0, "")
        self.card = Card()
        self.talk_id = ""
        self.state: dict[str, Any] = {}
        self.socket: ClientConnection | None = None
        #: How often nothing came for so long that the visitor asked for what it may have missed.
        self.asked_again = 0
        self._has_met_site = False
        self._position = 0
        self._inbox: deque[Heard] = deque()
        self._unanswered: dict[str, Any] | None = None
        self._sent_at = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.drop()
        await self.http.aclose()

    # --- Pages ---

    async def get(self, path: str) -> Page:
        return await self._request("GET", path)

    async def post(self, path: str, fields: Mapping[str, str]) -> Page:
        return await self._request("POST", path, fields)

    async def enter(self, token: str = "") -> Page:
        """Open the study's link; ``token`` marks a simulated worker."""
        page = await self.get(f"/e/{self.study}/" + (f"?sim={token}" if token else ""))
        if page.status == 404:
            raise errors.StudyUnknown(f"{self.site} has no study named {self.study!r}.")
        return self._checked(page)

    async def consent(self) -> Page:
        """Tick what the consent page asks and agree."""
        form = self._form(f"/e/{self.study}/consent/")
        ticked = {name: values[0] for name, values in form.choices.items()}
        return self._checked(await self._submit(form, {**ticked, "choice": "agree"}))

    async def start_talk(self) -> Card:
        """Begin the next talk, or come back to the live one, and open its socket."""
        if not self._path.startswith("/t/") and not self.page.form_to(f"/e/{self.study}/next/"):
            self._checked(await self.get(f"/e/{self.study}/next/"))
        if not self._path.startswith("/t/"):
            if not self.page.form_to(f"/e/{self.study}/next/"):
                raise errors.StudyNotOpen(f"No talk can begin; the page says: {self.page.heading}")
            self._checked(await self._submit(self._form(f"/e/{self.study}/next/"), {}))
        if not self._path.startswith("/t/"):
            raise errors.StudyNotOpen(f"No talk began; the page says: {self.page.heading}")
        self.talk_id = self._path.split("/")[2]
        self.card = read_card(self.page)
        self._position, self._unanswered = 0, None
        self._inbox.clear()
        self.state = {}
        await self.reconnect()
        return self.card

    async def rate(self, scores: Mapping[str, int | str], choose: Callable[[str], int] | None = None) -> Page:
        """Rate the talk that was just finished; ``choose`` answers the words of what else is asked."""
        await self.drop()
        await self.get(f"/t/{self.talk_id}/rate/")
        form = self._form(f"/t/{self.talk_id}/rate/")
        more = {name: choose(text) for name, text in form.questions.items() if choose and name not in scores}
        return await self._submit(form, {name: str(each) for name, each in {**scores, **more}.items()})

    async def leave(self) -> Page:
        """Leave the study for good."""
        await self.drop()
        await self.get(f"/e/{self.study}/leave/")
        return await self._submit(self._form(f"/e/{self.study}/leave/"), {})

    async def code(self) -> str:
        """The completion code, read from the last page; empty when it shows none."""
        await self.get(f"/e/{self.study}/done/")
        element = self.page.with_id("code")
        code = (element.get("value") or words(element)) if element is not None else ""
        return code if len(code) == CODE_LENGTH else ""

    # --- The socket ---

    async def connect(self) -> None:
        """Open the talk's socket and catch up with what was said; sends again what was not acknowledged."""
        address = urlsplit(self.site)
        scheme = "wss" if address.scheme == "https" else "ws"
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)
        try:
            self.socket = await connect(
                f"{scheme}://{address.netloc}/ws/t/{self.talk_id}/",
                additional_headers={"Cookie": cookies},
                origin=self.origin,  # type: ignore[arg-type]
                proxy=None,
                ssl=(self.tls or True) if scheme == "wss" else None,
                open_timeout=self.patience_s,
                close_timeout=2,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            if status >= 500:
                raise errors.SiteDown(f"{self.site} cannot open a socket now ({status}).") from error
            raise errors.TalkEnded(f"The site refused the socket ({status}).") from error
        for name, value in self.socket.response.headers.raw_items() if self.socket.response else ():
            self.watch("socket header", f"{name}: {value}")
        await self.send({"type": "resume", "after": self._position})
        if self._unanswered:
            await self.send(self._unanswered)

    async def reconnect(self) -> None:
        """Connect until the visitor's patience ends. Raises TalkEnded, SiteDown."""
        deadline = time.monotonic() + self.patience_s
        attempts = 0
        while time.monotonic() < deadline:
            try:
                return await self.connect()
            except (OSError, errors.SiteDown, InvalidHandshake, ConnectionClosed):
                await asyncio.sleep(_pause_s(attempts))
                attempts += 1
        raise errors.SiteDown(f"{self.site} does not answer any more.")

    async def drop(self) -> None:
        """Close the socket; the talk goes on and can be resumed by ``connect``."""
        socket, self.socket = self.socket, None
        if socket is not None:
            await socket.close()

    async def send(self, frame: dict[str, Any] | str | bytes) -> None:
        """Send a frame; text and bytes go as they are."""
        assert self.socket is not None, "connect first"
        await self.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def say(self, text: str, client_id: str = "") -> int:
        """Say something; the position under which it was stored. Raises Refused.

        What is refused for a moment only is sent again until the visitor's patience ends.
        """
        client_id = client_id or uuid.uuid4().hex
        self._sent_at = time.perf_counter()
        frame = await self._answered(
            {"type": "say", "client_id": client_id, "text": text},
            lambda frame: frame.get("client_id") == client_id or frame.get("code") == "slow_down",
        )
        position = int(_unrefused(frame)["position"])
        if position > self._position:
            # The next state frame says the same; until it comes the one before must not count as an answer.
            self.state = {**self.state, "phase": "partner", "may_finish": False}
        return position

    async def _answered(
        self, frame: dict[str, Any], is_answer: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """Send a frame until it is answered: again by each new connection, and after a refusal for the moment."""
        self._unanswered = frame
        deadline = time.monotonic() + self.patience_s
        answer = await self._sent(is_answer)
        while answer.get("code") in SEND_AGAIN_S and time.monotonic() < deadline:
            await asyncio.sleep(SEND_AGAIN_S[answer["code"]])
            answer = await self._sent(is_answer)
        self._unanswered = None
        return answer

    async def _sent(self, is_answer: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Send what is unanswered; the frame that answers it."""
        assert self._unanswered is not None
        try:
            await self.send(self._unanswered)
        except ConnectionClosed as error:
            await self._come_back(error)  # which sends it
        return await self._wait(is_answer)

    async def reply(self) -> Heard:
        """The partner's next reply. Raises NoReply or, when none will come, TalkEnded."""
        if not self._inbox:
            frame = await self._wait(lambda frame: bool(self._inbox) or frame.get("phase") in OVER)
            if not self._inbox:
                raise errors.TalkEnded(f"Talk {self.talk_id} ended without a reply ({frame['phase']}).")
        return self._inbox.popleft()

    async def until(self, *phases: str) -> str:
        """Wait for the talk to come into one of the phases."""
        if self.state.get("phase") not in phases:
            await self._wait(lambda frame: frame.get("phase") in phases)
        return str(self.state["phase"])

    async def finish(self) -> None:
        """End talking and go on to rating. Raises Refused before the minimum of turns, TalkEnded."""
        if self.state.get("phase") == "rating":
            return
        frame = await self._answered(
            {"type": "finish"}, lambda f: f.get("phase") in OVER or f.get("client_id") == ""
        )
        if _unrefused(frame)["phase"] == "ended":
            raise errors.TalkEnded(f"Talk {self.talk_id} ended before it could be rated.")

    async def _wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read frames until one is wanted. Raises NoReply after the visitor's patience."""
        deadline = time.monotonic() + self.patience_s
        while not wanted(frame := await self.frame(deadline)):
            pass
        return frame

    async def frame(self, deadline: float | None = None) -> dict[str, Any]:
        """The next frame, taken note of; comes back by itself when the connection was lost."""
        deadline = deadline or time.monotonic() + self.patience_s
        losses = 0
        while (left_s := deadline - time.monotonic()) > 0:
            assert self.socket is not None, "connect first"
            try:
                raw = await asyncio.wait_for(self.socket.recv(), min(left_s, ASK_AGAIN_S))
                return self._noted(str(raw))
            except TimeoutError:
                self.asked_again += 1
                with suppress(ConnectionClosed):  # which the next reading tells
                    await self.send({"type": "resume", "after": self._position})
            except ConnectionClosed as error:
                await asyncio.sleep(_pause_s(losses))
                losses += 1
                await self._come_back(error)
        raise errors.NoReply(f"Talk {self.talk_id}: nothing for {self.patience_s:g} s.")

    async def _come_back(self, loss: ConnectionClosed) -> None:
        """Connect again until the visitor's patience ends. Raises TalkEnded, SiteDown."""
        code = loss.rcvd.code if loss.rcvd else 1006
        if code in FINAL_CLOSES:
            raise errors.TalkEnded(f"The site closed the socket ({code}).") from loss
        await self.reconnect()

    def _noted(self, raw: str) -> dict[str, Any]:
        self.watch("frame", raw)
        frame: dict[str, Any] = json.loads(raw)
        if frame["type"] == "state":
            self.state = frame
        elif frame["type"] == "message" and frame["position"] > self._position:
            self._position = frame["position"]
            if frame["speaker"] == "partner":
                waited_ms = (time.perf_counter() - self._sent_at) * 1000
                self._inbox.append(Heard(frame["position"], frame["text"], waited_ms))
        return frame

    # --- Inside ---

    @property
    def _path(self) -> str:
        return urlsplit(self.page.url).path

    def _form(self, ending: str) -> Form:
        form = self.page.form_to(ending)
        if form is None:
            raise errors.UnexpectedPage(f"{self.page.url} has no form for {ending}: {self.page.heading}")
        return form

    async def _submit(self, form: Form, answers: Mapping[str, str]) -> Page:
        address = urljoin(self.page.url, form.action or self.page.url)
        return await self.post(address, {**form.fields, **answers})

    async def _request(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> Page:
        deadline = time.monotonic() + self.patience_s
        for attempts in itertools.count():
            may_wait = self._has_met_site and time.monotonic() < deadline
            try:
                response = await self._exchange(method, path, fields)
                if not may_wait or response.status_code not in AWAY_STATUSES:
                    break
            except httpx.TransportError as error:
                if not may_wait:
                    what = type(error).__name__
                    raise errors.SiteDown(f"{self.site} does not answer ({what}); is it running?") from error
            await asyncio.sleep(_pause_s(attempts))
        self._has_met_site = True
        self.page = Page(str(response.url), response.status_code, response.text)
        return self.page

    async def _exchange(self, method: str, path: str, fields: Mapping[str, str] | None) -> httpx.Response:
        # A browser sends its origin with every form; Django's CSRF check reads it.
        headers = {"Origin": self.origin} if method == "POST" else {}
        return await self.http.request(method, path, data=fields, headers=headers)

    def _checked(self, page: Page) -> Page:
        if page.status == 409:
            raise errors.StudyNotOpen(f"{page.heading}: {self.study}")
        if page.status == 403 and "sim=" in page.url:
            raise errors.WrongSite(
                f"{self.site} does not know this simulation's key; --data must name its folder."
            )
        if page.status >= 400:
            raise errors.UnexpectedPage(f"{page.address} answered {page.status}: {page.heading}")
        return page

    async def _watch_response(self, response: httpx.Response) -> None:
        await response.aread()
        self.watch("url", str(response.url))
        for name, value in response.headers.items():
            self.watch("header", f"{name}: {value}")
        self.watch("body", response.text)


def _pause_s(losses: int) -> float:
    """Longer and longer, and never the same for many visitors at once."""
    return min(0.2 * 2**losses, LONGEST_PAUSE_S) * random.uniform(0.5, 1)


def _unrefused(frame: dict[str, Any]) -> dict[str, Any]:
    if frame["type"] == "refused":
        raise errors.Refused(frame["code"], frame["reason"])
    return frame
