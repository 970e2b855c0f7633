"""The machine: a small multi-core PC on one Unicorn engine. It knows no kernel."""
