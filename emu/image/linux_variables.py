"""The types of Linux's own variables that its BTF does not tell.

BTF has the types of per-CPU variables and of no others, so `objects["init_task"]` would be an
address without a meaning. These are the variables by which everything else is found, as the kernel
declares them; one that a kernel does not have is not in its symbols, and nobody misses it.
Sources: include/linux/sched/task.h, ftrace.h, livepatch.h, kernel/livepatch/transition.c,
kernel/module/main.c, kernel/kprobes.c, arch/x86/kernel/alternative.c.
"""

from collections.abc import Iterable
from functools import partial
from typing import Final

from emu.errors import BadSymbol
from emu.image.btf import BtfReader
from emu.image.c_types import EnumType, FunctionType, Type
from emu.image.types import Types, Variable

VARIABLES: Final = {
    "init_task": "struct task_struct",
    "init_mm": "struct mm_struct",
    "modules": "struct list_head",
    "ftrace_ops_list": "struct ftrace_ops *",
    "ftrace_pages_start": "struct ftrace_page *",
    "klp_patches": "struct list_head",
    "klp_transition_patch": "struct klp_patch *",
    "klp_target_state": "int",
    "kprobe_table": "struct hlist_head[64]",
    "bp_desc": "struct bp_patching_desc",
    "tp_vec": "struct text_poke_loc[256]",
    "tp_vec_nr": "int",
    "rcu_tasks": "struct rcu_tasks",
    "rcu_tasks_rude": "struct rcu_tasks",
    "rcu_tasks_trace": "struct rcu_tasks",
    "__per_cpu_offset": "unsigned long[8192]",
    "__cpu_online_mask": "struct cpumask",
    "nr_cpu_ids": "unsigned int",
    "nr_threads": "int",
    "phys_base": "unsigned long",
    "page_offset_base": "unsigned long",
    "jiffies": "unsigned long",
    "system_state": "enum system_states",
    "saved_command_line": "char *",
    "ftrace_enabled": "int",
    "ftrace_disabled": "int",
}


class KernelReader:
    """Types from a kernel's BTF, and those above; a `TypeReader`."""

    def __init__(self, btf: BtfReader) -> None:
        self._btf = btf
        self._types = Types(btf)

    @property
    def pointer_size(self) -> int:
        """Bytes of a pointer."""
        return self._btf.pointer_size

    def type_named(self, name: str) -> Type | None:
        """Return the type C calls `name`, or None."""
        return self._btf.type_named(name)

    def variables(self, name: str) -> tuple[Variable, ...]:
        """Return the variables called `name`: those of BTF, else the one that is known here."""
        found = self._btf.variables(name)
        wanted = VARIABLES.get(name)
        if found or wanted is None:
            return found
        try:
            self._types[wanted]
        except BadSymbol:
            return ()  # of this kernel it is something else
        return (Variable(name, None, "", "", True, partial(self._types.__getitem__, wanted)),)

    def variable_at(self, address: int) -> None:
        """Return None: neither has addresses."""
        return self._btf.variable_at(address)

    def function(self, name: str) -> FunctionType | None:
        """Return the type of the function `name`, or None."""
        return self._btf.function(name)

    def enumerator(self, name: str) -> EnumType | None:
        """Return the enumeration that has a value called `name`, or None."""
        return self._btf.enumerator(name)

    def type_names(self) -> Iterable[str]:
        """Return the names of all types."""
        return self._btf.type_names()

    def variable_names(self) -> Iterable[str]:
        """Return the names of all variables whose type is known."""
        return dict.fromkeys((*self._btf.variable_names(), *VARIABLES))

    def function_names(self) -> Iterable[str]:
        """Return the names of all functions."""
        return self._btf.function_names()
