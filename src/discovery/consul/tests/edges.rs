//! C02 and D27: whatever the server does, a call ends within its limit and holds little.

use std::time::{Duration, Instant};

use super::super::{Client, Lookup, Settings};
use super::fake::{Fake, HASTY, LIMITS, Reply, answer, question, say, standing};
use crate::config::{ConsulSettings, Variables};
use crate::events::Failure;
use crate::watches::{Mode, Question};

/// No call of a hasty client takes longer, even on a busy machine.
const SOON: Duration = Duration::from_secs(5);

async fn ask(reply: Reply, question: &Question) -> Failure {
    let fake = Fake::start(vec![reply]).await;
    let client = fake.client_with(ConsulSettings::default(), HASTY);
    let start = Instant::now();
    let failure = client.ask(question).await.unwrap_err();
    assert!(start.elapsed() < SOON, "{failure}: {:?}", start.elapsed());
    failure
}

fn now() -> Question {
    question(&[], Mode::Now)
}

/// Both ways to ask: through the pool, and standing on a connection of its own.
fn both() -> [Question; 2] {
    [now(), standing(Duration::ZERO)]
}

#[tokio::test]
async fn c02_silence_is_given_up() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    for said in [
        "",
        "HTTP/1.1 2",
        "HTTP/1.1 200 OK\r\nX: y\r\n",
        head,
        &format!("{head}["),
    ] {
        for question in both() {
            let failure = ask(Reply::Stop(said.into()), &question).await;
            assert!(
                matches!(&failure, Failure::Unreachable(text) if text.ends_with("no answer within 300ms")),
                "{said:?}: {failure}"
            );
        }
    }
}

#[tokio::test]
async fn c02_a_blocking_query_is_given_up_after_its_wait() {
    let wait = Duration::from_millis(160);
    let start = Instant::now();
    let failure = ask(Reply::Stop(Vec::new()), &standing(wait)).await;
    assert!(
        failure.to_string().ends_with("no answer within 470ms"),
        "{failure}"
    );
    assert!(start.elapsed() >= Duration::from_millis(470));
}

#[tokio::test]
async fn c02_a_server_that_does_not_accept_is_given_up() {
    // A backlog that is full: connections are neither taken nor refused.
    let listener = nix_listener();
    let address = listener.local_addr().unwrap();
    let _full: Vec<_> = (0..4)
        .map(|_| {
            let stream = tokio::net::TcpSocket::new_v4().unwrap();
            tokio::spawn(stream.connect(address))
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let consul = ConsulSettings {
        address: address.to_string(),
        ..ConsulSettings::default()
    };
    let start = Instant::now();
    let mut limits = LIMITS;
    limits.connect = Duration::from_millis(300);
    let client = super::fake::client(&consul, limits);
    for question in both() {
        let failure = client.ask(&question).await.unwrap_err();
        assert!(
            matches!(&failure, Failure::Unreachable(text) if text.ends_with("no connection in time")),
            "{failure}"
        );
    }
    assert!(start.elapsed() < SOON);
}

/// A socket with the smallest backlog.
fn nix_listener() -> std::net::TcpListener {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(1).unwrap().into_std().unwrap()
}

#[tokio::test]
async fn c02_answers_that_break_off_are_unreachable() {
    for said in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[]",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n",
    ] {
        for question in both() {
            let failure = ask(Reply::SayAndClose(said.into()), &question).await;
            assert!(
                matches!(failure, Failure::Unreachable(_)),
                "{said:?}: {failure:?}"
            );
        }
    }
}

#[tokio::test]
async fn c02_nonsense_is_unreadable() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n[]", "X: y\r\n".repeat(200));
    let wide = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n[]", "y".repeat(1 << 20));
    for said in [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "\u{0}\u{1}\u{2}\u{3}\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n[]",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n[]",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<htm>",
        &many,
        &wide,
    ] {
        for question in both() {
            let failure = ask(Reply::SayAndClose(said.into()), &question).await;
            assert!(
                matches!(failure, Failure::Unreadable(_)),
                "{said:.60?}: {failure:?}"
            );
        }
    }
}

#[tokio::test]
async fn c02_no_answer_is_too_large() {
    let claimed = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
        LIMITS.answer + 1
    );
    let large = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let fault = "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n";
    let more = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let endless = |start: &str| Reply::Endless(start.into(), more.clone().into());
    for question in both() {
        for reply in [Reply::Stop(claimed.clone().into()), endless(large)] {
            let failure = ask(reply, &question).await;
            assert!(
                matches!(&failure, Failure::Unreadable(text) if text.contains("more than 65536 bytes")),
                "{failure:?}"
            );
        }
        // An error is known by its status, whatever follows.
        let failure = ask(endless(fault), &question).await;
        assert!(matches!(failure, Failure::Busy(_)), "{failure:?}");
    }
}

#[tokio::test]
async fn answers_come_whole_in_pieces() {
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n";
    let until_the_end = "HTTP/1.0 200 OK\r\nX-Consul-Index: 0\r\n\r\n[]";
    for question in both() {
        let fake = Fake::start(vec![Reply::Say(chunked.into())]).await;
        let answered = fake.client().ask(&question).await.unwrap();
        assert_eq!(answered.index, None);
        let fake = Fake::start(vec![Reply::SayAndClose(until_the_end.into())]).await;
        assert_eq!(fake.client().ask(&question).await.unwrap().index, Some(0));
    }
}

/// What comes in answers of many reads, and before the question was read at all, is taken all the same.
#[tokio::test]
async fn a_standing_question_takes_an_answer_as_it_comes() {
    let long = format!("[{}]", " ".repeat(LIMITS.answer - 2));
    let fake = Fake::start(say(200, &long)).await;
    let answered = fake.client().ask(&standing(Duration::ZERO)).await.unwrap();
    assert_eq!(answered.index, Some(42));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let consul = ConsulSettings {
        address: listener.local_addr().unwrap().to_string(),
        ..ConsulSettings::default()
    };
    let hasty = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&answer(200, "[]")).await.unwrap();
        stream
    });
    let client = super::fake::client(&consul, LIMITS);
    client.ask(&standing(Duration::ZERO)).await.unwrap();
    hasty.await.unwrap();
}

/// The connection of one standing question serves the next, unless the server has more to say than it was asked.
#[tokio::test]
async fn a_standing_question_leaves_its_connection_to_the_next() {
    let fake = Fake::start(say(200, "[]")).await;
    let client = fake.client();
    for count in 1..=5 {
        client.ask(&standing(Duration::ZERO)).await.unwrap();
        assert_eq!((fake.seen().len(), fake.connections()), (count, 1));
    }
    let chatty = [answer(200, "[]"), answer(200, "[7]")].concat();
    let fake = Fake::start(vec![Reply::Say(chatty)]).await;
    let client = fake.client();
    for count in 1..=3 {
        client.ask(&standing(Duration::ZERO)).await.unwrap();
        assert_eq!(fake.connections(), count);
    }
}

/// A server that ends idle connections is no failure of the next call.
#[tokio::test]
async fn a_connection_that_was_closed_is_made_again() {
    for question in both() {
        let fake = Fake::start(vec![Reply::SayAndClose(answer(200, "[]"))]).await;
        let client = fake.client();
        for count in 1..=5 {
            client.ask(&question).await.unwrap();
            assert_eq!(fake.connections(), count);
        }
    }
}

/// C17: a catalogue whose name got another address is found there as soon as the old connection fails.
#[tokio::test]
async fn c17_a_moved_server_is_found_at_its_new_address() {
    let hosts = tempfile::NamedTempFile::new().unwrap();
    let is_at = |address| {
        std::fs::write(hosts.path(), format!("{address} consul.test\n")).unwrap();
    };
    for question in both() {
        let before =
            Fake::start_at("127.0.0.2:0", vec![Reply::SayAndClose(answer(200, "[]"))]).await;
        let (_, port) = before.address.split_once(':').unwrap();
        let after = Fake::start_at(&format!("127.0.0.3:{port}"), say(200, "[]")).await;
        is_at("127.0.0.2");
        let consul = ConsulSettings {
            address: format!("consul.test:{port}"),
            ..ConsulSettings::default()
        };
        let settings = Settings::resolve(&consul, &Variables::new()).unwrap();
        let lookup = Lookup::HostsFile(hosts.path().to_owned());
        let client = Client::with_limits(settings, lookup, LIMITS).unwrap();
        client.ask(&question).await.unwrap();
        is_at("127.0.0.3");
        client.ask(&question).await.unwrap();
        assert_eq!((before.seen().len(), after.seen().len()), (1, 1));
    }
}

/// D27: a call that hangs holds up no other.
#[tokio::test]
async fn c02_a_hanging_call_delays_no_other() {
    let held = Reply::Held(answer(200, "[]"));
    let fake = Fake::start(vec![held, say(200, "\"x\"").remove(0)]).await;
    let client = fake.client();
    let hanging = tokio::spawn({
        let client = client.clone();
        async move { client.ask(&question(&[], Mode::Now)).await }
    });
    fake.has_seen(1).await;
    for _ in 0..10 {
        client.pulse().await.unwrap();
    }
    assert!(!hanging.is_finished());
    fake.release();
    hanging.await.unwrap().unwrap();
}

/// C13: many questions stand at once, each on a connection of its own.
#[tokio::test]
async fn c13_blocking_queries_stand_side_by_side() {
    let fake = Fake::start(vec![Reply::Held(answer(200, "[]"))]).await;
    let client = fake.client();
    let wait = Duration::from_mins(5);
    let ask = || {
        let client = client.clone();
        let question = standing(wait);
        tokio::spawn(async move { client.ask(&question).await })
    };
    let asked: Vec<_> = (0..50).map(|_| ask()).collect();
    fake.has_seen(50).await;
    assert_eq!(fake.connections(), 50);
    for one in asked {
        fake.release();
        // `notify_one` keeps one permit only: the next is given when this one is used.
        tokio::task::yield_now().await;
        drop(one);
    }
}
