//! C06, C07: credentials that are replaced under way.

use std::path::PathBuf;
use std::time::Duration;

use super::super::Client;
use super::fake::{Fake, LIMITS, Reply, answer, client, question, say};
use super::tls::{Authority, Signed, secure};
use crate::config::ConsulSettings;
use crate::events::Failure;
use crate::watches::Mode;

/// Longer than any of these tests takes; a hung one fails by name.
const PATIENCE: Duration = Duration::from_secs(20);

async fn changed(client: &Client) {
    let changed = tokio::time::timeout(PATIENCE, client.credentials_changed()).await;
    changed.expect("the new credentials are taken over");
}

struct Token {
    directory: tempfile::TempDir,
}

impl Token {
    fn new(text: &str) -> Token {
        let token = Token {
            directory: tempfile::tempdir().unwrap(),
        };
        token.write(text);
        token
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("token")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    fn settings(&self) -> ConsulSettings {
        ConsulSettings {
            token_file: Some(self.path()),
            ..ConsulSettings::default()
        }
    }
}

fn sent(fake: &Fake) -> String {
    let request = fake.last();
    let header = request
        .lines()
        .find_map(|line| line.strip_prefix("x-consul-token: "));
    header.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn c06_a_token_that_is_replaced_is_used() {
    let token = Token::new("first\n");
    let denied = Reply::Say(answer(403, "ACL not found"));
    let granted = Reply::Say(answer(200, "\"x\""));
    let fake = Fake::start(vec![denied, granted]).await;
    let client = fake.client_with(token.settings(), LIMITS);
    let failure = client.pulse().await.unwrap_err();
    assert!(matches!(failure, Failure::Denied(_)), "{failure:?}");
    assert_eq!(sent(&fake), "first");
    token.write("second");
    changed(&client).await;
    client.pulse().await.unwrap();
    assert_eq!(sent(&fake), "second");
    // Another file in its place, as with a mounted secret.
    let next = token.directory.path().join("next");
    std::fs::write(&next, "third").unwrap();
    std::fs::rename(next, token.path()).unwrap();
    changed(&client).await;
    client.pulse().await.unwrap();
    assert_eq!(sent(&fake), "third");
}

#[tokio::test]
async fn c06_a_token_that_is_no_token_is_not_taken() {
    let token = Token::new("first");
    let fake = Fake::start(say(200, "\"x\"")).await;
    let client = fake.client_with(token.settings(), LIMITS);
    for bad in ["", "  \n", "two words", "sm\u{f8}rrebr\u{f8}d"] {
        token.write(bad);
        assert!(!client.look_at_files().await, "{bad}");
    }
    std::fs::remove_file(token.path()).unwrap();
    assert!(!client.look_at_files().await);
    client.pulse().await.unwrap();
    assert_eq!(sent(&fake), "first");
    // The same again is nothing new.
    token.write("first\n");
    assert!(!client.look_at_files().await);
    token.write("again");
    assert!(client.look_at_files().await);
    assert!(!client.look_at_files().await);
}

#[tokio::test]
async fn c06_without_files_nothing_ever_changes() {
    let fake = Fake::start(say(200, "\"x\"")).await;
    let client = fake.client();
    let waiting = tokio::time::timeout(LIMITS.poll * 5, client.credentials_changed()).await;
    assert!(waiting.is_err());
}

/// C07: a question that stands is not disturbed; the next one carries the new token.
#[tokio::test]
async fn c07_requests_under_way_go_on() {
    let token = Token::new("first");
    let held = Reply::Held(answer(200, "[]"));
    let fake = Fake::start(vec![held, say(200, "\"x\"").remove(0)]).await;
    let client = fake.client_with(token.settings(), LIMITS);
    let standing = tokio::spawn({
        let client = client.clone();
        let wait = Duration::from_mins(5);
        async move {
            client
                .ask(&question(&[], Mode::Change { since: 1, wait }))
                .await
        }
    });
    fake.has_seen(1).await;
    token.write("second");
    changed(&client).await;
    client.pulse().await.unwrap();
    assert_eq!(sent(&fake), "second");
    assert!(!standing.is_finished());
    fake.release();
    standing.await.unwrap().unwrap();
}

/// A client certificate and its key on disk, for a server that wants one.
struct Pair {
    authority: Authority,
    directory: tempfile::TempDir,
    settings: ConsulSettings,
    fake: Fake,
}

impl Pair {
    async fn new() -> Pair {
        let authority = Authority::new();
        let config = authority.strict_server("127.0.0.1");
        let fake = Fake::start_tls(say(200, "\"x\""), config).await;
        let directory = tempfile::tempdir().unwrap();
        let mut settings = secure(&fake.address, Some(authority.file()));
        settings.tls.client_cert = Some(directory.path().join("cert.pem"));
        settings.tls.client_key = Some(directory.path().join("key.pem"));
        let pair = Pair {
            authority,
            directory,
            settings,
            fake,
        };
        pair.write(&pair.sign(2100));
        pair
    }

    fn sign(&self, until: i32) -> Signed {
        self.authority.sign("client.test", until)
    }

    fn write(&self, signed: &Signed) {
        self.write_certificate(&signed.certificate);
        self.write_key(&signed.key);
    }

    fn write_certificate(&self, text: &str) {
        std::fs::write(self.directory.path().join("cert.pem"), text).unwrap();
    }

    fn write_key(&self, text: &str) {
        std::fs::write(self.directory.path().join("key.pem"), text).unwrap();
    }

    fn client(&self) -> Client {
        client(&self.settings, LIMITS)
    }
}

#[tokio::test]
async fn c07_a_server_may_want_a_certificate() {
    let pair = Pair::new().await;
    pair.client().pulse().await.unwrap();
    let anonymous = secure(&pair.fake.address, Some(pair.authority.file()));
    let failure = client(&anonymous, LIMITS).pulse().await.unwrap_err();
    assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
}

/// Requests go on one after the other while the pair is replaced again and again, one file after the other.
#[tokio::test]
async fn c07_certificates_are_replaced_under_load() {
    let pair = Pair::new().await;
    let client = pair.client();
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let beats = tokio::spawn({
        let client = client.clone();
        async move {
            let mut count = 0;
            while stopped.try_recv().is_err() {
                client.pulse().await.expect("no heartbeat is missed");
                count += 1;
            }
            count
        }
    });
    // Else the first pair might be gone before it is used.
    pair.fake.has_seen(1).await;
    for swap in 1..=8 {
        let next = pair.sign(2100);
        pair.write_certificate(&next.certificate[..100]);
        assert!(
            !client.look_at_files().await,
            "half a certificate was taken"
        );
        pair.write_certificate(&next.certificate);
        assert!(
            !client.look_at_files().await,
            "a pair that is none was taken"
        );
        pair.write_key(&next.key);
        assert!(client.look_at_files().await);
        // A new connection for each pair, with requests before and after.
        while pair.fake.connections() <= swap {
            tokio::task::yield_now().await;
        }
    }
    stop.send(()).unwrap();
    let count = beats.await.unwrap();
    assert!(count >= 8 && pair.fake.seen().len() == count, "{count}");
}

#[tokio::test]
async fn c07_an_expired_certificate_is_not_taken() {
    let pair = Pair::new().await;
    let client = pair.client();
    pair.write(&pair.sign(2020));
    assert!(!client.look_at_files().await);
    assert!(!client.look_at_files().await);
    client.pulse().await.unwrap();
    pair.write(&pair.sign(2100));
    changed(&client).await;
    client.pulse().await.unwrap();
    assert_eq!(pair.fake.connections(), 2);
}

/// At the start there is no better one, and there may be soon.
#[tokio::test]
async fn c07_an_expired_certificate_at_the_start_can_be_replaced() {
    let pair = Pair::new().await;
    pair.write(&pair.sign(2020));
    let client = pair.client();
    assert!(client.pulse().await.is_err());
    pair.write(&pair.sign(2100));
    changed(&client).await;
    client.pulse().await.unwrap();
}

#[tokio::test]
async fn c07_another_authority_is_taken_over() {
    let (old, new) = (Authority::new(), Authority::new());
    let fake = Fake::start_tls(say(200, "\"x\""), new.server("127.0.0.1")).await;
    let client = client(&secure(&fake.address, Some(old.file())), LIMITS);
    assert!(client.pulse().await.is_err());
    std::fs::copy(new.file(), old.file()).unwrap();
    changed(&client).await;
    client.pulse().await.unwrap();
}
