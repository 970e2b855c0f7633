"""Why a run ended."""

import enum


class End(enum.Enum):
    """Why a run ended."""

    TEXT = "the text was seen"
    EXIT = "the guest ended the machine"
    BOUND = "the bound was reached"
    DIED = "a core cannot go on"
    STUCK = "nobody can move"
    INTERRUPTED = "the run was interrupted"
