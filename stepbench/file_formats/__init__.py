"""Formats of the user's own file (PAYLOAD_FILE): how it becomes records. One file each; its name is the file's ending.

Every file defines `read(path) -> Rows`: the records, whose values are of JSON's types. It raises PayloadRefused, with a
sentence that names the line or the column and what to do, for whatever it cannot read exactly. It need not name the
file: `stepbench.payload_file` does.
"""
