//! C20: who is believed. Certificates are made here, by two authorities that know nothing of each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;

use super::super::{Client, SetupError};
use super::fake::{Fake, LIMITS, client, say};
use crate::config::{ConsulSettings, TlsSettings};
use crate::events::Failure;

/// An authority with what it has signed, as files.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: tempfile::TempDir,
}

/// A certificate and its key, in PEM form.
pub(super) struct Signed {
    pub(super) certificate: String,
    pub(super) key: String,
    der: rustls::pki_types::CertificateDer<'static>,
    key_der: Vec<u8>,
}

impl Authority {
    pub(super) fn new() -> Authority {
        Authority::named("authority")
    }

    fn named(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Authority {
            issuer,
            directory: tempfile::tempdir().unwrap(),
        };
        std::fs::write(authority.file(), authority.issuer.pem()).unwrap();
        authority
    }

    /// The file with its own certificate.
    pub(super) fn file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// A certificate for a name, valid until that year.
    pub(super) fn sign(&self, name: &str, until: i32) -> Signed {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Signed {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().clone(),
            key_der: key.serialize_der(),
        }
    }

    /// A server with a certificate of this authority for a name.
    pub(super) fn server(&self, name: &str) -> rustls::ServerConfig {
        self.serving(self.sign(name, 2100), false)
    }

    /// One that admits only whom this authority has signed.
    pub(super) fn strict_server(&self, name: &str) -> rustls::ServerConfig {
        self.serving(self.sign(name, 2100), true)
    }

    fn serving(&self, signed: Signed, is_strict: bool) -> rustls::ServerConfig {
        let provider = Arc::new(ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if is_strict {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(signed.key_der).unwrap();
        builder.with_single_cert(vec![signed.der], key).unwrap()
    }
}

/// Settings for TLS to an address, with these authorities.
pub(super) fn secure(address: &str, ca: Option<PathBuf>) -> ConsulSettings {
    ConsulSettings {
        address: format!("https://{address}"),
        tls: TlsSettings {
            ca_file: ca,
            ..TlsSettings::default()
        },
        ..ConsulSettings::default()
    }
}

async fn refused(client: &Client, part: &str) {
    let failure = client.pulse().await.unwrap_err();
    assert!(
        matches!(&failure, Failure::Unreachable(text) if text.contains(part)),
        "wanted `{part}`: {failure:?}"
    );
}

#[tokio::test]
async fn c20_the_right_authority_and_name_are_believed() {
    let authority = Authority::new();
    let fake = Fake::start_tls(say(200, "\"x\""), authority.server("127.0.0.1")).await;
    let settings = secure(&fake.address, Some(authority.file()));
    client(&settings, LIMITS).pulse().await.unwrap();
    // A directory serves as well as a file.
    let mut settings = secure(&fake.address, None);
    settings.tls.ca_path = authority.file().parent().map(Path::to_owned);
    client(&settings, LIMITS).pulse().await.unwrap();
}

#[tokio::test]
async fn c20_another_authority_is_refused_by_default() {
    let authority = Authority::new();
    let fake = Fake::start_tls(say(200, "\"x\""), authority.server("127.0.0.1")).await;
    for other in [Authority::new(), Authority::named("other")] {
        let known = client(&secure(&fake.address, Some(other.file())), LIMITS);
        refused(&known, "from no authority in").await;
    }
    let system = client(&secure(&fake.address, None), LIMITS);
    refused(&system, "set consul.tls.cafile").await;
    assert_eq!(fake.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn c20_another_name_is_refused_by_default() {
    let authority = Authority::new();
    let fake = Fake::start_tls(say(200, "\"x\""), authority.server("consul.test")).await;
    let settings = secure(&fake.address, Some(authority.file()));
    refused(&client(&settings, LIMITS), "set consul.tls.servername").await;
    assert_eq!(fake.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn c20_an_expired_server_is_refused() {
    let authority = Authority::new();
    let config = authority.serving(authority.sign("127.0.0.1", 2020), false);
    let fake = Fake::start_tls(say(200, "\"x\""), config).await;
    let settings = secure(&fake.address, Some(authority.file()));
    refused(&client(&settings, LIMITS), "has expired").await;
}

#[tokio::test]
async fn c20_no_verification_must_be_asked_for() {
    let authority = Authority::new();
    let fake = Fake::start_tls(say(200, "\"x\""), authority.server("consul.test")).await;
    let mut settings = secure(&fake.address, None);
    settings.tls.verify = Some(true);
    refused(&client(&settings, LIMITS), "certificate").await;
    settings.tls.verify = Some(false);
    client(&settings, LIMITS).pulse().await.unwrap();
}

#[tokio::test]
async fn c20_the_name_of_the_server_may_be_another() {
    let authority = Authority::new();
    let fake = Fake::start_tls(say(200, "\"x\""), authority.server("consul.test")).await;
    let mut settings = secure(&fake.address, Some(authority.file()));
    settings.tls.server_name = Some("consul.test".to_owned());
    client(&settings, LIMITS).pulse().await.unwrap();
    // The server is asked under its address all the same.
    let host = format!("host: {}", fake.address);
    assert!(fake.last().contains(&host), "{}", fake.last());
    settings.tls.server_name = Some("other.test".to_owned());
    refused(
        &client(&settings, LIMITS),
        "certificate is for another name",
    )
    .await;
    // Where an address is the name, it is compared with the certificate alone.
    settings.tls.server_name = Some("127.0.0.9".to_owned());
    refused(
        &client(&settings, LIMITS),
        "certificate is for another name",
    )
    .await;
    let fake = Fake::start_tls(say(200, "\"x\""), authority.server("127.0.0.9")).await;
    let mut settings = secure(&fake.address, Some(authority.file()));
    settings.tls.server_name = Some("127.0.0.9".to_owned());
    client(&settings, LIMITS).pulse().await.unwrap();
}

#[tokio::test]
async fn c20_plain_text_and_tls_do_not_mix() {
    let plain = Fake::start(say(200, "\"x\"")).await;
    // It waits for the rest of what it takes for a request.
    let mut limits = LIMITS;
    limits.connect = std::time::Duration::from_millis(300);
    let failure = client(&secure(&plain.address, None), limits).pulse().await;
    assert!(
        matches!(failure, Err(Failure::Unreachable(_))),
        "{failure:?}"
    );
    let authority = Authority::new();
    let secret = Fake::start_tls(say(200, "\"x\""), authority.server("127.0.0.1")).await;
    let failure = secret.client().pulse().await;
    assert!(failure.is_err(), "{failure:?}");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let signed = authority.sign("client.test", 2100);
    let other = authority.sign("client.test", 2100);
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let certificate = write("cert.pem", &signed.certificate);
    let key = write("key.pem", &signed.key);
    let (wrong_key, no_pem) = (write("other.pem", &other.key), write("none.pem", "none"));
    let half = write(
        "half.pem",
        &signed.certificate[..signed.certificate.len() / 2],
    );
    let empty = write("empty", " \n");
    let missing = directory.path().join("missing");
    let ca = |ca: &PathBuf| secure("127.0.0.1:1", Some(ca.clone()));
    let pair = |certificate: &PathBuf, key: &PathBuf| {
        let mut settings = secure("127.0.0.1:1", None);
        settings.tls.client_cert = Some(certificate.clone());
        settings.tls.client_key = Some(key.clone());
        settings
    };
    let token = |token: &PathBuf| ConsulSettings {
        token_file: Some(token.clone()),
        ..ConsulSettings::default()
    };
    for (settings, file, reason) in [
        (ca(&missing), "missing", "No such file"),
        (ca(&no_pem), "none.pem", "no certificate in it"),
        (ca(&half), "half.pem", "PEM"),
        (ca(&directory.path().to_owned()), "", "no file"),
        (pair(&missing, &key), "missing", "No such file"),
        (pair(&certificate, &missing), "missing", "No such file"),
        (pair(&certificate, &no_pem), "none.pem", "not a private key"),
        (
            pair(&certificate, &certificate),
            "cert.pem",
            "not a private key",
        ),
        (
            pair(&certificate, &wrong_key),
            "cert.pem",
            "not with its key",
        ),
        (pair(&no_pem, &key), "none.pem", "no certificate in it"),
        (token(&missing), "missing", "No such file"),
        (token(&empty), "empty", "it is empty"),
        (token(&key), "key.pem", "one word"),
    ] {
        let resolved = super::super::Settings::resolve(&settings, &[].into()).unwrap();
        let error = Client::new(resolved, super::super::Lookup::System).unwrap_err();
        assert!(matches!(error, SetupError::Credentials(_)), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains(file) && text.contains(reason),
            "{file} {reason}: {text}"
        );
        assert!(!text.contains("PRIVATE KEY"), "{text}");
    }
    client(&pair(&certificate, &key), LIMITS);
}
