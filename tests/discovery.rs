//! Registration and watches against a real Consul, and against the embedded catalogue where a fault needs none: two
//! supervisors, agents that die, freeze and come back empty, tokens, keys, the order of a stop.

use std::fs;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Consul, PATIENCE, Pilot, Running, Signal, StandIn, wait_until, web};

/// Periods of checks in these tests: two intervals are far from the limit of a wait.
const INTERVAL: &str = "100ms";

/// A supervisor whose service `app` is healthy while the file `ok` is there.
fn server(catalogue: &str, port: u16, ttl: &str, more: &str) -> Running {
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: {catalogue}, jobs: [
             {{ name: "app", exec: "sleep 1000", port: {port}, interfaces: "static:127.0.0.1",
                health: {{ exec: "test -e @DIR@/ok", interval: "{INTERVAL}", ttl: "{ttl}" }} }}, {more} ] }}"#
    );
    Pilot::config(&config).file("ok", "").start()
}

/// A supervisor that writes down what it hears of `app`.
fn watcher(catalogue: &str, watch: &str) -> Running {
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: {catalogue},
             jobs: [
               {{ name: "hook", exec: {{ shell: "echo $CONTAINERPILOT_EVENT: $CONTAINERPILOT_WATCH_INSTANCES >> @DIR@/journal" }},
                  when: {{ source: "watch.app", each: "changed" }} }},
               {{ name: "empty", exec: {{ shell: "echo unhealthy >> @DIR@/journal" }},
                  when: {{ source: "watch.app", each: "unhealthy" }} }},
             ],
             watches: [ {{ name: "app", interval: 1, {watch} }} ] }}"#
    );
    Pilot::config(&config).start()
}

fn quoted(consul: &Consul) -> String {
    format!("\"{}\"", consul.address())
}

fn stop(mut pilot: Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// Of a real Consul the status of the check of `app`; `None` if it is not there.
fn status(consul: &Consul) -> Option<String> {
    let checks = consul.get("/v1/health/checks/app").json();
    checks[0]["Status"].as_str().map(str::to_owned)
}

fn wait_status(consul: &Consul, wanted: Option<&str>) {
    let what = format!("app is {wanted:?}");
    wait_until(PATIENCE, &what, || status(consul).as_deref() == wanted);
}

#[test]
fn d40_real_a_failed_check_is_critical_before_its_ttl() {
    let Some(consul) = Consul::real() else { return };
    let pilot = server(&quoted(&consul), 8001, "1h", "");
    wait_status(&consul, Some("passing"));
    fs::remove_file(pilot.dir().join("ok")).expect("it is there");
    wait_status(&consul, Some("critical"));
    fs::write(pilot.dir().join("ok"), "").expect("a directory of ours takes files");
    wait_status(&consul, Some("passing"));
    stop(pilot);
    wait_status(&consul, None);
}

#[test]
fn c01_c03_an_agent_that_dies_and_comes_back_empty_is_told_everything_again() {
    let Some(mut consul) = Consul::real() else {
        return;
    };
    let hears = watcher(&quoted(&consul), "");
    let pilot = server(&quoted(&consul), 8001, "5s", "");
    hears
        .journal()
        .wait_for_line("changed: 127.0.0.1:8001", PATIENCE);
    consul.kill();
    hears.wait_for_line("the catalogue does not answer", PATIENCE);
    pilot.wait_for_line("the catalogue does not answer", PATIENCE);
    // The last good set stays.
    assert!(!hears.journal().lines().contains(&"changed:".to_owned()));
    consul.restart_empty();
    wait_status(&consul, Some("passing"));
    hears.wait_for_line("the catalogue answers again", PATIENCE);
    stop(pilot);
    // It hears again.
    hears.journal().wait_for_line("changed:", PATIENCE);
    stop(hears);
}

#[test]
fn c02_real_an_agent_that_freezes_holds_up_no_stop() {
    let Some(consul) = Consul::real() else { return };
    let mut pilot = server(&quoted(&consul), 8001, "1h", "");
    wait_status(&consul, Some("passing"));
    consul.pause();
    let begin = Instant::now();
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert!(
        begin.elapsed() < Duration::from_secs(4),
        "{:?}",
        begin.elapsed()
    );
    consul.resume();
}

#[test]
fn c04_what_somebody_removes_by_hand_comes_back() {
    let Some(consul) = Consul::real() else { return };
    let pilot = server(&quoted(&consul), 8001, "5s", "");
    wait_status(&consul, Some("passing"));
    let services = consul.get("/v1/agent/services").json();
    let id = services
        .as_object()
        .and_then(|all| all.keys().next().cloned());
    let id = id.expect("one service");
    // An update that has found the registration makes its loss a loss.
    pilot.wait_for_line("Service registered: app", PATIENCE);
    for _ in 0..3 {
        consul.put(&format!("/v1/agent/service/deregister/{id}"), "");
        wait_status(&consul, Some("passing"));
    }
    // And so does one that lets itself be found, critical, and dropped by the catalogue while the app is ill.
    fs::remove_file(pilot.dir().join("ok")).expect("it is there");
    wait_status(&consul, Some("critical"));
    consul.put(&format!("/v1/agent/service/deregister/{id}"), "");
    wait_status(&consul, Some("critical"));
    fs::write(pilot.dir().join("ok"), "").expect("a directory of ours takes files");
    wait_status(&consul, Some("passing"));
    stop(pilot);
}

#[test]
fn c05_maintenance_takes_the_service_out_and_brings_it_back_with_the_same_process() {
    let Some(consul) = Consul::real() else { return };
    let pilot = server(&quoted(&consul), 8001, "5s", "");
    wait_status(&consul, Some("passing"));
    let sleeper = || pilot.find("sleep 1000").first().map(|process| process.pid);
    let before = sleeper();
    for _ in 0..2 {
        for _ in 0..2 {
            let answer = pilot.request("POST", "/v3/maintenance/enable", "");
            assert_eq!(answer.status, 200);
        }
        wait_status(&consul, None);
        for _ in 0..2 {
            let answer = pilot.request("POST", "/v3/maintenance/disable", "");
            assert_eq!(answer.status, 200);
        }
        wait_status(&consul, Some("passing"));
    }
    assert_eq!(sleeper(), before);
    stop(pilot);
}

#[test]
fn c06_real_a_token_that_comes_later_is_taken_from_its_file() {
    let rules =
        r#"acl { enabled = true, default_policy = "deny", tokens { master = "root-token" } }"#;
    let Some(consul) = Consul::real_with(rules) else {
        return;
    };
    let catalogue = format!(
        r#"{{ address: "{}", tokenFile: "@DIR@/token" }}"#,
        consul.address()
    );
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: {catalogue}, jobs: [
             {{ name: "app", exec: "sleep 1000", port: 80, interfaces: "static:127.0.0.1",
                health: {{ exec: "true", interval: "{INTERVAL}", ttl: "5s" }} }} ],
             watches: [ {{ name: "other", interval: 1 }} ] }}"#
    );
    let pilot = Pilot::config(&config).file("token", "wrong-token").start();
    let line = pilot.wait_for_line("the catalogue refuses the registration of app", PATIENCE);
    assert!(line.contains("ACL not found"), "{line}");
    fs::write(pilot.dir().join("token.new"), "root-token").expect("a directory of ours");
    fs::rename(pilot.dir().join("token.new"), pilot.dir().join("token")).expect("one directory");
    let token = [("X-Consul-Token", "root-token")];
    wait_until(PATIENCE, "the service stands", || {
        let answer = consul.request("GET", "/v1/health/service/app?passing", &token, "");
        answer.body.contains("\"app\"")
    });
    pilot.wait_for_line("took over new credentials", PATIENCE);
    let said = pilot.stdout() + &pilot.stderr();
    assert!(!said.contains("root-token") && !said.contains("wrong-token"));
    stop(pilot);
}

#[test]
fn c11_a_target_that_flaps_is_held_down_and_its_handlers_never_meet() {
    let stand_in = StandIn::start();
    stand_in.set_instances("app", &[80]);
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: "{}",
             jobs: [ {{ name: "hook", exec: {{ shell: "mkdir @DIR@/lock || echo meets >> @DIR@/journal; echo run $CONTAINERPILOT_WATCH_INSTANCES >> @DIR@/journal; sleep 0.1; rmdir @DIR@/lock" }},
                        when: {{ source: "watch.app", each: "changed" }} }} ],
             watches: [ {{ name: "app", interval: 1, debounce: {{ min: "300ms", max: "1s" }} }} ] }}"#,
        stand_in.address()
    );
    let pilot = Pilot::config(&config).start();
    pilot.journal().wait_for_line("run 10.0.0.1:80", PATIENCE);
    let begin = Instant::now();
    for round in 0..60u16 {
        stand_in.set_instances("app", if round % 2 == 0 { &[] } else { &[80] });
        std::thread::sleep(Duration::from_millis(30));
    }
    stand_in.set_instances("app", &[81]);
    pilot.journal().wait_for_line("run 10.0.0.1:81", PATIENCE);
    let lines = pilot.journal().lines();
    let allowed = 3 + usize::try_from(begin.elapsed().as_secs()).unwrap_or(0);
    assert!(lines.len() <= allowed, "{lines:?}");
    assert!(!lines.contains(&"meets".to_owned()), "{lines:?}");
    stop(pilot);
}

#[test]
fn c12_watches_of_one_service_with_other_tags_and_datacenters_are_apart() {
    let Some(consul) = Consul::real() else { return };
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: {},
             jobs: [ {} ],
             watches: [
               {{ name: "all", service: "app", interval: 1 }},
               {{ name: "blue", service: "app", tag: "blue", interval: 1 }},
               {{ name: "both", service: "app", tags: ["blue", "fast"], interval: 1 }},
               {{ name: "here", service: "app", dc: "dc1", interval: 1 }},
             ] }}"#,
        quoted(&consul),
        ["all", "blue", "both", "here"]
            .map(|name| format!(
                r#"{{ name: "on-{name}", exec: {{ shell: "echo {name} $CONTAINERPILOT_WATCH_INSTANCES >> @DIR@/journal" }},
                      when: {{ source: "watch.{name}", each: "changed" }} }}"#
            ))
            .join(",")
    );
    let pilot = Pilot::config(&config).start();
    let register = |id: &str, port: u16, tags: &str| {
        let body = format!(
            r#"{{ "Name": "app", "ID": "{id}", "Port": {port}, "Address": "10.0.0.1", "Tags": {tags} }}"#
        );
        consul.put("/v1/agent/service/register", &body);
    };
    register("a", 1, "[]");
    pilot.journal().wait_for_line("all 10.0.0.1:1", PATIENCE);
    pilot.journal().wait_for_line("here 10.0.0.1:1", PATIENCE);
    register("b", 2, r#"["blue"]"#);
    pilot.journal().wait_for_line("blue 10.0.0.1:2", PATIENCE);
    register("c", 3, r#"["fast", "blue"]"#);
    pilot.journal().wait_for_line("both 10.0.0.1:3", PATIENCE);
    pilot
        .journal()
        .wait_for_line("blue 10.0.0.1:2 10.0.0.1:3", PATIENCE);
    pilot
        .journal()
        .wait_for_line("all 10.0.0.1:1 10.0.0.1:2 10.0.0.1:3", PATIENCE);
    let lines = pilot.journal().lines();
    let of = |name: &str| lines.iter().filter(|line| line.starts_with(name)).count();
    assert_eq!((of("blue"), of("both")), (2, 1), "{lines:?}");
    stop(pilot);
}

#[test]
fn c15_a_container_that_crashed_comes_back_with_another_port_and_no_ghost() {
    let Some(consul) = Consul::real() else { return };
    let mut first = server(&quoted(&consul), 8001, "1h", "");
    wait_status(&consul, Some("passing"));
    first.may_leave_processes();
    first.signal(Signal::SIGKILL);
    first.wait_exit(PATIENCE);
    let ports = || {
        let found = consul.get("/v1/health/service/app?passing").json();
        let ports = found.as_array().cloned().unwrap_or_default();
        ports
            .iter()
            .filter_map(|entry| entry["Service"]["Port"].as_u64())
            .collect::<Vec<_>>()
    };
    assert_eq!(ports(), [8001]);
    let second = server(&quoted(&consul), 8002, "1h", "");
    wait_until(PATIENCE, "the new port alone", || ports() == [8002]);
    stop(second);
    assert_eq!(ports(), [] as [u64; 0]);
}

fn keys(consul: &Consul) {
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: {},
             jobs: [
               {{ name: "key", exec: {{ shell: "wc -c < $CONTAINERPILOT_WATCH_FILE >> @DIR@/sizes; echo key $CONTAINERPILOT_WATCH_INSTANCES >> @DIR@/journal" }},
                  when: {{ source: "watch.key", each: "changed" }} }},
               {{ name: "folder", exec: {{ shell: "echo folder $(echo $CONTAINERPILOT_WATCH_ADDED | wc -w) >> @DIR@/journal" }},
                  when: {{ source: "watch.folder", each: "changed" }} }},
             ],
             watches: [ {{ name: "key", kv: "config/app", interval: 1 }},
                        {{ name: "folder", kv: "many/", interval: 1 }} ] }}"#,
        quoted(consul)
    );
    let pilot = Pilot::config(&config).start();
    let count = |line: &str| {
        let lines = pilot.journal().lines();
        lines.iter().filter(|found| *found == line).count()
    };
    let wait = |line: &str, times: usize| {
        pilot.wait_until(PATIENCE, line, || count(line) == times);
    };
    consul.put("/v1/kv/config/app", "one");
    wait("key config/app", 1);
    // The same value again is no change.
    consul.put("/v1/kv/config/app", "one");
    consul.put("/v1/kv/config/other", "x");
    consul.delete("/v1/kv/config/app");
    wait("key", 1);
    consul.put("/v1/kv/config/app", &"x".repeat(512 * 1024));
    wait("key config/app", 2);
    let size = || {
        let sizes = fs::read_to_string(pilot.dir().join("sizes")).unwrap_or_default();
        sizes
            .lines()
            .filter_map(|line| line.trim().parse::<usize>().ok())
            .max()
    };
    assert!(size() > Some(512 * 1024), "{:?}", size());
    consul.put("/v1/kv/many/first", "1");
    wait("folder 1", 1);
    stop(pilot);
}

#[test]
fn c21_keys_that_go_and_come_are_told_each_time() {
    keys(&Consul::embedded());
    if let Some(consul) = Consul::real() {
        keys(&consul);
    }
}

#[test]
fn c21_ten_thousand_keys_are_one_event_and_bounded_memory() {
    let Some(consul) = Consul::real() else { return };
    // In transactions of 64, which is what Consul takes at once.
    for chunk in 0..157u32 {
        let keys = (chunk * 64)..((chunk + 1) * 64).min(10_000);
        let operations: Vec<String> = keys
            .map(|number| {
                format!(
                    r#"{{ "KV": {{ "Verb": "set", "Key": "many/key{number}", "Value": "dmFsdWU=" }} }}"#
                )
            })
            .collect();
        let answer = consul.put("/v1/txn", &format!("[{}]", operations.join(",")));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: {},
             jobs: [ {{ name: "hook", exec: {{ shell: "echo $CONTAINERPILOT_WATCH_TRUNCATED $(grep -o key9999 $CONTAINERPILOT_WATCH_FILE | sort -u) >> @DIR@/journal" }},
                        when: {{ source: "watch.many", each: "changed" }} }} ],
             watches: [ {{ name: "many", kv: "many/", interval: 1 }} ] }}"#,
        quoted(&consul)
    );
    let pilot = Pilot::config(&config).start();
    pilot.journal().wait_for_line("1 key9999", PATIENCE);
    consul.put("/v1/kv/many/key1", "other");
    pilot.journal().wait_for(2, PATIENCE);
    let status = fs::read_to_string(format!("/proc/{}/status", pilot.pid())).expect("it lives");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: u64 = peak
        .and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse().ok())
        .expect("the kernel counts");
    assert!(peak < 100_000, "{peak} kB");
    stop(pilot);
}

#[test]
fn s06_the_agent_as_a_job_stops_last() {
    let Some(consul) = Consul::real() else { return };
    // A second agent, as a job of the supervisor, and a port that the first one has shown to be free.
    let address = consul.address();
    let command = consul.command_line();
    drop(consul);
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 5, consul: "{address}", jobs: [
             {{ name: "agent", agent: true, exec: {command}, restarts: "unlimited", logging: {{ raw: false }} }},
             {{ name: "app", exec: {{ shell: "trap 'echo app: TERM; exit 0' TERM; echo app: up; while :; do sleep 0.05; done" }},
                port: 80, interfaces: "static:127.0.0.1", health: {{ exec: "true", interval: "{INTERVAL}", ttl: "5s" }} }},
             {{ name: "post", exec: {{ shell: "echo post: the app is gone" }}, when: {{ source: "app", once: "stopped" }} }},
           ] }}"#
    );
    let mut pilot = Pilot::config(&config).start();
    pilot.wait_for_line("Service registered: app", PATIENCE);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    let said = pilot.stdout();
    let at = |line: &str| {
        said.find(line)
            .unwrap_or_else(|| panic!("no `{line}` in {said}"))
    };
    let order = [
        "Service deregistered: app",
        "app: TERM",
        "app exited",
        "post: the app is gone",
        "agent exited",
    ];
    assert!(order.is_sorted_by_key(|line| at(line)), "{said}");
}

/// S07: two instances behind a catalogue, a client that looks at it once a second and connects two hundred times a
/// second, and a restart of one after the other.
#[test]
fn s07_a_rolling_restart_with_a_drain_refuses_nobody() {
    let consul = Consul::embedded();
    let ports = [free_port(), free_port()];
    // The served program is a catalogue too: it listens, and stops to do so at TERM.
    let start = |port: u16, id: usize| {
        let config = format!(
            r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: {}, jobs: [
                 {{ name: "app", exec: ["{}", "catalog", "--bind", "127.0.0.1:{port}"], port: {port},
                    interfaces: "static:127.0.0.1", drain: "1500ms", consul: {{ id: "app-{id}" }},
                    health: {{ exec: ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/{port}"], interval: "{INTERVAL}", ttl: "5s" }} }} ] }}"#,
            quoted(&consul),
            env!("CARGO_BIN_EXE_pilothouse"),
        );
        Pilot::config(&config).start()
    };
    let mut pilots = vec![start(ports[0], 0), start(ports[1], 1)];
    consul.wait_passing("app", 2);
    let over = AtomicBool::new(false);
    let (done, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut known = Vec::new();
            let mut looked: Option<Instant> = None;
            for turn in 0.. {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                if looked.is_none_or(|at| at.elapsed() >= Duration::from_secs(1)) {
                    known = passing_ports(&consul);
                    looked = Some(Instant::now());
                }
                if !connects(known[turn % known.len()]) {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
                done.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        for (id, port) in ports.into_iter().enumerate() {
            stop(pilots.remove(0));
            pilots.push(start(port, id));
            consul.wait_passing("app", 2);
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(done.load(Ordering::Relaxed) > 300);
    assert_eq!(refused.load(Ordering::Relaxed), 0);
    for pilot in pilots {
        stop(pilot);
    }
}

fn connects(port: u64) -> bool {
    let port = u16::try_from(port).expect("a port");
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn passing_ports(consul: &Consul) -> Vec<u64> {
    let found = consul.get("/v1/health/service/app?passing").json();
    let found = found.as_array().cloned().unwrap_or_default();
    let ports = found
        .iter()
        .filter_map(|entry| entry["Service"]["Port"].as_u64());
    ports.collect()
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("it listens").port()
}

#[test]
fn the_embedded_catalogue_lasts_over_a_reload() {
    let port = free_port();
    let catalogue = format!("{{ embedded: true, address: \"127.0.0.1:{port}\" }}");
    let pilot = server(&catalogue, 8001, "5s", "");
    pilot.wait_for_line("Service registered: app", PATIENCE);
    let curl = |path: &str| web(port, "GET", path);
    web(port, "PUT", "/v1/kv/mine");
    pilot.alter("app");
    assert_eq!(pilot.request("POST", "/v3/reload", "").status, 200);
    pilot.wait_for_lines("Service registered: app", 2, PATIENCE);
    assert_eq!(curl("/v1/kv/mine").status, 200);
    stop(pilot);
}

#[test]
fn r01_a_place_that_is_taken_changes_nothing() {
    let (port, taken) = (free_port(), free_port());
    let at = |port: u16| {
        r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: 1,
             consul: { embedded: true, address: "127.0.0.1:PORT" }, jobs: [ { name: "app", exec: "sleep 1000" } ] }"#
            .replace("PORT", &port.to_string())
    };
    let pilot = Pilot::config(&at(port)).start();
    pilot.wait_for_line("catalog: serving", PATIENCE);
    web(port, "PUT", "/v1/kv/mine");
    let listener = std::net::TcpListener::bind(("127.0.0.1", taken)).expect("it was free");
    let write = |port: u16| {
        let text = at(port).replace("@DIR@", &pilot.dir().display().to_string());
        fs::write(pilot.dir().join("containerpilot.json5"), text).expect("a directory of ours");
        pilot.request("POST", "/v3/reload", "")
    };
    let answer = write(taken);
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(answer.body.contains("in use"), "{answer:?}");
    assert_eq!(web(port, "GET", "/v1/kv/mine").status, 200);
    drop(listener);
    assert_eq!(write(taken).status, 200);
    pilot.wait_until(PATIENCE, "it has moved", || connects(u64::from(taken)));
    pilot.wait_until(PATIENCE, "from its old place", || {
        !connects(u64::from(port))
    });
    stop(pilot);
}

#[test]
fn nothing_waits_for_a_catalogue_that_is_not_configured() {
    let config = r#"{ control: { socket: "@DIR@/control.socket" }, jobs: [
        { name: "app", exec: "sleep 1000", port: 80, interfaces: "static:127.0.0.1",
          health: { exec: "true", interval: 1, ttl: 5 } } ] }"#;
    let pilot = Pilot::config(config).start();
    pilot.wait_for_line("no `consul` is configured", PATIENCE);
    let begin = Instant::now();
    stop(pilot);
    assert!(begin.elapsed() < Duration::from_secs(1));
}
