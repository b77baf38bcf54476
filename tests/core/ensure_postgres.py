"""Make sure that the tests of the class's store have a PostgreSQL. Silent when there is one; otherwise install it."""

import sys

from postgres import SORRY, programs

from ensure_chromium import install_debian

if __name__ == "__main__":
    if not (programs() or (install_debian("postgresql") and programs())):
        print(SORRY, file=sys.stderr)
        sys.exit(1)
