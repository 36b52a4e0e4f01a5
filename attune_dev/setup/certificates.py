"""The machine's certificate authorities, for builds on networks that intercept TLS."""

from __future__ import annotations

import hashlib
import os
import re
import ssl
from pathlib import Path

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----")
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)


def machine_bundle() -> Path | None:
    """The bundle that programs on this machine trust, ``None`` where none is found."""
    named = (os.environ.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile)
    for name in (*named, *_BUNDLES):
        if name and Path(name).is_file():
            return Path(name)
    return None


def certificates(text: str) -> dict[str, str]:
    """The certificates of a bundle, by a digest of their content.

    Args:
        text: PEM blocks with anything between them.
    """
    found: dict[str, str] = {}
    for block in _PEM.findall(text):
        body = "".join(block.split("-----")[2].split())
        found[hashlib.sha256(body.encode()).hexdigest()[:16]] = block + "\n"
    return found


def missing_from(image_bundle: str) -> dict[str, str]:
    """The machine's authorities that an image's bundle lacks, by digest."""
    bundle = machine_bundle()
    if bundle is None:
        return {}
    ours = certificates(bundle.read_text(encoding="utf-8", errors="replace"))
    theirs = certificates(image_bundle)
    return {digest: pem for digest, pem in ours.items() if digest not in theirs}
