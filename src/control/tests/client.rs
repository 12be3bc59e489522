use std::collections::BTreeMap;

use super::super::{Client, ClientError};
use super::*;

fn pairs(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}

#[tokio::test]
async fn every_request_reaches_the_supervisor() {
    let (fixture, mut supervisor) = Fixture::answered(PATIENT);
    let client = Client::new(&fixture.path).unwrap();
    client.ping().await.unwrap();
    assert_eq!(supervisor.seen(), None);
    client.reload().await.unwrap();
    assert_eq!(supervisor.seen().as_deref(), Some("Reload"));
    client.maintenance(true).await.unwrap();
    assert_eq!(supervisor.seen().as_deref(), Some("Maintenance(true)"));
    client.maintenance(false).await.unwrap();
    assert_eq!(supervisor.seen().as_deref(), Some("Maintenance(false)"));
    client.put_environ(&pairs("A", "b=c")).await.unwrap();
    let expected = r#"Environ([("A", Some("b=c"))])"#;
    assert_eq!(supervisor.seen().as_deref(), Some(expected));
    client.put_metric(&pairs("m", "1.5")).await.unwrap();
    let expected = r#"Metric([("m", 1.5)])"#;
    assert_eq!(supervisor.seen().as_deref(), Some(expected));
    assert!(client.health(None).await.unwrap().healthy);
    assert_eq!(supervisor.seen().as_deref(), Some("Health(None)"));
    assert!(client.health(Some("app")).await.unwrap().healthy);
    assert_eq!(supervisor.seen().as_deref(), Some(r#"Health(Some("app"))"#));
}

#[tokio::test]
async fn an_unhealthy_job_is_an_answer_and_an_unknown_one_an_error() {
    let (fixture, _supervisor) = Fixture::answered(PATIENT);
    let client = Client::new(&fixture.path).unwrap();
    let sick = client.health(Some("sick app")).await.unwrap();
    assert!(!sick.healthy);
    assert_eq!(sick.reason.as_deref(), Some("its check failed"));
    let error = client.health(Some("a&b=c d/ü")).await.unwrap_err();
    let expected = "refused with status 404: no job is called `a&b=c d/ü`";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn d46_every_other_status_is_an_error_with_its_reason() {
    let (fixture, supervisor) = Fixture::answered(PATIENT);
    let client = Client::new(&fixture.path).unwrap();
    let error = client.put_metric(&pairs("m", "x")).await.unwrap_err();
    let expected = "refused with status 422: Unprocessable Entity: \
        cannot record \"m\": its value is not a finite number";
    assert_eq!(error.to_string(), expected);
    let large = "x".repeat(400_000);
    let error = client.put_environ(&pairs("A", &large)).await.unwrap_err();
    assert!(
        matches!(error, ClientError::Refused { status: 413, .. }),
        "{error}"
    );
    supervisor.task.abort();
    let _ = supervisor.task.await;
    for error in [
        client.reload().await.unwrap_err(),
        client.health(None).await.unwrap_err(),
    ] {
        assert!(
            matches!(error, ClientError::Refused { status: 503, .. }),
            "{error}"
        );
        assert!(
            error.to_string().ends_with("the supervisor is stopping"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn nobody_at_the_socket_is_said_plainly() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control.socket");
    let client = Client::new(&path).unwrap();
    let error = client.ping().await.unwrap_err();
    let expected = format!(
        "cannot reach the supervisor at `{}`: No such file or directory (os error 2)",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let error = client.ping().await.unwrap_err().to_string();
    assert!(error.contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control.socket");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _request = stream.read(&mut [0; 512]).await.unwrap();
        let head = "HTTP/1.1 500 Internal Server Error\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        while stream.write_all(&[b'x'; 512]).await.is_ok() {}
    };
    let client = Client::new(&path).unwrap();
    let ping = async {
        let error = client.ping().await.unwrap_err();
        let ClientError::Refused { status, reason } = error else {
            panic!("{error}");
        };
        assert_eq!((status, reason.len()), (500, 256 * 1024));
    };
    soon(async { tokio::join!(server, ping) }).await;
}
