"""Texts and values as an attacker writes them, drawn from a seeded generator."""

import base64
import json
import random
import zlib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
GOLDEN: list[dict[str, str]] = [
    one["query"] for one in json.loads((ROOT / "tests/golden/addresses.json").read_text(encoding="utf-8"))
]
NUMBERS = (
    "0", "-0", "-1", "1e-400", "1e400", "nan", "inf", "-inf", "infinity", "1_000", "٣", "0x10", "1e", ".", "+", "1e999999999",
    "9" * 400, "-" + "9" * 400, "9" * 4301, "0." + "0" * 4000 + "1", "1/0", "1/" * 2000, "1e5", "0.5", "3", "1000000", "1000001",
)  # fmt: skip
TEXTS = (
    "", " ", "\0", "\n", "\r\n", "‮", "﻿", "🎓" * 40, "é", "<script>alert(1)</script>", "${x}", "{0}", "%s", "../../etc/passwd", ",",
    ",,,,", ";;;;", '"', '""', "'", "\\", "a" * 9_999, "a" * 10_001, "a b " * 5_000, ";" * 50_000, "," * 50_000, "sha256:0123456789abcdef",
    "z.", "z.AAAA", "cars", "trees", "anscombe", "published", "random", "true", "false", "auto", "spectrum", "loop", "*",
    "1,momentum,1e-5,0.9", "1,momentum,1e-5,0.9;" * 400, "1,adam,1e400", "-5,adam,0.1,0.9,0.999,1e-8", "1,adam,0.1,epochs=5",
)  # fmt: skip


def text(draw: random.Random) -> str:
    """A text of any kind."""
    match draw.randrange(6):
        case 0:
            return draw.choice(NUMBERS)
        case 1:
            return draw.choice(TEXTS)
        case 2:
            return repr(
                draw.choice(
                    (draw.uniform(-10, 10), 10 ** draw.uniform(-320, 308), float(draw.randrange(10_000)))
                )
            )
        case 3:
            return str(draw.randrange(-3, 2 ** draw.randrange(1, 70)))
        case 4:
            return ",".join(draw.choice(NUMBERS[:20]) for _ in range(draw.randrange(30)))
        case _:
            return "".join(
                chr(draw.randrange(1, draw.choice((128, 0x3000, 0xD800)))) for _ in range(draw.randrange(60))
            )


def changed(draw: random.Random, given: str) -> str:
    """A text with something in it changed, cut out, doubled or put in."""
    at, other = draw.randrange(len(given) + 1), draw.randrange(len(given) + 1)
    match draw.randrange(5):
        case 0:
            return given[:at] + draw.choice(("", "\0", "9", ",", "e", "=", "é", "\ufffd")) + given[at + 1 :]
        case 1:
            return given[:at]
        case 2:
            return given[: max(at, other)] + given[min(at, other) :]
        case 3:
            return given[:at] + text(draw)[:200] + given[at:]
        case _:
            return given * draw.choice((2, 3, 50))


def value(draw: random.Random, depth: int = 0) -> Any:
    """Anything that JSON can hold, half a character and a thousand brackets included."""
    match draw.randrange(12 if depth < 3 else 8):
        case 0:
            return draw.choice((None, True, False))
        case 1:
            return draw.choice((10**400, -(10**400), 10**4000, 2**63, -1, 0, 1, 7))
        case 2:
            return draw.choice((float("nan"), float("inf"), -0.0, 1e308, 5e-324, 0.5))
        case 3:
            return draw.choice(("\ud800", "a\udfffb", "\ud83c"))
        case 4:
            nested: Any = []
            for _ in range(draw.choice((5, 100, 300, 900))):
                nested = [nested] if draw.random() < 0.9 else {"a": nested}
            return nested
        case 8 | 9:
            return [value(draw, depth + 1) for _ in range(draw.randrange(4))]
        case 10 | 11:
            return {text(draw)[:50]: value(draw, depth + 1) for _ in range(draw.randrange(4))}
        case _:
            return text(draw)


def table(draw: random.Random) -> str:
    """A table's key that holds any text: a table, nearly one, or one that unfolds to far more."""
    columns = draw.randrange(1, 6)
    names = [
        draw.choice(("x", "y", f"c{place}", text(draw)[:30].replace("\n", " "))) for place in range(columns)
    ]
    cells = ["1", "2.5", "", "-3", "1e300", "nan", "7", draw.choice(NUMBERS)[:50]]
    rows = [",".join(draw.choice(cells) for _ in names) for _ in range(draw.randrange(1, 12))]
    rows *= draw.choice((1, 1, 1, 100, 3_000, 30_000))
    end = draw.choice(
        (
            "",
            "",
            "",
            "1\n",
            '"',
            "\nx,numbers,said,x\n",
            "\nx,numbers,said,x\n" * 4_000,
            "\nx,words,a" + ",x" * 9_000,
        )
    )
    return "z." + letters(
        deflated(("\n".join([",".join(names), *rows]) + "\n" + end).encode(errors="replace"))
    )


def pins(draw: random.Random, lines: list[str]) -> str:
    """A link of pinned runs with these lines."""
    made = "1." + letters(zlib.compress(("\n".join(lines) + "\n").encode(errors="surrogatepass"), 6))
    return changed(draw, made) if draw.random() < 0.15 else made


def deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(9, wbits=-15)
    return deflate.compress(data) + deflate.flush()


def letters(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
