"""What crosses the wire: a ZMTP codec without I/O, a recorder between two peers, and what a record is filed as."""
