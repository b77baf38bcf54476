"""A rule is added in two places, its equation and its entry. Then all pages have it, or say that they do not."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WALK = """
import re
import sign_descent
sign_descent.added()
from lesson_page import LessonPage
from train_page import Lab

RULE = {"optimizer": "sign-descent"}

# Train: the run, its step written out, its script by hand, and why torch.optim has none
lab = Lab(dataset="two-features", learning_rate="0.05", epochs="40", **RULE)
lab.at.session_state["tab"] = "Steps"
lab.press("train")
assert "Still descending after 40 epochs" in lab.player["summary"], lab.player
html = "".join(element.proto.body for element in lab.at.get("html"))
step = re.search('<div class="steps">(.*?)</div>', html).group(1)
assert len(re.findall(r"w₁ ← <[^>]*>[^<]*</output> − 0.05 × sign\\(<", step)) == 1, step
lab.press("take_away")
assert "theta -= learning_rate * gradient.sign()" in lab.at.code[-1].value
lab.at.button_group("flavour").set_value("torch-optim")
lab.run()
assert any("torch.optim has no rule Sign descent" in line.value for line in lab.at.markdown)
assert not any("torch.optim" in code.value for code in lab.at.code)

# Variants: it races beside all others, with a line of its own and words of its own
page = LessonPage("variants", ask="false", epochs="12")
table = next(e.proto.body for e in page.at.get("html") if "<table" in e.proto.body and "race" in e.proto.body)
rows = table.split("<tr>")
assert sum("Sign descent" in row for row in rows) == 1
own = next(row for row in rows if "Sign descent" in row)
assert "The same step for every parameter" in own and "Its steps never get shorter" in own and "nothing" in own
assert "Keeps 2 numbers for each parameter" not in own
marks = re.findall('src="(data:image[^"]*)"', table)
assert len(marks) == len(set(marks)) == 9
LessonPage("variants", ask="false", epochs="12", small_batches="true", unit="row", racers="batch,sign-descent")

# Learning rate: no limit, and a challenge
page = LessonPage("learning_rate", ask="false", epochs="30", **RULE)
assert sign_descent.WHY in page.words
page.press("try")
assert "needs" in page.words

# Compare: each rule once
page = LessonPage("compare")
assert page.at.button("example_rules").label == "Eight update rules"
page.press("example_rules")
assert [field.value for field in page.at.text_input][-1] == "Sign descent"

# Where a lesson has rules of its own, it says which
assert LessonPage("deep_networks", **RULE).complaints[0].startswith("Update rule must be one of gradient-descent, ")
assert LessonPage("gradient", **RULE).complaints[0].startswith("Update rule must be gradient-descent in this lesson.")
"""


def test_two_places_are_enough():
    """Train with its Steps tab and scripts, Variants, Learning rate and Compare have it; other lessons name theirs."""
    paths = [str(ROOT), str(Path(__file__).parent), str(ROOT / "tests" / "core")]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.path[:0] = {paths}\n{WALK}"],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
