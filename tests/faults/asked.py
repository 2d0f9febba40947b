"""A clerk at work in a service that fails: what services ask about them, what they are answered, what the log holds."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from lives import Town
from served import Service

from api.client import Access

SYSTEM, CLERK, RESIDENT = "nhi-eligibility", "s0014", "0004512345"


@dataclass(frozen=True)
class Answer:
    """What a service was told."""

    id: str
    decision: bool
    reason: str


@dataclass
class Inquirer:
    """Asks one question after the other, each with a case of its own, and never the same twice."""

    service: Service
    session: str
    answers: dict[str, Answer] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    count: int = 0

    def ask(self, http: httpx.Client) -> Answer | None:
        """Ask once; nothing is heard where the service is gone. Every third question is about what is not allowed."""
        with self.lock:
            case, self.count = f"c-{self.count}", self.count + 1
            self.unanswered.add(case)
            activity = "view" if self.count % 3 else "update"
        body = Access(person=CLERK, activity=activity, subject=RESIDENT, session=self.session, case_id=case)
        headers = {"authorization": f"Bearer {self.service.token(SYSTEM)}"}
        try:
            said = http.post("/access/v1/evaluation", json=body.evaluation(), headers=headers)
        except httpx.TransportError:
            return None
        assert said.status_code == 200, said.text
        context = said.json()["context"]
        with self.lock:
            self.unanswered.discard(case)
            self.answers[case] = Answer(context.get("id", ""), said.json()["decision"], context["reason"])
            return self.answers[case]

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.service.port}", timeout=30)

    def some(self, count: int) -> Counter[str]:
        """Ask so many; the reasons of the answers."""
        with self.http() as http:
            return Counter(answer.reason if (answer := self.ask(http)) else "" for _ in range(count))

    def while_at_it(self, clients: int, act: Callable[[], None]) -> None:
        """Several services ask all the time while something happens."""
        ended, failures = threading.Event(), list[BaseException]()

        def asking() -> None:
            try:
                with self.http() as http:
                    while not ended.wait(0.01):
                        self.ask(http)
            except BaseException as error:  # noqa: BLE001 - the test fails by it, in its own thread
                failures.append(error)

        threads = [threading.Thread(target=asking) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            act()
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert failures == []

    def agree(self, town: Town) -> Counter[str]:
        """Answers and events are the same, one by one; an event beyond them belongs to an answer that was lost.

        Returns:
            How many answers of each reason; under `lost` those that were recorded and never heard.
        """
        status, found = town.live([], act="decided")
        assert status == 0
        events: list[dict[str, Any]] = found["events"]
        by_case = {event["case"]: event for event in events}
        assert len(by_case) == len(events), "a question was recorded twice"
        for case, answer in self.answers.items():
            event = by_case.pop(case, None)
            if answer.reason == "not_recorded":
                assert not answer.decision
                assert event is None, "denied because it could not be recorded, and recorded nevertheless"
                continue
            assert event is not None, f"{answer} without its event"
            assert (event["id"], event["reason"]) == (answer.id, answer.reason)
            assert (event["outcome"] == "success") is answer.decision
        assert by_case.keys() <= self.unanswered
        return Counter(answer.reason for answer in self.answers.values()) + Counter(lost=len(by_case))


def at_work(town: Town) -> str:
    """Make the clerk, who may view and nothing else, and sign them in; their session."""
    status, said = town.live([], act="clerk")
    assert status == 0
    return str(said["session"])
