"""One typed settings object, built once and passed down. Every limit has a name, a unit and a reason.

Values come from the environment (`MIMAMORI_…`); the command line overrides the data directory and the port.
"""

from pathlib import Path

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from audit.access.model import SecondSessionRule

__all__ = ["Settings"]


class Settings(BaseSettings):
    """The settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="MIMAMORI_", extra="ignore", frozen=True)

    data: Path = Field(default=Path("./var"), description="The data directory: engine, state, keys, quarantine.")
    events_path: Path | None = Field(
        default=None, description="The embedded engine's folder, where it has a disk of its own."
    )
    clickhouse_url: str = Field(default="", description="A ClickHouse server instead of the embedded engine.")
    clickhouse_database: str = Field(
        default="mimamori", description="Where our tables are.", pattern=r"^[A-Za-z_]\w{0,62}$"
    )
    state_url: str = Field(default="", description="A PostgreSQL database instead of SQLite, as an SQLAlchemy URL.")
    host: str = Field(default="127.0.0.1", description="The address to listen on; a reverse proxy stands in front.")
    port: int = Field(default=8000, ge=1, le=65535, description="The port to listen on.")
    trusted_proxies: str = Field(
        default="",
        description="Addresses of reverse proxies, by comma: from them alone X-Forwarded-For and -Proto are believed.",
    )
    workers: int = Field(default=1, ge=1, description="API processes; the embedded engine allows one.")
    detect_minutes: int = Field(
        default=10, ge=1, le=1440, description="How often due windows are judged; findings are at most this late."
    )
    cases_per_thousand: int = Field(
        default=20, ge=1, le=1000, description="Cases a day that reviewers take on, for every 1,000 staff."
    )
    exception_days: int = Field(
        default=90, ge=1, le=365, description="Days that an exception from detection may last before it is made anew."
    )
    public_url: str = Field(
        default="",
        description="The address under which senders reach this service, the issuer of their tokens: https, or http "
        "on this machine. Empty: http://localhost and the port.",
    )
    client_secret_basic: bool = Field(
        default=False, description="Whether senders may show their secret itself, the standard's interim method."
    )
    second_session: SecondSessionRule = Field(
        default="ask",
        description="What becomes of a sign-in while the person has a session: ask them, refuse it, or take_over.",
    )
    bind_sessions: bool = Field(
        default=False,
        description="Whether every session belongs to the address where it was opened; one opened at a registered "
        "terminal always does.",
    )
    password_max_days: int = Field(
        default=0, ge=0, le=3650, description="Days after which a password must be changed; 0: never."
    )
    output_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description="Days for which a decision about an output can still be confirmed; the log keeps it for longer.",
    )
    return_origins: str = Field(
        default="",
        description="Origins (scheme, host, port), by comma, to which sign-in and step-up may lead back.",
    )
    spool_bytes: int = Field(
        default=4 << 30, ge=64 << 20, description="Bytes of deliveries that may wait; one source may take half."
    )
    reserve_bytes: int = Field(
        default=256 << 20, ge=0, description="Bytes of the disk that stay free: beyond them nothing is accepted."
    )
    max_body: int = Field(default=256 << 20, ge=1 << 20, description="Bytes of one request's body as it is sent.")
    max_unpacked: int = Field(default=1 << 30, ge=1 << 20, description="Bytes that one packed body may unpack to.")
    max_file: int = Field(default=100 << 30, ge=1 << 20, description="Bytes that one packed file may unpack to.")
    readers: int = Field(
        default=2, ge=1, le=32, description="Reading clients of the event store; two cores, two readers."
    )

    @property
    def issuer(self) -> str:
        """The address under which senders reach this service."""
        return self.public_url or f"http://localhost:{self.port}"

    @model_validator(mode="after")
    def _one_worker_when_embedded(self) -> "Settings":
        if self.workers > 1 and not self.clickhouse_url:
            raise ValueError(
                "the embedded engine is held by one process: workers must be 1, or set MIMAMORI_CLICKHOUSE_URL"
            )
        return self
