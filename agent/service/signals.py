"""What is being undone is undone to its end, whoever asks to stop."""

import signal
import threading
from collections.abc import Mapping
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ignore() -> Mapping[signal.Signals, Any]:
    """Ignore all that would stop this process; what each did before, for ``restore()``."""
    if threading.current_thread() is not threading.main_thread():
        return {}  # only the main thread is ever interrupted
    return {number: signal.signal(number, signal.SIG_IGN) for number in STOPPING}


def restore(former: Mapping[signal.Signals, Any]) -> None:
    """Have signals do again what they did."""
    for number, handler in former.items():
        if handler is not None:  # None: it was not set from Python
            signal.signal(number, handler)
