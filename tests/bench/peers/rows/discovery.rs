//! Rows about the catalogue: a real Consul on loopback whose limit of connections from one client is raised.

use std::fmt::Write as _;
use std::time::Duration;

use super::super::arena::{Arena, now};
use super::super::consul::Consul;
use super::super::supervisors::{Kind, Plan};
use super::super::table::{Better, Row};
use super::{Setup, as_float, ms_between, pause};

/// How long everything gets to come to rest.
const SETTLE: Duration = Duration::from_secs(3);

pub(super) fn discovery(setup: &Setup) -> Vec<Row> {
    let mut reaction = Row::new(
        "change in Consul to the first instruction of its hook, ms (p95)",
        Better::Neither,
    )
    .with_p95();
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Ours) {
        reaction.remark(*kind, "no service discovery");
    }
    let consul = match Consul::start() {
        Ok(consul) => consul,
        Err(why) => {
            reaction.failed(Kind::Ours, &why);
            return vec![reaction];
        }
    };
    let mut answered = Row::new(
        "such a change until Consul says that it stands, to a second client, ms (p95)",
        Better::Neither,
    )
    .with_p95();
    let mut rest_of_it = Row::new(
        "from there to the first instruction of the hook, ms (p95)",
        Better::Neither,
    )
    .with_p95();
    react(
        setup,
        &consul,
        [&mut reaction, &mut answered, &mut rest_of_it],
    );
    let rest = Duration::from_secs(if setup.quick { 3 } else { 10 });
    let mut rows = vec![reaction, answered, rest_of_it];
    for (title, plan) in [
        ("500 watches of 1 s at rest", watches(&consul, 500)),
        ("1,000 registered jobs with 1 s heartbeats", beats(&consul)),
        ("10 registered jobs with a 1 s check each", checks(&consul)),
    ] {
        rows.extend(at_rest(setup, title, &plan, rest));
    }
    rows
}

/// Changes a service again and again, and takes the time until the hook of its watch begins. Then the same again beside a
/// bare client that follows the service as well, which says how much of it is Consul's own: until it answers either the
/// change itself or that client, whichever comes first. The client costs Consul and us time, so the first row is without.
fn react(setup: &Setup, consul: &Consul, [row, answered, rest]: [&mut Row; 3]) {
    let Some(ours) = setup.supervisors.iter().find(|it| it.kind == Kind::Ours) else {
        return;
    };
    let plan = Plan {
        consul: format!(
            "consul: \"{}\", watches: [ {{ name: \"backend\", interval: 1 }} ],",
            consul.address()
        ),
        on_event: vec![("watch.backend", "changed", "mark @/mark".to_owned())],
        ..Plan::idle(1)
    };
    let arena = match setup.start_all(ours, &plan) {
        Ok((arena, _)) => arena,
        Err(why) => return row.failed(Kind::Ours, &why),
    };
    let rounds = setup.rounds(100);
    pause(Duration::from_secs(1));
    for round in 1..=rounds {
        match change(consul, &arena, round) {
            Ok(change) => row.add(Kind::Ours, ms_between(change.sent, change.hook)),
            Err(why) => return row.failed(Kind::Ours, why),
        }
    }
    let bare = consul.follow("backend");
    pause(Duration::from_secs(1));
    for round in rounds + 1..=2 * rounds {
        let change = match change(consul, &arena, round) {
            Ok(change) => change,
            Err(why) => return answered.failed(Kind::Ours, why),
        };
        let Some(answer) = bare.saw(&format!("\"Port\":{round},")) else {
            return answered.failed(Kind::Ours, "Consul does not answer the bare client");
        };
        let stands = change.confirmed.min(answer);
        answered.add(Kind::Ours, ms_between(change.sent, stands));
        rest.add(Kind::Ours, ms_between(stands, change.hook));
    }
}

/// The moments of one change.
struct Change {
    sent: u64,
    confirmed: u64,
    hook: u64,
}

/// Gives the service another port, and waits for the hook.
fn change(consul: &Consul, arena: &Arena, round: usize) -> Result<Change, &'static str> {
    // Seldom enough for the pace that a single subject is asked about, and after the hook has ended.
    pause(Duration::from_millis(250));
    let body = format!(
        r#"{{ "Node": "n1", "Address": "127.0.0.1", "Service": {{ "Service": "backend", "Port": {round} }} }}"#
    );
    let sent = now();
    let answer = consul.ask("PUT", "/v1/catalog/register", &body);
    let confirmed = now();
    answer.ok_or("consul refuses the change")?;
    let records = arena.wait_records("mark", round, Duration::from_secs(5));
    let records = records.ok_or("the hook was not started")?;
    Ok(Change {
        sent,
        confirmed,
        hook: records[round - 1],
    })
}

fn watches(consul: &Consul, count: usize) -> Plan {
    let mut text = format!(
        "consul: {{ address: \"{}\", maxConnections: {count} }}, watches: [",
        consul.address()
    );
    for number in 0..count {
        // Writing to a String cannot fail.
        let _ = write!(text, "{{ name: \"svc{number}\", interval: 1 }},");
    }
    Plan {
        consul: text + "],",
        ..Plan::idle(1)
    }
}

fn beats(consul: &Consul) -> Plan {
    Plan {
        consul: format!("consul: \"{}\",", consul.address()),
        served: true,
        ..Plan::idle(1000)
    }
}

fn checks(consul: &Consul) -> Plan {
    Plan {
        consul: format!("consul: \"{}\",", consul.address()),
        served: true,
        checked: true,
        ..Plan::idle(10)
    }
}

fn at_rest(setup: &Setup, title: &str, plan: &Plan, rest: Duration) -> Vec<Row> {
    let mut pss = Row::new(format!("{title}: PSS, KiB"), Better::Neither);
    let mut threads = Row::new("the same: threads", Better::Neither);
    let seconds = rest.as_secs();
    let mut cpu = Row::new(
        format!("the same: CPU time of the supervisor over {seconds} s, ms"),
        Better::Neither,
    );
    let Some(ours) = setup.supervisors.iter().find(|it| it.kind == Kind::Ours) else {
        return Vec::new();
    };
    let arena: Arena = match setup.start_all(ours, plan) {
        Ok((arena, _)) => arena,
        Err(why) => {
            pss.failed(Kind::Ours, &why);
            return vec![pss];
        }
    };
    pause(SETTLE);
    let before = arena.usage();
    pause(rest);
    let after = arena.usage();
    pss.add(Kind::Ours, as_float(after.pss_kib));
    threads.add(Kind::Ours, f64::from(after.threads));
    let used = after.cpu_ns.saturating_sub(before.cpu_ns);
    cpu.add(Kind::Ours, as_float(used) / 1e6);
    vec![pss, threads, cpu]
}
