"""What the kernel has of code that is in no image: modules, trampolines of ftrace.

They come and go, so they are looked for anew whenever the machine has moved. Names first: a stack
needs their ORC tables, too. Sources: kernel/trace/ftrace.c, ftrace_mod_get_kallsym; docs of
`guest.orc_frames`.
"""

from contextlib import suppress

from emu.errors import BadImage, BadSymbol, TextpokeError
from emu.guest.code import CodeRegion
from emu.guest.linux.ftrace import Ftrace, FtraceOps
from emu.guest.linux.modules import Module, Modules
from emu.guest.orc_frames import OrcFrames
from emu.image.objects import Objects
from emu.image.orc import OrcTable
from emu.image.symbols import Symbol, Symbols

_SAVE_REGS = "SAVE_REGS"
_TEMPLATES = ("ftrace_caller", "ftrace_regs_caller")
_ENTRY, _WORD = 6, 4  # bytes of an entry of orc_unwind, and of a word of orc_unwind_ip


class GeneratedCode:
    """The code of modules and trampolines, with names, and with ORC tables where there are any.

    frames: of the kernel; None if it has no ORC tables.
    """

    def __init__(self, objects: Objects, frames: OrcFrames | None) -> None:
        self._objects, self._frames = objects, frames
        self._modules = self._ftrace = None
        with suppress(BadSymbol, BadImage):
            self._modules = Modules(objects)
        with suppress(BadSymbol, BadImage):
            self._ftrace = Ftrace(objects)

    def regions(self) -> tuple[CodeRegion, ...]:
        """Return the code there is now."""
        modules = () if self._modules is None else self._modules.all()
        ops = () if self._ftrace is None else self._ftrace.ops()
        found = [region for module in modules for region in self._of_module(module)]
        found += [region for each in ops for region in self._of_ops(each)]
        return tuple(found)

    def _of_module(self, module: Module) -> list[CodeRegion]:
        found = []
        table = self._table(module)
        for text in (module.text, module.init):
            if text is None or text[0] >= text[1]:
                continue
            if table is not None and self._frames is not None:
                found.append(self._frames.module(text, table, module.symbols))
            else:
                found.append(CodeRegion(*text, "module", module.symbols, lambda _address: None))
        return found

    def _table(self, module: Module) -> OrcTable | None:
        """Return the ORC table of a module; None while it is not sorted, or has none."""
        words, entries, count = module.orc
        if self._frames is None or not count:
            return None
        try:
            read = self._objects.read
            return OrcTable(
                module.name,
                read(words, count * _WORD),
                words,
                read(entries, count * _ENTRY),
                self._frames.layout,
            )
        except TextpokeError:
            return None

    def _of_ops(self, ops: FtraceOps) -> list[CodeRegion]:
        if ops.trampoline is None:
            return []
        name = f"trampoline of {self._objects.symbols.describe(ops.func)}"
        template = _TEMPLATES[_SAVE_REGS in ops.flags]
        if self._frames is not None and template in self._objects.symbols:
            return [self._frames.trampoline(ops.trampoline, template, name)]
        begin, end = ops.trampoline
        named = Symbols([Symbol(name, begin, end - begin, "func")])
        return [CodeRegion(begin, end, "trampoline", named, lambda _address: None)]
