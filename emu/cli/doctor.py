"""textpoke doctor: can this computer run textpoke, and if not, what would help?"""

import dataclasses

import typer

from emu.cli import console, options


def doctor(as_json: options.Json = False) -> None:
    """Say whether this computer can run textpoke.

    Exit status: 0 everything required is there, 2 something is not.
    """
    from emu.cli import checks  # noqa: PLC0415 -- looks at everything that is installed

    found = checks.all_checks()
    fine = all(check.state != checks.BAD for check in found)
    if as_json:
        console.document({"ok": fine, "checks": [dataclasses.asdict(check) for check in found]})
    else:
        width = max(len(check.name) for check in found)
        for check in found:
            advice = f": {check.advice}" if check.advice else ""
            console.line(f"{check.state:4} {check.name:{width}}  {check.detail}{advice}")
        console.line("textpoke can run here" if fine else "textpoke cannot run here yet")
    raise typer.Exit(0 if fine else 2)
