"""Any hour that a class and its teacher may have, in any order: the store holds what a plain list of answers says."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from gd_core.classroom import rules, views
from gd_core.classroom.rooms import Judgement, NoRoom, NotNow, Question
from gd_core.classroom.store import Classroom

NOW = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
QUESTION = Question(title="t", text="?", answers=("a", "b", "c"))
JUDGEMENT = Judgement(right=(1,), sentence="b.")


class Hour(RuleBasedStateMachine):
    """One room. What is expected is kept as a student would note it down: who said what when, last word counts."""

    classroom: Classroom
    tokens = Bundle("tokens")

    @initialize()
    def open(self):
        self.now = NOW
        self.room, self.teacher = self.classroom.open_room(self.now)
        self.joined = set()
        self.answers = {}  # (question, round, token) ↦ answer
        self.phase, self.number, self.round, self.steps = "lobby", 0, 1, 0

    @rule(target=tokens, mine=st.booleans())
    def join(self, mine):
        try:
            token = self.classroom.join(self.room.code, None, self.now)
        except NotNow:
            assert self.phase == "ended"
            return multiple()
        assert self.phase != "ended"
        assert token not in self.joined
        self.joined.add(token)
        return token

    @rule(token=tokens)
    def come_again(self, token):
        assert self.classroom.join(self.room.code, token, self.now) == token

    @rule(
        token=st.one_of(tokens, st.just("x" * 22)),
        answer=st.sampled_from([0, 1, 2, 3, -1, None]),
        number=st.integers(-1, 0),
        round=st.integers(1, 2),
    )
    def vote(self, token, answer, number, round):
        number += self.number
        counts = (
            self.phase == "voting"
            and (number, round) == (self.number, self.round)
            and answer in (0, 1, 2)
            and token in self.joined
        )
        try:
            self.classroom.vote(self.room.code, token, answer, number, round, self.now)
        except NotNow:
            assert not counts
        else:
            assert counts
            self.answers[number, round, token] = answer

    @rule(step=st.sampled_from(["ask", "show_answers", "ask_again", "run", "go_on"]))
    def steer(self, step):
        self._steer(step)

    @precondition(lambda self: self.number > 2)
    @rule()
    def end(self):
        self._steer("end")

    def _steer(self, step):
        """What becomes of a room, in strings and numbers, written a second time."""
        at_question = self.phase in ("voting", "shown")
        after = {
            "ask": (self.phase not in ("voting", "ended"), "voting", self.number + 1, 1),
            "show_answers": (self.phase == "voting", "shown", self.number, self.round),
            "ask_again": (at_question and self.round == 1, "voting", self.number, 2),
            "run": (at_question, "run", self.number, self.round),
            "go_on": (at_question or self.phase == "run", "lobby", self.number, self.round),
            "end": (self.phase != "ended", "ended", self.number, self.round),
        }
        possible, *state = after[step]
        taken = (
            partial(rules.ask, question=QUESTION, judgement=JUDGEMENT) if step == "ask" else rules.STEPS[step]
        )
        try:
            self.classroom.steer(self.room.code, self.teacher, taken, self.now, seen=self.steps)
        except NotNow:
            assert not possible
        else:
            assert possible
            self.phase, self.number, self.round = state
            self.steps += 1

    @rule(behind=st.integers(1, 3))
    def press_late(self, behind):
        step = partial(rules.allow_nicknames, allowed=True)  # which the rules never refuse before the end
        with pytest.raises(NotNow):
            self.classroom.steer(self.room.code, self.teacher, step, self.now, seen=self.steps - behind)

    @rule(minutes=st.integers(-90, 90))
    def wait(self, minutes):
        later = self.now + timedelta(minutes=minutes)
        self.now = min(max(NOW - timedelta(hours=12), later), NOW + timedelta(hours=23))

    @invariant()
    def the_store_says_the_same(self):
        look = self.classroom.look(self.room.code, self.now)
        assert (str(look.room.phase), look.room.number, look.room.version) == (
            self.phase,
            self.number,
            self.steps,
        )
        assert look.tally.joined == len(self.joined)
        if look.room.question is None:
            assert look.tally.counts == ()
            return
        assert look.room.round == self.round
        votes = Counter(
            (round, said) for (number, round, _), said in self.answers.items() if number == self.number
        )
        assert look.tally.counts == tuple(
            tuple(votes[round, answer] for answer in range(3)) for round in range(1, self.round + 1)
        )
        for token in self.joined:
            said = tuple(self.answers.get((self.number, round, token)) for round in range(1, self.round + 1))
            assert look.own(token).said == said

    @invariant()
    def nobody_sees_too_much(self):
        look = self.classroom.look(self.room.code, self.now)
        for view in (views.for_projector(look.room, look.tally), views.for_student(look.room, look.tally)):
            assert (view.counts is None) == (self.phase not in ("shown", "run"))
            assert (view.right is None) == (self.phase != "run")

    def teardown(self):
        if hasattr(self, "room"):
            self.classroom.delete_room(self.room.code, self.teacher, self.now)
            with pytest.raises(NoRoom):
                self.classroom.room(self.room.code, self.now)


def test_any_hour(classroom):
    """Joining, answering, steering, being late, and the clock going either way."""
    machine = type("Hour", (Hour,), {"classroom": classroom})
    machine.TestCase.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
    machine.TestCase().runTest()
