"""Records as damaged and hostile files: each must be trained, or be refused in one sentence.

`run` takes records of both kinds and of both formats, spoils each in one or two places, and hands it to `train --from` or
`train --resume`. An exception, a warning or an output that is no sentence is a fault; it is raised with the record.
"""

import contextlib
import io
import json
import random
import re
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gd_core.cli.commands import main

TABLE = "a,b,y\n" + "".join(f"{i},{i * i % 7},{3 * i - i * i % 5}\n" for i in range(1, 9))
RUNS = (
    ("two-features", "--points", "6", "--scale-features", "--learning-rate", "0.1"),
    ("two-features", "--points", "6", "--optimizer", "adam", "--batch-size", "4", "--holdout", "0.3"),
    ("noisy-quadratic", "--points", "5", "--before", "2,momentum,1e-5,0.9", "--start=1,2,3"),
    ("one-parameter", "--learning-rate", "5"),
    ("--table", "TABLE", "--missing", "drop"),
)
STREAMED = (
    ("--stream", "--table", "TABLE"),
    ("--stream", "--table", "TABLE", "--optimizer", "adam", "--scale-features"),
    ("--stream", "--table", "TABLE", "--optimizer", "momentum", "--batch-size", "3", "--start=1,2,3"),
    ("--stream", "--table", "TABLE", "--learning-rate", "10"),
)
DEEP: Any = 1
for _ in range(900):
    DEEP = [DEEP]
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 1.5, -0.0, 1e-320, 1e300, -1e308, 2**31, 2**53, 2**63, 2**64, 10**400, -(10**400), float("nan"),
    float("inf"), float("-inf"), "", "x", "1", "\0", "\ud800", "a\udfff", "\N{RIGHT-TO-LEFT OVERRIDE}", "9" * 5000, "\n", "auto", "loop",
    "spectrum", "adam", "mean", "table", "/dev/null", [], {}, [[]], [None], [1, 2, 3], [1.0] * 50, {"": None}, {"a": 1}, DEEP,
)  # fmt: skip
TEXTS = ('"', "{", "}", "[", "]", ",", ":", "NaN", "-Infinity", "1e999", "\\ud800", "\\u0000", "\0", "0", "-", "e", "�", "[" * 3000, "9" * 5000)  # fmt: skip
LONGEST = 700  # characters of a sentence


def run(seed: int, count: int) -> None:
    """Try so many spoilt records.

    Raises:
        AssertionError: At the first one that is neither trained nor refused in a sentence.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        samples = _samples(Path(folder))
        for number in range(count):
            flag, record = chance.choice(samples)
            text = _spoilt(record, chance)
            path = Path(folder, "spoilt.json")
            path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
            more = chance.choice(((), ("--json",), ("--json", "--every", "2")))
            if flag == "--resume":
                more += chance.choice(((), ("--epochs", "6"), ("--record", str(Path(folder, "out.json")))))
            try:
                _tried(("train", flag, str(path), *more))
            except Exception as error:
                text = path.read_text(encoding="utf-8", errors="replace") if len(text) > 10**6 else text
                raise AssertionError(
                    f"seed {seed}, number {number}: train {flag} {' '.join(more)} of {text!r}"
                ) from error


def _samples(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Records to spoil, with the flag that takes each: as they are written today, and as they were in the first format."""
    (folder / "table.csv").write_text(TABLE, encoding="utf-8")
    path, found = folder / "run.json", []
    for flag, runs in (("--from", RUNS), ("--resume", STREAMED)):
        for flags in runs:
            named = [str(folder / "table.csv") if one == "TABLE" else one for one in flags]
            _tried(("train", *named, "--epochs", "4", "--record", str(path)))
            record = json.loads(path.read_text(encoding="utf-8"))
            found += [(flag, record), (flag, _of_the_first_format(record))]
    return found


def _of_the_first_format(record: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: value for name, value in record.items() if name not in ("table", "resume", "link", "digest")
    }
    own, table, last = record["resume"], record["table"], record["last"]
    if own is None:
        return kept | {"format": "Gradient Descent Lab, record 1"}
    settings = {
        name: value
        for name, value in kept.pop("experiment").items()
        if name not in ("dataset", "table", "points")
    }
    return kept | {
        "format": "Gradient Descent Lab, large record 1",
        "settings": settings,
        "engine": "moments: one pass over the rows, then none",
        "table": table | {"size": own["size"]},
        "diverged_at": record["outcome_epoch"],
        "epoch": last["epoch"],
        "theta": list(last["parameters"].values()),
        "state": own["state"],
        "recent": own["recent"],
    }


def _spoilt(record: dict[str, Any], chance: random.Random) -> str:
    document = json.loads(json.dumps(record))
    if chance.random() < 0.8:
        for _ in range(chance.choice((1, 1, 1, 2))):
            _spoil(document, chance)
        return json.dumps(document)
    text = json.dumps(document, ensure_ascii=False, indent=chance.choice((None, 1)))
    place = chance.randrange(len(text))
    ways: tuple[Callable[[], str], ...] = (
        lambda: text[:place],
        lambda: text[place:],
        lambda: text[:place] + chance.choice(TEXTS) + text[place:],
        lambda: text[:place] + chance.choice(TEXTS) + text[place + 1 :],
        lambda: text[:place] + text[place + chance.randrange(40) :],
        lambda: re.sub(r"(\d)(?=\D)", lambda m: chance.choice(("", "0", m[1])), text, count=place),
        lambda: text[:place] + text,
        lambda: f"[{text}]",
        lambda: "\ufeff" + text,
    )
    return chance.choice(ways)()


def _spoil(document: dict[str, Any], chance: random.Random) -> None:
    """Change one place, at any depth: take it away, put something hostile there, move it, double it."""
    holder: Any = document
    while True:
        keys: list[Any] = [*(holder if isinstance(holder, dict) else range(len(holder)))]
        if not keys:
            return
        key = chance.choice(keys)
        inner = holder[key]
        if isinstance(inner, (dict, list)) and inner and chance.random() < 0.8:
            holder = inner
            continue
        way = chance.randrange(6)
        if way == 0:
            del holder[key]
        elif way == 1 and isinstance(holder, dict):
            holder[chance.choice(("", "x", "\ud800", "epochs", "a" * 300, "loss"))] = holder.pop(key)
        elif way == 1:
            holder += [inner]
        elif way == 2 and isinstance(inner, (int, float)) and not isinstance(inner, bool):
            holder[key] = chance.choice(
                (
                    -inner,
                    inner * 2,
                    inner * 1.0 if abs(inner) < 1e300 else inner,
                    inner + 1,
                    str(inner),
                    [inner],
                )
            )
        else:
            holder[key] = chance.choice(HOSTILE)
        return


def _tried(arguments: tuple[str, ...]) -> None:
    """Run a command in this process, and look at how it ends."""
    output, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with warnings.catch_warnings(), contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        warnings.simplefilter("error")
        try:
            status: Any = main(arguments)
        except SystemExit as end:
            status = end.code
    said = []
    for stream in (output, errors):
        stream.flush()
        stream.seek(0)
        said.append(stream.read())
    assert status in (0, 1, 2), status
    if status == 2:
        lines = said[1].splitlines()
        assert lines, "nothing is said"
        assert lines[-1].endswith(".")
        assert " must " in lines[-1] or "Got" in lines[-1], lines[-1]
        assert len(lines[-1]) < LONGEST, lines[-1]
        assert "Traceback" not in said[1]
    elif "--json" in arguments:
        json.loads(said[0], parse_constant=lambda name: 1 / 0)
