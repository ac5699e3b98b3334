"""Arrow's two framings, as the engines take and give them."""

from __future__ import annotations

import pyarrow as pa


def encode_stream(rows: pa.Table | pa.RecordBatch) -> bytes:
    """Rows as an Arrow IPC stream.

    Several batches become one, so that the engine sees one block, and dictionaries are unified first: it
    does not follow a dictionary that is replaced halfway through a stream.
    """
    table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
    table = table.unify_dictionaries().combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def table_of_stream(data: bytes) -> pa.Table:
    """The rows of an Arrow IPC stream; no bytes at all are no rows and no columns."""
    if not data:
        return pa.table({})
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        return reader.read_all()
