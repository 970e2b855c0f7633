"""The five bytes: a site in memory, and as each core would fetch it."""
