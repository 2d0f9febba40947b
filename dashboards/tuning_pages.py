"""The pages about tuning: what is in force, the two forms, the preview, the second person's decision."""

from abc import ABC, abstractmethod
from dataclasses import replace

from dashboards.model import PageContext
from dashboards.texts import text
from dashboards.tuning_model import ChangeView, ExceptionForm, ParametersForm, PreviewView, TuningView

__all__ = ["TuningPages"]


class TuningPages(ABC):
    """Renders them."""

    @abstractmethod
    def _render(self, template: str, ctx: PageContext, **values: object) -> str:
        """Fill a template in."""

    def tuning(self, ctx: PageContext, *, view: TuningView, done: bool = False) -> str:
        """What is in force, what waits, what is over."""
        if done:
            ctx = replace(ctx, notice=text("tuning.done", ctx.language))
        return self._render("tuning.html", ctx, view=view)

    def tuning_exception(self, ctx: PageContext, *, form: ExceptionForm) -> str:
        """The form of an exception."""
        return self._render("tuning_exception.html", ctx, form=form)

    def tuning_parameters(self, ctx: PageContext, *, form: ParametersForm) -> str:
        """The form of a detector's parameters."""
        return self._render("tuning_parameters.html", ctx, form=form)

    def tuning_preview(self, ctx: PageContext, *, view: PreviewView) -> str:
        """A preview, and the proposal that it allows."""
        return self._render("tuning_preview.html", ctx, view=view)

    def tuning_change(self, ctx: PageContext, *, view: ChangeView) -> str:
        """One change with its preview."""
        return self._render("tuning_change.html", ctx, view=view, row=view.row)
