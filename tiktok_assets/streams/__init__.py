"""Streams of songs in stores, from files that people drop into ``landing/streams``. Pure.

Belongs here: how such a file is read, which of several files is right, which song a row is of. Does not belong here:
where the files are and what becomes of them (``inbox.streams``), storage, Dagster. No account owns a stream.
"""
