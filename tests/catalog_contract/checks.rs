//! Checks: how they begin, heartbeats, and what happens without them.

use serde_json::json;

use super::*;

contracts!(
    a_check_begins_critical_unless_it_says_otherwise,
    registering_again_keeps_the_status,
    heartbeats_set_status_and_output,
    without_a_heartbeat_a_check_expires,
    checks_are_registered_alone_too,
);

fn a_check_begins_critical_unless_it_says_otherwise(consul: &Consul) {
    let checks: Vec<_> = ["", "passing", "warning", "critical"]
        .iter()
        .map(|status| json!({ "CheckID": format!("c{status}"), "Name": "n", "TTL": "10m", "Status": status }))
        .collect();
    register(consul, &json!({ "Name": "app", "Checks": checks }));
    wait_statuses(
        consul,
        "app",
        &[
            ("critical", ""),
            ("critical", ""),
            ("passing", ""),
            ("warning", ""),
        ],
    );
    // Without ids they are numbered from 1.
    let checks = json!([{ "TTL": "10m" }, { "TTL": "10m" }]);
    register(consul, &json!({ "Name": "two", "Checks": checks }));
    wait_until(PATIENCE, "two checks", || {
        statuses(consul, "two").len() == 2
    });
    let known = consul.get("/v1/agent/checks").json();
    assert_eq!(known["service:two:1"]["Status"], "critical");
    assert_eq!(known["service:two:2"]["Status"], "critical");
}

fn registering_again_keeps_the_status(consul: &Consul) {
    let app = json!({ "Name": "app", "Check": { "TTL": "10m", "Status": "critical" } });
    register(consul, &app);
    done(
        consul,
        "/v1/agent/check/update/service:app",
        r#"{ "Status": "passing", "Output": "fine" }"#,
    );
    wait_statuses(consul, "app", &[("passing", "fine")]);
    register(consul, &app);
    // What comes after it shows that it has arrived.
    let changed =
        json!({ "Name": "app", "Port": 7, "Check": { "TTL": "10m", "Status": "critical" } });
    register(consul, &changed);
    wait_until(PATIENCE, "the new port", || {
        consul.get("/v1/catalog/service/app").json()[0]["ServicePort"] == 7
    });
    assert_eq!(
        statuses(consul, "app"),
        [("passing".to_owned(), "fine".to_owned())]
    );
    // Checks that are not named again stay, unless they are to be replaced.
    register(consul, &json!({ "Name": "app", "Port": 8 }));
    wait_until(PATIENCE, "the new port", || {
        consul.get("/v1/catalog/service/app").json()[0]["ServicePort"] == 8
    });
    wait_statuses(consul, "app", &[("passing", "fine")]);
    let replacing = "/v1/agent/service/register?replace-existing-checks";
    done(consul, replacing, r#"{ "Name": "app", "Port": 9 }"#);
    wait_statuses(consul, "app", &[]);
    consul.wait_passing("app", 1);
}

fn heartbeats_set_status_and_output(consul: &Consul) {
    register_ttl(consul, "app", "10m");
    for (beat, status) in [
        ("pass", "passing"),
        ("warn", "warning"),
        ("fail", "critical"),
    ] {
        done(
            consul,
            &format!("/v1/agent/check/{beat}/service:app?note=a%20{beat}"),
            "",
        );
        wait_statuses(consul, "app", &[(status, &format!("a {beat}"))]);
        assert_eq!(consul.passing("app"), usize::from(beat == "pass"));
    }
    let update = "/v1/agent/check/update/service:app";
    done(
        consul,
        update,
        r#"{ "Status": "passing", "Output": "all is well" }"#,
    );
    wait_statuses(consul, "app", &[("passing", "all is well")]);
    done(consul, update, r#"{ "Status": "warning" }"#);
    wait_statuses(consul, "app", &[("warning", "")]);

    for (body, status) in [
        (r#"{ "Status": "bogus" }"#, 400),
        (r#"{ "Status": "" }"#, 400),
        ("", 400),
        ("[]", 400),
    ] {
        assert_eq!(consul.put(update, body).status, status, "{body}");
    }
    for (path, body) in [
        ("/v1/agent/check/pass/none", ""),
        ("/v1/agent/check/warn/none", ""),
        ("/v1/agent/check/fail/none", ""),
        ("/v1/agent/check/update/none", r#"{ "Status": "passing" }"#),
    ] {
        let answer = consul.put(path, body);
        let text = "CheckID \"none\" does not have associated TTL";
        assert_eq!((answer.status, answer.body.as_str()), (500, text), "{path}");
    }
    wait_statuses(consul, "app", &[("warning", "")]);
}

fn without_a_heartbeat_a_check_expires(consul: &Consul) {
    let check = json!({ "TTL": "300ms", "Status": "passing" });
    register(consul, &json!({ "Name": "app", "Check": check }));
    wait_statuses(consul, "app", &[("critical", "TTL expired")]);
    done(consul, "/v1/agent/check/pass/service:app?note=fine", "");
    wait_statuses(consul, "app", &[("passing", "fine")]);
    let text = "TTL expired (last output before timeout follows): fine";
    wait_statuses(consul, "app", &[("critical", text)]);
    // A beat within its time keeps it: beats for twice the TTL, no expiry.
    pass(consul, "app");
    consul.wait_passing("app", 1);
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(600) {
        pass(consul, "app");
        assert_eq!(consul.passing("app"), 1);
    }
}

fn checks_are_registered_alone_too(consul: &Consul) {
    register(consul, &json!({ "Name": "app" }));
    consul.wait_passing("app", 1);
    let path = "/v1/agent/check/register";
    done(
        consul,
        path,
        r#"{ "ID": "c", "Name": "n", "ServiceID": "app", "TTL": "10m" }"#,
    );
    wait_statuses(consul, "app", &[("critical", "")]);
    assert_eq!(consul.passing("app"), 0);
    done(consul, "/v1/agent/check/deregister/c", "");
    consul.wait_passing("app", 1);
    done(consul, "/v1/agent/check/deregister/c", "");
    // A check of the node counts for all of its services.
    done(consul, path, r#"{ "Name": "disk", "TTL": "10m" }"#);
    consul.wait_passing("app", 0);
    assert_eq!(statuses(consul, "app"), []);
    done(consul, "/v1/agent/check/pass/disk", "");
    consul.wait_passing("app", 1);

    for (body, status) in [
        (r#"{ "Name": "n", "ServiceID": "none", "TTL": "10s" }"#, 500),
        (r#"{ "TTL": "10s" }"#, 400),
        (r#"{ "Name": "n" }"#, 400),
        (r#"{ "Name": "n", "TTL": "10s", "Status": "x" }"#, 400),
        (r#"{ "CheckID": "n", "Name": "n", "TTL": "10s" }"#, 400),
        ("", 400),
    ] {
        let answer = consul.put(path, body);
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
}
