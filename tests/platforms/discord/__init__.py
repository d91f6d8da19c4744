"""Discord's adapter against a server over real sockets, and that server against Discord's own specification."""
