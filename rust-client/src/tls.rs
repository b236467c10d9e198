use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, InvalidMessage, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::codes;
use crate::error::wire_error;
use crate::pb;
use crate::Error;

/// How a client's connections are encrypted.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    server_name: Option<String>,
}

impl Tls {
    /// Trusts brokers whose certificates were signed by the authority of this PEM file.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the file cannot be used.
    pub fn trusting(authority: impl AsRef<Path>) -> Result<Self, Error> {
        let config = builder(authority.as_ref())?.with_no_client_auth();
        Ok(Self::of(Arc::new(config)))
    }

    /// The same, and shows a certificate with its chain, whose key is in the second file, in PKCS #8.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when a file cannot be used.
    pub fn showing(
        authority: impl AsRef<Path>,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, Error> {
        let chain = certificates(certificate.as_ref())?;
        let own = PrivateKeyDer::from_pem_file(key.as_ref())
            .map_err(|e| bad("the key", key.as_ref(), &e.to_string()))?;
        let config = builder(authority.as_ref())?
            .with_client_auth_cert(chain, own)
            .map_err(|e| bad("the certificate", certificate.as_ref(), &e.to_string()))?;
        Ok(Self::of(Arc::new(config)))
    }

    /// With a configuration of rustls.
    #[must_use]
    pub fn of(config: Arc<ClientConfig>) -> Self {
        Self {
            config,
            server_name: None,
        }
    }

    /// The name that the broker's certificate must have. Default: the host of the endpoint.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    pub(crate) async fn encrypt(
        &self,
        socket: TcpStream,
        endpoint: &str,
    ) -> Result<Box<TlsStream<TcpStream>>, pb::Error> {
        let host = endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = self.server_name.clone().unwrap_or_else(|| host.into());
        let name = ServerName::try_from(name).map_err(|e| {
            failed(
                endpoint,
                e.to_string(),
                "give a server name that can be one",
            )
        })?;
        TlsConnector::from(self.config.clone())
            .connect(name, socket)
            .await
            .map(Box::new)
            .map_err(|e| failure(endpoint, &e).unwrap_or_else(|| closed(endpoint, &e)))
    }
}

fn builder(
    authority: &Path,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authority)? {
        roots
            .add(certificate)
            .map_err(|e| bad("the authority", authority, &e.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| bad("the authority", authority, &e.to_string()))?;
    Ok(versions.with_root_certificates(roots))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file)
        .map_err(|e| bad("the certificate", file, &e.to_string()))?
        .collect();
    let found = found.map_err(|e| bad("the certificate", file, &e.to_string()))?;
    if found.is_empty() {
        return Err(bad("the certificate", file, "it has none in PEM"));
    }
    Ok(found)
}

fn bad(what: &str, file: &Path, why: &str) -> Error {
    Error::invalid(format!("{what} in {} cannot be used", file.display()), why)
}

fn failed(endpoint: &str, why: impl Into<String>, next: &str) -> pb::Error {
    wire_error(
        codes::CONNECT_FAILED,
        format!("cannot connect to {endpoint}"),
        why,
        next,
    )
}

fn closed(endpoint: &str, e: &std::io::Error) -> pb::Error {
    failed(
        endpoint,
        format!("connected, but TLS failed: {e}"),
        "check that a broker listens there with TLS",
    )
}

/// Says in our words what TLS says; None when it is something else.
pub(crate) fn failure(endpoint: &str, e: &std::io::Error) -> Option<pb::Error> {
    let tls = e.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match tls {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => failed(
            endpoint,
            "it does not speak TLS",
            "connect without TLS, or set tls.certificate at the broker",
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => failed(
            endpoint,
            "its certificate has expired",
            "renew the certificate of the broker: tls.certificate",
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => failed(
            endpoint,
            "its certificate is not valid yet",
            "look at the clocks of both machines",
        ),
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => failed(
            endpoint,
            "its certificate was signed by an authority that this client does not trust",
            "trust the authority that signed it: Tls::trusting",
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => failed(
            endpoint,
            format!("its certificate is for another name: {tls}"),
            "connect to a name that it has, or say which one is meant: Tls::server_name",
        ),
        rustls::Error::AlertReceived(alert) => failed(
            endpoint,
            format!("it refuses the client's certificate, or its lack: {alert:?}"),
            "give a certificate that the broker's tls.client-authority signed and that is valid now",
        ),
        _ => failed(
            endpoint,
            format!("TLS failed: {tls}"),
            "compare the TLS settings of both sides",
        ),
    })
}
