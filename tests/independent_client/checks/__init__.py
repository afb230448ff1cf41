"""One module per service; each has `run(world)`."""
