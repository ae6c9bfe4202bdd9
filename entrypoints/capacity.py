"""How much one process of the server takes on at the same time. The numbers hang together, so they stand together."""

CONNECTIONS = 512
"""Connections that are taken in; what is beyond waits in the kernel.

Each is a socket and little more, and half of what a process may usually have open (1,024 files) is left for the rest.
A client that is slow with its headers, its body or its reading keeps its connection for as long as
`entrypoints.http.asgi.Patience` says, and no thread until the beginning of its body is there.
"""

THREADS = 64
"""Requests that are worked on: as many as the database has connections for (`adapters.sql.engine.MOST_CONNECTIONS`,
50), and room for those that only wait: for the next event, or for a client that sends or fetches a large file.
"""

EVENT_STREAMS = 16
"""Clients that follow an import. Each keeps a thread for minutes, and is in the database twice a second."""

EVENT_STREAMS_OF_A_USER = 3
"""A few windows of one user, so that nobody can take all the places."""
