"""The reference engine: the machine's functions uncompiled, on the same arrays.

Every source of emu.machine that is compiled is imported a second time, under the same name but
with `plain` in the place of `native` and `view`, and ints in the place of 64-bit numbers. So a
new device or hook is in both engines without being listed anywhere: hooks are registered by the
second `hooks.install`. Nothing is compiled.

What it is for: numba's idea of our code is checked by Python's, and CI compares hashes and
events. It is some hundred times slower.
"""

import ast
import builtins
import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from emu.machine import plain, plain_numbers
from emu.machine.state import State

_PACKAGE = Path(__file__).resolve().parent
_PREFIX = "emu.machine"
_COMPILED = f"{_PREFIX}.native".encode()  # what a source imports that is compiled
_STAND_INS = {
    f"{_PREFIX}.native": plain,
    f"{_PREFIX}.view": plain,
    "numpy": plain_numbers.numpy,
}
_SHIFTED, _FILL = "_textpoke_shifted", "_textpoke_fill"


class _Cut(ast.NodeTransformer):
    """Puts `plain_numbers` where the operators of Python do something else than native code."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        constant = isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant)
        if not isinstance(node.op, ast.LShift) or constant:
            return node
        return _call(_SHIFTED, node.left, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.LShift):
            return node
        if not isinstance(node.target, ast.Name):
            raise NotImplementedError(f"line {node.lineno}: <<= of anything but a variable")
        value = _call(_SHIFTED, ast.Name(node.target.id, ast.Load()), node.value)
        return ast.Assign([node.target], value)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        target = node.targets[0]
        if not isinstance(target, ast.Subscript) or not isinstance(target.slice, ast.Slice):
            return node
        edges = (target.slice.lower, target.slice.upper, target.slice.step)
        where = _call("slice", *(edge or ast.Constant(None) for edge in edges))
        return ast.Expr(_call(_FILL, target.value, where, node.value))


def _call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(arguments), [])


@functools.cache
def module(name: str) -> ModuleType:
    """Return the uncompiled second of a module of emu.machine; itself if nothing is compiled."""
    source = _PACKAGE / f"{name}.py"
    text = source.read_bytes()
    if _COMPILED not in text:
        return importlib.import_module(f"{_PREFIX}.{name}")
    tree = _Cut().visit(ast.parse(text, str(source)))
    code = compile(ast.fix_missing_locations(tree), str(source), "exec")
    made = ModuleType(f"{_PREFIX}.{name}")
    namespace = vars(made)
    namespace["__builtins__"] = {**vars(builtins), "__import__": _import}
    namespace[_SHIFTED], namespace[_FILL] = plain_numbers.shifted, plain_numbers.fill
    exec(code, namespace)  # noqa: S102 -- our own source
    return made


def _import(name: str, _globals: Any = None, _locals: Any = None, wanted: Any = (), level: int = 0):  # type: ignore[no-untyped-def] # Python prescribes it
    """Import for an uncompiled module: from other such modules, and from `plain`."""
    if name in _STAND_INS:
        return _STAND_INS[name]
    if name == _PREFIX:
        return SimpleNamespace(**{each: module(each) for each in wanted})
    if name.startswith(f"{_PREFIX}."):
        return module(name.removeprefix(f"{_PREFIX}."))
    return builtins.__import__(name, _globals, _locals, wanted, level)


class Entrances:
    """The functions of an uncompiled module, to be called with a State and numpy's arrays."""

    def __init__(self, name: str) -> None:
        self._module = module(name)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        made = _entrance(found) if isinstance(found, FunctionType) else found
        setattr(self, name, made)
        return made


def _entrance(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def enter(*arguments: Any) -> Any:
        with np.errstate(over="ignore"):  # SplitMix64 wraps round
            return function(*map(_inward, arguments))

    return enter


def _inward(argument: Any) -> Any:
    if isinstance(argument, State):
        return plain.view(argument)
    if isinstance(argument, np.ndarray):
        return plain_numbers.shared(argument)
    return int(argument) if isinstance(argument, np.integer) else argument
