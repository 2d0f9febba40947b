"""The pages of sign-in, of one's own account and of the users. Plain values in, HTML out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import segno
from markupsafe import Markup

from dashboards.model import EnrolForm, PageContext, Texts
from dashboards.texts import text
from dashboards.words import word

__all__ = [
    "AccessPages",
    "AccountView",
    "Asked",
    "EnrolmentsView",
    "KeyRow",
    "NewcomerRow",
    "ResetRow",
    "SheetRow",
    "UserRow",
    "VerifierRow",
]


@dataclass(frozen=True, slots=True)
class VerifierRow:
    """A product of the town's own that can confirm who stands there. `name`: as it stands in addresses."""

    name: str
    texts: Texts


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of whoever proves something, and where it leads.

    Attributes:
        methods: what the person can answer with: `key`, `totp`, `recovery_code`.
        place: where it leads back to: a path of ours, or an origin that the settings name; empty for the first page.
        acr: the strength that the place asked for; empty for none.
        ticket: of the sign-in under way; empty for none.
        verifiers: the town's own products that can answer as well.
    """

    methods: tuple[str, ...] = ()
    place: str = ""
    acr: str = ""
    ticket: str = ""
    verifiers: tuple[VerifierRow, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A security key of one's own. `modalities`: words of the factor vocabulary."""

    id: str
    name: str
    model: str
    modalities: tuple[str, ...]
    device_bound: bool
    created_at: datetime
    last_used_at: datetime | None
    refused: bool
    removable: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """One's own account. `fresh`: the second factor was proved a moment ago, so that changes are open."""

    login_id: str
    app: bool
    app_removable: bool
    keys: tuple[KeyRow, ...]
    recovery_codes: int
    password_since: datetime
    password_until: datetime | None
    signed_in_at: datetime
    address: str
    factors: tuple[str, ...]
    fresh: bool


@dataclass(frozen=True, slots=True)
class UserRow:
    """One user as a line of the list. `state`: `active`, `disabled` or `rebind`; `oneself`: no act is offered."""

    login_id: str
    display_name: str
    roles: tuple[str, ...]
    state: str
    last_sign_in_at: datetime | None
    oneself: bool


@dataclass(frozen=True, slots=True)
class ResetRow:
    """A reset that waits for a second person."""

    login_id: str
    asked_by: str
    asked_at: datetime
    in_person: bool
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewcomerRow:
    """Somebody of the directory and how far their enrolment is: `none`, `sheet`, `over`, `enrolled`."""

    login_id: str
    name: str
    unit: str
    state: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentsView:
    """Who is still to be enrolled in a unit, empty for the whole town; `enrolled` of `total` are."""

    rows: tuple[NewcomerRow, ...]
    unit: str
    enrolled: int
    total: int
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """One sheet, to be printed and handed over. `qr`: the link as a drawing, made by the page."""

    login_id: str
    name: str
    unit: str
    link: str = field(repr=False)
    until: datetime
    qr: Markup = field(default=Markup(), repr=False)


class AccessPages(ABC):
    """Renders them."""

    @abstractmethod
    def _render(self, template: str, ctx: PageContext, **values: object) -> str:
        """Fill a template in."""

    def sign_in(self, ctx: PageContext, *, asked: Asked, error: str | None = None) -> str:
        """The first step of signing in: login id and password, or a security key or the town's own product alone."""
        return self._render("sign_in.html", ctx, asked=asked, error=error)

    def second_factor(self, ctx: PageContext, *, asked: Asked, error: str | None = None) -> str:
        """The second step of signing in: whatever the person can answer with."""
        return self._render("second_factor.html", ctx, asked=asked, error=error)

    def second_session(
        self, ctx: PageContext, *, asked: Asked, since: datetime, address: str, decided: bool = False
    ) -> str:
        """There is a session already: take it over, or leave it; without a ticket, only that it is so.

        Args:
            ctx: the request.
            asked: with the ticket of the choice.
            since: when that session was opened.
            address: where.
            decided: whether the person has just left it as it is.
        """
        return self._render("second_session.html", ctx, asked=asked, since=since, address=address, decided=decided)

    def overdue(self, ctx: PageContext, *, asked: Asked, error: str | None = None) -> str:
        """The password is too old: choose another."""
        return self._render("sign_in_overdue.html", ctx, asked=asked, error=error)

    def step_up(self, ctx: PageContext, *, asked: Asked, error: str | None = None, refused: bool = False) -> str:
        """A factor once more, before a sensitive act; then back. `refused`: what was just tried proved nothing."""
        error = text("step_up.refused", ctx.language) if refused else error
        back = asked.place if asked.place.startswith("/") else "/"
        return self._render("step_up.html", ctx, asked=asked, back=back, error=error)

    def locked(
        self, ctx: PageContext, *, asked: Asked, name: str, error: str | None = None, refused: bool = False
    ) -> str:
        """The screen is locked: whose it is, and how it opens. `refused`: as above."""
        error = text("step_up.refused", ctx.language) if refused else error
        return self._render("locked.html", ctx, asked=asked, name=name, error=error)

    def enrol(self, ctx: PageContext, *, form: EnrolForm, error: str | None = None) -> str:
        """The page behind a one-time link: who you are, and an authenticator app or a security key."""
        return self._render(
            "enrol.html",
            ctx,
            form=form,
            error=error,
            qr=_qr(form.provisioning_uri, text("enrol.qr", ctx.language)),
            secret_groups=_groups(form.secret),
        )

    def recovery_codes(self, ctx: PageContext, *, codes: Sequence[str], place: str) -> str:
        """The recovery codes, this once."""
        return self._render("enrol_codes.html", ctx, codes=codes, place=place)

    def account(self, ctx: PageContext, *, view: AccountView, error: str | None = None, done: str = "") -> str:
        """One's own account.

        Args:
            ctx: the request.
            view: the account.
            error: why the last act was refused.
            done: what has just been done, of the vocabulary `words.DONE`.
        """
        if done:
            ctx = replace(ctx, notice=word("done", done, ctx.language))
        return self._render("account.html", ctx, view=view, error=error)

    def account_app(self, ctx: PageContext, *, secret: str, uri: str, sealed: str, error: str | None = None) -> str:
        """A new authenticator app: scan, then prove."""
        return self._render(
            "account_app.html",
            ctx,
            qr=_qr(uri, text("enrol.qr", ctx.language)),
            secret_groups=_groups(secret),
            sealed=sealed,
            error=error,
        )

    def users(
        self,
        ctx: PageContext,
        *,
        rows: Sequence[UserRow],
        resets: Sequence[ResetRow],
        roles: Sequence[str],
        link: str = "",
        error: str | None = None,
        done: str = "",
    ) -> str:
        """The users of Mimamori itself.

        Args:
            ctx: the request.
            rows: every account that is not closed.
            resets: those that wait for a second person.
            roles: what a new user may be.
            link: a one-time link that was just made, shown this once.
            error: why the last act was refused.
            done: what has just been done, of the vocabulary `words.DONE`.
        """
        if done:
            ctx = replace(ctx, notice=word("done", done, ctx.language))
        return self._render("users.html", ctx, rows=rows, resets=resets, roles=roles, link=link, error=error)

    def enrolments(self, ctx: PageContext, *, view: EnrolmentsView) -> str:
        """Who of the directory is enrolled, and the choice of those for whom sheets are made."""
        return self._render("users_enrolments.html", ctx, view=view)

    def enrolment_sheets(self, ctx: PageContext, *, rows: Sequence[SheetRow]) -> str:
        """The sheets, this once: one block a person."""
        drawn = [replace(row, qr=_qr(row.link, text("sheets.qr", ctx.language))) for row in rows]
        return self._render("users_sheets.html", ctx, rows=drawn)


def _qr(uri: str, title: str) -> Markup:
    drawing = segno.make(uri, micro=False).svg_inline(scale=4, light="#fff", svgclass="qr", lineclass=None, title=title)
    # segno escapes the title; the rest of the drawing is its own.
    return Markup(drawing)  # noqa: S704 - markup made by segno, no text of ours inside


def _groups(secret: str) -> list[str]:
    return [secret[start : start + 4] for start in range(0, len(secret), 4)]
