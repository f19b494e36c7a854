"""Prints what is published on a topic, until its standard input ends.

python subscriber.py endpoint [topic]
"""

import sys
import threading

import zmq

endpoint, topic = [*sys.argv[1:], "topic1"][:2]
context = zmq.Context()
with context.socket(zmq.SUB) as socket:
    socket.connect(endpoint)
    socket.setsockopt_string(zmq.SUBSCRIBE, topic)
    # The end of stdin ends the context, and that ends recv.
    threading.Thread(target=lambda: (sys.stdin.read(), context.term()), daemon=True).start()
    try:
        while True:
            name, data = socket.recv_multipart()
            print(f"received: {name.decode()} {data.decode()}", flush=True)
    except zmq.ContextTerminated:
        pass
