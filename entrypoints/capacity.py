"""Limits of one server process, which depend on each other: connections, threads, transfers and memory."""

MAX_CONNECTIONS = 512
"""Accepted connections; further ones wait in the kernel.

Each is little more than a socket, and half of the files that a process may usually open (1,024) is left for the rest.
A client that is slow to send or to read keeps its connection for the times in
`entrypoints.http.server.timeouts.ServerTimeouts`, but no request thread.
"""

BACKLOG = 1024
"""Connections that wait in the kernel to be accepted, if the system allows as many."""

THREADS = 64
"""Concurrent requests: as many as the database has connections (`adapters.sql.engine.MAX_CONNECTIONS`, 50), and some
that need none. No thread ever waits for a client.
"""

MAX_UPLOADS = 32
"""Large bodies that are stored while they arrive. Each has its own thread, which waits for the client."""

MAX_UPLOADS_PER_USER = 4
MAX_UPLOADS_PER_ADDRESS = 12
"""The limits for one user, and for one address with signed links, which have no user."""

MAX_DOWNLOADS = 64
"""Concurrent downloads from the embedded storage. Each needs an open file and about half a mebibyte."""

MAX_DOWNLOADS_PER_ADDRESS = 24
"""The limit for one address: enough for a page full of pictures in four browsers of an office."""

MAX_HEAD_BYTES = 64 * 1024
"""Bytes of a request's line and headers, and of the data that is buffered while a request is answered."""

MAX_HEADERS = 100

LINGER_SECONDS = 2.0
"""Seconds for which a connection is read after the last response was sent; the data is discarded.

If the connection was closed at once while the client still sends, the system would discard the response.
"""

STOP_SECONDS = 3.0
"""Seconds for requests to end after the service has disconnected their clients at its stop."""

TRACES_SECONDS = 2.0
"""Seconds in which a process that stops exports its last spans, if it is traced, whatever the collector does."""

MAX_BUFFERED_BYTES = 64 * 1024 * 1024
"""Bytes of bodies in memory for all connections together, without the first 64 KiB of each."""

MAX_EVENT_STREAMS = 64
"""Clients that follow an import. Each reads the database twice a second, and uses no thread in between."""

MAX_EVENT_STREAMS_PER_USER = 3
"""The limit for one user: a few windows, so that no user can take all places."""
