"""The service: what the library does, over HTTP, with no logic of its own."""
