"""What is checked before a version is released, by `make release-check`; no part of the package."""
