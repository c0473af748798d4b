"""Put an edit into loaded code: the function keeps its identity and gets other instructions.

Whoever has imported the function, decorated it or keeps it in a table runs the edited code from then on.
"""

from __future__ import annotations
import __future__

import ast
import importlib
import inspect
import textwrap
from types import CodeType, FunctionType
from typing import Any

from benchmarks.power.fault import Edit


def apply(edit: Edit, module: str) -> None:
    """Edit the function.

    Args:
        edit: What to change.
        module: The architecture's modelling module, for places without one.

    Raises:
        ValueError: the text to replace does not occur as often as the edit says.
    """
    function = _function(edit.at, module)
    source = textwrap.dedent(inspect.getsource(function))
    if source.count(edit.old) != edit.times:
        raise ValueError(f"{edit.at} holds {edit.old!r} {source.count(edit.old)} times, not {edit.times}")
    edited = _compiled(source.replace(edit.old, edit.new), function)
    function.__code__ = edited.__code__
    function.__defaults__, function.__kwdefaults__ = edited.__defaults__, edited.__kwdefaults__


def _function(place: str, module: str) -> FunctionType:
    name, _, path = place.rpartition(":")
    found: Any = importlib.import_module(name or module)
    for part in path.split("."):
        found = inspect.getattr_static(found, part) if inspect.isclass(found) else getattr(found, part)
    found = inspect.unwrap(getattr(found, "__func__", getattr(found, "fget", found)))
    assert isinstance(found, FunctionType), place
    return found


def _compiled(source: str, function: FunctionType) -> FunctionType:
    """The function of that source, closing over the same names (`__class__`, for `super()`)."""
    free = function.__code__.co_freevars
    tree = ast.parse(source)
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    maker = ast.parse(f"def maker({', '.join(free)}):\n    return {definition.name}").body[0]
    assert isinstance(maker, ast.FunctionDef)
    maker.body.insert(0, definition)
    tree.body = [maker]
    flags = __future__.annotations.compiler_flag
    code = compile(ast.fix_missing_locations(tree), f"<edited {function.__qualname__}>", "exec", flags=flags)
    assert isinstance(code, CodeType)
    names = dict(function.__globals__)
    exec(code, names)
    made = names["maker"](*[None] * len(free))
    assert isinstance(made, FunctionType)
    assert made.__code__.co_freevars == free, made.__code__.co_freevars
    return made
