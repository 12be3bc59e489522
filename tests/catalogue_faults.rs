//! Faults of the catalogue, made by a stand-in: what the jobs notice (nothing), what the log says (once), how often it
//! is asked, and that all is well afterwards.

use std::time::{Duration, Instant};

use crate::support::{Mood, PATIENCE, Pilot, Running, Signal, StandIn};

/// A service that is healthy while the file `ok` is there, a watch, and jobs that write down what they hear.
fn pilot(stand_in: &StandIn, more: &str) -> Running {
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1,
             consul: {{ address: "{}" {more} }},
             jobs: [
               {{ name: "app", exec: "sleep 1000", port: 80, interfaces: "static:10.0.0.2",
                  health: {{ exec: "test -e @DIR@/ok", interval: "100ms", ttl: 5 }} }},
               {{ name: "beat", exec: {{ shell: "echo beat >> @DIR@/beats" }}, when: {{ interval: "50ms" }} }},
               {{ name: "hook", exec: {{ shell: "echo $CONTAINERPILOT_EVENT $CONTAINERPILOT_WATCH_INSTANCES >> @DIR@/journal" }},
                  when: {{ source: "watch.backend", each: "changed" }} }},
               {{ name: "empty", exec: {{ shell: "echo unhealthy >> @DIR@/journal" }},
                  when: {{ source: "watch.backend", each: "unhealthy" }} }},
             ],
             watches: [ {{ name: "backend", interval: 1 }} ] }}"#,
        stand_in.address()
    );
    Pilot::config(&config).file("ok", "").start()
}

fn lines(pilot: &Running, pattern: &str) -> usize {
    let text = pilot.stdout();
    text.lines().filter(|line| line.contains(pattern)).count()
}

/// That jobs, checks and requests go on: some more beats, and an answer.
fn goes_on(pilot: &Running) {
    let beats = || {
        std::fs::read_to_string(pilot.dir().join("beats"))
            .unwrap_or_default()
            .len()
    };
    let before = beats();
    pilot.wait_until(PATIENCE, "the jobs go on", || {
        beats() > before + 3 * "beat\n".len()
    });
    assert_eq!(pilot.request("GET", "/v3/ping", "").status, 200);
}

/// A stop that is prompt whatever the catalogue does.
fn stops(mut pilot: Running, limit: Duration) {
    let start = Instant::now();
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert!(start.elapsed() < limit, "{:?}", start.elapsed());
}

#[test]
fn the_requests_are_those_of_the_original() {
    let stand_in = StandIn::start();
    let pilot = pilot(&stand_in, "");
    stand_in.wait_status("app", Some("passing"), PATIENCE);
    let registered = stand_in.registered("app").expect("it stands");
    let host = nix::unistd::gethostname().expect("a name");
    let id = format!("app-{}", host.to_string_lossy());
    assert_eq!(registered.registration["ID"], id);
    assert_eq!(registered.registration["Address"], "10.0.0.2");
    assert_eq!(registered.registration["Port"], 80);
    let check = &registered.registration["Check"];
    assert_eq!(check["TTL"], "5s");
    assert_eq!(check["Status"], "passing");
    assert_eq!(check["Notes"], "TTL for app set by containerpilot");
    assert!(registered.registration.get("Tags").is_none());
    stand_in.wait_count(
        &format!("PUT /v1/agent/check/update/service:{id}"),
        2,
        PATIENCE,
    );
    let requests = stand_in.requests();
    let update = requests
        .iter()
        .find(|one| one.target.contains("/check/update/"));
    assert_eq!(
        update.expect("an update").body,
        r#"{"Status":"passing","Output":"ok"}"#
    );
    let watch = requests
        .iter()
        .find(|one| one.target.contains("/health/service/"));
    assert!(watch.expect("a question").target.contains("passing=1"));
    stops(pilot, Duration::from_secs(3));
    assert_eq!(stand_in.status("app"), None);
}

#[test]
fn d40_a_failed_check_is_critical_at_once_with_what_it_wrote() {
    let stand_in = StandIn::start();
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, consul: "{}", jobs: [
             {{ name: "app", exec: "sleep 1000", port: 80, interfaces: "static:10.0.0.2",
                health: {{ exec: {{ shell: "test -e @DIR@/ok || {{ echo it is sick; exit 3; }}" }}, interval: "50ms", ttl: 60 }} }} ] }}"#,
        stand_in.address()
    );
    let pilot = Pilot::config(&config).file("ok", "").start();
    stand_in.wait_status("app", Some("passing"), PATIENCE);
    std::fs::remove_file(pilot.dir().join("ok")).expect("it is there");
    stand_in.wait_status("app", Some("critical"), PATIENCE);
    assert_eq!(
        stand_in.registered("app").expect("it stands").output,
        "it is sick"
    );
}

#[test]
fn c01_an_agent_that_refuses_connections_is_noticed_once_and_found_again() {
    // A port where nobody listens, and then somebody does.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = listener.local_addr().expect("it listens");
    drop(listener);
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: "{address}",
             jobs: [ {{ name: "app", exec: "sleep 1000", port: 80, interfaces: "static:10.0.0.2",
                        health: {{ exec: "true", interval: "100ms", ttl: 5 }} }},
                     {{ name: "beat", exec: {{ shell: "echo beat >> @DIR@/beats" }}, when: {{ interval: "50ms" }} }} ],
             watches: [ {{ name: "backend", interval: 1 }} ] }}"#
    );
    let pilot = Pilot::config(&config).start();
    pilot.wait_for_line("the catalogue does not answer", PATIENCE);
    goes_on(&pilot);
    goes_on(&pilot);
    assert_eq!(lines(&pilot, "the catalogue does not answer"), 1);
    let listener = std::net::TcpListener::bind(address).expect("the port is free again");
    let stand_in = StandIn::at(listener);
    pilot.wait_for_line("the catalogue answers again", PATIENCE);
    stand_in.wait_status("app", Some("passing"), PATIENCE);
    stops(pilot, Duration::from_secs(3));
}

#[test]
fn c02_a_black_hole_delays_no_job_no_check_and_no_stop() {
    let stand_in = StandIn::start();
    stand_in.set_instances("backend", &[80]);
    let pilot = pilot(&stand_in, "");
    stand_in.wait_status("app", Some("passing"), PATIENCE);
    stand_in.set_mood(Mood::Silent);
    goes_on(&pilot);
    assert_eq!(lines(&pilot, "changed"), 0);
    // A second for the service to leave, which it cannot, and a second for the call that was under way.
    stops(pilot, Duration::from_secs(4));
}

#[test]
fn c02_s08_a_dead_agent_costs_a_stop_nothing_and_one_warning() {
    let stand_in = StandIn::start();
    let mut pilot = pilot(&stand_in, "");
    stand_in.wait_status("app", Some("passing"), PATIENCE);
    stand_in.set_mood(Mood::Status(500, "no".to_owned()));
    let start = Instant::now();
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(lines(&pilot, "deregistering app failed"), 1);
}

#[test]
fn c03_an_agent_that_lost_its_data_gets_it_back_within_an_interval() {
    let stand_in = StandIn::start();
    let pilot = pilot(&stand_in, "");
    // Once an update has found it, it was there.
    stand_in.wait_count("/check/update/", 2, PATIENCE);
    stand_in.forget();
    stand_in.wait_status("app", Some("passing"), PATIENCE);
    pilot.wait_for_line("app is not in the catalogue any more", PATIENCE);
    stops(pilot, Duration::from_secs(3));
}

#[test]
fn c06_what_is_denied_is_told_once_asked_rarely_and_recovers_with_another_token() {
    let stand_in = StandIn::start();
    let denied = "Permission denied".to_owned();
    stand_in.set_mood(Mood::Refusing("/v1/agent/service/register", 403, denied));
    let pilot = pilot(&stand_in, "");
    pilot.wait_for_line("the catalogue refuses the registration of app", PATIENCE);
    let before = stand_in.count("register");
    goes_on(&pilot);
    goes_on(&pilot);
    assert!(stand_in.count("register") < before + 5, "a tight loop");
    assert_eq!(lines(&pilot, "the catalogue refuses"), 1);
    stand_in.set_mood(Mood::Well);
    stand_in.wait_status("app", Some("passing"), PATIENCE);
    pilot.wait_for_line(
        "the catalogue serves the registration of app again",
        PATIENCE,
    );
    stops(pilot, Duration::from_secs(3));
}

#[test]
fn c06_a_denied_update_and_a_denied_watch_are_told_once_each() {
    let stand_in = StandIn::start();
    let denied = "Permission denied".to_owned();
    stand_in.set_mood(Mood::Status(403, denied));
    let pilot = pilot(&stand_in, "");
    pilot.wait_for_line(
        "the catalogue refuses the question of watch backend",
        PATIENCE,
    );
    goes_on(&pilot);
    assert_eq!(lines(&pilot, "the catalogue refuses the question"), 1);
    stand_in.set_mood(Mood::Well);
    stand_in.wait_status("app", Some("passing"), PATIENCE);
    let denied = "Permission denied".to_owned();
    stand_in.set_mood(Mood::Refusing("/v1/agent/check/update", 403, denied));
    pilot.wait_for_line("the catalogue refuses the health of app", PATIENCE);
    goes_on(&pilot);
    assert_eq!(lines(&pilot, "the catalogue refuses the health of app"), 1);
    stops(pilot, Duration::from_secs(3));
}

#[test]
fn c08_an_empty_list_that_the_leader_does_not_confirm_is_no_event() {
    let stand_in = StandIn::start();
    stand_in.set_instances("backend", &[80]);
    let pilot = pilot(&stand_in, "");
    pilot
        .journal()
        .wait_for_line("changed 10.0.0.1:80", PATIENCE);
    // Without a leader the confirmation fails, while the plain question gets nothing with 200.
    stand_in.set_mood(Mood::Refusing(
        "consistent",
        500,
        "No cluster leader".to_owned(),
    ));
    stand_in.set_instances("backend", &[]);
    stand_in.wait_count("consistent", 2, PATIENCE);
    assert_eq!(pilot.journal().lines(), ["changed 10.0.0.1:80"]);
    stand_in.set_mood(Mood::Well);
    pilot.journal().wait_for_line("unhealthy", PATIENCE);
    stops(pilot, Duration::from_secs(3));
}

#[test]
fn c09_an_index_that_jumps_makes_no_event_and_no_loop() {
    let stand_in = StandIn::start();
    stand_in.set_instances("backend", &[80]);
    let pilot = pilot(&stand_in, "");
    pilot
        .journal()
        .wait_for_line("changed 10.0.0.1:80", PATIENCE);
    for index in [3, 0, 1_000_000, 0, 2] {
        stand_in.set_index(Some(index));
        let before = stand_in.count("/health/service/backend");
        stand_in.wait_count("/health/service/backend", before + 1, PATIENCE);
        goes_on(&pilot);
        let asked = stand_in.count("/health/service/backend") - before;
        assert!(asked < 20, "{asked} questions for index {index}");
    }
    assert!(
        stand_in
            .requests()
            .iter()
            .all(|one| !one.target.contains("index=0"))
    );
    stand_in.set_index(None);
    assert_eq!(pilot.journal().lines(), ["changed 10.0.0.1:80"]);
    stand_in.set_instances("backend", &[80, 81]);
    pilot
        .journal()
        .wait_for_line("changed 10.0.0.1:80 10.0.0.1:81", PATIENCE);
    stops(pilot, Duration::from_secs(3));
}

#[test]
fn c10_output_that_changes_all_the_time_is_no_event() {
    let stand_in = StandIn::start();
    stand_in.set_instances("backend", &[80]);
    let pilot = pilot(&stand_in, "");
    pilot
        .journal()
        .wait_for_line("changed 10.0.0.1:80", PATIENCE);
    let before = stand_in.count("/health/service/backend");
    let start = Instant::now();
    for round in 0..60 {
        stand_in.set_output("backend", &[80], &format!("round {round}"));
        std::thread::sleep(Duration::from_millis(25));
    }
    let asked = stand_in.count("/health/service/backend") - before;
    let allowed = 11 + start.elapsed().as_millis() / 200;
    assert!(
        asked as u128 <= allowed,
        "{asked} questions, {allowed} allowed"
    );
    assert_eq!(pilot.journal().lines(), ["changed 10.0.0.1:80"]);
    stops(pilot, Duration::from_secs(3));
}

#[test]
fn c13_an_agent_that_takes_few_connections_still_serves_all_watches() {
    let stand_in = StandIn::start();
    stand_in.set_mood(Mood::Crowded(12));
    let names: Vec<String> = (0..40).map(|number| format!("svc{number}")).collect();
    let watches: Vec<String> = names
        .iter()
        .map(|name| format!("{{ name: \"{name}\", interval: 1 }}"))
        .collect();
    let jobs: Vec<String> = names
        .iter()
        .map(|name| {
            format!(
                "{{ name: \"on-{name}\", exec: {{ shell: \"echo {name} >> @DIR@/journal\" }}, \
                 when: {{ source: \"watch.{name}\", each: \"healthy\" }} }}"
            )
        })
        .collect();
    for name in &names {
        stand_in.set_instances(name, &[80]);
    }
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: "{}",
             jobs: [ {} ], watches: [ {} ] }}"#,
        stand_in.address(),
        jobs.join(","),
        watches.join(",")
    );
    let pilot = Pilot::config(&config).start();
    pilot.wait_for_line("the catalogue takes no further connections", PATIENCE);
    for name in &names {
        pilot.journal().wait_for_line(name, PATIENCE);
    }
    assert_eq!(lines(&pilot, "takes no further connections"), 1);
    stops(pilot, Duration::from_secs(3));
}

#[test]
fn c16_two_agents_behind_one_address_are_told_of_and_leave_no_twin() {
    let stand_in = StandIn::start();
    stand_in.set_mood(Mood::Split);
    let pilot = pilot(&stand_in, "");
    pilot.wait_for_line(
        "does a load balancer spread the calls over several agents?",
        PATIENCE,
    );
    assert!(stand_in.twins() <= 1);
    stops(pilot, Duration::from_secs(4));
}

#[test]
fn c18_an_agent_that_takes_its_time_never_sees_a_ttl_run_out() {
    let stand_in = StandIn::start();
    stand_in.set_mood(Mood::Slow(Duration::from_millis(400)));
    let pilot = pilot(&stand_in, "");
    stand_in.wait_count("/check/update/", 5, PATIENCE);
    let updates = stand_in.requests();
    let times: Vec<Instant> = updates
        .iter()
        .filter(|one| one.target.contains("/check/update/"))
        .map(|one| one.at)
        .collect();
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(longest < Some(Duration::from_secs(5)), "{longest:?}");
    assert_eq!(lines(&pilot, "the catalogue does not answer"), 0);
    stops(pilot, Duration::from_secs(4));
}

#[test]
fn c19_a_namespace_is_sent_and_its_refusal_told_once() {
    let stand_in = StandIn::start();
    let refusal = "Invalid query parameter: \"ns\" - Namespaces are a Consul Enterprise feature";
    stand_in.set_mood(Mood::Refusing("ns=", 400, refusal.to_owned()));
    let pilot = pilot(&stand_in, ", namespace: \"team\", partition: \"p1\"");
    pilot.wait_for_line("Enterprise", PATIENCE);
    goes_on(&pilot);
    goes_on(&pilot);
    let requests = stand_in.requests();
    let named = requests
        .iter()
        .filter(|one| one.target.contains("/v1/health/"));
    assert!(
        named
            .clone()
            .all(|one| one.target.contains("ns=team") && one.target.contains("partition=p1"))
    );
    assert_eq!(named.count(), 1, "asked in a loop");
    assert_eq!(lines(&pilot, "refuses the question of watch"), 1);
    stops(pilot, Duration::from_secs(4));
}

#[test]
fn no_answer_of_a_broken_server_crashes_or_bloats_the_program() {
    let stand_in = StandIn::start();
    let pilot = pilot(&stand_in, "");
    stand_in.wait_status("app", Some("passing"), PATIENCE);
    let redirect =
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let moods = [
        Mood::Bytes(b"\x00\xff garbage\r\n\r\n".to_vec()),
        Mood::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n[".to_vec()),
        Mood::Bytes(redirect.to_vec()),
        Mood::Status(200, "{ not json".to_owned()),
        Mood::Status(200, "[{\"Service\": 3}]".to_owned()),
        Mood::Status(429, "slow down".to_owned()),
        Mood::Status(500, "\u{1b}[2J broken".to_owned()),
        Mood::Endless,
    ];
    for mood in moods {
        stand_in.set_mood(mood);
        let before = stand_in.requests().len();
        pilot.wait_until(PATIENCE, "it is asked again", || {
            stand_in.requests().len() > before
        });
        goes_on(&pilot);
    }
    let memory =
        std::fs::read_to_string(format!("/proc/{}/status", pilot.pid())).expect("it lives");
    let peak = memory.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: u64 = peak
        .and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse().ok())
        .expect("the kernel counts");
    assert!(peak < 120_000, "{peak} kB");
    assert!(!pilot.stdout().contains('\u{1b}'));
    stand_in.set_mood(Mood::Well);
    stand_in.wait_status("app", Some("passing"), PATIENCE);
    stops(pilot, Duration::from_secs(4));
}

#[test]
fn r04_a_reload_while_the_catalogue_is_away_leaves_no_ghost() {
    let stand_in = StandIn::start();
    let config = |name: &str| {
        format!(
            r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: "{}", jobs: [
                 {{ name: "{name}", exec: "sleep 1000", port: 80, interfaces: "static:10.0.0.2",
                    health: {{ exec: "true", interval: "100ms", ttl: 5 }} }} ] }}"#,
            stand_in.address()
        )
    };
    let pilot = Pilot::config(&config("old-app")).start();
    stand_in.wait_status("old-app", Some("passing"), PATIENCE);
    stand_in.set_mood(Mood::Status(500, "away".to_owned()));
    let place = pilot.dir().display().to_string();
    let text = config("new-app").replace("@DIR@", &place);
    std::fs::write(pilot.dir().join("containerpilot.json5"), text).expect("a directory of ours");
    assert_eq!(pilot.request("POST", "/v3/reload", "").status, 200);
    pilot.wait_for_line("reloaded: 1 jobs", PATIENCE);
    stand_in.set_mood(Mood::Well);
    stand_in.wait_status("new-app", Some("passing"), PATIENCE);
    stand_in.wait_status("old-app", None, PATIENCE);
    stops(pilot, Duration::from_secs(3));
    assert_eq!(stand_in.status("new-app"), None);
}

#[test]
fn s08_sixty_services_leave_an_agent_that_takes_its_time() {
    let stand_in = StandIn::start();
    let jobs: Vec<String> = (0..60)
        .map(|number| {
            format!(
                r#"{{ name: "app{number}", exec: "sleep 1000", port: 80, interfaces: "static:10.0.0.2",
                      health: {{ interval: "100ms", ttl: 50 }} }}"#
            )
        })
        .collect();
    let config = format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, consul: "{}", jobs: [ {} ] }}"#,
        stand_in.address(),
        jobs.join(",")
    );
    let mut pilot = Pilot::config(&config).start();
    for number in 0..60 {
        stand_in.wait_status(&format!("app{number}"), Some("passing"), PATIENCE);
    }
    stand_in.set_mood(Mood::Slow(Duration::from_millis(600)));
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    assert_eq!(stand_in.twins(), 0, "something is left");
}
