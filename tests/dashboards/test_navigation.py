"""The menu: everything one may open, in few words."""

from itertools import chain, combinations

import pytest

from dashboards.navigation import _GROUPS, Menu, menu

PAGES = {need for _, pages in _GROUPS for need, _, _ in pages}
"""What one may need."""


def hrefs(shown: Menu) -> tuple[list[str], list[str]]:
    return [entry.url for entry in shown.first], [entry.url for entry in shown.second]


def test_a_security_administrator_has_groups_and_the_pages_of_the_one_they_are_in() -> None:
    assert hrefs(menu(PAGES, "/")) == (["/alerts", "/rights", "/sources"], [])
    assert hrefs(menu(PAGES, "/events?from=1"))[1] == ["/alerts", "/events", "/board", "/detectors", "/tuning"]
    shown = menu(PAGES, "/approvals/inbox")
    assert [(entry.label.en, entry.current) for entry in shown.first] == [
        ("Watch", ""), ("People and rights", "true"), ("Systems", ""),
    ]  # fmt: skip
    assert [entry.current for entry in shown.second] == ["", "true", "", ""]
    assert menu(PAGES, "/sources").first[-1].current == "page"
    assert menu(PAGES, "/rightsome").second == ()


def test_who_may_open_few_pages_has_them_in_one_line() -> None:
    few = {"rights:application:create", "approvals:request:create", "emergencies:emergency:declare"}
    shown = menu(few, "/rights")
    assert hrefs(shown) == (["/rights", "/approvals", "/emergencies"], [])
    assert [entry.current for entry in shown.first] == ["page", "", ""]
    assert menu((), "/") == Menu(())


@pytest.mark.parametrize("size", range(len(PAGES) + 1))
def test_every_permitted_page_is_at_most_two_steps_away_and_no_other(size: int) -> None:
    for permitted in combinations(sorted(PAGES), size):
        start = menu(permitted, "/account")
        reached = set(chain.from_iterable(hrefs(start)))
        reached |= {url for entry in start.first for url in chain(*hrefs(menu(permitted, entry.url)))}
        assert reached == {url for _, pages in _GROUPS for need, url, _ in pages if need in permitted}
        assert len(start.first) <= 4
