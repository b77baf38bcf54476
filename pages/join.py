"""The class on a phone, by Streamlit: what `join` answers where the server's own page for phones does not."""

from pages.ui.classroom import student
from pages.ui.look import look

look.apply()
student.show()
