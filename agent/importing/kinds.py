"""What the devices of a kind offer, so that imported metrics have the same units and types."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from agent.devices import KINDS
from agent.model import Metric

CORE = re.compile(r"core(\d{1,4})_usage", re.ASCII)


def metrics_of(kind: str, options: object | None) -> dict[str, Metric]:
    """The metrics of a kind by name, as far as they are known without a device.

    ``options`` are those of a device that is configured.
    """
    found = {metric.name: metric for metric in _KNOWN.get(kind, _nothing)()}
    if options is not None and kind in KINDS:
        driver = KINDS[kind]().driver(options, 1.0)  # no I/O before it is read
        found |= {metric.name: metric for metric in driver.metrics}
    return found


def host_metric(name: str) -> Metric | None:
    """The usage of a core: how many there are is known when the host is read."""
    core = CORE.fullmatch(name)
    if core is None:
        return None
    text = f"CPU time in use since the previous sample, core {core[1]}"
    return Metric(name, "%", help=text)


def _host() -> Sequence[Metric]:
    from agent.devices.host.driver import Host
    from agent.devices.host.options import Options

    cores = (host_metric(f"core{number}_usage") for number in range(128))
    return [*Host(Options(), 1.0).metrics, *filter(None, cores)]


def _benchlab() -> Iterator[Metric]:
    from agent.devices.benchlab.layout import PRODUCTS, layout_for

    for product in PRODUCTS.values():
        yield from layout_for(product, product.firmwares[-1]).metrics


def _thermostat() -> Iterator[Metric]:
    from agent.devices.thermostat.fields import FIELDS

    for field in FIELDS.values():
        for channel in (0, 1):
            yield field.metric(channel)


def _heat_pump() -> Iterator[Metric]:
    from agent.importing.heat_pump import all_metrics

    return all_metrics()


def _nothing() -> Sequence[Metric]:
    return ()


_KNOWN: Mapping[str, Callable[[], Sequence[Metric] | Iterator[Metric]]] = {
    "host": _host,
    "benchlab": _benchlab,
    "thermostat": _thermostat,
    "luxtronik": _heat_pump,
}
