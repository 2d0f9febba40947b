"""The pages about detectors: the list, one of them, a scorecard."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from markupsafe import Markup

from dashboards.detector_figures import goal_text, percent
from dashboards.detector_model import DetectorsView, DetectorView, ScorecardView
from dashboards.model import Figure, PageContext

__all__ = ["DetectorPages"]


class DetectorPages(ABC):
    """Renders them."""

    @abstractmethod
    def _render(self, template: str, ctx: PageContext, **values: object) -> str:
        """Fill a template in."""

    @abstractmethod
    def _specs(self, ctx: PageContext, figures: Sequence[Figure]) -> dict[str, Markup]:
        """What draws each figure, by its id."""

    def detectors(self, ctx: PageContext, *, view: DetectorsView) -> str:
        """Every detector, in groups of what it watches."""
        matching = sum(len(rows) for _, rows in view.groups)
        return self._render("detectors.html", ctx, view=view, matching=matching, percent=percent)

    def detector(self, ctx: PageContext, *, view: DetectorView) -> str:
        """One detector."""
        specs = self._specs(ctx, [view.figure])
        return self._render("detector.html", ctx, view=view, row=view.row, specs=specs, percent=percent)

    def scorecard(self, ctx: PageContext, *, view: ScorecardView) -> str:
        """What the detectors were worth on a known town."""
        return self._render(
            "scorecard.html",
            ctx,
            view=view,
            met=sum(goal.met for goal in view.goals),
            missed=[goal for goal in view.goals if not goal.met],
            specs=self._specs(ctx, view.figures),
            percent=percent,
            goal_text=goal_text,
        )
