use std::net::IpAddr;

use super::super::address::{Place, parse};
use super::super::lookup::{Lookup, Resolver, in_hosts};
use super::super::{Settings, SettingsError};
use crate::config::{ConsulSettings, Scheme, TlsSettings, Variables};

fn variables(pairs: &[(&str, &str)]) -> Variables {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn at(address: &str) -> ConsulSettings {
    ConsulSettings {
        address: address.to_owned(),
        ..ConsulSettings::default()
    }
}

fn resolve(consul: &ConsulSettings, pairs: &[(&str, &str)]) -> Settings {
    Settings::resolve(consul, &variables(pairs)).unwrap()
}

fn shown(consul: &ConsulSettings, pairs: &[(&str, &str)]) -> String {
    resolve(consul, pairs).target.to_string()
}

#[test]
fn an_address_has_many_forms() {
    for (text, expected) in [
        ("", "http://127.0.0.1:8500"),
        ("consul", "http://consul:8500"),
        ("consul:", "http://consul:8500"),
        ("consul:1234", "http://consul:1234"),
        (":1234", "http://127.0.0.1:1234"),
        ("http://consul", "http://consul:8500"),
        ("https://consul:1/", "https://consul:1"),
        ("https://consul:1/behind/", "https://consul:1/behind"),
        ("[::1]", "http://[::1]:8500"),
        ("[fd00::1]:1", "http://[fd00::1]:1"),
        ("::1", "http://[::1]:8500"),
        ("unix:///run/consul.sock", "unix:///run/consul.sock"),
    ] {
        assert_eq!(shown(&at(text), &[]), expected, "{text}");
    }
    for text in [
        "consul:0",
        "consul:99999",
        "consul:x",
        "a b:1",
        "[::1",
        "[consul]:1",
        "ftp://consul",
        "unix://run/consul.sock",
        "unix:///",
        "a?b",
        "a:1:2",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn variables_complete_the_address() {
    let env = [("CONSUL_HTTP_ADDR", "https://other:1")];
    assert_eq!(shown(&at(""), &env), "https://other:1");
    assert_eq!(shown(&at("own"), &env), "http://own:8500");
    let socket = [("CONSUL_HTTP_ADDR", "unix:///s"), ("CONSUL_HTTP_SSL", "1")];
    let settings = resolve(&at(""), &socket);
    assert_eq!(settings.target.place, Place::Socket("/s".into()));
    assert_eq!(settings.target.scheme, Scheme::Http);
    // Asked only where nothing names a scheme, and never to take TLS back.
    let ssl = [("CONSUL_HTTP_SSL", "TRUE"), ("CONSUL_HTTP_ADDR", "a")];
    assert_eq!(shown(&at(""), &ssl), "https://a:8500");
    let mut own = at("");
    own.scheme = Some(Scheme::Http);
    assert_eq!(shown(&own, &ssl), "http://a:8500");
    own.scheme = Some(Scheme::Https);
    let plain = [("CONSUL_HTTP_SSL", "0"), ("CONSUL_HTTP_ADDR", "http://a")];
    assert_eq!(shown(&own, &plain), "https://a:8500");
}

#[test]
fn variables_replace_the_file() {
    let consul = ConsulSettings {
        token: Some("own-token".to_owned()),
        token_file: Some("/own".into()),
        namespace: Some("own".to_owned()),
        tls: TlsSettings {
            ca_file: Some("/own-ca".into()),
            verify: Some(true),
            ..TlsSettings::default()
        },
        ..ConsulSettings::default()
    };
    let settings = resolve(&consul, &[("CONSUL_HTTP_TOKEN", "")]);
    assert_eq!(settings.token_file, Some("/own".into()));
    let settings = resolve(
        &consul,
        &[
            ("CONSUL_CACERT", "/ca"),
            ("CONSUL_CAPATH", "/cas"),
            ("CONSUL_CLIENT_CERT", "/cert"),
            ("CONSUL_CLIENT_KEY", "/key"),
            ("CONSUL_TLS_SERVER_NAME", "name"),
            ("CONSUL_HTTP_SSL_VERIFY", "False"),
            ("CONSUL_HTTP_TOKEN", "other"),
            ("CONSUL_NAMESPACE", "team"),
            ("CONSUL_PARTITION", "part"),
        ],
    );
    let expected = TlsSettings {
        ca_file: Some("/ca".into()),
        ca_path: Some("/cas".into()),
        client_cert: Some("/cert".into()),
        client_key: Some("/key".into()),
        server_name: Some("name".to_owned()),
        verify: Some(false),
    };
    assert_eq!(settings.tls, expected);
    // The environment's token goes before the file of the configuration.
    assert_eq!(
        (
            settings.token.as_ref().unwrap().expose(),
            &settings.token_file
        ),
        ("other", &None)
    );
    assert_eq!(settings.namespace.as_deref(), Some("team"));
    assert_eq!(settings.partition.as_deref(), Some("part"));
    let settings = resolve(&consul, &[("CONSUL_HTTP_TOKEN_FILE", "/t")]);
    assert_eq!(settings.token_file, Some("/t".into()));
    assert_eq!(settings.token, None);
}

#[test]
fn c20_only_a_clear_word_turns_verification_off() {
    for (word, expected) in [
        ("0", Some(false)),
        ("FALSE", Some(false)),
        ("1", Some(true)),
        ("true", Some(true)),
        ("no", None),
        ("off", None),
        ("", None),
    ] {
        let settings = resolve(&at("https://a"), &[("CONSUL_HTTP_SSL_VERIFY", word)]);
        assert_eq!(settings.tls.verify, expected, "{word}");
    }
}

#[test]
fn half_a_key_pair_is_none() {
    let settings = resolve(&at("a"), &[("CONSUL_CLIENT_CERT", "/cert")]);
    assert_eq!(settings.tls.client_cert, None);
}

#[test]
fn l12_nothing_shows_a_secret() {
    let mut consul = at("user:s3cr3t@consul:1");
    consul.token = Some("s3cr3t".to_owned());
    let env = [
        ("CONSUL_HTTP_AUTH", "me:s3cr3t"),
        ("HTTP_PROXY", "http://me:s3cr3t@proxy:1"),
    ];
    let settings = resolve(&consul, &env);
    assert_eq!(settings.auth.as_ref().unwrap().expose(), "me:s3cr3t");
    assert!(settings.proxy.is_some());
    let text = format!("{settings:?} {}", settings.target);
    assert!(!text.contains("s3cr3t"), "{text}");
    let settings = resolve(&consul, &[]);
    assert_eq!(settings.auth.unwrap().expose(), "user:s3cr3t");
    for (address, env) in [
        ("user:s3cr3t@consul:x", [("HTTP_PROXY", "")]),
        ("consul", [("HTTP_PROXY", "socks5://me:s3cr3t@proxy:1")]),
    ] {
        let error = Settings::resolve(&at(address), &variables(&env)).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

/// The URL of the proxy, if one is used.
fn proxy(address: &str, pairs: &[(&str, &str)]) -> Option<String> {
    let settings = resolve(&at(address), pairs);
    settings.proxy.map(|proxy| proxy.expose().to_owned())
}

#[test]
fn proxies_are_for_others_than_this_host() {
    let env = [("HTTP_PROXY", "proxy:3128"), ("https_proxy", "https://p")];
    assert_eq!(proxy("consul", &env).as_deref(), Some("http://proxy:3128"));
    assert_eq!(proxy("https://consul", &env).as_deref(), Some("https://p"));
    for local in ["", "localhost", "127.0.0.2:1", "[::1]:1", "unix:///s"] {
        assert_eq!(proxy(local, &env), None, "{local}");
    }
    // Upper case first, and an empty one is none.
    let both = [("HTTP_PROXY", ""), ("http_proxy", "lower:1")];
    assert_eq!(proxy("consul", &both).as_deref(), Some("http://lower:1"));
}

#[test]
fn no_proxy_exempts_hosts() {
    for (entries, address, exempt) in [
        ("*", "consul", true),
        ("consul", "consul", true),
        ("CONSUL", "consul", true),
        ("consul", "a.consul", true),
        ("consul", "myconsul", false),
        (".consul", "a.consul", true),
        (".consul", "consul", false),
        ("*.consul", "a.consul", true),
        ("other, consul", "consul", true),
        ("consul:8500", "consul", true),
        ("consul:1", "consul", false),
        ("10.0.0.1", "10.0.0.1", true),
        ("10.0.0.0/8", "10.1.2.3", true),
        ("10.0.0.0/8", "11.1.2.3", false),
        ("0.0.1", "10.0.0.1", false),
        ("fd00::/8", "[fd00::1]", true),
        ("fd00::1", "[fd00::1]", true),
        ("[fd00::1]:8500", "[fd00::1]", true),
        ("", "consul", false),
    ] {
        let env = [("HTTP_PROXY", "proxy:1"), ("NO_PROXY", entries)];
        assert_eq!(
            proxy(address, &env).is_none(),
            exempt,
            "{entries}: {address}"
        );
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error() {
    for text in ["socks5://p:1", "http://", "::"] {
        let error = Settings::resolve(&at("consul"), &variables(&[("HTTP_PROXY", text)]));
        assert!(
            matches!(
                error,
                Err(SettingsError::Variable {
                    variable: "HTTP_PROXY",
                    ..
                })
            ),
            "{text}: {error:?}"
        );
    }
}

const HOSTS: &str = "# a comment\n127.0.0.1\tlocalhost loop\n10.0.0.2 Consul consul.lan # not other\n\
    ::1 ip6-localhost\nfd00::2 consul\nnonsense consul\n10.0.0.2 consul\n\n10.0.0.3";

fn addresses(name: &str) -> Vec<IpAddr> {
    in_hosts(HOSTS, name)
}

#[test]
fn the_hosts_file_is_read_as_the_system_does() {
    let consul: [IpAddr; 2] = ["10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap()];
    assert_eq!(addresses("consul"), consul);
    assert_eq!(addresses("CONSUL."), consul);
    assert_eq!(addresses("consul.lan"), consul[..1]);
    for name in ["other", "cons", "", "10.0.0.3"] {
        assert!(addresses(name).is_empty(), "{name}");
    }
    assert_eq!(addresses("localhost").len(), 1);
    assert_eq!(in_hosts("", "localhost").len(), 2);
}

#[tokio::test]
async fn without_a_name_service_the_hosts_file_is_all() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), HOSTS).unwrap();
    let resolver = Resolver::new(Lookup::HostsFile(file.path().to_owned()), None);
    let found = resolver.addresses("consul").await.unwrap();
    assert_eq!(found[0].to_string(), "10.0.0.2:0");
    let error = resolver
        .addresses("elsewhere")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("use an address, or the build for musl"),
        "{error}"
    );
    let missing = Resolver::new(Lookup::HostsFile("/nonexistent/hosts".into()), None);
    assert!(missing.addresses("elsewhere").await.is_err());
    assert_eq!(missing.addresses("localhost").await.unwrap().len(), 2);
    let alias = Some(("name.test".to_owned(), "10.0.0.9".to_owned()));
    let resolver = Resolver::new(Lookup::hosts_file(), alias);
    let found = resolver.addresses("NAME.test").await.unwrap();
    assert_eq!(found[0].to_string(), "10.0.0.9:0");
}
