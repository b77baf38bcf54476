"""The teacher's side of a class: a room is opened, and the box of a lesson's question becomes the class's.

A fragment looks at the room once a second. The page itself runs anew where a step has changed what it shows: the teacher's,
or one from the teacher's phone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode, urlsplit

import streamlit as st

from gd_core.classroom import rules, views
from gd_core.classroom.rooms import Judgement, NoRoom, NotNow, Phase, Question, Room
from gd_core.classroom.views import View
from gd_core.settings.experiment_fields import titled
from gd_core.settings.fields import ParameterError
from pages.ui.classroom import connection, learned, names, wall
from pages.ui.classroom.watch import now, watch
from pages.ui.look import look, projector, session
from pages.ui.takeaway import share

if TYPE_CHECKING:
    from gd_core.classroom.after import Past
    from gd_core.classroom.kept import Look

__all__ = ["Judgement", "Put", "Question", "box", "is_open", "looked", "open_room", "step", "why_not"]
EVERY = 1.0  # seconds between two looks
_CSS = Path(__file__).with_name("teaching.css")
Step = Callable[[Room], Room]


@dataclass
class Teacher:
    """The class that a visitor teaches.

    Attributes:
        code: The room's; empty while there is none.
        token: Steers it.
        goes_on: The version of the room in which its teacher went on to the question of the page that comes.
        why_not: Why a step could not be taken, or no room opened.
    """

    code: str = ""
    token: str = ""
    goes_on: int | None = None
    why_not: str = ""

    @property
    def room(self) -> tuple[str, str]:
        """What the store asks a teacher for."""
        return self.code, self.token


class Put(NamedTuple):
    """The question of a page, as it is put to a class.

    Attributes:
        question: As the phones show it.
        judgement: Has the run decide, whether the page shows it or not.
        shown: Whether the page shows the run.
        show: Shows it, or hides it again. For callbacks.
        then: Another question: what it is called, and what loads it.
    """

    question: Question
    judgement: Callable[[], Judgement]
    shown: bool
    show: Callable[[bool], None]
    then: tuple[str, Callable[[], None]] | None


def is_open() -> bool:
    """Whether this visitor teaches a class."""
    teacher = session.held(Teacher)
    if word := projector.kept():
        _come_back(*word.partition(" ")[::2])
    return bool(teacher.code)


def why_not() -> None:
    """Say why no room opened, or is there no longer."""
    if sentence := session.held(Teacher).why_not:
        _say(sentence)


def box(asked: Callable[[], Put]) -> None:
    """The question while a room is open: how to join, who has answered, and the steps.

    Args:
        asked: Gives the question; one that breaks a rule of the class's is told, and cannot be put.
    """
    teacher = session.held(Teacher)
    st.html(_CSS)
    try:
        put = asked()
    except ParameterError as error:
        _say(titled(str(error), rules.NAMES))
        return
    with _told():
        _offer(put, teacher)
    _whole_box(_page_of(put), put)


def without_question(page: str) -> None:
    """On a page that asks nothing: the button that opens a room, or how to join the one that is open, who is in, and its end.

    Args:
        page: Its name; empty for Train.
    """
    why_not()
    if is_open():
        st.html(_CSS)
        _whole_box(page, None)
    elif st.button(
        "With a class", key="class_open", icon=":material/groups:",
        help="Phones join by a code, and hand in to its board.",
    ):  # fmt: skip
        open_room()
        st.rerun()  # the page, too, where this is a dialog's: the tab has to keep the class through a reload


def _whole_box(page: str, put: Put | None) -> None:
    found = looked()
    ended = found is not None and found.room.phase is Phase.ENDED
    with st.container(key="class", horizontal=True, gap="medium"):
        with st.container(gap="small"):
            _live(page, put, ended)
            if not (ended or projector.on()):
                _menus(page, session.held(Teacher))
        if not ended:  # nobody joins any more
            with st.container(key="class_ways_in", gap="xsmall", width="content"):
                _ways_in(page, session.held(Teacher))


# ------------------------------------------------------------------------------------------------------ the room


@contextmanager
def _told() -> Generator[None]:
    """Keep, for the box, the sentence about what cannot be done. A room that is gone is left."""
    from gd_core.classroom.database import StoreDown
    from gd_core.classroom.store import NotTheTeacher

    teacher = session.held(Teacher)
    try:
        yield
    except (NoRoom, NotTheTeacher):
        _leave("The class is over: its room was deleted.")
    except (NotNow, StoreDown, ParameterError) as error:
        teacher.why_not = titled(str(error), rules.NAMES)


def open_room() -> None:
    """Open a room, or keep why none could be. A second press, before the first has shown, opens no other."""
    teacher = session.held(Teacher)
    if teacher.code:
        return
    teacher.why_not = ""
    with _told():
        room, teacher.token = connection.classroom().open_room(now())
        teacher.code = room.code
        projector.keep(f"{teacher.code} {teacher.token}")


def _come_back(code: str, token: str) -> None:
    """Teach the class again that the tab had before its reload."""
    teacher = session.held(Teacher)
    with _told():
        if connection.classroom().is_teacher(code, token, now()):
            teacher.code, teacher.token = code, token
            projector.keep(f"{code} {token}")
        else:
            _leave("")


def _leave(why_not: str) -> None:
    teacher = session.held(Teacher)
    teacher.code, teacher.token, teacher.why_not, teacher.goes_on = "", "", why_not, None
    projector.keep("")


def _delete() -> None:
    teacher = session.held(Teacher)
    with _told():
        connection.classroom().delete_room(teacher.code, teacher.token, now())
        _leave("")


def step(seen: int, *steps: Step) -> None:
    """Take steps, if the room is as it was seen: two presses at once take one, and so does one that arrives twice."""
    teacher = session.held(Teacher)
    teacher.why_not = ""
    with _told():
        # Else the box shows what has become of it.
        if connection.classroom().room(teacher.code, now()).version == seen:
            for one in steps:
                room = connection.classroom().steer(teacher.code, teacher.token, one, now(), seen=seen)
                seen = room.version
    watch().changed(teacher.code)


def _as_it_stands() -> Room | None:
    """The room in the store, for a press that no look has shown; None, and why, where it cannot be read."""
    teacher = session.held(Teacher)
    with _told():
        return connection.classroom().room(teacher.code, now())
    return None


def nicknames(place: str) -> None:
    """The menu of nicknames. See `names.menu`."""
    teacher = session.held(Teacher)

    def allow(allowed: bool) -> None:
        if room := _as_it_stands():
            step(room.version, partial(rules.allow_nicknames, allowed=allowed))

    def hide(member: int, hidden: bool) -> None:
        with _told():
            connection.classroom().hide_nickname(teacher.code, teacher.token, member, now(), hidden=hidden)
        watch().changed(teacher.code)

    names.menu(place, lambda: watch().look(teacher.code), allow, hide)


def _offer(put: Put, teacher: Teacher) -> None:
    """Say which question comes next, for the remote too; put it to the class if that was asked for."""
    room, goes_on = connection.classroom().room(teacher.code, now()), teacher.goes_on
    teacher.goes_on = None
    if goes_on == room.version:
        step(room.version, partial(rules.offer, question=put.question, judgement=put.judgement()), rules.ask)
    elif room.phase is not Phase.ENDED and not _is_of(room.question, put) and not _is_of(room.offered, put):
        step(room.version, partial(rules.offer, question=put.question, judgement=put.judgement()))


def _is_of(question: Question | None, put: Put) -> bool:
    return question is not None and question.address == put.question.address


def _ask(put: Put, room: Room) -> None:
    """Put this page's question to the class, whichever another page of the class's has offered last."""
    leave = [rules.go_on] if room.phase is Phase.VOTING else []
    with _told():
        step(room.version, *leave, partial(rules.ask, question=put.question, judgement=put.judgement()))


def _go_on(seen: int, load: Callable[[], None]) -> None:
    load()
    session.held(Teacher).goes_on = seen


def looked() -> Look | None:
    """The class's room now; None where it cannot be read."""
    teacher = session.held(Teacher)
    with _told():
        return watch().look(teacher.code)
    return None


# ------------------------------------------------------------------------------------------------------- the box


@st.fragment(run_every=EVERY)
def _live(page: str, put: Put | None, ended: bool) -> None:
    """The question's state and its steps. Where the page has to show something else, it runs anew.

    Args:
        page: Its name; empty for Train.
        put: Its question; None where it asks nothing.
        ended: Whether the page shows that the class has ended.
    """
    teacher = session.held(Teacher)
    if teacher.goes_on is not None or not teacher.code:  # it was deleted by a press here
        st.rerun()
    found = looked()
    if not teacher.code:
        st.rerun()
    if found is None:
        _say(teacher.why_not)
        teacher.why_not = ""  # the next look may find the store again
        return
    if put and not found.room.question and not found.room.offered:
        with _told():  # a paper or a remote has left its question, and the page has not run for it
            _offer(put, teacher)
        found = looked() or found
    room = found.room
    if ended != (room.phase is Phase.ENDED):
        st.rerun()
    with st.container(key="class_large" if projector.on() else "class_steps", gap="small"):
        if room.phase is Phase.ENDED:
            _ended(page, found)
        elif learned.is_on(room):
            learned.show(room, views.for_projector(room, found.tally), _past, step)
        elif put is None:
            st.html(f'<p class="joined" role="status">{wall.of_joined(found.tally.joined)}</p>')
            _end_button(room)
        else:
            _question(put, room, views.for_projector(room, found.tally))
        if teacher.why_not:
            _say(teacher.why_not)


def _past() -> tuple[Past, ...]:
    teacher = session.held(Teacher)
    with _told():
        return connection.classroom().past(teacher.code, teacher.token, now())
    return ()


def _ended(page: str, looked: Look) -> None:
    """What can be taken along, made when it is asked for, until all is deleted."""
    teacher = session.held(Teacher)
    st.markdown(
        "The class has ended. Take along how it answered, before and after the talk. All is deleted within a day, or now."
    )
    base, offset = share.app(page), timedelta(minutes=-(st.context.timezone_offset or 0))
    kinds = {
        "Take it along: a page": (
            "class_page",
            "text/html",
            partial(_as_page, *teacher.room, looked, base, offset),
        ),
        "A table (CSV)": ("class_csv", "text/csv", partial(_as_csv, *teacher.room)),
    }
    with st.container(horizontal=True, key="class_buttons"):
        for label, (key, mime, made) in kinds.items():
            st.download_button(
                label,
                made,
                f"{key}.{mime.partition('/')[2]}",
                mime,
                key=key,
                icon=":material/download:",
                on_click="ignore",
            )
        st.button("Delete it now", key="class_delete", type="tertiary", on_click=_delete)


def _as_csv(code: str, token: str) -> str:
    from gd_core.classroom import after

    return after.to_csv(connection.classroom().past(code, token, now()))


def _as_page(code: str, token: str, looked: Look, base: str, offset: timedelta) -> str:
    from gd_core.classroom import board
    from pages.ui.classroom import take_along

    store = connection.classroom()
    opened = looked.room.opened_at.astimezone(timezone(offset))
    handed_in = board.board(store.board(code, now()))
    return take_along.html(store.past(code, token, now()), opened, looked.tally.joined, base, handed_in)


def _page_of(put: Put) -> str:
    """The name of the page that a question stands on."""
    return put.question.address.partition("?")[0]


def _question(put: Put, room: Room, view: View) -> None:
    """The page's question, which waits in the lobby until it is asked, and the steps that can be taken."""
    asked = _is_of(room.question, put)
    if asked and put.shown != (room.phase is Phase.RUN):
        put.show(room.phase is Phase.RUN)
        st.rerun()
    if not asked:
        view = replace(view, phase=Phase.LOBBY, answers=put.question.answers, counts=None, right=None)
    st.html(wall.answers(view))
    if view.phase is Phase.LOBBY:
        st.html(f'<p class="joined" role="status">{wall.of_joined(view.joined)}</p>')
    elif view.phase is Phase.VOTING:
        st.progress(view.answered / max(1, view.joined), wall.of_answered(view))
    elif view.phase is Phase.RUN:
        st.html(wall.judgement(view))
    with st.container(horizontal=True, key="class_buttons"):
        _steps(put, room, asked)


def _steps(put: Put, room: Room, asked: bool) -> None:
    """What can be done next, as buttons."""
    can = rules.possible(room) if asked else ()
    if not asked:
        st.button("Ask the class", key="class_ask", type="primary", on_click=_ask, args=(put, room))
        if not put.shown and st.button("Skip", key="skip", type="tertiary"):
            put.show(True)
            st.rerun()  # the run is outside of this fragment
    if "show_answers" in can:
        _step_button("Show answers", "class_show", room, rules.show_answers)
    if "ask_again" in can:
        _step_button("Ask again", "class_again", room, rules.ask_again)
    if "run" in can:
        _step_button("Run it", "class_run", room, rules.run, primary=True)
    if put.then and asked and room.phase is Phase.RUN:
        label, load = put.then
        st.button(
            f"Next question: {label}",
            key="class_next",
            type="primary",
            on_click=_go_on,
            args=(room.version, load),
        )
    if room.phase is not Phase.VOTING:
        _end_button(room)


def _end_button(room: Room) -> None:
    st.button(
        "End the class", key="class_end", type="tertiary", on_click=step, args=(room.version, rules.end)
    )


def _step_button(label: str, key: str, room: Room, *steps: Step, primary: bool = False) -> None:
    kind = "primary" if primary else "secondary"
    st.button(label, key=key, type=kind, on_click=step, args=(room.version, *steps))


def _say(sentence: str) -> None:
    st.markdown(f":orange[:material/error:] {look.plain(sentence)}")


def _ways_in(page: str, teacher: Teacher) -> None:
    """The code to join by: as letters to be typed, and as a picture to be scanned."""
    address, caption = _for_phones(share.app(page))
    join = f"{address}/join"
    if picture := share.qr(f"{join}?{urlencode({'room': teacher.code})}"):
        with st.container(key="class_qr"):
            st.image(picture, alt="QR code: it joins the class", width="stretch")
    st.html(wall.ways_in(teacher.code, join))
    if caption:
        st.caption(caption)


def _menus(page: str, teacher: Teacher) -> None:
    """What no projector shows: nicknames, what was learned, and the link of the teacher's own phone."""
    address, _ = _for_phones(share.app(page))
    with st.container(horizontal=True, key="class_menus", gap="xsmall"):
        nicknames("class")
        learned.menu(_as_it_stands, step)
        remote = st.popover(
            "Remote",
            icon=":material/settings_remote:",
            type="tertiary",
            on_change="rerun",
            key="class_remote",
        )
        if remote.open:
            with remote:
                st.markdown(
                    "For your own phone. Whoever opens it steers the class: do not show it on the projector."
                )
                link = f"{address}/remote#{urlencode({'room': teacher.code, 'token': teacher.token})}"
                if picture := share.qr(link):
                    st.image(picture, alt="QR code: it steers the class", width=200)
                share.field(link)


def _for_phones(app: str) -> tuple[str, str]:
    """The app's address for others than this computer, and what must be said of it."""
    if not share.is_of_this_computer(app):
        return app, ""
    if st.get_option("server.address"):
        return (
            app,
            "The app answers this computer alone. Start it without server.address, and phones can join.",
        )
    from streamlit.net_util import get_internal_ip

    inside, here = get_internal_ip(), urlsplit(app)
    if not inside:
        return app, "This computer is in no network: no phone reaches it."
    own = here._replace(netloc=f"{inside}:{here.port}" if here.port else inside).geturl()
    return own, "For phones in this computer’s network."
