"""What crosses the wire: a ZMTP codec without I/O, a recorder between two peers, and the files that a record becomes."""
