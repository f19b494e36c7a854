"""Sends one request and prints its reply.

python requester.py endpoint
"""

import sys

import zmq

with zmq.Context() as context, context.socket(zmq.REQ) as socket:
    socket.rcvtimeo = 30_000  # ms
    socket.linger = 0
    socket.connect(sys.argv[1])
    socket.send(b"Hello")
    print(f"reply: {socket.recv().decode()}", flush=True)
