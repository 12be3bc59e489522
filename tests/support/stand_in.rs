//! A stand-in for the catalogue: it answers like a small Consul, or as badly as a test wants.
//!
//! It keeps what is registered, holds questions back until something changes, and writes down every request. A thread a
//! connection; everything ends with the value.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::wait_until;

/// How it behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// It takes requests and never answers.
    Silent,
    /// It answers after this time.
    Slow(Duration),
    /// This status and body to everything.
    Status(u16, String),
    /// These bytes instead of an answer.
    Bytes(Vec<u8>),
    /// A body without an end.
    Endless,
    /// Only requests whose path contains this are refused, with this status and body.
    Refusing(&'static str, u16, String),
    /// Each request goes to the other of two agents.
    Split,
    /// At most so many connections; further ones are closed at once.
    Crowded(usize),
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) at: Instant,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) body: String,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    /// What is registered in each of two agents: id, and the status of its check.
    agents: [BTreeMap<String, Registered>; 2],
    turn: usize,
    /// What watches are told of each service.
    answers: BTreeMap<String, (u64, String)>,
    /// Replaces the index of every answer.
    index: Option<u64>,
    last_index: u64,
    requests: Vec<Request>,
    connections: usize,
    over: bool,
}

/// A service in an agent.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) registration: serde_json::Value,
    pub(crate) status: String,
    pub(crate) output: String,
}

#[derive(Clone)]
struct Shared(Arc<(Mutex<State>, Condvar)>);

pub(crate) struct StandIn {
    shared: Shared,
    address: SocketAddr,
}

/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_mins(1);

impl StandIn {
    pub(crate) fn start() -> StandIn {
        StandIn::at(TcpListener::bind("127.0.0.1:0").expect("loopback takes a listener"))
    }

    pub(crate) fn at(listener: TcpListener) -> StandIn {
        let address = listener.local_addr().expect("it listens");
        let state = State {
            mood: Mood::Well,
            agents: [BTreeMap::new(), BTreeMap::new()],
            turn: 0,
            answers: BTreeMap::new(),
            index: None,
            last_index: 10,
            requests: Vec::new(),
            connections: 0,
            over: false,
        };
        let shared = Shared(Arc::new((Mutex::new(state), Condvar::new())));
        let server = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                if server.lock().over {
                    return;
                }
                let server = server.clone();
                std::thread::spawn(move || server.serve(&stream));
            }
        });
        StandIn { shared, address }
    }

    /// For `consul: "…"`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        self.shared.change(|state| state.mood = mood);
    }

    /// What watches of a service find from now on: the ports of its instances.
    pub(crate) fn set_instances(&self, service: &str, ports: &[u16]) {
        self.shared.change(|state| {
            state.last_index += 1;
            let answer = (state.last_index, instances(service, ports, "fine"));
            state.answers.insert(service.to_owned(), answer);
        });
    }

    /// The same instances with another output of their checks.
    pub(crate) fn set_output(&self, service: &str, ports: &[u16], output: &str) {
        self.shared.change(|state| {
            state.last_index += 1;
            let answer = (state.last_index, instances(service, ports, output));
            state.answers.insert(service.to_owned(), answer);
        });
    }

    /// Every answer says this index.
    pub(crate) fn set_index(&self, index: Option<u64>) {
        self.shared.change(|state| state.index = index);
    }

    /// The agents forget everything.
    pub(crate) fn forget(&self) {
        self.shared.change(|state| {
            state.agents = [BTreeMap::new(), BTreeMap::new()];
        });
    }

    /// What is registered in the first agent, by the service's name.
    pub(crate) fn registered(&self, name: &str) -> Option<Registered> {
        let state = self.shared.lock();
        let found = state.agents[0]
            .values()
            .find(|one| one.registration["Name"] == name);
        found.cloned()
    }

    /// How many agents have a service.
    pub(crate) fn twins(&self) -> usize {
        let state = self.shared.lock();
        state
            .agents
            .iter()
            .filter(|agent| !agent.is_empty())
            .count()
    }

    pub(crate) fn status(&self, name: &str) -> Option<String> {
        self.registered(name).map(|one| one.status)
    }

    pub(crate) fn wait_status(&self, name: &str, status: Option<&str>, limit: Duration) {
        let what = format!("{name} is {status:?}");
        wait_until(limit, &what, || self.status(name).as_deref() == status);
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// How many requests had this in their line.
    pub(crate) fn count(&self, part: &str) -> usize {
        let state = self.shared.lock();
        let matching = state
            .requests
            .iter()
            .filter(|request| format!("{} {}", request.method, request.target).contains(part));
        matching.count()
    }

    /// Waits for a number of such requests.
    pub(crate) fn wait_count(&self, part: &str, count: usize, limit: Duration) {
        let what = format!("{count} requests with {part}");
        wait_until(limit, &what, || self.count(part) >= count);
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.shared.change(|state| state.over = true);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().expect("no thread of the stand-in panics")
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.0.1.notify_all();
    }

    fn serve(&self, stream: &TcpStream) {
        {
            let mut state = self.lock();
            let full = matches!(state.mood, Mood::Crowded(limit) if state.connections >= limit);
            if full {
                return;
            }
            state.connections += 1;
        }
        let _ = stream.set_read_timeout(Some(IDLE));
        let mut reader = BufReader::new(stream);
        while let Some(request) = read(&mut reader) {
            let keep = self.answer(stream, &request);
            if !keep {
                break;
            }
        }
        self.lock().connections -= 1;
    }

    /// Answers one request; whether the connection goes on.
    fn answer(&self, mut stream: &TcpStream, request: &Request) -> bool {
        let mood = {
            let mut state = self.lock();
            state.requests.push(request.clone());
            state.mood.clone()
        };
        let (status, index, body) = match mood {
            Mood::Silent => return self.be_silent(stream),
            Mood::Bytes(bytes) => {
                let _ = stream.write_all(&bytes);
                return false;
            }
            Mood::Endless => return endless(stream),
            Mood::Status(status, body) => (status, None, body),
            Mood::Refusing(part, status, body) if request.target.contains(part) => {
                (status, None, body)
            }
            Mood::Slow(delay) => {
                std::thread::sleep(delay);
                self.result(request)
            }
            Mood::Well | Mood::Refusing(..) | Mood::Split | Mood::Crowded(_) => {
                self.result(request)
            }
        };
        let index = index.map_or(String::new(), |index| {
            format!("X-Consul-Index: {index}\r\n")
        });
        let head = format!(
            "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n{index}Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).is_ok() && stream.write_all(body.as_bytes()).is_ok()
    }

    /// Holds the connection until the mood changes or the other side has gone.
    fn be_silent(&self, stream: &TcpStream) -> bool {
        let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
        let mut byte = [0];
        loop {
            let over = {
                let state = self.lock();
                state.over || state.mood != Mood::Silent
            };
            let gone = matches!(stream.peek(&mut byte), Ok(0));
            if over || gone {
                return false;
            }
        }
    }

    fn result(&self, request: &Request) -> (u16, Option<u64>, String) {
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        if path == "/v1/status/leader" {
            return (200, None, "\"127.0.0.1:8300\"".to_owned());
        }
        if let Some(service) = path.strip_prefix("/v1/health/service/") {
            return self.watch(service, query);
        }
        let mut state = self.lock();
        if state.mood == Mood::Split {
            state.turn = 1 - state.turn;
        }
        let turn = state.turn;
        let agent = &mut state.agents[turn];
        if path == "/v1/agent/service/register" {
            return register(agent, &request.body);
        }
        if let Some(check) = path.strip_prefix("/v1/agent/check/update/") {
            return update(agent, check, &request.body);
        }
        if let Some(id) = path.strip_prefix("/v1/agent/service/deregister/") {
            agent.remove(id);
            return (200, None, String::new());
        }
        if let Some(id) = path.strip_prefix("/v1/agent/service/") {
            return inspect(agent, id);
        }
        (404, None, "no such path".to_owned())
    }

    fn watch(&self, service: &str, query: &str) -> (u16, Option<u64>, String) {
        let value = |name: &str| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let since: u64 = value("index")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let wait = value("wait").map_or(Duration::ZERO, go_duration);
        let end = Instant::now() + wait;
        let mut state = self.lock();
        loop {
            let (index, body) = state
                .answers
                .get(service)
                .cloned()
                .unwrap_or((1, "[]".to_owned()));
            let shown = state.index.unwrap_or(index);
            let left = end.saturating_duration_since(Instant::now());
            let waits = since > 0 && shown <= since && state.index.is_none() && !left.is_zero();
            if !waits || state.over || state.mood != Mood::Well {
                return (200, Some(shown), body);
            }
            let nap = left.min(Duration::from_millis(100));
            state = self
                .0
                .1
                .wait_timeout(state, nap)
                .expect("no thread of the stand-in panics")
                .0;
        }
    }
}

fn register(agent: &mut BTreeMap<String, Registered>, body: &str) -> (u16, Option<u64>, String) {
    let Ok(registration) = serde_json::from_str::<serde_json::Value>(body) else {
        return (400, None, "no JSON".to_owned());
    };
    let id = registration["ID"].as_str().unwrap_or_default().to_owned();
    let status = registration["Check"]["Status"]
        .as_str()
        .unwrap_or("critical");
    // As Consul: a check that is known keeps its status.
    let old = agent.get(&id).map(|old| old.status.clone());
    let registered = Registered {
        status: old.unwrap_or_else(|| status.to_owned()),
        output: String::new(),
        registration,
    };
    agent.insert(id, registered);
    (200, None, String::new())
}

fn update(
    agent: &mut BTreeMap<String, Registered>,
    check: &str,
    body: &str,
) -> (u16, Option<u64>, String) {
    let id = check.strip_prefix("service:").unwrap_or(check);
    let Some(registered) = agent.get_mut(id) else {
        let text = format!("CheckID \"service:{id}\" does not have associated TTL");
        return (500, None, text);
    };
    let update: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    update["Status"]
        .as_str()
        .unwrap_or_default()
        .clone_into(&mut registered.status);
    update["Output"]
        .as_str()
        .unwrap_or_default()
        .clone_into(&mut registered.output);
    (200, None, String::new())
}

fn inspect(agent: &BTreeMap<String, Registered>, id: &str) -> (u16, Option<u64>, String) {
    let Some(Registered { registration, .. }) = agent.get(id) else {
        return (404, None, format!("unknown service ID: {id}"));
    };
    let body = serde_json::json!({
        "ID": registration["ID"],
        "Service": registration["Name"],
        "Tags": registration.get("Tags").cloned().unwrap_or_else(|| serde_json::json!([])),
        "Meta": registration.get("Meta").cloned().unwrap_or_else(|| serde_json::json!({})),
        "Port": registration["Port"],
        "Address": registration.get("Address").cloned().unwrap_or_default(),
        "Weights": registration.get("Weights").cloned().unwrap_or_else(|| serde_json::json!({"Passing": 1, "Warning": 1})),
        "EnableTagOverride": registration.get("EnableTagOverride").cloned().unwrap_or_else(|| false.into()),
    });
    (200, None, body.to_string())
}

fn instances(service: &str, ports: &[u16], output: &str) -> String {
    let entries = ports.iter().map(|port| {
        serde_json::json!({
            "Node": { "Node": "n1", "Address": "10.0.0.9" },
            "Service": {
                "ID": format!("{service}-{port}"), "Service": service, "Tags": [],
                "Address": "10.0.0.1", "Port": port,
            },
            "Checks": [{ "CheckID": "c", "Status": "passing", "Output": output }],
        })
    });
    entries.collect::<serde_json::Value>().to_string()
}

/// Go's text of a duration, as far as the client writes one.
fn go_duration(text: &str) -> Duration {
    if let Some(ms) = text.strip_suffix("ms") {
        return Duration::from_millis(ms.parse().unwrap_or(0));
    }
    let seconds = text.strip_suffix('s').and_then(|text| text.parse().ok());
    Duration::from_secs_f64(seconds.unwrap_or(0.0))
}

fn endless(mut stream: &TcpStream) -> bool {
    let head = "HTTP/1.1 200 OK\r\nX-Consul-Index: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x1_0000));
    if stream.write_all(head.as_bytes()).is_err() {
        return false;
    }
    // A gigabyte would be past any limit; the client goes long before.
    for _ in 0..16_384 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            return false;
        }
    }
    false
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|count| *count > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader
            .read_line(&mut header)
            .ok()
            .filter(|count| *count > 0)?;
        let header = header.trim_end().to_owned();
        if header.is_empty() {
            break;
        }
        let lower = header.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        at: Instant::now(),
        method,
        target,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
