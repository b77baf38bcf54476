"""Where rooms are kept: any database that SQLAlchemy reaches by an `Engine`, tried with SQLite and PostgreSQL."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from gd_core.classroom import rooms, rules, schema, views
from gd_core.classroom.after import Past
from gd_core.classroom.database import Database, StoreDown
from gd_core.classroom.kept import HandedIn, Look, Own, digest, new_token, token_or_new
from gd_core.classroom.rooms import Judgement, NoRoom, NotNow, Phase, Question, Room
from gd_core.classroom.rows import from_row, micros, read, to_row

MOST_ROOMS = 1000  # open at once


class NotTheTeacher(PermissionError):
    """The token is not the teacher's."""


class Classroom:
    """Rooms, members and votes.

    Every method that takes a code takes it as typed. All raise StoreDown where the store cannot be used, NoRoom where there is no
    such room; those with a teacher's token NotTheTeacher.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._database = engine, Database(engine)
        with self._database.writing() as connection:
            try:
                schema.migrate(connection)
            except schema.Newer as newer:
                raise StoreDown(
                    f"The class's store is of version {newer}, newer than this app knows: update the app."
                ) from None

    # ------------------------------------------------------------------------------------------------ the teacher

    def open_room(self, now: datetime) -> tuple[Room, str]:
        """A new room, and the token that steers it. Rooms whose day is over go.

        Raises:
            NotNow: If there are too many.
        """
        self.sweep(now)
        token = new_token()
        with self._database.writing() as connection:
            if connection.execute(text("SELECT count(*) FROM rooms")).scalar_one() >= MOST_ROOMS:
                raise NotNow(f"{MOST_ROOMS:,} rooms are open on this server: try again later.")
            while True:
                room = rooms.opened(rooms.new_code(), now)
                row = to_row(room) | {"teacher": digest(room.code, token)}
                names = ", ".join(row)
                places = ", ".join(f":{name}" for name in row)
                sql = f"INSERT INTO rooms ({names}) VALUES ({places}) ON CONFLICT DO NOTHING"
                if connection.execute(text(sql), row).rowcount:
                    return room, token

    def is_teacher(self, code: str, token: str, now: datetime) -> bool:
        """Whether this token steers the room."""
        with self._database.reading() as connection:
            return _steers(token, *_found(connection, code, now))

    def steer(
        self,
        code: str,
        token: str,
        step: Callable[[Room], Room],
        now: datetime,
        *,
        seen: int | None = None,
    ) -> Room:
        """Take a step of the rules.

        Args:
            code: The room's.
            token: The teacher's.
            step: `rules.ask` and its like, with what else they need bound to them.
            now: Aware time.
            seen: The version of the room that the teacher had before them: nothing is done if it has changed since, so two presses
                at once take one step. None takes it in any case.

        Raises:
            NotNow: If the rules forbid it, or the room is not as it was seen.
        """
        with self._database.writing() as connection:
            before = _steered(token, *_found(connection, code, now, self._database.to_change))
            if seen is not None and seen != before.version:
                raise NotNow("The room has changed in the meantime: look, then press again.")
            room = step(before)
            changed = to_row(room)
            names = ", ".join(f"{name} = :{name}" for name in changed)
            connection.execute(text(f"UPDATE rooms SET {names} WHERE code = :code"), changed)
            if room.question:
                connection.execute(
                    text(
                        "INSERT INTO questions (room, number, question, judgement, ran) "
                        "VALUES (:code, :number, :question, :judgement, :ran) "
                        "ON CONFLICT (room, number) DO UPDATE SET judgement = excluded.judgement, "
                        "ran = CASE WHEN questions.ran = 1 THEN 1 ELSE excluded.ran END"  # also after the end
                    ),
                    changed | {"ran": int(room.phase is Phase.RUN)},
                )
            return room

    def hide_nickname(
        self, code: str, token: str, member: int, now: datetime, *, hidden: bool = True
    ) -> None:
        """Hide a member's nickname, or show it again."""
        with self._database.writing() as connection:
            room = _steered(token, *_found(connection, code, now))
            sql = "UPDATE members SET hidden = :hidden WHERE room = :room AND number = :number"
            connection.execute(text(sql), {"hidden": int(hidden), "room": room.code, "number": member})

    def delete_room(self, code: str, token: str, now: datetime) -> None:
        """Delete the room and all that was said in it."""
        with self._database.writing() as connection:
            room = _steered(token, *_found(connection, code, now, self._database.to_change))
            connection.execute(text("DELETE FROM rooms WHERE code = :code"), {"code": room.code})

    def sweep(self, now: datetime) -> int:
        """Delete the rooms whose day is over. Returns how many."""
        with self._database.writing() as connection:
            sql = "DELETE FROM rooms WHERE expires_at <= :now OR opened_at > :tomorrow"
            times = {"now": micros(now), "tomorrow": micros(now + rooms.LIFETIME)}
            return connection.execute(text(sql), times).rowcount

    # ------------------------------------------------------------------------------------------------ the students

    def join(self, code: str, token: str | None, now: datetime) -> str:
        """Become a member, or be the same again.

        Args:
            code: The room's, as typed.
            token: That of before, or one of the browser's own, of 22 letters, digits, - and _ as `new_token` makes it. Another
                one is not used.
            now: Aware time.

        Returns:
            The token to come back with.

        Raises:
            NotNow: If the room is full or has ended.
        """
        token = token_or_new(token)
        with self._database.reading() as connection:  # who comes again, or too late, keeps nobody waiting
            room = _found(connection, code, now)[0]
            who = {"room": room.code, "token": digest(room.code, token)}
            if _place_in(connection, room, who) is None:
                return token
        with self._database.writing() as connection:
            room = _found(connection, code, now, self._database.to_change)[0]
            number = _place_in(connection, room, who)
            if number is not None:  # the other tab may have been faster
                sql = "INSERT INTO members (room, number, token, nickname, hidden) VALUES (:room, :number, :token, '', 0)"
                connection.execute(text(sql), who | {"number": number})
        return token

    def vote(self, code: str, token: str, answer: Any, number: Any, round: Any, now: datetime) -> None:
        """Take an answer, or another one in its place; it is kept when this returns.

        Args:
            code: The room's.
            token: The member's.
            answer: Counted from 0.
            number: The question that the phone shows.
            round: The same.
            now: Aware time.

        Raises:
            NotNow: If it does not count, with the reason.
        """
        with self._database.writing() as connection:
            room = _found(connection, code, now, self._database.to_rely_on)[0]
            member = _member(connection, {"room": room.code, "token": digest(room.code, token)})
            if member is None:
                raise NotNow("You are not in this room: enter its code again.")
            rules.check_vote(room, answer, number, round)
            connection.execute(
                text(
                    "INSERT INTO votes (room, question, member, round, answer) "
                    "VALUES (:room, :question, :member, :round, :answer) "
                    "ON CONFLICT (room, question, member, round) DO UPDATE SET answer = excluded.answer"
                ),
                {
                    "room": room.code,
                    "question": room.number,
                    "member": member,
                    "round": room.round,
                    "answer": answer,
                },
            )

    def name(self, code: str, token: str, nickname: str, now: datetime) -> str:
        """Give oneself a nickname, or none. Returns it as it is kept.

        Raises:
            NotNow: If the teacher has not allowed them.
            ParameterError: If it is not one.
        """
        nickname = rules.nickname_of(nickname)
        with self._database.writing() as connection:
            room = _found(connection, code, now, self._database.to_rely_on)[0]
            if nickname and not room.nicknames:
                raise NotNow("No nicknames in this room.")
            who = {"room": room.code, "token": digest(room.code, token), "nickname": nickname}
            sql = "UPDATE members SET nickname = :nickname WHERE room = :room AND token = :token"
            if not connection.execute(text(sql), who).rowcount:
                raise NotNow("You are not in this room: enter its code again.")
        return nickname

    def hand_in(self, code: str, token: str | None, link: Any, now: datetime) -> str:
        """Put a result on the board; twice the same is once.

        Args:
            code: The room's.
            token: A member's, or another one that was handed in with before, as for `join`. None for a new one.
            link: The result's link, as typed.
            now: Aware time.

        Returns:
            The token to hand in with again.

        Raises:
            NotNow: If the board does not take it.
            ParameterError: If it is no result.
        """
        token = token_or_new(token)
        with self._database.writing() as connection:
            room = _found(connection, code, now, self._database.to_change)[0]
            result = rules.result_of(room, link).to_text()
            row = {"room": room.code, "token": digest(room.code, token), "task": room.task, "result": result}
            counted = text(
                "SELECT count(*), coalesce(sum(CASE WHEN token = :token THEN 1 END), 0) "
                "FROM results WHERE room = :room AND task = :task"
            )
            count, own = connection.execute(counted, row).one()
            if count >= rules.MOST_RESULTS or own >= rules.MOST_OF_ONE:
                raise NotNow(
                    f"The board is full: at most {rules.MOST_OF_ONE} results of each, {rules.MOST_RESULTS:,} in all."
                )
            last = text("SELECT coalesce(max(number), 0) FROM results WHERE room = :room")
            sql = (
                "INSERT INTO results (room, number, token, task, result) VALUES (:room, :number, :token, :task, :result) "
                "ON CONFLICT DO NOTHING"
            )
            number = connection.execute(last, row).scalar_one() + 1
            connection.execute(text(sql), row | {"number": number})
        return token

    # ------------------------------------------------------------------------------------------------ all who look

    def room(self, code: str, now: datetime) -> Room:
        """The room as it stands."""
        with self._database.reading() as connection:
            return _found(connection, code, now)[0]

    def look(self, code: str, now: datetime) -> Look:
        """The room, its tally and who said what: everything that any page of it shows, in one go."""
        with self._database.reading() as connection:
            room = _found(connection, code, now)[0]
            rows = connection.execute(
                text(
                    "SELECT m.number, m.token, m.nickname, m.hidden, v.round, v.answer FROM members m "
                    "LEFT JOIN votes v ON v.room = m.room AND v.question = :question AND v.member = m.number "
                    "WHERE m.room = :room"
                ),
                {"room": room.code, "question": room.number if room.question else 0},
            ).all()
        said: dict[int, dict[int, int]] = {}
        for number, _, _, _, round, answer in rows:
            said.setdefault(number, {})[round] = answer
        rounds = range(1, room.round + 1) if room.question else ()
        members = {
            token: Own(number, tuple(said[number].get(one) for one in rounds), nickname, bool(hidden))
            for number, token, nickname, hidden, _, _ in rows
        }
        votes = ((round, answer) for *_, round, answer in rows if round is not None)
        return Look(room, views.tally(room, len(members), votes), members)

    def board(self, code: str, now: datetime) -> tuple[HandedIn, ...]:
        """What was handed in for the task that the room has now, oldest first."""
        with self._database.reading() as connection:
            room = _found(connection, code, now)[0]
            sql = text(
                "SELECT r.number, r.token, r.result, m.nickname, m.hidden FROM results r "
                "LEFT JOIN members m ON m.room = r.room AND m.token = r.token "
                "WHERE r.room = :room AND r.task = :task ORDER BY r.number"
            )
            rows = connection.execute(sql, {"room": room.code, "task": room.task}).all()
        who = {token: place for place, token in enumerate(dict.fromkeys(row.token for row in rows), 1)}
        return tuple(
            HandedIn(number, who[token], nickname if nickname and not hidden else "", result)
            for number, token, result, nickname, hidden in rows
        )

    def past(self, code: str, token: str, now: datetime) -> tuple[Past, ...]:
        """All questions of the room with the class's answers, for the teacher to take along."""
        with self._database.reading() as connection:
            room = _steered(token, *_found(connection, code, now))
            who = {"room": room.code}
            questions = text(
                "SELECT number, question, judgement, ran FROM questions WHERE room = :room ORDER BY number"
            )
            votes = text(
                "SELECT question, round, answer, count(*) FROM votes WHERE room = :room GROUP BY question, round, answer"
            )
            asked = connection.execute(questions, who).all()
            counted = {
                (number, round, answer): count
                for number, round, answer, count in connection.execute(votes, who)
            }
        past = []
        for number, written, judged, ran in asked:
            question = read(Question, written)
            assert question
            rounds = max((round for one, round, _ in counted if one == number), default=1)
            counts = tuple(
                tuple(counted.get((number, round, answer), 0) for answer in range(len(question.answers)))
                for round in range(1, rounds + 1)
            )
            # what was asked before the hour is told after it, without a run in between
            told = read(Judgement, judged) if ran or question.paper else None
            past.append(Past(question, told, counts))
        return tuple(past)


def _steers(token: str, room: Room, teacher: str) -> bool:
    return hmac.compare_digest(teacher, digest(room.code, token))


def _steered(token: str, room: Room, teacher: str) -> Room:
    if not _steers(token, room, teacher):
        raise NotTheTeacher("Only the teacher who opened the room can do this.")
    return room


def _member(connection: Connection, who: Mapping[str, Any]) -> int | None:
    sql = "SELECT number FROM members WHERE room = :room AND token = :token"
    return connection.execute(text(sql), who).scalar()


def _place_in(connection: Connection, room: Room, who: Mapping[str, Any]) -> int | None:
    """The number that a new member gets; None if they are one already."""
    if _member(connection, who) is not None:
        return None
    if room.phase is Phase.ENDED:
        raise NotNow("The lesson has ended.")
    count = connection.execute(text("SELECT count(*) FROM members WHERE room = :room"), who).scalar_one()
    if count >= rules.MOST_MEMBERS:
        raise NotNow(f"The room is full: at most {rules.MOST_MEMBERS} can join.")
    return count + 1


def _found(connection: Connection, code: str, now: datetime, lock: str = "") -> tuple[Room, str]:
    """The room, and the digest of its teacher's token."""
    code = rooms.code_of(code)
    found = connection.execute(text(f"SELECT * FROM rooms WHERE code = :code{lock}"), {"code": code})
    row = found.mappings().first()
    if row is None or not (room := from_row(row)).exists(now):
        raise NoRoom(f"There is no room {code}, or it is over. Look at the code on the wall.")
    return room, row["teacher"]
