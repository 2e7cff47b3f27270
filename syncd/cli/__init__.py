"""The command line: parse, call, print. Nothing below imports it, and only it wires settings, store, connectors and engine together."""
