//! Certificates: whom to believe, and who we are.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage};

use crate::config::TlsSettings;

use super::credentials::{Contents, Material, read_bounded};
use super::error::{CredentialsError, SetupError};

/// Where distributions keep the authorities of the public, in the order in which Go looks for them; the first that is
/// there is used. `SSL_CERT_FILE` is theirs as well, but the environment is not asked here.
const SYSTEM_AUTHORITIES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A configuration of TLS, made here and handed over, so that there is no provider for the whole process. Blocks.
///
/// Without a configured authority those of the system hold; an image without any is no error here, because most agents
/// are asked without TLS. With TLS every connection then fails, and says so.
pub(super) fn configure(
    tls: &TlsSettings,
    material: &Material,
    is_used: bool,
) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(refused)?;
    let mut roots = configured_roots(material)?;
    let has_own = tls.ca_file.is_some() || tls.ca_path.is_some();
    let verify = tls.verify.unwrap_or(true);
    if has_own && roots.is_empty() {
        let path = tls.ca_file.clone().or(tls.ca_path.clone());
        return Err(CredentialsError::Content {
            path: path.unwrap_or_default(),
            reason: "there is no certificate in it".to_owned(),
        }
        .into());
    }
    if is_used && verify && !has_own {
        roots = system_roots();
    }
    let builder = if !verify {
        let anything = Anything { provider };
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(anything))
    } else if let Some(name) = server_name(tls)?
        && !roots.is_empty()
    {
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(refused)?;
        let named = Named { inner, name };
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(named))
    } else {
        builder.with_root_certificates(roots)
    };
    match &material.identity {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            if chain.is_empty() {
                return Err(certificate.wrong("there is no certificate in it").into());
            }
            let parsed = PrivateKeyDer::from_pem_slice(&key.bytes);
            let parsed =
                parsed.map_err(|error| key.wrong(&format!("not a private key: {error}")))?;
            let configured = builder.with_client_auth_cert(chain, parsed);
            configured.map_err(|error| {
                certificate
                    .wrong(&format!("not with its key: {error}"))
                    .into()
            })
        }
    }
}

fn refused(error: impl Display) -> SetupError {
    SetupError::Library(error.to_string())
}

/// The name that the server's certificate is to be for, where it is not the host's.
fn server_name(tls: &TlsSettings) -> Result<Option<ServerName<'static>>, CredentialsError> {
    let Some(name) = &tls.server_name else {
        return Ok(None);
    };
    match ServerName::try_from(name.clone()) {
        Ok(name) => Ok(Some(name)),
        Err(_) => Err(CredentialsError::Content {
            path: PathBuf::from(name),
            reason: "it is no name of a server".to_owned(),
        }),
    }
}

fn certificates(contents: &Contents) -> Result<Vec<CertificateDer<'static>>, CredentialsError> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&contents.bytes).collect();
    parsed.map_err(|error| contents.wrong(&format!("not certificates in PEM form: {error}")))
}

/// What is configured is taken whole or not at all.
fn configured_roots(material: &Material) -> Result<RootCertStore, CredentialsError> {
    let mut roots = RootCertStore::empty();
    for contents in &material.authorities {
        for certificate in certificates(contents)? {
            let added = roots.add(certificate);
            added.map_err(|error| contents.wrong(&format!("not an authority: {error}")))?;
        }
    }
    Ok(roots)
}

/// What the system has is taken as far as it can be used.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for path in SYSTEM_AUTHORITIES {
        if let Ok(bytes) = read_bounded(path.as_ref()) {
            let found = CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok);
            roots.add_parsable_certificates(found);
            break;
        }
    }
    roots
}

/// An error if our own certificate is not valid at this time. Certificates are dated by the wall clock.
pub(super) fn check_dates(material: &Material) -> Result<(), CredentialsError> {
    let Some((certificate, _)) = &material.identity else {
        return Ok(());
    };
    let chain = certificates(certificate)?;
    let Some(Ok(own)) = chain.first().map(EndEntityCert::try_from) else {
        return Ok(());
    };
    // The dates are looked at before an issuer is searched for, which with no authorities would never be found.
    let verified = own.verify_for_usage(
        ring::default_provider()
            .signature_verification_algorithms
            .all,
        &[],
        &[],
        UnixTime::now(),
        KeyUsage::client_auth(),
        None,
        None,
    );
    match verified {
        Err(
            error @ (webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. }),
        ) => Err(CredentialsError::Date {
            path: certificate.path.clone(),
            reason: match error {
                webpki::Error::CertExpired { .. } => "it has expired".to_owned(),
                _ => "its time has not come".to_owned(),
            },
        }),
        _ => Ok(()),
    }
}

/// Verifies as ever, for a name that is not the one connected to (`tls.servername`).
#[derive(Debug)]
struct Named {
    inner: Arc<WebPkiServerVerifier>,
    name: ServerName<'static>,
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.inner
            .verify_server_cert(end_entity, intermediates, &self.name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Believes every certificate: only for `verify: false`. That the server holds its key is still checked.
#[derive(Debug)]
struct Anything {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
