"""What a lesson leaves: counts by hand, gains by exact fractions, and a table that a spreadsheet reads."""

import csv
import io
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gd_core.classroom import after, rules
from gd_core.classroom.after import Past, gain, together
from gd_core.classroom.rooms import Judgement, Question
from gd_core.classroom.store import NotTheTeacher

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
QUESTION = Question(
    title="Rate", text="=1+1, or?", answers=("a", "b, c", '"d"'), address="variants?x=1", number=1
)
JUDGEMENT = Judgement(right=(1,), sentence="It is b.")


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
def test_the_gain_is_the_share_of_what_could_be_gained(right, of, then, of_then):
    """(after − before) / (1 − before) in exact fractions; none where all were right before."""
    before, later = Fraction(min(right, of), of), Fraction(min(then, of_then), of_then)
    got = gain(float(before), float(later))
    assert got is None if before == 1 else got == pytest.approx(float((later - before) / (1 - before)))
    assert gain(None, 0.5) is gain(0.5, None) is None


def test_questions_together_weigh_by_their_answers():
    """3 of 10 and 5 of 6 right before are 8 of 16; those asked once or not run are left out."""
    past = [
        Past(QUESTION, JUDGEMENT, ((7, 3, 0), (2, 8, 0))),
        Past(QUESTION, JUDGEMENT, ((1, 5, 0), (0, 4, 0))),
        Past(QUESTION, JUDGEMENT, ((90, 10, 0),)),
        Past(QUESTION, None, ((90, 10, 0), (90, 10, 0))),
        Past(QUESTION, JUDGEMENT, ((90, 10, 0), (0, 0, 0))),
    ]
    assert together(past) == pytest.approx((8 / 16, 12 / 14))
    assert together(past[2:]) is None
    assert [one.gain for one in past] == [
        pytest.approx((0.8 - 0.3) / 0.7),
        pytest.approx(1),
        None,
        None,
        None,
    ]


def test_the_table_is_read_as_it_was_written():
    """With commas and quotation marks; and what a spreadsheet would compute is a text."""
    past = [Past(QUESTION, JUDGEMENT, ((7, 3, 0), (2, 8, 0))), Past(QUESTION, None, ((1, 0, 0),))]
    rows = list(csv.reader(io.StringIO(after.to_csv(past))))
    assert rows[0] == list(after.HEAD)
    assert rows[2] == ["1", "Rate", "'=1+1, or?", "b, c", "yes", "3", "8", "variants?x=1"]
    assert rows[4] == ["1", "Rate", "'=1+1, or?", "a", "", "1", "", "variants?x=1"]
    assert len(rows) == 7


def test_the_store_tells_what_was(classroom):
    """Three questions: two rounds and a run, one round and a run, and one that was left; only to the teacher."""
    room, teacher = classroom.open_room(NOW)
    steer = partial(classroom.steer, room.code, teacher, now=NOW)
    tokens = [classroom.join(room.code, None, NOW) for _ in range(4)]
    steer(partial(rules.ask, question=QUESTION, judgement=JUDGEMENT))
    for token, answer in zip(tokens, (0, 0, 1, 2), strict=True):
        classroom.vote(room.code, token, answer, 1, 1, NOW)
    steer(rules.ask_again)
    for token, answer in zip(tokens, (1, 1, 0), strict=False):
        classroom.vote(room.code, token, answer, 1, 2, NOW)
    steer(rules.run)
    steer(rules.go_on)
    steer(partial(rules.ask, question=QUESTION))
    steer(rules.go_on)
    steer(partial(rules.ask, question=QUESTION))
    classroom.vote(room.code, tokens[0], 1, 3, 1, NOW)
    steer(partial(rules.run, judgement=JUDGEMENT))
    steer(rules.end)
    past = classroom.past(room.code, teacher, NOW)
    assert [one.counts for one in past] == [((2, 1, 1), (1, 2, 0)), ((0, 0, 0),), ((0, 1, 0),)]
    assert [one.judgement for one in past] == [JUDGEMENT, None, JUDGEMENT]
    assert [one.question.number for one in past] == [1, 2, 3]
    with pytest.raises(NotTheTeacher):
        classroom.past(room.code, tokens[0], NOW)
