use std::collections::BTreeMap;
use std::time::Duration;

use super::fake::{Fake, LIMITS, about, answer, client, question, say};
use crate::config::ConsulSettings;
use crate::events::Failure;
use crate::services::{CheckStatus, Registration, Weights};
use crate::watches::{Mode, Target};

fn registration() -> Registration {
    Registration {
        plain_check_id: false,
        id: "app-host1".to_owned(),
        name: "app".to_owned(),
        tags: Vec::new(),
        address: None,
        port: 80,
        meta: BTreeMap::new(),
        weights: None,
        enable_tag_override: false,
        ttl: Duration::from_secs(5),
        deregister_critical_after: None,
    }
}

/// The request line of a recorded request.
fn line(request: &str) -> &str {
    request.lines().next().unwrap()
}

fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn a_registration_has_the_originals_form() {
    let fake = Fake::start(say(200, "")).await;
    let client = fake.client();
    let full = Registration {
        plain_check_id: false,
        tags: vec!["t1".to_owned(), "t2".to_owned()],
        address: Some("10.0.0.2".to_owned()),
        enable_tag_override: true,
        deregister_critical_after: Some(Duration::from_mins(10)),
        ..registration()
    };
    client
        .register(&full, Some(CheckStatus::Passing))
        .await
        .unwrap();
    assert_eq!(
        line(&fake.last()),
        "PUT /v1/agent/service/register HTTP/1.1"
    );
    assert_eq!(
        body(&fake.last()),
        r#"{"ID":"app-host1","Name":"app","Tags":["t1","t2"],"Port":80,"Address":"10.0.0.2","EnableTagOverride":true,"Check":{"TTL":"5s","Status":"passing","Notes":"TTL for app set by containerpilot","DeregisterCriticalServiceAfter":"600s"},"Checks":null}"#
    );
    client.register(&registration(), None).await.unwrap();
    assert_eq!(
        body(&fake.last()),
        r#"{"ID":"app-host1","Name":"app","Port":80,"Check":{"TTL":"5s","Notes":"TTL for app set by containerpilot"},"Checks":null}"#
    );
    let extended = Registration {
        plain_check_id: false,
        meta: BTreeMap::from([("version".to_owned(), "1".to_owned())]),
        weights: Some(Weights {
            passing: 10,
            warning: 0,
        }),
        ttl: Duration::from_millis(1500),
        ..registration()
    };
    client.register(&extended, None).await.unwrap();
    assert_eq!(
        body(&fake.last()),
        r#"{"ID":"app-host1","Name":"app","Port":80,"Meta":{"version":"1"},"Weights":{"Passing":10,"Warning":0},"Check":{"TTL":"1500ms","Notes":"TTL for app set by containerpilot"},"Checks":null}"#
    );
    // One connection for all three.
    assert_eq!(fake.connections(), 1);
}

#[tokio::test]
async fn the_other_calls_have_theirs() {
    let fake = Fake::start(say(200, "\"10.0.0.1:8300\"")).await;
    let client = fake.client();
    let passing = CheckStatus::Passing;
    client.update("service:app-h", passing, "ok").await.unwrap();
    assert_eq!(
        line(&fake.last()),
        "PUT /v1/agent/check/update/service:app-h HTTP/1.1"
    );
    assert_eq!(body(&fake.last()), r#"{"Status":"passing","Output":"ok"}"#);
    let long = "ü".repeat(5000);
    client
        .update("c", CheckStatus::Critical, &long)
        .await
        .unwrap();
    assert_eq!(body(&fake.last()).matches('ü').count(), 2048);
    client.deregister("a/b c?#").await.unwrap();
    assert_eq!(
        line(&fake.last()),
        "PUT /v1/agent/service/deregister/a%2Fb%20c%3F%23 HTTP/1.1"
    );
    client.pulse().await.unwrap();
    assert_eq!(line(&fake.last()), "GET /v1/status/leader HTTP/1.1");
}

#[tokio::test]
async fn questions_have_their_queries() {
    let fake = Fake::start(say(200, "[]")).await;
    let plain = fake.client();
    let scoped = fake.client_with(
        ConsulSettings {
            datacenter: Some("east".to_owned()),
            namespace: Some("team a".to_owned()),
            partition: Some("p".to_owned()),
            ..ConsulSettings::default()
        },
        LIMITS,
    );
    let blocking = |since| Mode::Change {
        since,
        wait: Duration::from_mins(5),
    };
    let key = |key: &str| about(Target::Key(key.to_owned()), Mode::Now);
    let mut west = question(&[], Mode::Now);
    west.subject.dc = Some("west".to_owned());
    for (client, question, expected) in [
        (
            &plain,
            question(&[], Mode::Now),
            "health/service/app?passing=1",
        ),
        (
            &plain,
            question(&["a", "b&c"], Mode::Confirmed),
            "health/service/app?passing=1&tag=a&tag=b%26c&consistent",
        ),
        (
            &plain,
            question(&[], blocking(7)),
            "health/service/app?passing=1&index=7&wait=300s",
        ),
        // C09: 0 would be no wait at all.
        (
            &plain,
            question(&[], blocking(0)),
            "health/service/app?passing=1&index=1&wait=300s",
        ),
        (
            &scoped,
            question(&[], Mode::Now),
            "health/service/app?passing=1&dc=east&ns=team%20a&partition=p",
        ),
        (
            &scoped,
            west,
            "health/service/app?passing=1&dc=west&ns=team%20a&partition=p",
        ),
        (&plain, key("a/b c/ü"), "kv/a/b%20c/%C3%BC"),
        (&plain, key("a?b#c%2F"), "kv/a%3Fb%23c%252F"),
        (
            &plain,
            about(Target::Prefix("a/".to_owned()), Mode::Now),
            "kv/a/?recurse",
        ),
    ] {
        client.ask(&question).await.unwrap();
        assert_eq!(line(&fake.last()), format!("GET /v1/{expected} HTTP/1.1"));
    }
    let before = fake.seen().len();
    for bad in ["..", "a/../b", "./a"] {
        let refused = plain.ask(&key(bad)).await;
        assert!(matches!(refused, Err(Failure::Rejected(_))), "{refused:?}");
    }
    assert!(matches!(
        plain.deregister("..").await,
        Err(Failure::Rejected(_))
    ));
    assert_eq!(fake.seen().len(), before);
}

#[tokio::test]
async fn tokens_and_users_go_into_headers() {
    let fake = Fake::start(say(200, "")).await;
    let client = fake.client_with(
        ConsulSettings {
            address: format!("me:pass@{}/behind", fake.address),
            token: Some("the-token".to_owned()),
            ..ConsulSettings::default()
        },
        LIMITS,
    );
    client.deregister("a").await.unwrap();
    let request = fake.last();
    for part in [
        "PUT /behind/v1/agent/service/deregister/a HTTP/1.1",
        "x-consul-token: the-token",
        "authorization: Basic bWU6cGFzcw==",
    ] {
        assert!(request.contains(part), "{part}: {request}");
    }
    let debug = format!("{client:?}");
    assert!(
        !debug.contains("the-token") && !debug.contains("pass@"),
        "{debug}"
    );
}

#[tokio::test]
async fn a_unix_socket_is_asked_like_a_host() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("consul.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        for (asked, said) in [
            ("GET /v1/status/leader", "\"x\""),
            ("GET /v1/health/service/app?", "[]"),
        ] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 4096];
            let read = stream.read(&mut bytes).await.unwrap();
            assert!(bytes[..read].starts_with(asked.as_bytes()));
            stream.write_all(&answer(200, said)).await.unwrap();
        }
    });
    let address = format!("unix://{}", path.display());
    let consul = ConsulSettings {
        address: address.clone(),
        ..ConsulSettings::default()
    };
    client(&consul, LIMITS).pulse().await.unwrap();
    let wait = Duration::from_mins(1);
    let standing = question(&[], Mode::Change { since: 7, wait });
    client(&consul, LIMITS).ask(&standing).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let failure = client(&consul, LIMITS).pulse().await.unwrap_err();
    assert!(matches!(&failure, Failure::Unreachable(text) if text.contains(&address)));
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_host_elsewhere() {
    use super::super::{Client, Lookup, Settings};
    let proxy = Fake::start(say(200, "\"x\"")).await;
    let consul = ConsulSettings {
        address: "consul.test:1234".to_owned(),
        ..ConsulSettings::default()
    };
    let variable = format!("http://me:pass@{}", proxy.address);
    let variables = [("http_proxy".to_owned(), variable)].into();
    let settings = Settings::resolve(&consul, &variables).unwrap();
    let client = Client::with_limits(settings, Lookup::hosts_file(), LIMITS).unwrap();
    client.pulse().await.unwrap();
    let request = proxy.last();
    assert_eq!(
        line(&request),
        "GET http://consul.test:1234/v1/status/leader HTTP/1.1"
    );
    assert!(
        request.contains("proxy-authorization: Basic bWU6cGFzcw=="),
        "{request}"
    );
}
