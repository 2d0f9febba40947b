"""How each system writes down what people did: the same acts, different logs.

A writer takes the acts of its own system with their numbers, in order of writing, and gives lines; quirks of the
real system (repeated rows, several number styles, entries over several lines) belong to it. Systems without a
writer of their own speak the event contract.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from detectors.lab.acts import Act
from detectors.lab.systems import ATENA, INTERMEDIATE, NHI, REGISTER, SERVER
from detectors.lab.writers.atena import pgaudit_lines
from detectors.lab.writers.contract import contract_lines
from detectors.lab.writers.intermediate import ocsf_lines
from detectors.lab.writers.register import register_lines
from detectors.lab.writers.server import auth_log_lines

__all__ = ["WRITERS", "Writer", "writer_of"]


@dataclass(frozen=True, slots=True)
class Writer:
    """One system's log.

    Attributes:
        source: its id in the catalogue.
        file: the name of its log file.
        lines: from numbered acts and randomness of its own to lines without line ends.
        encoding: of the file.
        contract: whether it speaks the event contract.
    """

    source: str
    file: str
    lines: Callable[[Sequence[tuple[int, Act]], Random], Iterable[str]]
    encoding: str = "utf-8"
    contract: bool = False


WRITERS = (
    Writer(NHI, "nhi-eligibility.jsonl", contract_lines, contract=True),
    Writer(REGISTER, "resident-register.csv", register_lines, "cp932"),
    Writer(INTERMEDIATE, "intermediate-server.jsonl", ocsf_lines),
    Writer(SERVER, "server-admin-terminal.log", auth_log_lines),
    Writer(ATENA, "atena.log", pgaudit_lines),
)
"""Systems that write in a way of their own, and the one that everybody sees first."""

_BY_SOURCE = {writer.source: writer for writer in WRITERS}


def writer_of(source: str, *, native: bool) -> Writer:
    """How a source writes: in its own way where it has one, or in the contract's."""
    if native and source in _BY_SOURCE:
        return _BY_SOURCE[source]
    return Writer(source, f"{source}.jsonl", contract_lines, contract=True)
