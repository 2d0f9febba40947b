"""S7, S20 to S22: whatever people, thieves and clocks do in whatever order, a session opens only to whom it belongs."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from sign_in_town import Town

from audit.access import LockedSession, Role, SecondSession, SignedIn, SignInRefusedError, ThrottledError, Viewer
from audit.access.authenticators import Purpose

PEOPLE = ("s1", "s2")
ADDRESSES = ("10.3.1.31", "10.3.1.32")


class Sessions(RuleBasedStateMachine):
    """Two people with apps and keys, an administrator, and the clock.

    The model knows which token was given to whom last, and when it was used; everything else must be refused.
    """

    tokens = Bundle("tokens")
    answers = Bundle("answers")

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.town = Town(Path(self.folder.name) / "state.db")
        self.keys = {}
        self.live: dict[str, str] = {}  # whose is which token
        self.seen: dict[str, float] = {}
        self.opened: dict[str, float] = {}
        self.locked: set[str] = set()
        self.out: set[str] = set()
        for person in PEOPLE:
            self.town.user(person)
            self.keys[person] = self.town.key(person)
            self.town.access.sign_out_everywhere(self.town.sign_in_again_as_viewer(person))
        self.town.user("boss", Role.SECURITY_ADMINISTRATOR)

    def teardown(self) -> None:
        self.town.store.close()
        self.folder.cleanup()

    @property
    def now(self) -> float:
        return self.town.clock.now().timestamp()

    def gave(self, person: str, token: str, *, opened: bool = False) -> str:
        self.live[person] = token
        self.seen[person] = self.now
        self.locked.discard(person)
        if opened:
            self.opened[person] = self.now
        return token

    def expected(self, person: str) -> str:
        """What the model says about a person's last token: `open`, `locked` or `over`."""
        if person not in self.live or person in self.out:
            return "over"
        idle, age = self.now - self.seen[person], self.now - self.opened[person]
        if idle >= 15 * 60 or age >= 9 * 3600:
            return "over"
        return "locked" if person in self.locked or idle >= 5 * 60 else "open"

    @rule(target=tokens, person=st.sampled_from(PEOPLE), address=st.sampled_from(ADDRESSES), by_key=st.booleans())
    def sign_in(self, person: str, address: str, by_key: bool) -> str:
        self.town.forward(seconds=30)
        try:
            result = self.town.key_alone(self.keys[person], address) if by_key else self.town.opening(person, address)
        except ThrottledError:
            assert not by_key, "a key waits for nobody's failures"
            return ""
        except SignInRefusedError:
            assert person in self.out
            return ""
        assert person not in self.out
        if isinstance(result, SecondSession):
            assert self.expected(person) != "over"
            result = self.town.access.settle_second_session(result.ticket, take_over=True, address=address)
        assert isinstance(result, SignedIn)
        return self.gave(person, result.token, opened=True)

    @rule(token=tokens)
    def ask(self, token: str) -> None:
        owner = next((person for person in PEOPLE if self.live.get(person) == token and token), None)
        state = self.expected(owner) if owner else "over"
        found = self.town.access.look(token)
        if state == "open" and owner:
            assert isinstance(found, Viewer)
            assert found.login_id == owner
            self.seen[owner] = self.now
        elif state == "locked" and owner:
            assert isinstance(found, LockedSession)
            self.locked.add(owner)
        else:
            assert found is None
            if owner:
                del self.live[owner]

    @rule(target=tokens, token=tokens, by_key=st.booleans())
    def step_up_or_unlock(self, token: str, by_key: bool) -> str:
        """A locked session opens, an open one goes on: under another token, the old one is dead."""
        owner = next((person for person in PEOPLE if self.live.get(person) == token and token), None)
        found = self.town.access.look(token)
        if found is None or owner is None:
            return ""
        self.town.forward(seconds=30)
        if self.expected(owner) == "over":
            return ""
        access, key = self.town.access, self.keys[owner]
        try:
            if isinstance(found, Viewer):
                options = access.begin_step_up(found)
                done = access.step_up_with_key(found, key.get(options), address=ADDRESSES[0])
            elif by_key:
                done = access.unlock_with_key(found, key.get(access.begin_unlock(found)), address=ADDRESSES[0])
            else:
                done = access.unlock(found, self.town.code(), address=ADDRESSES[0])
        except (SignInRefusedError, ThrottledError):
            assert isinstance(found, LockedSession)
            assert not by_key
            self.locked.add(owner)
            return ""
        return self.gave(owner, done.token)

    @rule(target=answers, person=st.sampled_from(PEOPLE), purpose=st.sampled_from([Purpose.SIGN_IN, Purpose.STEP_UP]))
    def capture(self, person: str, purpose: Purpose) -> str:
        """A key's answer to a challenge that belongs to something else."""
        account = None
        if purpose is Purpose.STEP_UP:
            live = self.town.access.live_session(person)
            if live is None:
                return "{}"
            found = self.town.access.look(self.live.get(person, ""))
            if not isinstance(found, Viewer):
                return "{}"
            self.seen[person] = self.now
            account = found.account_id
        options = self.town.keys.begin_assertion(purpose, bound_to="elsewhere", account_id=account)
        return self.keys[person].get(options)

    @rule(answer=answers, person=st.sampled_from(PEOPLE))
    def replay(self, answer: str, person: str) -> None:
        """It opens nothing here, for nobody."""
        for _ in range(2):
            try:
                self.town.access.key_sign_in(answer, bound_to="form", address=ADDRESSES[1])
            except SignInRefusedError:
                continue
            raise AssertionError(person)

    @rule(person=st.sampled_from(PEOPLE), times=st.integers(1, 8))
    def guess(self, person: str, times: int) -> None:
        for _ in range(times):
            try:
                self.town.access.begin_sign_in(person, "guess", address=ADDRESSES[1])
            except (SignInRefusedError, ThrottledError):
                continue
            raise AssertionError(person)

    @rule(seconds=st.sampled_from([1, 30, 299, 301, 899, 901, 4 * 3600]))
    def wait(self, seconds: int) -> None:
        self.town.forward(seconds=seconds)

    @rule(person=st.sampled_from(PEOPLE), act=st.sampled_from(["leaves", "returns", "locks", "signs out"]))
    def change(self, person: str, act: str) -> None:
        if act == "leaves":
            self.town.directory.left.add(person)
            self.out.add(person)
        elif act == "returns":
            self.town.access.look(self.live.get(person, ""))  # whoever was seen while away is out for good
            if person in self.out:
                self.live.pop(person, None)
            elif self.expected(person) == "open":
                self.seen[person] = self.now
            self.town.directory.left.discard(person)
            self.out.discard(person)
        else:
            found = self.town.access.look(self.live.get(person, ""))
            if isinstance(found, Viewer):
                self.seen[person] = self.now
                if act == "locks":
                    self.town.access.lock(found)
                    self.locked.add(person)
                else:
                    self.town.access.sign_out(found)
                    del self.live[person]

    @invariant()
    def decisions_see_the_same(self) -> None:
        for person in PEOPLE:
            live = self.town.access.live_session(person)
            state = self.expected(person)
            assert (live is None) == (state == "over"), (person, state)
            assert live is None or live.locked == (state == "locked")


Sessions.TestCase.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
test_S7_S20_S21_S22_sessions_open_to_whom_they_belong = Sessions.TestCase
