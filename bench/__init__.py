"""The figures of the hub, measured: `make bench`, or `python -m bench --help`."""
