r"""Formulas of this project as HTML, set once on the server.

Streamlit sets $…$ in the browser: 320 kB of KaTeX and its fonts for each first visitor, and some ninety elements a formula;
MathML it takes nowhere. What our formulas are made of is little: letters, scripts, fractions, roots, accents. Another
command raises, and a test sets every formula that there is.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from typing import NamedTuple

_THIN = "\N{THIN SPACE}"
_ITALIC = {
    r"\alpha": "α", r"\beta": "β", r"\gamma": "γ", r"\delta": "δ", r"\epsilon": "ϵ", r"\eta": "η", r"\theta": "θ", r"\kappa": "κ",
    r"\lambda": "λ", r"\pi": "π", r"\rho": "ρ", r"\sigma": "σ", r"\varphi": "φ",
    r"\omega": "ω",
}  # fmt: skip
_UPRIGHT = {
    r"\nabla": "∇", r"\partial": "∂", r"\Phi": "Φ", r"\top": "⊤", r"\dots": "…", r"\max": "max", r"\ln": "ln", r"\min": "min", r"\sum": "∑",
    r"\sin": "sin", r"\cos": "cos", r"\tanh": "tanh", r"\lfloor": "⌊", r"\rfloor": "⌋",
    r"\,": _THIN, r"\quad": "\N{EM SPACE}", r"\textstyle": "",
}  # fmt: skip
_BETWEEN = {
    "+": "+",
    "-": "−",
    "=": "=",
    "<": "<",
    ">": ">",
    "·": "·",
    r"\le": "≤",
    r"\leftarrow": "←",
    r"\odot": "⊙",
}
_ACCENTS = {r"\hat": "\N{COMBINING CIRCUMFLEX ACCENT}", r"\bar": "\N{COMBINING MACRON}"}
_TOKEN = re.compile(r"\\(?:text|mathrm)\{[^}]*\}|\\[A-Za-z]+|\\.|\S")


class _Set(NamedTuple):
    """A piece of a formula: as HTML, and in a line of text for screen readers."""

    html: str
    text: str


def html(*latex: str) -> str:
    r"""Formulas one beside the other, parted where they have \qquad; a line breaks between them and not within."""
    parts = [part.strip() for one in latex for part in one.split(r"\qquad")]
    return "".join(map(_formula, parts))


@lru_cache(maxsize=256)
def _formula(latex: str) -> str:
    made = _row(iter(_TOKEN.findall(latex)), latex)
    label = re.sub(r"\s+", " ", made.text).strip()
    return f'<span class="formula" role="math" aria-label="{escape(label)}">{made.html}</span> '


def _row(tokens: Iterator[str], latex: str) -> _Set:
    """All up to the brace that closes, or to the end."""
    pieces: list[_Set] = []
    scripts: dict[str, _Set] = {}  # of the last piece
    unary = True  # whether a sign that comes now is a number's own

    def hang() -> None:
        if scripts:
            pieces.append(_with_scripts(pieces.pop(), scripts))
            scripts.clear()

    for token in tokens:
        if token == "}":
            break
        if token in "_^":
            html, text = _one(tokens, latex)
            scripts[token] = _Set(html.replace(" ", ""), text.replace(" ", ""))
        elif token == "'":
            pieces.append(_Set("′", "′"))
        elif token in _BETWEEN:
            hang()
            sign = _BETWEEN[token] if unary else f" {_BETWEEN[token]} "
            pieces.append(_Set(escape(sign), sign))
            unary = True
        else:
            hang()
            pieces.append(_piece(token, tokens, latex))
            unary = token == "("
    hang()
    return _Set("".join(one.html for one in pieces), "".join(one.text for one in pieces))


def _with_scripts(base: _Set, scripts: dict[str, _Set]) -> _Set:
    marks = {"^": "sup", "_": "sub"}  # the upper one first, where one stands over the other
    made = "".join(f"<{tag}>{scripts[sign].html}</{tag}>" for sign, tag in marks.items() if sign in scripts)
    if len(scripts) == 2:
        made = f'<span class="scripts">{made}</span>'
    text = "".join(sign + _in_brackets(one.text) for sign, one in scripts.items())
    space = _THIN if base.text == "∑" else ""
    return _Set(base.html + made + space, base.text + text + space)


def _one(tokens: Iterator[str], latex: str) -> _Set:
    """What a script, an accent, a root or a part of a fraction takes: a group in braces, or one sign."""
    return _piece(next(tokens), tokens, latex)


def _piece(token: str, tokens: Iterator[str], latex: str) -> _Set:
    if token == "{":
        return _row(tokens, latex)
    if token in _UPRIGHT:
        return _Set(_UPRIGHT[token], _UPRIGHT[token])
    if token in _ITALIC or token.isalpha():
        letter = _ITALIC.get(token, token)
        return _Set(f"<i>{letter}</i>", letter)
    if token in _ACCENTS:
        letter = unicodedata.normalize("NFC", _one(tokens, latex).text + _ACCENTS[token])
        return _Set(f"<i>{letter}</i>", letter)
    if token == r"\sqrt":
        under = _one(tokens, latex)
        return _Set(f'√<span class="root">{under.html}</span>', f"√{_in_brackets(under.text)}")
    if token in (r"\frac", r"\tfrac"):
        above, below = _one(tokens, latex), _one(tokens, latex)
        made = f'<span class="{token[1:]}"><span>{above.html}</span><span>{below.html}</span></span>'
        return _Set(made, f"{_in_brackets(above.text)}/{_in_brackets(below.text)} ")
    if token.startswith((r"\text{", r"\mathrm{")):
        words = token.partition("{")[2].removesuffix("}")
        return _Set(escape(words), words)
    if token.startswith("\\"):
        raise ValueError(f"a formula must be made of what is known here. Got {token} in {latex}.")
    return _Set(escape(token), token)


def _in_brackets(text: str) -> str:
    return text if len(text) == 1 else f"({text})"
