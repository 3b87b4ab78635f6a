"""Says in words when the Python at hand is too old or can't make environments."""

import sys

if sys.version_info < (3, 11):
    found = ".".join(str(part) for part in sys.version_info[:3])
    sys.exit(
        "Python 3.11 or newer is needed, this is " + found + " (" + sys.executable + ")\n"
        "If there is a newer one, name it: make PYTHON=python3.12 ..."
    )
try:
    import ensurepip  # noqa: F401 - Debian ships it apart
    import venv  # noqa: F401
except ImportError:
    sys.exit("This Python can't make environments; on Debian: sudo apt install python3-venv")
