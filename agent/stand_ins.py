"""Imports a library without the large modules that it names and the agent has no use for."""

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def standing_in(modules: Mapping[str, Mapping[str, object]]) -> Iterator[None]:
    """Meanwhile each of these modules has only these names, unless it is loaded already.

    Afterwards whoever imports one of them gets it whole. Another thread might import one
    meanwhile and keep what stands in for it: where there are others, nothing does.
    """
    wanted = modules if threading.active_count() == 1 else {}
    stand_ins = {name: ModuleType(name) for name in wanted if name not in sys.modules}
    for name, module in stand_ins.items():
        vars(module).update(modules[name])
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
