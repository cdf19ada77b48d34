"""Tools for assistants (Model Context Protocol): what the library answers, and no more."""
