"""Names and types of stock kernels, each held against what the other says."""

import itertools

from emu.image.c_types import StructType
from emu.image.linux_image import LinuxImage
from emu.image.linux_variables import VARIABLES

SIZES = {  # pahole of 6.1.0-56-cloud-amd64
    "ftrace_ops": 184, "dyn_ftrace": 16, "klp_func": 152, "klp_patch": 200, "text_poke_loc": 16,
    "pt_regs": 168, "task_struct": 9728, "rq": 3264,
}  # fmt: skip


def test_symbols_are_in_the_kernel_and_in_order(linuxes: list[LinuxImage]) -> None:
    for image in linuxes:
        symbols = list(image.symbols)
        assert len(symbols) > 50_000
        addresses = [symbol.address for symbol in symbols]
        assert addresses == sorted(addresses)
        assert image.link_address(image.boot_image.entry) == image.symbols["startup_64"].address
        functions = [symbol for symbol in symbols if symbol.kind == "func"]
        assert len(functions) > 20_000
        code = [each for each in functions if image.is_executable(each.address)]
        assert len(code) > 0.99 * len(functions)
        for name in ("do_syscall_64", "cmdline_proc_show", "text_poke_bp_batch"):
            symbol = image.symbols.function(name)
            assert image.is_executable(symbol.address)
            assert image.symbols.describe(symbol.address + symbol.size - 1).startswith(f"{name}+")


def test_most_sites_are_entries_of_functions_by_name(linuxes: list[LinuxImage]) -> None:
    for image in linuxes:
        sites = set(image.sites.all)
        assert len(image.sites.functions) > 0.9 * len(sites) > 10_000


def test_types_have_the_sizes_of_the_variables(linuxes: list[LinuxImage]) -> None:
    for image in linuxes:
        names = [name for name in VARIABLES if name in image.symbols]
        assert len(names) > 0.8 * len(VARIABLES)
        for name in names:
            known = image.types.variables(name)
            assert known, name
            assert known[0].type.size <= image.symbols[name].size, name
        for name in ("init_task", "ftrace_ops_list"):
            left = image.symbols[name].size - image.types.variable(name).size
            assert 0 <= left < 64, name


def test_per_cpu_variables_have_types_and_places_in_their_area(linuxes: list[LinuxImage]) -> None:
    for image in linuxes:
        end = image.symbols["__per_cpu_end"].address
        names = set(image.types.variable_names()) - VARIABLES.keys()
        assert "runqueues" in names
        for name in names:
            symbol = image.symbols[name]
            assert symbol.kind == "percpu"
            assert symbol.address + image.types.variable(name).size <= end


def test_every_type_is_made(linuxes: list[LinuxImage]) -> None:
    for image in linuxes:
        names = image.types.names()
        assert len(names) > 5000
        for name in itertools.islice(names, 0, None, 10):
            assert str(image.types[name])


def test_sizes_are_those_that_pahole_prints(linuxes: list[LinuxImage]) -> None:
    for image in linuxes:
        task = image.types.struct("task_struct")
        assert task.member("comm").size == 16
        behind = task.member("stack_refcount")
        assert isinstance(image.types["struct ftrace_ops"], StructType)
        assert behind.offset % 4 == 0
        if b"Linux version 6.1.0-56-cloud-amd64 " in image.read_virtual(
            image.symbols["linux_banner"].address, 64
        ):
            assert {name: image.types.struct(name).size for name in SIZES} == SIZES
