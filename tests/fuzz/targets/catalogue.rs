//! The embedded catalogue: the bytes of one connection after another to a new one.
//!
//! * Every answer is whole and has a status; what says that it is JSON is JSON; an index is never 0.
//! * Whatever was put in, the program's own client reads what comes out.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use pilothouse::catalog::{Settings, bind};
use pilothouse::config::{ConsulSettings, TlsSettings, Variables};
use pilothouse::discovery::consul::{self, Client, Lookup};
use pilothouse::watches::{Mode, Question, Subject, Target};
use tokio::net::TcpStream;

use super::http::{Answer, PATIENCE, converse};

/// Connections of one input.
const CONNECTIONS: usize = 6;

thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

/// A loopback address of its own for every input: ports of closed connections stay taken for a minute.
fn address() -> Ipv4Addr {
    let count = COUNT.get();
    COUNT.set(count + 1);
    Ipv4Addr::from(0x7f01_0001 + count % 0x00f0_0000)
}

pub(super) fn run(input: &[u8]) {
    let runtime = super::runtime();
    runtime.block_on(async {
        let catalogue = bind(Settings {
            bind: SocketAddr::from((address(), 0)),
            ..Settings::default()
        });
        let catalogue = catalogue.expect("a port is free");
        let place = catalogue.local_addr();
        let handle = catalogue.serve().expect("the runtime can watch it");
        for part in super::parts(input, CONNECTIONS) {
            let stream = TcpStream::connect(place).await;
            let stream = stream.expect("the catalogue listens");
            match converse(stream, part, patience(part)).await {
                Some(answers) => check(part, &answers),
                None => assert!(may_wait(part), "the catalogue neither answers nor closes"),
            }
        }
        ask(place).await;
        handle.close().await;
    });
}

/// Whether a request may wait for a change, by an `index` that may be written with escapes. With another request behind it
/// nobody reads that its client has gone.
fn may_wait(part: &[u8]) -> bool {
    let has = |word: &[u8]| part.windows(word.len()).any(|it| it == word);
    has(b"index") || has(b"%")
}

fn patience(part: &[u8]) -> Duration {
    if may_wait(part) {
        Duration::from_millis(100)
    } else {
        PATIENCE
    }
}

fn check(input: &[u8], answers: &[u8]) {
    // With several requests on one connection nobody knows here which was for a head alone.
    if input.windows(5).any(|it| it == b"HEAD ") {
        return;
    }
    let mut rest = answers;
    while !rest.is_empty() {
        let answer = Answer::take(&mut rest, false);
        if answer.is_json() && !answer.body.is_empty() {
            answer.json();
        }
        let index = answer.header("x-consul-index");
        assert_ne!(index, Some("0"), "{answer:?}");
    }
}

/// Asks for everything that an input can have put in.
async fn ask(place: SocketAddr) {
    let consul = ConsulSettings {
        address: place.to_string(),
        scheme: None,
        token: None,
        token_file: None,
        tls: TlsSettings::default(),
        datacenter: None,
        namespace: None,
        partition: None,
        max_connections: ConsulSettings::MAX_CONNECTIONS,
        embedded: false,
    };
    let settings = consul::Settings::resolve(&consul, &Variables::new());
    let settings = settings.expect("the address is one");
    let client = Client::new(settings, Lookup::hosts_file()).expect("there are no files");
    let service = Target::Service {
        name: "web".to_owned(),
        tags: Vec::new(),
        passing_only: false,
    };
    for target in [service, Target::Prefix(String::new())] {
        let question = Question {
            subject: Subject { target, dc: None },
            mode: Mode::Now,
        };
        if let Err(failure) = client.ask(&question).await {
            panic!("{failure}");
        }
    }
    if let Err(failure) = client.inspect("web").await {
        panic!("{failure}");
    }
}
