//! Sessions, and the locks that they hold.

use super::*;

contracts!(
    a_session_is_created_renewed_and_destroyed,
    one_session_holds_a_lock,
    the_end_of_a_session_releases_or_deletes,
    sessions_that_make_no_sense_are_refused,
);

const NOBODY: &str = "b67a0a1e-8d4b-4f53-a5f0-fe37ca4f4b2d";

fn create(consul: &Consul, spec: &str) -> String {
    let body = done(consul, "/v1/session/create", spec);
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    answer["ID"].as_str().expect("an id").to_owned()
}

fn acquire(consul: &Consul, key: &str, session: &str) -> bool {
    done(consul, &format!("/v1/kv/{key}?acquire={session}"), session) == "true"
}

/// Holder and count of a lock.
fn lock(consul: &Consul, key: &str) -> (Value, u64) {
    let entry = consul.get(&format!("/v1/kv/{key}")).json();
    let entry = &entry[0];
    (
        entry["Session"].clone(),
        entry["LockIndex"].as_u64().expect("a count"),
    )
}

fn a_session_is_created_renewed_and_destroyed(consul: &Consul) {
    let one = create(
        consul,
        r#"{ "Name": "one", "TTL": "10s", "LockDelay": "5s", "Behavior": "delete" }"#,
    );
    assert!(is_uuid(&one), "{one}");
    let info = consul.get(&format!("/v1/session/info/{one}"));
    assert!(info.index() > 0);
    let mut info = info.json();
    assert_eq!(info[0]["ID"], one.as_str());
    let expected = json!([{
        "Name": "one", "Node": NODE, "LockDelay": 5_000_000_000_u64,
        "Behavior": "delete", "TTL": "10s", "NodeChecks": ["serfHealth"], "ServiceChecks": null,
    }]);
    assert_eq!(without_numbers(info.take()), expected);
    // Without a body, what is usual.
    let two = create(consul, "");
    let expected = json!([{
        "Name": "", "Node": NODE, "LockDelay": 15_000_000_000_u64,
        "Behavior": "release", "TTL": "", "NodeChecks": ["serfHealth"], "ServiceChecks": null,
    }]);
    wait_shown(consul, &format!("/v1/session/info/{two}"), &expected);
    let renewed = consul.put(&format!("/v1/session/renew/{one}"), "");
    assert_eq!(
        (renewed.status, &renewed.json()[0]["ID"]),
        (200, &json!(one))
    );
    for list in [
        "/v1/session/list".to_owned(),
        format!("/v1/session/node/{NODE}"),
    ] {
        assert_eq!(
            consul.get(&list).json().as_array().map(Vec::len),
            Some(2),
            "{list}"
        );
    }
    assert_eq!(consul.get("/v1/session/node/none").json(), json!([]));
    assert_eq!(
        done(consul, &format!("/v1/session/destroy/{one}"), ""),
        "true"
    );
    assert_eq!(
        consul.get(&format!("/v1/session/info/{one}")).json(),
        json!([])
    );
    let gone = consul.put(&format!("/v1/session/renew/{one}"), "");
    assert_eq!(
        (gone.status, gone.body),
        (404, format!("Session id '{one}' not found"))
    );
    assert_eq!(
        done(consul, &format!("/v1/session/destroy/{one}"), ""),
        "true"
    );
    // It can be waited for.
    let path = format!("/v1/session/info/{two}");
    let index = consul.get(&path).index();
    let asked = consul.ask(&after(&path, index));
    done(consul, &format!("/v1/session/destroy/{two}"), "");
    assert_eq!(asked.answer().json(), json!([]));
}

fn one_session_holds_a_lock(consul: &Consul) {
    let one = create(consul, r#"{ "LockDelay": "0s" }"#);
    let two = create(consul, r#"{ "LockDelay": "0s" }"#);
    assert!(acquire(consul, "lock", &one));
    assert_eq!(lock(consul, "lock"), (json!(one), 1));
    // Again by the same: a new value, the same lock.
    assert!(acquire(consul, "lock", &one));
    assert_eq!(lock(consul, "lock"), (json!(one), 1));
    assert!(!acquire(consul, "lock", &two));
    assert_eq!(consul.get("/v1/kv/lock?raw").body, one);
    let release = |session: &str| done(consul, &format!("/v1/kv/lock?release={session}"), "free");
    assert_eq!(release(&two), "false");
    assert_eq!(release(&one), "true");
    assert_eq!(lock(consul, "lock"), (Value::Null, 1));
    assert_eq!(consul.get("/v1/kv/lock?raw").body, "free");
    assert!(acquire(consul, "lock", &two));
    assert_eq!(lock(consul, "lock"), (json!(two), 2));
    // A write without the lock is no lock, and goes through.
    assert_eq!(done(consul, "/v1/kv/lock", "plain"), "true");
    assert_eq!(lock(consul, "lock").0, json!(two));
    let nobody = consul.put(&format!("/v1/kv/lock?acquire={NOBODY}"), "1");
    assert_eq!(
        (nobody.status, nobody.body),
        (500, format!("invalid session {NOBODY:?}"))
    );
    let none = consul.put("/v1/kv/lock?acquire=none", "1");
    assert_eq!(none.status, 500, "{none:?}");
}

fn the_end_of_a_session_releases_or_deletes(consul: &Consul) {
    let next = create(consul, r#"{ "LockDelay": "0s" }"#);
    let keeps = create(consul, r#"{ "LockDelay": "0s" }"#);
    assert!(acquire(consul, "kept", &keeps));
    let index = consul.get("/v1/kv/kept").index();
    let asked = consul.ask(&after("/v1/kv/kept", index));
    done(consul, &format!("/v1/session/destroy/{keeps}"), "");
    // Whoever waits for the lock is woken.
    let answer = asked.answer();
    assert!(answer.json()[0].get("Session").is_none(), "{answer:?}");
    assert_eq!(consul.get("/v1/kv/kept?raw").body, keeps);
    assert!(acquire(consul, "kept", &next));

    let deletes = create(consul, r#"{ "LockDelay": "0s", "Behavior": "delete" }"#);
    assert!(acquire(consul, "dropped", &deletes));
    done(consul, "/v1/kv/free", "1");
    done(consul, &format!("/v1/session/destroy/{deletes}"), "");
    assert_eq!(consul.get("/v1/kv/dropped").status, 404);
    assert_eq!(consul.get("/v1/kv/free").status, 200);

    // After it, nobody gets the lock for the delay; other keys are free.
    let slow = create(consul, r#"{ "LockDelay": "1s" }"#);
    assert!(acquire(consul, "slow", &slow));
    done(consul, &format!("/v1/session/destroy/{slow}"), "");
    let ended = Instant::now();
    assert!(!acquire(consul, "slow", &next));
    assert!(acquire(consul, "fast", &next));
    wait_until(PATIENCE, "the end of the delay", || {
        acquire(consul, "slow", &next)
    });
    assert!(ended.elapsed() >= Duration::from_millis(900));

    // A check that fails ends the sessions that depend on it.
    register_ttl(consul, "app", "10m");
    pass(consul, "app");
    consul.wait_passing("app", 1);
    let bound = create(
        consul,
        r#"{ "LockDelay": "0s", "Checks": ["serfHealth", "service:app"] }"#,
    );
    assert!(acquire(consul, "bound", &bound));
    done(consul, "/v1/agent/check/fail/service:app", "");
    wait_until(PATIENCE, "the end of a session", || {
        consul.get(&format!("/v1/session/info/{bound}")).json() == json!([])
    });
    assert_eq!(lock(consul, "bound").0, Value::Null);
}

fn sessions_that_make_no_sense_are_refused(consul: &Consul) {
    for (body, status) in [
        (r#"{ "TTL": "1s" }"#, 500),
        (r#"{ "TTL": "25h" }"#, 500),
        (r#"{ "TTL": "x" }"#, 500),
        (r#"{ "Behavior": "x" }"#, 500),
        (r#"{ "Node": "none" }"#, 500),
        (r#"{ "Checks": ["none"] }"#, 500),
        (r#"{ "LockDelay": "x" }"#, 400),
        ("{", 400),
    ] {
        let answer = consul.put("/v1/session/create", body);
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    for (method, path, status) in [
        ("GET", "/v1/session/info/".to_owned(), 400),
        ("PUT", "/v1/session/renew/".to_owned(), 400),
        ("PUT", "/v1/session/destroy/".to_owned(), 400),
        ("GET", "/v1/session/info/none".to_owned(), 500),
        ("PUT", "/v1/session/renew/none".to_owned(), 500),
        ("PUT", format!("/v1/session/renew/{NOBODY}"), 404),
        ("PUT", format!("/v1/session/destroy/{NOBODY}"), 200),
        ("GET", format!("/v1/session/info/{NOBODY}"), 200),
    ] {
        let answer = consul.request(method, &path, &[], "");
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    }
    assert_eq!(consul.get("/v1/session/list").json(), json!([]));
}
