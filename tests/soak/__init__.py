"""Long runs, made once in a while by hand: `python -m tests.soak --minutes 60`."""
