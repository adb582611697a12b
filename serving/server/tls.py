"""The server's certificates: from PEM files, or from TF Serving's text file."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc

from serving.server.files import read_ssl
from serving.server.options import Options
from serving.server.status import invalid_argument


def credentials_of(options: Options) -> grpc.ServerCredentials | None:
    """TLS, mutual where clients must show a certificate; None talks in the clear.

    Raises:
      StatusError: flags or files that do not fit together.
    """
    files = (options.tls_key, options.tls_certificate, options.tls_roots)
    text = options.ssl_config_file
    if not any(files):
        return _of_text(Path(text)) if text else None
    if text or not all(files[:2]):
        raise invalid_argument(
            "TLS should have --tls-key and --tls-certificate, perhaps --tls-roots, and "
            "no --ssl-config-file; give these flags, or the text file alone."
        )
    key, certificate, roots = (Path(name) if name else None for name in files)
    assert key and certificate
    _check(key, certificate, roots)
    return grpc.ssl_server_credentials(
        [(key.read_bytes(), certificate.read_bytes())],
        roots.read_bytes() if roots else None,
        require_client_auth=roots is not None,
    )


def _of_text(path: Path) -> grpc.ServerCredentials:
    config = read_ssl(path)
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        config.custom_ca.encode() or None,
        config.client_verify,
    )


def _check(key: Path, certificate: Path, roots: Path | None) -> None:
    """Refuses what gRPC would only call a port that it cannot have."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=b"")
        if roots:
            context.load_verify_locations(roots)
    except OSError as error:  # ssl.SSLError is one
        raise invalid_argument(
            f"--tls-key should be the PEM private key of --tls-certificate, without a "
            f"password, and --tls-roots PEM certificates. Received: {key}, "
            f"{certificate}, {roots or 'no roots'} ({error.strerror or error})."
        ) from None
