//! What a Consul answers: the bytes of one answer after another, to the questions of watches or to the calls of a service.
//!
//! * Whatever comes, the client has a result; a failure's text is one short line without a secret (L12).
//! * No answer makes the rules of watches or services ask without a pause, and an index is only sent if it was the last
//!   that came (C09, C10).
//! * A job that leaves is told so in bounded time, whatever its service's calls come to (S08).
//!
//! An input that begins with the line `services` is for the calls, any other for the questions. A part that does not begin
//! with `HTTP/` is the body of a good answer.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use pilothouse::config::{ConsulSettings, TlsSettings, Variables};
use pilothouse::discovery::consul::{Client, Lookup, Settings};
use pilothouse::events::{Failure, JobId, WatchId};
use pilothouse::services::{
    Call, CallId, Order as ServiceOrder, Plan, Presence, Registration, Reply, Services,
};
use pilothouse::watches::{
    Answer, AskId, Debounce, Mode, Order, Question, Subject, Target, WatchSpec, Watches,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Runtime;

/// Answers of one input that go over a connection. After them the last comes again and again.
const ANSWERS: usize = 6;

/// Turns of the rules: enough for a loop to show itself.
const TURNS: usize = 150;

const TOKEN: &str = "tk-9Yw-nobody-sees-it";

struct Site {
    runtime: Runtime,
    listener: UnixListener,
    client: Client,
    _folder: TempDir,
}

thread_local! {
    static SITE: std::cell::RefCell<Site> = std::cell::RefCell::new(Site::new());
}

pub(super) fn run(input: &[u8]) {
    SITE.with_borrow_mut(|site| match input.strip_prefix(b"services\n") {
        Some(rest) => serve(site, &super::parts(rest, ANSWERS)),
        None => watch(site, &super::parts(input, ANSWERS)),
    });
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let socket = folder.path().join("s");
        let consul = ConsulSettings {
            address: format!("unix://{}", socket.display()),
            scheme: None,
            token: Some(TOKEN.to_owned()),
            token_file: None,
            tls: TlsSettings::default(),
            datacenter: None,
            namespace: None,
            partition: None,
            max_connections: ConsulSettings::MAX_CONNECTIONS,
            embedded: false,
        };
        let settings = Settings::resolve(&consul, &Variables::new());
        let settings = settings.expect("the address is one");
        let client = Client::new(settings, Lookup::hosts_file()).expect("there are no files");
        let runtime = super::runtime();
        let inside = runtime.enter();
        let listener = UnixListener::bind(&socket).expect("the socket is free");
        drop(inside);
        Site {
            runtime,
            listener,
            client,
            _folder: folder,
        }
    }

    /// What `asking` comes to when every request gets this answer.
    fn answered<T>(&self, answer: &[u8], asking: impl Future<Output = T>) -> T {
        self.runtime.block_on(async {
            let answering = async {
                loop {
                    let (stream, _) = self.listener.accept().await.expect("a client comes");
                    answer_one(stream, answer).await;
                }
            };
            let limit = tokio::time::sleep(Duration::from_secs(20));
            tokio::select! {
                () = answering => unreachable!("it goes on"),
                () = limit => panic!("the client has no result"),
                result = asking => result,
            }
        })
    }
}

/// Reads one request and writes the answer, then closes.
async fn answer_one(mut stream: UnixStream, answer: &[u8]) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|it| it == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => request.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    // A client that has seen enough closes early.
    let _ = if answer.starts_with(b"HTTP/") {
        stream.write_all(answer).await
    } else {
        let head = format!(
            "HTTP/1.1 200 OK\r\nX-Consul-Index: 7\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        let whole = [head.as_bytes(), answer].concat();
        stream.write_all(&whole).await
    };
    let _ = stream.shutdown().await;
}

fn check_failure(failure: &Failure) {
    let text = failure.to_string();
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert!(text.chars().count() <= 201, "{text:?}");
    assert!(!text.contains(TOKEN), "the token is shown: {text}");
}

/// Watches on a service, a key and a prefix.
fn watches() -> Vec<(WatchId, WatchSpec)> {
    let service = |tags: &[&str], passing_only| Target::Service {
        name: "web".to_owned(),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        passing_only,
    };
    let targets = [
        service(&[], false),
        service(&["blue"], true),
        Target::Key("config/app".to_owned()),
        Target::Prefix("config/".to_owned()),
    ];
    let specs = (0..).zip(targets).map(|(number, target)| {
        let spec = WatchSpec {
            name: format!("w{number}"),
            subject: Subject { target, dc: None },
            interval: Duration::from_secs(10),
            debounce: (number == 1).then_some(Debounce {
                min: Duration::from_secs(1),
                max: Duration::from_secs(3),
            }),
        };
        (WatchId(number), spec)
    });
    specs.collect()
}

/// What the rules of watches did so far.
struct Watching {
    watches: Watches,
    begin: Instant,
    now: Instant,
    asks: usize,
    /// The last index that came, for each subject.
    indexes: BTreeMap<Target, Option<u64>>,
}

fn watch(site: &Site, answers: &[&[u8]]) {
    let begin = Instant::now();
    let specs = watches();
    let subjects = specs.len();
    let mut watching = Watching {
        watches: Watches::new(specs, 3, AskId(1), 7, begin),
        begin,
        now: begin,
        asks: 0,
        indexes: BTreeMap::new(),
    };
    let mut orders: VecDeque<Order> = watching.watches.begin(begin).into();
    let mut answers = answers.iter();
    let mut last: BTreeMap<bool, Result<Answer, Failure>> = BTreeMap::new();
    let mut last_pulse = Ok(());
    for _ in 0..TURNS {
        let Some(order) = orders.pop_front() else {
            let Some(at) = watching.watches.next_deadline() else {
                break;
            };
            watching.now = at.max(watching.now);
            orders.extend(watching.watches.on_time(watching.now));
            let next = watching.watches.next_deadline();
            let is_past = next.is_some_and(|at| at <= watching.now);
            assert!(!is_past, "a deadline that is never reached");
            continue;
        };
        let more = match order {
            Order::Ask { id, question } => {
                watching.check_question(&question);
                let is_service = matches!(question.subject.target, Target::Service { .. });
                let result = match answers.next() {
                    Some(answer) => site.answered(answer, site.client.ask(&question)),
                    None => match last.get(&is_service) {
                        Some(result) => result.clone(),
                        None => break,
                    },
                };
                last.insert(is_service, result.clone());
                watching.take(id, &question, result)
            }
            Order::Pulse(id) => {
                if let Some(answer) = answers.next() {
                    last_pulse = site.answered(answer, site.client.pulse());
                }
                let failure = last_pulse.as_ref().err();
                failure.inspect(|failure| check_failure(failure));
                watching.watches.on_pulse(id, failure, watching.now)
            }
            Order::Abandon(_) | Order::Publish(_) | Order::Report(_) => Vec::new(),
        };
        orders.extend(more);
        watching.check_pace(subjects);
    }
}

impl Watching {
    fn check_question(&mut self, question: &Question) {
        self.asks += 1;
        if let Mode::Change { since, .. } = question.mode {
            let last = self
                .indexes
                .get(&question.subject.target)
                .copied()
                .flatten();
            let last = last.map(|index| index.max(1));
            assert_eq!(Some(since), last, "not the last index that came");
        }
    }

    fn take(
        &mut self,
        id: AskId,
        question: &Question,
        result: Result<Answer, Failure>,
    ) -> Vec<Order> {
        match &result {
            Ok(answer) => {
                let target = question.subject.target.clone();
                self.indexes.insert(target, answer.index);
                // What stands until something changes takes its time.
                if let Mode::Change { since, wait } = question.mode
                    && answer.index == Some(since)
                {
                    self.now += wait;
                }
            }
            Err(failure) => check_failure(failure),
        }
        self.watches.on_answer(id, result, self.now)
    }

    /// A burst for each subject, then its pace; a confirmation may follow each.
    fn check_pace(&self, subjects: usize) {
        let gone = self.now.duration_since(self.begin).as_millis() / 200;
        let paced = usize::try_from(gone).unwrap_or(usize::MAX);
        let most = paced.saturating_add(12).saturating_mul(2 * subjects);
        assert!(self.asks <= most, "{} questions, at most {most}", self.asks);
    }
}

fn registration() -> Registration {
    Registration {
        id: "web-1".to_owned(),
        plain_check_id: false,
        name: "web".to_owned(),
        tags: vec!["blue".to_owned()],
        address: Some("10.0.0.2".to_owned()),
        port: 80,
        meta: BTreeMap::new(),
        weights: None,
        enable_tag_override: false,
        ttl: Duration::from_secs(25),
        deregister_critical_after: None,
    }
}

fn serve(site: &Site, answers: &[&[u8]]) {
    let job = JobId(0);
    let begin = Instant::now();
    let plan = Plan {
        job,
        registration: registration(),
        initial: None,
        interval: Duration::from_secs(10),
    };
    let mut services = Services::new(vec![plan], CallId(1), 7);
    let mut now = begin;
    let mut orders: VecDeque<ServiceOrder> = services.begin(now).into();
    orders.extend(services.on_presence(job, Presence::Passing, "", now));
    let mut answers = answers.iter();
    let mut last = None;
    let mut calls = 0;
    let mut leaves_at = None;
    let mut left = false;
    for turn in 0..2 * TURNS {
        if turn == TURNS {
            leaves_at = Some(now);
            orders.extend(services.on_presence(job, Presence::Leaving, "", now));
        }
        let Some(order) = orders.pop_front() else {
            let Some(at) = services.next_deadline() else {
                // Nothing to do until it is time to leave.
                continue;
            };
            now = at.max(now);
            orders.extend(services.on_time(now));
            let is_past = services.next_deadline().is_some_and(|at| at <= now);
            assert!(!is_past, "a deadline that is never reached");
            continue;
        };
        match order {
            ServiceOrder::Call { id, call, .. } => {
                calls += 1;
                let inspects = matches!(call, Call::Inspect(_));
                let result = match answers.next() {
                    Some(answer) => site.answered(answer, make(&site.client, call)),
                    None => repeated(last.clone(), inspects),
                };
                let _ = result
                    .as_ref()
                    .inspect_err(|failure| check_failure(failure));
                last = Some(result.clone());
                orders.extend(services.on_answer(job, id, result, now));
            }
            ServiceOrder::Left { .. } => left = true,
            ServiceOrder::Abandon(_) | ServiceOrder::Report(..) => {}
        }
        let gone = now.duration_since(begin).as_secs();
        let most = 40 + gone.saturating_mul(10);
        assert!(calls <= most, "{calls} calls in {gone} s");
    }
    let waited = leaves_at.map(|at| now.duration_since(at));
    assert!(
        left || waited < Some(Duration::from_mins(1)),
        "nobody tells that it has left"
    );
}

/// The same again, as far as it is an answer to this call.
fn repeated(last: Option<Result<Reply, Failure>>, inspects: bool) -> Result<Reply, Failure> {
    match last {
        Some(Ok(Reply::Found(found))) if inspects => Ok(Reply::Found(found)),
        Some(Err(failure)) => Err(failure),
        _ if inspects => Ok(Reply::Found(None)),
        _ => Ok(Reply::Done),
    }
}

async fn make(client: &Client, call: Call) -> Result<Reply, Failure> {
    let done = |()| Reply::Done;
    match call {
        Call::Register(registration, status) => {
            client.register(&registration, Some(status)).await.map(done)
        }
        Call::Update {
            check,
            status,
            output,
        } => client.update(&check, status, &output).await.map(done),
        Call::Deregister(id) => client.deregister(&id).await.map(done),
        Call::Inspect(id) => client.inspect(&id).await.map(Reply::Found),
    }
}
