//! TLS by rustls: one certificate chain, TLS 1.2 and 1.3, no client certificates.

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Reads the files. The error says which file and what to do.
pub fn acceptor(certificate: &Path, private_key: &Path) -> Result<TlsAcceptor, String> {
    let at = |path: &Path, what: &str| format!("{}: {what}", path.display());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| at(certificate, &format!("no PEM certificates ({error})")))?;
    if chain.is_empty() {
        return Err(at(certificate, "no PEM certificates in it"));
    }
    let key = PrivateKeyDer::from_pem_file(private_key)
        .map_err(|error| at(private_key, &format!("no PEM private key ({error})")))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| at(certificate, &format!("does not fit its key ({error})")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
