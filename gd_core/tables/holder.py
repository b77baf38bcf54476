"""Who asks for a table that is not an example: a process that serves many has each find their own, and no other's."""

from collections.abc import Callable

who: Callable[[], str] = str
"""The one who asks now. In a command there is nobody else; where pages are served, `pages.ui.look.session` says whose they are."""
