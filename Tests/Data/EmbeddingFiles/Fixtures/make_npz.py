"""Writes stored.npz and deflated.npz: features as DataComp's pools have them, by Python's own modules alone.

Three rows: b32_* of width 4, l14_* of width 2, halves. Number j of row i is i + j / 4 for pictures and
j - i / 2 for captions, which halves hold exactly. Made with Python 3.11: python3 make_npz.py
"""
import os
import struct
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def npy(rows):
    head = "{'descr': '<f2', 'fortran_order': False, 'shape': (%d, %d), }" % (len(rows), len(rows[0]))
    head += " " * (-(10 + len(head) + 1) % 64) + "\n"
    return (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode()
            + b"".join(struct.pack("<e", value) for row in rows for value in row))


ARRAYS = {
    f"{model}_{tower}": [[value(i, j) for j in range(width)] for i in range(3)]
    for model, width in (("b32", 4), ("l14", 2))
    for tower, value in (("img", lambda i, j: i + j / 4), ("txt", lambda i, j: j - i / 2))
}
for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
    with zipfile.ZipFile(os.path.join(HERE, name + ".npz"), "w", method) as archive:
        for array, rows in ARRAYS.items():
            # A fixed time, so that the same script writes the same bytes.
            info = zipfile.ZipInfo(array + ".npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, npy(rows))
