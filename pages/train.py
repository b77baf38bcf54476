"""Page: Train. Watch gradient descent fit a curve."""

from pages.ui import controls, look

look.apply()
look.title(
    "Train", "Watch the curve bend towards the data while the error falls. Then ask: could it fall further?"
)
held = controls.side_bar()
place = look.place_for_charts()

with place:  # torch is loaded here, after the controls have appeared
    from pages.ui import lab

    lab.show(held)
