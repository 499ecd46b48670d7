"""Work in parts on several threads: results in one order, whoever is first; and who waits helps the others."""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from leyenda.models.trained_product import Task


class PartsInOrder:
    """Hands out parts by their numbers, from 0 on, and lets their holders pass one after the other.

    Holders that wait, or find no more parts, help those who still have one.

    Args:
        count: of the parts.
        exchangeable: so many of the first parts may pass in any order.
    """

    def __init__(self, count: int, exchangeable: int) -> None:
        self._count, self._taken, self._passed = count, 0, 0
        self._exchangeable = exchangeable
        self._helping = 0
        self._offered: collections.deque[_Offered] = collections.deque()
        self._passing = self._failed = False
        self._changed = threading.Condition()

    def take(self) -> int | None:
        """The next part; None when all are taken."""
        with self._changed:
            if self._taken == self._count:
                return None
            self._taken += 1
            return self._taken - 1

    @contextlib.contextmanager
    def turn_of(self, number: int) -> Iterator[None]:
        """Helps until the holders of all smaller numbers have left such a block.

        Raises:
            _OtherFailedError: one of them never will.
        """
        self._help_until(lambda: self._may_pass(number))
        yield
        with self._changed:
            self._passing = False
            self._passed += 1
            self._changed.notify_all()

    @contextlib.contextmanager
    def offers(self) -> Iterator[Callable[[Task], bool]]:
        """Gives what offers a task to the helpers and says whether it was taken; all are done when the block ends."""
        made: list[_Offered] = []

        def offer(task: Task) -> bool:
            with self._changed:
                if len(self._offered) >= self._helping:
                    return False
                made.append(_Offered(task))
                self._offered.append(made[-1])
                self._changed.notify_all()
                return True

        yield offer
        for one in made:
            with self._changed:
                begun = one not in self._offered
                if not begun:
                    self._offered.remove(one)
            if not begun:
                one.do()
            one.result()

    def help(self) -> None:
        """Do what is offered, until every part has passed.

        Raises:
            _OtherFailedError: one of them never will.
        """
        self._help_until(lambda: self._passed == self._count)

    def _may_pass(self, number: int) -> bool:
        """Whether it is a part's turn, and then it is taken."""
        now = not self._passing and (number < self._exchangeable or number == self._passed)
        self._passing |= now
        return now

    def _help_until(self, come: Callable[[], bool]) -> None:
        with self._changed:
            self._helping += 1
        try:
            while (one := self._offered_before(come)) is not None:
                one.do()
        finally:
            with self._changed:
                self._helping -= 1

    def _offered_before(self, come: Callable[[], bool]) -> _Offered | None:
        """The next task that is offered; None when what is waited for has come."""
        with self._changed:
            while not come():
                if self._failed:
                    raise _OtherFailedError
                if self._offered:
                    return self._offered.popleft()
                self._changed.wait()
            return None

    def unless_one_fails(self, work: Callable[[int], None], place: int) -> None:
        """Do the work of one holder, and tell the others where it fails."""
        try:
            work(place)
        except _OtherFailedError:
            return
        except BaseException:
            with self._changed:
                self._failed, self._taken = True, self._count
                self._changed.notify_all()
            raise


class _Offered:
    """A task that whoever has time does."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._done: Future[None] = Future()

    def do(self) -> None:
        """An error is for the one who offered it."""
        try:
            self._task()
        except BaseException as error:
            self._done.set_exception(error)
        else:
            self._done.set_result(None)

    def result(self) -> None:
        """Waits until it is done; raises the error that it ended with."""
        self._done.result()


class _OtherFailedError(Exception):
    pass
