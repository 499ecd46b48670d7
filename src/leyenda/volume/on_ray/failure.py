"""An error that a user can mend, on its way from a worker to the command."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from leyenda.errors import LeyendaError


@dataclass(frozen=True, slots=True)
class Failure:
    """A `LeyendaError` that can be sent: errors with other arguments than their text do not survive pickling.

    Args:
        cause: as of the error.
        fix: as of the error.
        machine: where it happened.
    """

    cause: str
    fix: str
    machine: str

    @classmethod
    def of(cls, error: LeyendaError) -> Failure:
        """This error, here."""
        return cls(error.cause, error.fix, socket.gethostname())

    def error(self) -> LeyendaError:
        """The error again, which names the machine where that is not this one."""
        where = "" if self.machine == socket.gethostname() else f"On {self.machine}: "
        return LeyendaError(where + self.cause, self.fix)
