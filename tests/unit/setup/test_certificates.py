"""Authorities that the machine trusts and an image does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from attune_dev.setup.certificates import certificates, missing_from


def pem(body: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def test_certificates_are_told_apart_by_content_not_by_layout() -> None:
    one = certificates("# Name\n" + pem("QUJD\nREVG") + pem("R0hJ"))
    other = certificates(pem("QUJDREVG"))
    assert len(one) == 2
    assert set(other) < set(one)


def test_only_what_the_image_lacks_is_brought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "ca.crt"
    bundle.write_text(pem("QUJD") + pem("R0hJ"))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert list(missing_from(pem("QUJD")).values()) == [pem("R0hJ")]
    assert missing_from(bundle.read_text()) == {}
