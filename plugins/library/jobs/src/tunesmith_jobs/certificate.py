"""A certificate of the host's own for one launch: its agents believe this one alone."""

from __future__ import annotations

import datetime
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "tunesmith-host"


def server_context() -> tuple[ssl.SSLContext, str]:
    """How the host listens, and its certificate in PEM. The key is never kept on disk.

    Clocks that differ do no harm: the certificate holds from 1970 to 9999, and is of use for as long as its process lives.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(datetime.datetime(1970, 1, 1)).not_valid_after(datetime.datetime(9999, 12, 31))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
    made = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256())
    certificate = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory(prefix="tunesmith-") as folder:  # private to the user; `load_cert_chain` takes files only
        file = Path(folder) / "host.pem"
        file.touch(mode=0o600)
        file.write_bytes(private + certificate)
        context.load_cert_chain(file)
    return context, certificate.decode()


def client_context(certificate: str) -> ssl.SSLContext:
    """How an agent calls in: it believes this certificate and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=certificate)
    return context
