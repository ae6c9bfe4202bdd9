"""How much one process of the server takes on at the same time. The numbers hang together, so they stand together."""

CONNECTIONS = 512
"""Connections that are taken in; what is beyond waits in the kernel.

Each is a socket and little more, and half of what a process may usually have open (1,024 files) is left for the rest.
A client that is slow with its headers, its body or its reading keeps its connection for as long as
`entrypoints.http.timeouts.Timeouts` says, and no request thread at all.
"""

BACKLOG = 1024
"""Connections that wait in the kernel until they are taken in, where the system allows as many."""

THREADS = 64
"""Requests that are worked on: as many as the database has connections for (`adapters.sql.engine.MAX_CONNECTIONS`,
50), and some for those that need none. None of them ever waits for a client.
"""

UPLOADS = 32
"""Large bodies that are stored while they arrive. Each has a thread of its own, which waits for the client."""

UPLOADS_OF_A_USER = 4
UPLOADS_OF_AN_ADDRESS = 12
"""A share of these for one user, and for those at one address who have signed links, which name no user."""

DOWNLOADS = 64
"""Files that clients fetch from the embedded storage. Each holds an open file and about half a mebibyte."""

DOWNLOADS_OF_AN_ADDRESS = 24
"""A share of these for those at one address: a page full of pictures in four browsers of an office."""

MAX_HEAD_BYTES = 64 * 1024
"""Bytes of a request's line and headers, and of what is held of the requests that come before one is answered."""

MAX_HEADERS = 100

LINGER_SECONDS = 2.0
"""Seconds that a connection is read from, and nothing of that used, after the last answer on it was sent.

Closing it at once while a client still sends would make the system throw the answer away.
"""

STOP_SECONDS = 3.0
"""Seconds that requests have to see that their client is gone, once the service breaks them off at its stop."""

MAX_BUFFERED_BYTES = 64 * 1024 * 1024
"""Bytes of bodies, beyond the first 64 KiB of each, that all connections together may have in memory."""

EVENT_STREAMS = 64
"""Clients that follow an import. Each is in the database twice a second, and holds no thread in between."""

EVENT_STREAMS_OF_A_USER = 3
"""A few windows of one user, so that nobody can take all the places."""
