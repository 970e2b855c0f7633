"""The window of textpoke: Qt views of the scenes that emu makes; emu never imports it."""
