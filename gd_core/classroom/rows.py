"""A room as a row of the store, and back: times as microseconds since 1970, questions and judgements as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from gd_core.classroom.rooms import Judgement, Phase, Question, Room

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

Kind = TypeVar("Kind", Question, Judgement)
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_row(room: Room) -> dict[str, Any]:
    """A room as a row of `rooms`, without its teacher."""

    def json_of(value: Question | Judgement | None) -> str | None:
        return json.dumps(asdict(value)) if value else None

    return {
        "code": room.code,
        "opened_at": micros(room.opened_at),
        "expires_at": micros(room.expires_at),
        "phase": str(room.phase),
        "number": room.number,
        "round": room.round,
        "question": json_of(room.question),
        "judgement": json_of(room.judgement),
        "offered": json_of(room.offered),
        "offered_judgement": json_of(room.offered_judgement),
        "nicknames": int(room.nicknames),
        "task": room.task,
        "version": room.version,
    }


def from_row(row: RowMapping) -> Room:
    """The room that a row holds."""
    return Room(
        code=row["code"],
        opened_at=_1970 + row["opened_at"] * _MICROSECOND,
        expires_at=_1970 + row["expires_at"] * _MICROSECOND,
        phase=Phase(row["phase"]),
        number=row["number"],
        round=row["round"],
        question=read(Question, row["question"]),
        judgement=read(Judgement, row["judgement"]),
        offered=read(Question, row["offered"]),
        offered_judgement=read(Judgement, row["offered_judgement"]),
        nicknames=bool(row["nicknames"]),
        task=row["task"],
        version=row["version"],
    )


def read(kind: type[Kind], written: str | None) -> Kind | None:
    """A question or a judgement from its JSON; None from nothing."""
    if written is None:
        return None
    return kind(**json.loads(written, object_hook=_with_tuples))


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(one) if isinstance(one, list) else one for name, one in fields.items()}


def micros(time: datetime) -> int:
    """Microseconds since 1970, UTC."""
    return (time - _1970) // _MICROSECOND
