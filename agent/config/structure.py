"""From plain tables to frozen classes: strict about types, and all faults at once."""

import math
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import (
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)

from agent.config.faults import ReferencedText, Unresolved, did_you_mean, nearest, shown
from agent.config.options import Secret

T = TypeVar("T")
UNKNOWN_KEY = "unknown key"
NOTHING: Mapping[type, Any] = {str: "", int: 0, float: 0.0, bool: False, Secret: Secret("")}


class OptionError(ValueError):
    """A value that an option does not allow; the text says what was found and what is allowed."""


def _refuse(found: object, allowed: str) -> OptionError:
    if isinstance(found, Unresolved):
        return OptionError(found.reason)
    return OptionError(f"found {shown(found)}, allowed: {allowed}{_reference_hint(found)}")


def _reference_hint(found: object) -> str:
    """What ``{ flie = "x" }`` was meant to be; what it holds is not shown."""
    if not isinstance(found, dict) or len(found) != 1:
        return ""
    ((word, value),) = found.items()
    meant = nearest(str(word), ("env", "file"))
    return f", did you mean {meant!r}?" if meant and isinstance(value, str) else ""


def _float(found: Any, _: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise _refuse(found, "a number")
    try:
        number = float(found)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _refuse(found, "a finite number")
    return number


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
    if any("\ud800" <= character <= "\udfff" for character in found):
        raise _refuse(found, "a text in UTF-8")  # a variable's; no file can hold it
    return found  # as it is: a referenced text stays known as one


def _secret(found: Any, _: Any) -> Secret:
    if isinstance(found, Unresolved):
        raise OptionError(found.reason)
    if not isinstance(found, ReferencedText):
        allowed = '{ file = "path" } or { env = "NAME" }, so that it stands in no configuration'
        what = "a table" if isinstance(found, dict) else "it written out"
        raise OptionError(f"found {what}, allowed: {allowed}{_reference_hint(found)}")
    return Secret(str(found))


def base_type(hint: Any) -> Any:
    """The plain type of an option: without ``Annotated`` and without ``None``.

    >>> base_type(Annotated[float, "range"] | None)
    <class 'float'>
    """
    if get_origin(hint) is Annotated:
        return base_type(get_args(hint)[0])
    if get_origin(hint) in (typing.Union, types.UnionType):
        return base_type(next(arg for arg in get_args(hint) if arg is not type(None)))
    return hint


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
    item = get_args(hint)[0]
    items: Any = types.GenericAlias(list, (item,))
    allowed = "tables, with [[ ]] around their name" if attrs.has(base_type(item)) else "a list"

    def structure(found: Any, _: Any) -> Any:
        if not isinstance(found, list):
            raise _refuse(found, allowed)
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


def partial(table: object, into: type[T]) -> T:
    """The object of a faulty table: what is wrong or missing has its default, or nothing.

    With it the faults between options are found at once with those of single ones.
    """
    hints = typing.get_type_hints(into, include_extras=True)
    found = table if isinstance(table, Mapping) else {}
    converter = _converter()
    values = {}
    for field in attrs.fields(into):  # type: ignore[arg-type]
        values[field.alias] = _partial(found.get(field.name), field, hints[field.name], converter)
    return into(**values)


def _partial(
    found: object, field: "attrs.Attribute[Any]", hint: Any, converter: cattrs.Converter
) -> Any:
    base = base_type(hint)
    if is_tuple(base) and isinstance(found, list) and attrs.has(get_args(base)[0]):
        return tuple(partial(each, get_args(base)[0]) for each in found)
    try:
        return converter.structure(found, hint)
    except (OptionError, IterableValidationError, ClassValidationError):
        pass
    if attrs.has(base) and base is not Secret:
        return partial(found, base)
    default: Any = field.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return default.factory()
    return NOTHING.get(base, ()) if default is attrs.NOTHING else default


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
            yield key, f"{UNKNOWN_KEY} {shown(extra)}{did_you_mean(extra, allowed)}"
    elif isinstance(error, KeyError):
        yield key, "missing, it has no default"
    else:
        yield key, str(error)
