"""The pages about rights: one's own, the application, the approver's inbox, deputies, the ledger."""

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import replace

from dashboards.model import PageContext
from dashboards.rights_model import ApplyForm, DeputiesView, InboxView, LedgerView, MyRightsView
from dashboards.texts import text

__all__ = ["RightsPages"]


class RightsPages(ABC):
    """Renders them."""

    @abstractmethod
    def _render(self, template: str, ctx: PageContext, **values: object) -> str:
        """Fill a template in."""

    def my_rights(self, ctx: PageContext, *, view: MyRightsView, done: bool = False) -> str:
        """What somebody holds and has asked for."""
        return self._render("rights.html", _noticed(ctx, done=done), view=view)

    def apply_for_rights(self, ctx: PageContext, *, form: ApplyForm) -> str:
        """The application form."""
        return self._render("rights_apply.html", ctx, form=form)

    def rights_inbox(self, ctx: PageContext, *, view: InboxView, done: bool = False) -> str:
        """What waits for a decision."""
        return self._render("rights_inbox.html", _noticed(ctx, done=done), view=view)

    def rights_deputies(self, ctx: PageContext, *, view: DeputiesView, done: bool = False) -> str:
        """Deputies."""
        return self._render("rights_deputies.html", _noticed(ctx, done=done), view=view)

    def rights_ledger(self, ctx: PageContext, *, view: LedgerView, done: bool = False) -> str:
        """Who holds what in a system, and what the system itself says."""
        found = Counter(row.what for row in view.reconciliation.rows) if view.reconciliation else Counter[str]()
        return self._render("rights_ledger.html", _noticed(ctx, done=done), view=view, found=found)


def _noticed(ctx: PageContext, *, done: bool) -> PageContext:
    return replace(ctx, notice=text("rights.done", ctx.language)) if done else ctx
