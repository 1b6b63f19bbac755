"""Carries frames between two interfaces, each way, later than they came.

    delay.py INTERFACE INTERFACE MILLISECONDS

Frames keep what the kernel says about them (checksums and segmentation left to do, PACKET_VNET_HDR),
so large ones need no cutting. What does not fit into the queue is lost, as in any router.
"""

import collections
import select
import socket
import sys
import time

SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
ETH_P_ALL = 0x0003
QUEUE_BYTES_MAX = 32 << 20
FRAME_BYTES_MAX = 1 << 17


def door(interface):
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    packets.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    packets.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    packets.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, QUEUE_BYTES_MAX)
    packets.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, QUEUE_BYTES_MAX)
    packets.bind((interface, ETH_P_ALL))
    packets.setblocking(False)
    return packets


class Way:
    """One direction."""

    def __init__(self, source, target, delay):
        self.source, self.target, self.delay = source, target, delay
        self.frames, self.bytes = collections.deque(), 0

    def take(self):
        for _ in range(256):
            try:
                frame = self.source.recv(FRAME_BYTES_MAX)
            except BlockingIOError:
                return
            if self.bytes + len(frame) <= QUEUE_BYTES_MAX:
                self.frames.append((time.monotonic() + self.delay, frame))
                self.bytes += len(frame)

    def give(self):
        now = time.monotonic()
        while self.frames and self.frames[0][0] <= now:
            _, frame = self.frames.popleft()
            self.bytes -= len(frame)
            try:
                self.target.send(frame)
            except OSError:
                pass  # the other end is down or full: lost

    def due(self):
        return self.frames[0][0] if self.frames else None


def main():
    one, other, milliseconds = sys.argv[1:4]
    doors = door(one), door(other)
    delay = float(milliseconds) / 1000
    ways = Way(*doors, delay), Way(*reversed(doors), delay)
    poll = select.epoll()
    for way in ways:
        poll.register(way.source, select.EPOLLIN)
    print("ready", flush=True)
    while True:
        due = [way.due() for way in ways if way.frames]
        poll.poll(max(0, min(due) - time.monotonic()) if due else None)
        for way in ways:
            way.take()
            way.give()


main()
