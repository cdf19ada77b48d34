"""Addresses of the service, by what they are about; each calls the library and nothing else."""
