"""From plain tables to frozen classes: strict about types, and all faults at once."""

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import (
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)

from agent.config.faults import did_you_mean, shown
from agent.config.options import Secret

T = TypeVar("T")


class ReferencedText(str):
    """A text that came from a file or the environment, and so may be a secret."""

    __slots__ = ()


class OptionError(ValueError):
    """A value that an option does not allow; the text says what was found and what is allowed."""


def _refuse(found: object, allowed: str) -> OptionError:
    what = "a text from a file or the environment" if isinstance(found, ReferencedText) else None
    return OptionError(f"found {what or shown(found)}, allowed: {allowed}")


def _float(found: Any, _: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise _refuse(found, "a number")
    return float(found)


def _int(found: Any, _: Any) -> int:
    if isinstance(found, bool) or not isinstance(found, int):
        raise _refuse(found, "a whole number")
    return found


def _bool(found: Any, _: Any) -> bool:
    if not isinstance(found, bool):
        raise _refuse(found, "true or false")
    return found


def _str(found: Any, _: Any) -> str:
    if not isinstance(found, str):
        raise _refuse(found, "a text in quotes")
    return str(found)


def _secret(found: Any, _: Any) -> Secret:
    if not isinstance(found, ReferencedText):
        allowed = '{ file = "path" } or { env = "NAME" }, so that it stands in no configuration'
        raise OptionError(f"found it written out, allowed: {allowed}")
    return Secret(str(found))


def is_constrained(hint: Any) -> bool:
    """Whether a type is ``Annotated`` with ranges or choices of ``options.py``."""
    return get_origin(hint) is Annotated


def is_tuple(hint: Any) -> bool:
    """Whether a type is a tuple of any length."""
    return get_origin(hint) is tuple


def _constrained(hint: Any, converter: cattrs.Converter) -> Any:
    base, *constraints = get_args(hint)

    def structure(found: Any, _: Any) -> Any:
        value = converter.structure(found, base)
        for constraint in constraints:
            if not constraint.allows(value):
                hint = constraint.hint(value) if hasattr(constraint, "hint") else ""
                raise _refuse(found, f"{constraint}{hint}")
        return value

    return structure


def _tuple(hint: Any, converter: cattrs.Converter) -> Any:
    items: Any = types.GenericAlias(list, (get_args(hint)[0],))

    def structure(found: Any, _: Any) -> Any:
        if not isinstance(found, list):
            raise _refuse(found, "a list")
        return tuple(converter.structure(found, items))

    return structure


def _attrs_class(hint: Any, converter: cattrs.Converter) -> Any:
    inner = cattrs.gen.make_dict_structure_fn(
        hint, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True
    )

    def structure(found: Any, _: Any) -> Any:
        if not isinstance(found, Mapping):
            raise _refuse(found, "a table")
        return inner(found, hint)

    return structure


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True)
    for kind, hook in ((float, _float), (int, _int), (bool, _bool), (str, _str)):
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook(Secret, _secret)
    converter.register_structure_hook_factory(is_tuple, lambda hint: _tuple(hint, converter))
    converter.register_structure_hook_factory(
        lambda hint: attrs.has(hint) and hint is not Secret,
        lambda hint: _attrs_class(hint, converter),
    )
    converter.register_structure_hook_factory(
        is_constrained, lambda hint: _constrained(hint, converter)
    )
    return converter


def structure(table: Mapping[str, Any], into: type[T]) -> tuple[T | None, list[tuple[str, str]]]:
    """``table`` as an object of the class ``into``.

    Returns:
        The object, or ``None`` and a list of (key, text), one for each fault. A key inside a
        list of tables reads ``tag[2].address``, counted from 1.
    """
    try:
        return _converter().structure(table, into), []
    except ClassValidationError as exc:
        return None, list(_faults(exc, ""))


def _faults(error: BaseException, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(error, ClassValidationError):
        named, unnamed = error.group_exceptions()
        for exc, note in named:
            yield from _faults(exc, f"{key}.{note.name}" if key else note.name)
        for exc in unnamed:
            yield from _faults(exc, key)
    elif isinstance(error, IterableValidationError):
        indexed, _ = error.group_exceptions()
        for exc, place in indexed:
            yield from _faults(exc, f"{key}[{int(place.index) + 1}]")
    elif isinstance(error, ForbiddenExtraKeysError):
        allowed = [field.name for field in attrs.fields(error.cl)]
        for extra in sorted(error.extra_fields):
            yield key, f"unknown key {extra!r}{did_you_mean(extra, allowed)}"
    elif isinstance(error, KeyError):
        yield key, "missing, it has no default"
    else:
        yield key, str(error)
