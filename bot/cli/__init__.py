"""One file = one command of `vigie`."""
