"""Opens one OpenPGP message in a process of its own: a message that grows without end takes this process, and not a service.

The library holds the interpreter while it opens, and cannot be told how much is enough. Here the system bounds time and
memory, and whoever reads the output stops reading. Run as a script, so that nothing but the library is loaded.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from pysequoia import Cert, Tsk, decrypt_file

SIGNED, UNSIGNED, BAD_SIGNATURE, CLOSED = 10, 11, 12, 13
CPU_SECONDS_MAX = 120
MEMORY_BYTES_MAX = 2 * 1024**3
OUTPUT, NOWHERE = "/dev/stdout", "/dev/null"


def main(message: str, key_file: str, passphrase_file: str, signer_file: str) -> int:
    """Writes what is inside to the output; the exit code says whether it is signed by the signer."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    passphrase = Path(passphrase_file).read_text("utf-8").split("\n", 1)[0] if passphrase_file else None
    decryptor = Tsk.from_file(key_file).decryptor(passphrase)
    if not signer_file:
        decrypt_file(message, OUTPUT, decryptor)
        return UNSIGNED
    signer = Cert.from_file(signer_file)
    try:
        opened = decrypt_file(message, OUTPUT, decryptor, store=lambda key_ids: [signer])
    except Exception:  # noqa: BLE001 - the library raises plain exceptions, for a bad signature as for a strange message
        decrypt_file(message, NOWHERE, decryptor)
        return BAD_SIGNATURE
    return SIGNED if opened.valid_sigs else BAD_SIGNATURE


if __name__ == "__main__":
    try:
        code = main(*sys.argv[1:])
    except Exception:  # noqa: BLE001 - as above; what they say may quote the message
        code = CLOSED
    raise SystemExit(code)
