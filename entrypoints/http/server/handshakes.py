"""Stop the kernel from starting further TCP handshakes on a listening socket that is about to be closed."""

import ctypes
import socket
import struct
import sys
from contextlib import suppress

SO_ATTACH_FILTER = 26
"""The socket option of this name (asm-generic/socket.h of Linux), which the module `socket` does not have."""

_INSTRUCTION = struct.Struct("HBBI")
"""A `struct sock_filter` (linux/filter.h): operation, instructions to skip if true, to skip if false, operand."""

_INSTRUCTIONS = (
    (0x30, 0, 0, 13),  # load the byte at offset 13 of the TCP header: its flags
    (0x45, 0, 1, 0x02),  # is SYN set?
    (0x06, 0, 0, 0),  # if it is, drop the packet
    (0x06, 0, 0, 0xFFFF),  # otherwise keep the packet
)


def drop_new_handshakes(listening: socket.socket) -> None:
    """Drop the packets that begin a connection; handshakes that have begun can still end.

    A client whose packet was dropped repeats it after a second. Connections that are established when the socket is
    closed are reset instead, with the requests that were sent on them. Does nothing if the system is not Linux.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(b"".join(_INSTRUCTION.pack(*each) for each in _INSTRUCTIONS))
    with suppress(OSError):
        listening.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(_INSTRUCTIONS), ctypes.addressof(program))
        )
