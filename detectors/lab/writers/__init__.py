"""How each system writes down what people did: the same acts, five different logs.

A writer takes the acts of its own system in order of time and gives lines; quirks of the real system
(repeated rows, several number styles, entries over several lines) belong to it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from detectors.lab.model import Act, Person
from detectors.lab.people import ATENA, INTERMEDIATE, NHI, REGISTER, SERVER
from detectors.lab.writers.atena import pgaudit_lines
from detectors.lab.writers.intermediate import ocsf_lines
from detectors.lab.writers.nhi import contract_lines
from detectors.lab.writers.register import register_lines
from detectors.lab.writers.server import auth_log_lines

__all__ = ["WRITERS", "Writer"]


@dataclass(frozen=True, slots=True)
class Writer:
    """One system's log.

    Attributes:
        source: its id in the catalogue.
        file: the name of its log file.
        lines: from acts, people by id and randomness of its own to lines without line ends.
        encoding: of the file.
    """

    source: str
    file: str
    lines: Callable[[Sequence[Act], Mapping[str, Person], Random], Iterable[str]]
    encoding: str = "utf-8"


WRITERS = (
    Writer(NHI, "nhi-eligibility.jsonl", contract_lines),
    Writer(REGISTER, "resident-register.csv", register_lines, "cp932"),
    Writer(INTERMEDIATE, "intermediate-server.jsonl", ocsf_lines),
    Writer(SERVER, "server-admin-terminal.log", auth_log_lines),
    Writer(ATENA, "atena.log", pgaudit_lines),
)
