"""Empty Java interfaces, written byte by byte.

The k-NN plugin names classes of a transport that seealso neither has nor uses; the JVM only
wants them to exist.
"""

import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path

JAVA_21 = 65
PUBLIC_ABSTRACT_INTERFACE = 0x0601
UTF8, CLASS = 1, 7


def interface(name: str) -> bytes:
    """Return the class file of an empty public interface.

    Parameters
    ----------
    name
        Binary name, for instance ``"org.example.Outer$Inner"``.

    Notes
    -----
    Layout: The Java Virtual Machine Specification, section 4.1.
    """
    constants = b"".join(
        (
            struct.pack(">BH", CLASS, 2),
            _utf8(name.replace(".", "/")),
            struct.pack(">BH", CLASS, 4),
            _utf8("java/lang/Object"),
        )
    )
    header = struct.pack(">IHHH", 0xCAFEBABE, 0, JAVA_21, 5)
    this_class, super_class, nothing = 1, 3, 0
    body = struct.pack(">7H", PUBLIC_ABSTRACT_INTERFACE, this_class, super_class, *(nothing,) * 4)
    return header + constants + body


def _utf8(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">BH", UTF8, len(data)) + data


def write_jar(path: Path, names: Iterable[str]) -> None:
    """Write a jar at `path` with one empty interface for each of `names`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as jar:
        for name in names:
            jar.writestr(name.replace(".", "/") + ".class", interface(name))
