"""Many threads' calls of the same kind, done as one: the first to come works for all who came while it could not.

Nobody waits for others to come: whoever finds nobody at work begins at once, and those who come meanwhile are the next
batch, as databases commit in groups. One transaction for thirty turns costs hardly more than one for each of them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Together(Generic[Item, Result]):
    """``work`` gets up to ``most`` items and gives a result for each, in their order.

    When it raises for several, each is tried by itself: one that cannot be done must not cost the others theirs. Errors
    of the kinds ``of_all`` are everybody's at once: where a database is away, each would only wait for it in turn.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        most: int = 32,
        of_all: tuple[type[Exception], ...] = (),
    ) -> None:
        self._work = work
        self._of_all = of_all
        self._most = most
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()
        self._at_work = threading.Lock()

    def __call__(self, item: Item) -> Result:
        """The item's result, or what ``work`` raised for it alone."""
        return self.all([item])[0]

    def all(self, items: Sequence[Item]) -> list[Result]:
        """The results of several, in their order; when all are done, what ``work`` raised for the first that failed."""
        mine: list[Future[Result]] = [Future() for _ in items]
        self._waiting.extend(zip(items, mine, strict=True))
        for each in mine:
            while not each.done():
                with self._at_work:
                    if not each.done():
                        self._do(self._batch())
        return [each.result() for each in mine]

    def _batch(self) -> list[tuple[Item, Future[Result]]]:
        return [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]

    def _do(self, batch: Sequence[tuple[Item, Future[Result]]]) -> None:
        try:
            results = self._work([item for item, _ in batch])
        except Exception as error:
            self._fail(batch, error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)

    def _fail(self, batch: Sequence[tuple[Item, Future[Result]]], error: Exception) -> None:
        if len(batch) > 1 and not isinstance(error, self._of_all):
            for one in batch:
                self._do([one])
            return
        for _, future in batch:
            future.set_exception(error)
