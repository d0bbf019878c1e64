"""Layouts of published data sets and of the formats that trainers of other makers read: a file each, with its rows.

A file that is put here is a layout: `layout_table` reads ROWS of all. Their rows exclude each other by fields that
nobody else has, so that no order of files is a rule; rows that others' records match too stand in `layout_table`.
"""
