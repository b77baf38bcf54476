"""What may be done when in a room, and who sees what. Expected values are tables and counts written here."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gd_core.classroom import rooms, rules, views
from gd_core.classroom.rooms import Judgement, NoRoom, NotNow, Phase, Question, Room
from gd_core.settings.fields import ParameterError

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
QUESTION = Question(
    title="Learning rate", text="What happens at 1e-3?", answers=("It converges", "It swings", "It diverges"),
    address="learning_rate?rates=1e-3",
)  # fmt: skip
JUDGEMENT = Judgement(right=(2,), sentence="It diverges.", why=("It is small.", "It would at half.", ""))
LOBBY = rooms.opened("BCDFGH", NOW)
VOTING = rules.ask(LOBBY, QUESTION, JUDGEMENT)
SHOWN = rules.show_answers(VOTING)
AGAIN = rules.ask_again(SHOWN)
SHOWN_AGAIN = rules.show_answers(AGAIN)
RUN = rules.run(SHOWN_AGAIN)
ENDED = rules.end(RUN)
ROOMS = {
    "lobby": LOBBY, "voting": VOTING, "shown": SHOWN, "again": AGAIN, "shown again": SHOWN_AGAIN, "run": RUN, "ended": ENDED,
}  # fmt: skip
# By room: each step that is possible, and phase and round that it leads to.
TABLE = {
    "lobby": {"ask": ("voting", 1), "end": ("ended", 1)},
    "voting": {
        "show_answers": ("shown", 1), "ask_again": ("voting", 2), "run": ("run", 1), "go_on": ("lobby", 1), "end": ("ended", 1),
    },
    "shown": {
        "ask": ("voting", 1), "ask_again": ("voting", 2), "run": ("run", 1), "go_on": ("lobby", 1), "end": ("ended", 1),
    },
    "again": {"show_answers": ("shown", 2), "run": ("run", 2), "go_on": ("lobby", 2), "end": ("ended", 2)},
    "shown again": {"ask": ("voting", 1), "run": ("run", 2), "go_on": ("lobby", 2), "end": ("ended", 2)},
    "run": {"ask": ("voting", 1), "go_on": ("lobby", 2), "end": ("ended", 2)},
    "ended": {},
}  # fmt: skip


@pytest.mark.parametrize("name", ROOMS)
@pytest.mark.parametrize("step", rules.STEPS)
def test_a_step_leads_where_the_table_says_or_is_refused_in_a_sentence(name, step):
    """From every room every step; a refused one names its reason and changes nothing."""
    room = ROOMS[name]
    taken = partial(rules.ask, question=QUESTION, judgement=JUDGEMENT) if step == "ask" else rules.STEPS[step]
    if step not in TABLE[name]:
        with pytest.raises(NotNow, match=r"^[A-Z].*[.]$"):
            taken(room)
        return
    after = taken(room)
    assert (str(after.phase), after.round) == TABLE[name][step]
    assert after.version == room.version + 1
    assert after.number == room.number + (step == "ask")


@pytest.mark.parametrize("name", ROOMS)
def test_a_remote_is_told_the_steps_of_the_table(name):
    """`ask` among them only where a question is offered."""
    assert set(rules.possible(ROOMS[name])) == TABLE[name].keys() - {"ask"}
    if name != "ended":
        offered = rules.offer(ROOMS[name], QUESTION, JUDGEMENT)
        assert set(rules.possible(offered)) == TABLE[name].keys()


def test_a_question_of_what_was_learned_is_answered_once_and_left():
    """Nobody steers to what would tell it before the hour is over, and the remote advises no talk about it."""
    paper = rules.ask(LOBBY, replace(QUESTION, paper=1, kind="One step"), JUDGEMENT)
    for step in (rules.show_answers, rules.ask_again, rules.run):
        with pytest.raises(NotNow, match="told after the hour"):
            step(paper)
    assert set(rules.possible(paper)) == {"go_on", "end"}
    half = views.tally(paper, 4, [(1, 0), (1, 2)])
    assert views.for_remote(paper, half).advice == ""
    assert views.for_remote(VOTING, half).advice


def test_an_offered_question_is_asked_with_its_judgement():
    """And is then no longer on offer; a question gets its number when it is asked."""
    other = replace(QUESTION, text="And at 1e-5?")
    asked = rules.ask(rules.offer(RUN, other, JUDGEMENT))
    assert asked.question == replace(other, number=2)
    assert (asked.judgement, asked.offered, asked.offered_judgement) == (JUDGEMENT, None, None)
    with pytest.raises(NotNow, match="no question to ask"):
        rules.ask(RUN)


def test_a_run_needs_a_judgement():
    """Known when the question is asked, or said when the run ends."""
    unknown = rules.ask(LOBBY, QUESTION)
    with pytest.raises(NotNow, match="not said yet"):
        rules.run(unknown)
    assert rules.run(unknown, JUDGEMENT).judgement == JUDGEMENT


def test_a_room_has_an_end_of_questions():
    """At most so many."""
    with pytest.raises(NotNow, match="at most 200 questions"):
        rules.ask(replace(RUN, number=200), QUESTION)


# ---------------------------------------------------------------------------------------------------------- codes


def test_codes_have_no_letters_that_look_alike():
    """Nor vowels, so that no word arises; and they differ."""
    codes = {rooms.new_code() for _ in range(300)}
    assert len(codes) > 295
    assert all(len(code) == 6 and not set(code) & set("AEIOULV10") for code in codes)
    assert {letter for code in codes for letter in code} == set("BCDFGHJKMNPQRSTWXYZ")


@pytest.mark.parametrize("typed", ["bcdfgh", " BCD FGH\n", "bcd-fgh", "ｂｃｄｆｇｈ", "BCD\u00a0FGH"])
def test_a_code_is_read_however_it_is_typed(typed):
    """Case, spaces, hyphens, full width."""
    assert rooms.code_of(typed) == "BCDFGH"


@pytest.mark.parametrize(
    "typed", ["", "BCDFG", "BCDFGHJ", "BCDFGA", "BCDFG1", "ßßßcd", None, 5, ["B"], "x" * 10**6]
)
def test_no_other_text_is_a_code(typed):
    """The sentence says what one looks like, and is short whatever came."""
    with pytest.raises(NoRoom, match="has 6 letters, such as KDRWPM") as refused:
        rooms.code_of(typed)
    assert len(str(refused.value)) < 130


@given(st.text())
def test_any_text_is_a_code_or_refused(typed):
    """And what is read is in the alphabet."""
    with suppress(NoRoom):
        assert set(rooms.code_of(typed)) <= set(rooms.ALPHABET)


# --------------------------------------------------------------------------------------------------------- votes


@pytest.mark.parametrize("name", ROOMS)
def test_an_answer_counts_while_the_class_answers(name):
    """In no other phase, whatever is sent."""
    room = ROOMS[name]
    if name in {"voting", "again"}:
        rules.check_vote(room, 2, room.number, room.round)
    else:
        with pytest.raises(NotNow):
            rules.check_vote(room, 2, room.number, room.round)


@pytest.mark.parametrize("answer", [-1, 3, 1.0, True, None, "1", [1], 10**30, float("nan")])
def test_an_answer_that_is_not_there_is_refused(answer):
    """Nor is a number one that only equals it."""
    with pytest.raises(NotNow, match=r"answer must be 0 to 2\. Got "):
        rules.check_vote(VOTING, answer, 1, 1)


@pytest.mark.parametrize(
    ("number", "round"), [(0, 2), (1, 1), (2, 2), (1, 3), (None, 2), ("1", "2"), ({}, [])]
)
def test_an_answer_to_what_is_not_asked_any_more_is_refused(number, round):
    """A phone that slept may show the question before, or its first round."""
    with pytest.raises(NotNow, match="gone on"):
        rules.check_vote(AGAIN, 0, number, round)


def test_votes_are_counted_by_round_and_answer():
    """By hand: first round 2, 0, 1; second 0, 1, 3."""
    votes = [(1, 0), (1, 2), (1, 0), (2, 2), (2, 2), (2, 1), (2, 2)]
    counted = views.tally(AGAIN, 5, votes)
    assert (counted.joined, counted.answered, counted.counts) == (5, 4, ((2, 0, 1), (0, 1, 3)))
    assert views.share_right(counted.counts[0], JUDGEMENT) == pytest.approx(1 / 3)
    assert views.share_right(counted.counts[1], replace(JUDGEMENT, right=(1, 2))) == 1
    assert views.share_right((0, 0, 0), JUDGEMENT) is None
    assert views.share_right((1, 0, 0), None) is None
    assert views.tally(LOBBY, 5, []).counts == ()


@given(st.integers(0, 300), st.integers(1, 300))
def test_the_advice_turns_at_a_third_and_at_two_thirds(right, answered):
    """As exact fractions have it, on both borders too."""
    share = Fraction(right % (answered + 1), answered)
    said = views.advice(share.numerator / share.denominator)
    expected = "explain" if share < Fraction(1, 3) else "run it" if share > Fraction(2, 3) else "neighbours"
    assert expected in said
    assert views.advice(None) == ""


# --------------------------------------------------------------------------------------------------- who sees what

COUNTED = views.tally(AGAIN, 9, [(1, 0)] * 41 + [(1, 2)] * 43 + [(2, 1)] * 2 + [(2, 2)] * 47)


def seen(view) -> str:
    return json.dumps(view.to_dict())


def test_during_a_vote_nobody_but_the_remote_learns_how_the_answers_lie():
    """Nor which is right, nor what happened, nor where to try it; in the second round not even those of the first."""
    for room, tally in ((VOTING, views.tally(VOTING, 9, [(1, 0)] * 41 + [(1, 2)] * 43)), (AGAIN, COUNTED)):
        for view in (views.for_projector(room, tally), views.for_student(room, tally, (0,))):
            assert (view.counts, view.right, view.sentence, view.address) == (None, None, "", "")
            assert not any(text in seen(view) for text in ("41", "43", "47", "diverges.", "small", "rates="))
            assert view.answered == tally.answered
    remote = views.for_remote(AGAIN, COUNTED)
    assert (remote.counts, remote.right) == (((41, 0, 43), (0, 2, 47)), (2,))
    assert remote.shares_right == pytest.approx((43 / 84, 47 / 49))
    assert "Over two thirds" in remote.advice


def test_when_answers_are_shown_nobody_learns_what_is_right():
    """Both rounds' distributions, and no more."""
    for view in (views.for_projector(SHOWN_AGAIN, COUNTED), views.for_student(SHOWN_AGAIN, COUNTED, (0, 2))):
        assert view.counts == ((41, 0, 43), (0, 2, 47))
        assert (view.right, view.sentence, view.address) == (None, "", "")
        assert not any(text in seen(view) for text in ("diverges.", "small", "rates="))


def test_after_the_run_all_is_said():
    """A student who was wrong also hears why it was tempting."""
    wall = views.for_projector(RUN, COUNTED)
    assert (wall.right, wall.sentence, wall.address) == ((2,), "It diverges.", "learning_rate?rates=1e-3")
    assert views.for_student(RUN, COUNTED, (2, 1)).why == "It would at half."
    # Answered in the first round only.
    assert views.for_student(RUN, COUNTED, (0, None)).why == "It is small."
    assert views.for_student(RUN, COUNTED, (0, 2)).why == ""
    assert views.for_student(RUN, COUNTED).why == ""


@pytest.mark.parametrize("name", ROOMS)
def test_what_is_offered_is_for_the_remote(name):
    """Students and wall never see the question that comes next."""
    room = replace(ROOMS[name], offered=replace(QUESTION, text="Then what?"), offered_judgement=JUDGEMENT)
    tally = views.tally(room, 3, [])
    assert "Then what?" not in seen(views.for_projector(room, tally)) + seen(views.for_student(room, tally))
    assert "Then what?" in views.for_remote(room, tally).offered


# ---------------------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example", "//elsewhere.example", "/train", "\\\\elsewhere", "javascript:alert(1)", " //elsewhere",
        "\tjavascript:alert(1)", "java\nscript:x", "train/../x", "data:text/html,x", "Train", "train?a b", "x" * 9000,
    ],
)  # fmt: skip
def test_an_address_is_one_of_this_app(address):
    """A phone that follows it stays here."""
    with pytest.raises(ParameterError, match=r"^address must"):
        replace(QUESTION, address=address)


@pytest.mark.parametrize(
    "address", ["", "train", "learning_rate?rates=1e-3%2C2&x=", "?dataset=one", "compare?run=a:b//c"]
)
def test_every_address_of_this_app_is_taken(address):
    """Page, query, both, none."""
    assert replace(QUESTION, address=address).address == address


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("text", "", "text must have 1 to 1,000 characters. Got 0."),
        ("text", "x" * 1001, "text must have 1 to 1,000 characters. Got 1,001."),
        ("title", "x" * 121, "title must have 0 to 120"),
        ("answers", ("one",), "answers must be 2 to 9. Got 1."),
        ("answers", ("x",) * 10, "answers must be 2 to 9. Got 10."),
        ("answers", ("one", ""), "answer must have 1 to 300"),
    ],
)
def test_a_question_has_bounds(field, value, rule):
    """Each in a sentence with name, rule and value."""
    with pytest.raises(ParameterError) as refused:
        replace(QUESTION, **{field: value})
    assert str(refused.value).startswith(rule)


def test_a_judgement_fits_its_question():
    """It names answers that there are, and has a line for each or for none."""
    for wrong in (
        replace(JUDGEMENT, right=(3,)),
        replace(JUDGEMENT, right=(-1,)),
        replace(JUDGEMENT, why=("one",)),
    ):
        for step in (rules.ask, rules.offer):
            with pytest.raises(ParameterError):
                step(LOBBY, QUESTION, wrong)
    with pytest.raises(ParameterError, match="right must name an answer"):
        replace(JUDGEMENT, right=())


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("", ""),
        (None, ""),
        ("a\nb", "a b"),
        ("مرحبا", "مرحبا"),
        ("<b>x</b>", "<b>x</b>"),
    ],
)
def test_a_nickname_is_one_plain_line(typed, kept):
    """It is escaped where it is shown, and not mangled where it is kept."""
    assert rules.nickname_of(typed) == kept


@pytest.mark.parametrize("typed", ["x" * 21, "a\u202eb", "a\x00b", "a\u200bb", "\ud800"])
def test_a_nickname_holds_only_what_is_seen(typed):
    """No text that runs backwards, and nothing invisible that would make two look alike."""
    with pytest.raises(ParameterError, match=r"^nickname must"):
        rules.nickname_of(typed)


# ----------------------------------------------------------------------------------------------------------- clock


def test_a_room_lives_for_a_day_whatever_the_zone():
    """In summer time's night as well: a day has 24 hours."""
    berlin = timezone(timedelta(hours=2))
    for shift, exists in (
        (0, True),
        (23.99, True),
        (24, False),
        (25, False),
        (-0.5, True),
        (-24, True),
        (-24.01, False),
    ):
        assert LOBBY.exists((NOW + timedelta(hours=shift)).astimezone(berlin)) is exists
    with pytest.raises(ParameterError, match="now must have a time zone"):
        rooms.opened("BCDFGH", NOW.replace(tzinfo=None))


@pytest.mark.parametrize("phase", Phase)
def test_each_phase_has_a_room_here(phase):
    """So that a new one is tried in all of the tests above."""
    assert phase in {room.phase for room in ROOMS.values()}
    assert isinstance(LOBBY, Room)
