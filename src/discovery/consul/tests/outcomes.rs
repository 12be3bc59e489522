use super::fake::{Fake, LIMITS, Reply, about, client, question, say};
use crate::config::ConsulSettings;
use crate::events::Failure;
use crate::services::CheckStatus;
use crate::watches::{Found, Mode, Target};

fn class(failure: &Failure) -> &'static str {
    match failure {
        Failure::Unreachable(_) => "unreachable",
        Failure::Busy(_) => "busy",
        Failure::Crowded(_) => "crowded",
        Failure::Denied(_) => "denied",
        Failure::Rejected(_) => "rejected",
        Failure::Unknown(_) => "unknown",
        Failure::Unreadable(_) => "unreadable",
    }
}

/// What a heartbeat comes to when it is answered so.
async fn of_update(status: u16, body: &str, consul: ConsulSettings) -> Failure {
    let fake = Fake::start(say(status, body)).await;
    let client = fake.client_with(consul, LIMITS);
    let updated = client.update("service:x", CheckStatus::Passing, "ok").await;
    let failure = updated.unwrap_err();
    let text = failure.to_string();
    assert!(
        text.contains(&format!("Consul at `http://{}`", fake.address)),
        "{text}"
    );
    assert!(
        text.chars().count() <= 201 && !text.contains(char::is_control),
        "{text}"
    );
    failure
}

#[tokio::test]
async fn statuses_say_what_is_to_be_done() {
    let long = "x".repeat(100_000);
    for (status, body, expected) in [
        (
            500,
            r#"CheckID "service:x" does not have associated TTL"#,
            "unknown",
        ),
        (
            404,
            r#"Unknown check ID "service:x". Ensure that the check ID is passed, not the check name."#,
            "unknown",
        ),
        (404, r#"Unknown check "service:x""#, "unknown"),
        (404, "404 page not found", "unreadable"),
        (500, "No cluster leader", "busy"),
        (500, "rpc error making call: Permission denied", "denied"),
        (500, "rpc error making call: ACL not found", "denied"),
        (403, "Permission denied", "denied"),
        (403, "ACL not found", "denied"),
        (401, "", "denied"),
        // C13.
        (
            429,
            "Your IP is issuing too many concurrent connections",
            "crowded",
        ),
        (502, "<html>", "busy"),
        (503, "", "busy"),
        (400, "Request decode failed", "rejected"),
        (405, "", "unreadable"),
        (301, "", "unreadable"),
        (307, "", "unreadable"),
        (500, &long, "busy"),
        (418, "a\u{1b}[31m\nb\r\u{0}", "unreadable"),
        // As it is shown, it is six times as long.
        (418, &"\u{1b}".repeat(200), "unreadable"),
    ] {
        let failure = of_update(status, body, ConsulSettings::default()).await;
        assert_eq!(class(&failure), expected, "{status} {body:.40}: {failure}");
    }
}

#[tokio::test]
async fn c06_a_denial_says_what_to_look_at() {
    let failure = of_update(403, "ACL not found", ConsulSettings::default()).await;
    assert!(
        failure.to_string().contains("no token is configured"),
        "{failure}"
    );
    let consul = ConsulSettings {
        token: Some("the-token".to_owned()),
        ..ConsulSettings::default()
    };
    let failure = of_update(403, "ACL not found", consul).await;
    assert!(failure.to_string().contains("check the token"), "{failure}");
}

#[tokio::test]
async fn c19_a_namespace_is_explained_to_the_free_edition() {
    let body = r#"Invalid query parameter: "ns" - Namespaces is a Consul Enterprise feature"#;
    let consul = ConsulSettings {
        namespace: Some("team".to_owned()),
        ..ConsulSettings::default()
    };
    let failure = of_update(400, body, consul).await;
    assert_eq!(class(&failure), "rejected");
    assert!(
        failure
            .to_string()
            .contains("remove `namespace` and `partition`"),
        "{failure}"
    );
}

#[tokio::test]
async fn l12_a_server_that_repeats_the_token_is_not_repeated() {
    let consul = ConsulSettings {
        token: Some("s3cr3t-token".to_owned()),
        ..ConsulSettings::default()
    };
    let failure = of_update(500, "no such token: s3cr3t-token", consul).await;
    assert!(!failure.to_string().contains("s3cr3t"), "{failure}");
    assert!(failure.to_string().contains("(hidden)"), "{failure}");
}

#[tokio::test]
async fn what_is_gone_is_deregistered() {
    for (status, body) in [
        (
            404,
            r#"Unknown service ID "x". Ensure that the service ID is passed, not the service name."#,
        ),
        (500, r#"Unknown service "x""#),
    ] {
        let fake = Fake::start(say(status, body)).await;
        assert_eq!(fake.client().deregister("x").await, Ok(()), "{body}");
    }
    let fake = Fake::start(say(500, "No cluster leader")).await;
    assert!(fake.client().deregister("x").await.is_err());
}

#[tokio::test]
async fn an_unknown_service_is_none() {
    let fake = Fake::start(say(404, "unknown service ID: x")).await;
    assert_eq!(fake.client().inspect("x").await, Ok(None));
    let fake = Fake::start(say(404, "404 page not found")).await;
    assert!(fake.client().inspect("x").await.is_err());
    let fake = Fake::start(say(200, "{}")).await;
    let failure = fake.client().inspect("x").await.unwrap_err();
    assert_eq!(class(&failure), "unreadable");
}

#[tokio::test]
async fn servers_without_a_leader_are_busy() {
    for (body, expected) in [
        ("\"\"", Some("busy")),
        ("\"10.0.0.1:8300\"", None),
        ("<html>", Some("unreadable")),
        ("", Some("unreadable")),
    ] {
        let fake = Fake::start(say(200, body)).await;
        let pulse = fake.client().pulse().await;
        assert_eq!(
            pulse.as_ref().err().map(class),
            expected,
            "{body}: {pulse:?}"
        );
    }
}

#[tokio::test]
async fn a_missing_key_is_an_answer_of_consul_alone() {
    let key = about(Target::Key("a".to_owned()), Mode::Now);
    let fake = Fake::start(say(404, "")).await;
    let answered = fake.client().ask(&key).await.unwrap();
    assert_eq!(answered.index, Some(42));
    assert_eq!(answered.found, Found::Entries(Vec::new()));
    let bare = "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n";
    let fake = Fake::start(vec![Reply::Say(bare.into())]).await;
    let failure = fake.client().ask(&key).await.unwrap_err();
    assert_eq!(class(&failure), "unreadable");
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let consul = ConsulSettings {
        address: address.clone(),
        ..ConsulSettings::default()
    };
    let failure = client(&consul, LIMITS).pulse().await.unwrap_err();
    assert_eq!(class(&failure), "unreachable");
    let text = failure.to_string();
    assert!(
        text.contains(&address) && text.contains("refused"),
        "{text}"
    );
}

#[tokio::test]
async fn redirects_carry_the_token_nowhere() {
    let elsewhere = Fake::start(say(200, "[]")).await;
    let redirect = format!(
        "HTTP/1.1 302 X\r\nLocation: http://{}/\r\nContent-Length: 0\r\n\r\n",
        elsewhere.address
    );
    let fake = Fake::start(vec![Reply::Say(redirect.into())]).await;
    let failure = fake
        .client()
        .ask(&question(&[], Mode::Now))
        .await
        .unwrap_err();
    assert_eq!(class(&failure), "unreadable");
    assert_eq!(elsewhere.connections(), 0);
}
