//! Blocking queries: what wakes them, what does not, and when they give up.

use super::*;

contracts!(
    a_query_waits_for_a_change_of_its_service,
    a_query_for_what_is_not_there_waits_for_its_birth,
    a_query_gives_up_when_its_wait_is_over,
    the_index_never_falls,
    lists_can_be_waited_for,
    parameters_that_make_no_sense_are_refused,
);

fn a_query_waits_for_a_change_of_its_service(consul: &Consul) {
    register_ttl(consul, "app", "10m");
    register_ttl(consul, "other", "10m");
    wait_statuses(consul, "app", &[("critical", "")]);
    wait_statuses(consul, "other", &[("critical", "")]);
    for path in ["/v1/health/service/app", "/v1/health/service/app?passing"] {
        let before = consul.get(path).index();
        // With a lower index there is nothing to wait for.
        let at_once = consul.get(&after(path, before - 1));
        assert_eq!(at_once.index(), before, "{path}");
        let asked = consul.ask(&after(path, before));
        // Neither another service nor a key wakes it.
        pass(consul, "other");
        consul.wait_passing("other", 1);
        done(consul, "/v1/kv/a", path);
        assert_eq!(asked.answer_within(SHORT), None, "{path}");
        pass(consul, "app");
        let answer = asked.answer();
        assert!(answer.index() > before, "{path}: {answer:?}");
        assert!(answer.body.contains("service:app"), "{path}: {answer:?}");
        assert!(!answer.body.contains("critical"), "{path}: {answer:?}");
        done(consul, "/v1/agent/check/fail/service:app", "");
        done(consul, "/v1/agent/check/fail/service:other", "");
        consul.wait_passing("app", 0);
        consul.wait_passing("other", 0);
    }
    // Its end is a change as well.
    let path = "/v1/health/service/app";
    let before = consul.get(path).index();
    let asked = consul.ask(&after(path, before));
    done(consul, "/v1/agent/service/deregister/app", "");
    let answer = follow(consul, path, asked.answer(), |it| it.json() == json!([]));
    assert!(answer.index() > before, "{answer:?}");
}

fn a_query_for_what_is_not_there_waits_for_its_birth(consul: &Consul) {
    let path = "/v1/health/service/app";
    let nothing = consul.get(path);
    assert_eq!((nothing.status, nothing.json()), (200, json!([])));
    assert!(nothing.index() > 0);
    let asked = consul.ask(&after(path, nothing.index()));
    register(consul, &json!({ "Name": "app" }));
    let answer = follow(consul, path, asked.answer(), |it| it.json() != json!([]));
    assert_eq!(answer.json()[0]["Service"]["ID"], "app", "{answer:?}");
    assert!(answer.index() > nothing.index());
}

fn a_query_gives_up_when_its_wait_is_over(consul: &Consul) {
    register(consul, &json!({ "Name": "app" }));
    consul.wait_passing("app", 1);
    done(consul, "/v1/kv/a", "1");
    for path in [
        "/v1/health/service/app",
        "/v1/catalog/service/app",
        "/v1/kv/a",
    ] {
        let before = consul.get(path);
        let started = Instant::now();
        let answer = consul.get(&format!("{path}?index={}&wait=200ms", before.index()));
        assert!(started.elapsed() >= Duration::from_millis(200), "{path}");
        assert_eq!(
            (answer.status, answer.index()),
            (200, before.index()),
            "{path}"
        );
        assert_eq!(answer.json(), before.json(), "{path}");
        // Without an index there is nothing to wait for.
        for query in ["wait=60s", "index=0&wait=60s"] {
            assert_eq!(consul.get(&format!("{path}?{query}")).json(), before.json());
        }
    }
}

fn the_index_never_falls(consul: &Consul) {
    let paths = [
        "/v1/health/service/app",
        "/v1/health/service/none",
        "/v1/kv/a",
        "/v1/catalog/services",
    ];
    let mut last = [0; 4];
    let mut look = |what: &str| {
        for (path, last) in paths.iter().zip(&mut last) {
            let index = consul.get(path).index();
            assert!(
                index >= *last && index > 0,
                "{path} after {what}: {index} after {last}"
            );
            *last = index;
        }
    };
    look("the start");
    register_ttl(consul, "app", "10m");
    wait_statuses(consul, "app", &[("critical", "")]);
    look("a registration");
    pass(consul, "app");
    consul.wait_passing("app", 1);
    look("a heartbeat");
    done(consul, "/v1/kv/a", "1");
    look("a key");
    assert_eq!(consul.delete("/v1/kv/a").status, 200);
    look("the end of a key");
    done(consul, "/v1/agent/service/deregister/app", "");
    wait_until(PATIENCE, "the end of a service", || {
        instances(consul, "/v1/health/service/app").is_empty()
    });
    look("the end of a service");
    register_ttl(consul, "app", "10m");
    wait_statuses(consul, "app", &[("critical", "")]);
    look("its return");
}

fn lists_can_be_waited_for(consul: &Consul) {
    let node = format!("/v1/health/node/{NODE}");
    let paths = [
        "/v1/catalog/services",
        "/v1/health/state/any",
        node.as_str(),
    ];
    let ask = |path| consul.ask(&after(path, consul.get(path).index()));
    let asked = paths.map(|path| (path, ask(path)));
    register_ttl(consul, "app", "10m");
    for (path, asked) in asked {
        follow(consul, path, asked.answer(), |it| it.body.contains("app"));
    }
}

fn parameters_that_make_no_sense_are_refused(consul: &Consul) {
    for path in ["/v1/health/service/app", "/v1/catalog/services", "/v1/kv/a"] {
        for (query, status, text) in [
            ("index=a", 400, "Invalid index"),
            ("index=-1", 400, "Invalid index"),
            ("wait=a", 400, "Invalid wait time"),
            ("wait=5", 400, "Invalid wait time"),
            ("dc=other", 500, "No path to datacenter"),
            (
                "stale&consistent",
                400,
                "Cannot specify ?stale with ?consistent, conflicting semantics.",
            ),
            (
                "ns=a",
                400,
                "Bad request: Invalid query parameter: \"ns\" - Namespaces are a Consul Enterprise feature",
            ),
        ] {
            let answer = consul.get(&format!("{path}?{query}"));
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (status, text),
                "{path}?{query}"
            );
        }
    }
}
