"""The browser writes numbers as `gd_core/words.py` does."""

import math
import random

from playwright.sync_api import BrowserContext

from gd_core import words
from serving import ROOT

HOSTILE = [
    0, -0.0, 1, 5e-324, 1e-300, 2e-16, 9.99949e-5, 9.9995e-5, 1e-4, 0.099996, 0.9999999, 0.999, 1.00003, 1.003, 1.0049,
    9.9999999, 12.5, 999.4, 999.6, 999.96, 1000, -1234.6, 123456.7, 9999999.4, 1e7, 9.87e14, 1e15, -1e300, math.inf, -math.inf,
]  # fmt: skip


def test_numbers_are_written_alike_in_python_and_in_the_browser(profile: BrowserContext):
    """Hostile ones and 2,000 drawn over forty decades, by every function that both have."""
    dice = random.Random(0)
    numbers = HOSTILE + [dice.choice((-1, 1)) * 10 ** dice.uniform(-20, 20) for _ in range(2000)]
    numbers += [1 + dice.choice((-1, 1)) * 10 ** dice.uniform(-14, -1) for _ in range(200)]
    page = profile.new_page()
    page.add_script_tag(path=ROOT / "pages/ui/look/numbers.js")
    every = "[significant(n), significant(n, 3), short(n), short(n, 6), percent(n), times(n)]"
    found = page.evaluate(
        f"all => all.map(Number).map(n => {every})", [repr(n).replace("inf", "Infinity") for n in numbers]
    )
    pairs = [
        (one, one * (1 + dice.choice((0, 1e-7, 1e-5, 1e-4, 1e-3)))) for one in numbers if math.isfinite(one)
    ]
    digits = page.evaluate("all => all.map(([one, other]) => digitsBeside(one, other))", pairs)
    page.close()
    assert digits == [words.digits_beside(*pair) for pair in pairs]
    for number, told in zip(numbers, found, strict=True):
        expected = [words.significant(number), words.significant(number, 3), words.short(number)]
        assert told == [*expected, words.short(number, 6), words.percent(number), words.times(number)], number
