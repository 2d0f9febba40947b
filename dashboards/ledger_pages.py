"""The pages about approvals, media and emergencies."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from dashboards.ledger_model import (
    AskForm,
    DeclareForm,
    EmergenciesView,
    EnvelopeRow,
    MediaView,
    RequestsView,
    ReviewsView,
)
from dashboards.model import PageContext
from dashboards.texts import text

__all__ = ["LedgerPages"]


class LedgerPages(ABC):
    """Renders them."""

    @abstractmethod
    def _render(self, template: str, ctx: PageContext, **values: object) -> str:
        """Fill a template in."""

    def my_approvals(self, ctx: PageContext, *, view: RequestsView, done: bool = False) -> str:
        """What somebody has asked for."""
        return self._render("ledger.html", _noticed(ctx, done=done), view=view)

    def ask_for_approval(self, ctx: PageContext, *, form: AskForm) -> str:
        """The request form."""
        return self._render("ledger_ask.html", ctx, form=form)

    def approvals_inbox(self, ctx: PageContext, *, view: RequestsView, done: bool = False) -> str:
        """What waits for a decision."""
        return self._render("ledger_inbox.html", _noticed(ctx, done=done), view=view)

    def approvals_ledger(self, ctx: PageContext, *, view: RequestsView) -> str:
        """Every request and what became of it."""
        return self._render("ledger_all.html", ctx, view=view)

    def media(self, ctx: PageContext, *, view: MediaView, done: bool = False) -> str:
        """The media ledger."""
        return self._render("ledger_media.html", _noticed(ctx, done=done), view=view)

    def emergencies(self, ctx: PageContext, *, view: EmergenciesView, done: bool = False) -> str:
        """Declare an emergency, see and end one's own."""
        return self._render("emergency.html", _noticed(ctx, done=done), view=view, form=view.form)

    def emergency_reviews(self, ctx: PageContext, *, view: ReviewsView, done: bool = False) -> str:
        """What is to be reviewed, and what was."""
        return self._render("emergency_reviews.html", _noticed(ctx, done=done), view=view)

    def envelopes(
        self, ctx: PageContext, *, rows: Sequence[EnvelopeRow], error: str | None = None, done: bool = False
    ) -> str:
        """The envelopes of the town."""
        return self._render("envelopes.html", _noticed(ctx, done=done), rows=rows, error=error)

    def envelope(self, ctx: PageContext, *, number: str, code: str, expires_at: datetime) -> str:
        """What goes into one envelope and on it, this once."""
        return self._render("envelope.html", ctx, number=number, code=code, expires_at=expires_at)

    def emergency_door(self, ctx: PageContext, *, form: DeclareForm, login_id: str = "") -> str:
        """Sign-in with an envelope."""
        return self._render("sign_in_emergency.html", ctx, form=form, login_id=login_id)


def _noticed(ctx: PageContext, *, done: bool) -> PageContext:
    return replace(ctx, notice=text("ledger.done", ctx.language)) if done else ctx
