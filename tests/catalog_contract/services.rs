//! Registration of services, what is shown of them, and their end.

use serde_json::json;

use super::*;

contracts!(
    a_registration_is_shown_with_its_fields,
    a_name_is_enough,
    bodies_that_make_no_sense_are_refused,
    instances_are_chosen_by_tags_and_health,
    a_deregistration_takes_the_checks_along,
    maintenance_is_a_check,
    other_nodes_are_registered_in_the_catalogue,
);

fn a_registration_is_shown_with_its_fields(consul: &Consul) {
    register(
        consul,
        &json!({
            "ID": "app-1", "Name": "app", "Tags": ["a", "b"], "Address": "10.0.0.1", "Port": 80,
            "Meta": { "k": "v" }, "EnableTagOverride": true,
            "Check": {
                "TTL": "10m", "Status": "passing", "Notes": "note",
                "DeregisterCriticalServiceAfter": "10m",
            },
        }),
    );
    let tagged = json!({
        "lan_ipv4": { "Address": "10.0.0.1", "Port": 80 },
        "wan_ipv4": { "Address": "10.0.0.1", "Port": 80 },
    });
    let weights = json!({ "Passing": 1, "Warning": 1 });
    let own = json!({
        "ID": "app-1", "Service": "app", "Tags": ["a", "b"], "Meta": { "k": "v" }, "Port": 80,
        "Address": "10.0.0.1", "TaggedAddresses": tagged, "Weights": weights,
        "EnableTagOverride": true,
    });
    wait_shown(consul, "/v1/agent/services", &json!({ "app-1": own }));
    wait_shown(consul, "/v1/agent/service/app-1", &own);
    let check = json!({
        "Node": NODE, "CheckID": "service:app-1", "Name": "Service 'app' check",
        "Status": "passing", "Notes": "note", "Output": "", "ServiceID": "app-1",
        "ServiceName": "app", "ServiceTags": ["a", "b"], "Type": "ttl", "Definition": {},
    });
    wait_shown(
        consul,
        "/v1/agent/checks",
        &json!({ "service:app-1": check }),
    );
    wait_shown(consul, "/v1/health/checks/app", &json!([check]));

    let addresses = json!({
        "lan": "127.0.0.1", "lan_ipv4": "127.0.0.1", "wan": "127.0.0.1", "wan_ipv4": "127.0.0.1",
    });
    let node_meta = json!({ "consul-network-segment": "" });
    let proxy = json!({ "MeshGateway": {}, "Expose": {} });
    wait_shown(
        consul,
        "/v1/catalog/service/app",
        &json!([{
            "Node": NODE, "Address": "127.0.0.1", "Datacenter": "dc1",
            "TaggedAddresses": addresses, "NodeMeta": node_meta, "ServiceKind": "",
            "ServiceID": "app-1", "ServiceName": "app", "ServiceTags": ["a", "b"],
            "ServiceAddress": "10.0.0.1", "ServiceTaggedAddresses": tagged,
            "ServiceWeights": weights, "ServiceMeta": { "k": "v" }, "ServicePort": 80,
            "ServiceEnableTagOverride": true, "ServiceProxy": proxy, "ServiceConnect": {},
        }]),
    );
    let mut service = own;
    service["Proxy"] = proxy;
    service["Connect"] = json!({});
    let alive = json!({
        "Node": NODE, "CheckID": "serfHealth", "Name": "Serf Health Status", "Status": "passing",
        "Notes": "", "Output": "Agent alive and reachable", "ServiceID": "", "ServiceName": "",
        "ServiceTags": [], "Type": "", "Definition": {},
    });
    wait_shown(
        consul,
        "/v1/health/service/app",
        &json!([{
            "Node": {
                "Node": NODE, "Address": "127.0.0.1", "Datacenter": "dc1",
                "TaggedAddresses": addresses, "Meta": node_meta,
            },
            "Service": service,
            "Checks": [alive, check],
        }]),
    );
    let named = json!({ "app": ["a", "b"], "consul": [] });
    wait_shown(consul, "/v1/catalog/services", &named);
    wait_shown(consul, "/v1/health/state/passing", &json!([alive, check]));
    wait_shown(consul, "/v1/health/state/critical", &json!([]));
    wait_shown(
        consul,
        &format!("/v1/health/node/{NODE}"),
        &json!([alive, check]),
    );
}

fn a_name_is_enough(consul: &Consul) {
    // Names of members are read in any case, and with underscores.
    register(
        consul,
        &json!({ "name": "app", "tags": null, "enable_tag_override": false }),
    );
    let app = json!({
        "ID": "app", "Service": "app", "Tags": [], "Meta": {}, "Port": 0, "Address": "",
        "Weights": { "Passing": 1, "Warning": 1 }, "EnableTagOverride": false,
    });
    wait_shown(consul, "/v1/agent/services", &json!({ "app": app }));
    // Nothing is wrong with what has no check.
    consul.wait_passing("app", 1);
    assert_eq!(statuses(consul, "app"), []);
    let none = consul.get("/v1/agent/service/none");
    assert_eq!(
        (none.status, none.body.as_str()),
        (404, "unknown service ID: none")
    );
    for path in [
        "/v1/health/service/none",
        "/v1/health/checks/none",
        "/v1/catalog/service/none",
    ] {
        assert_eq!(consul.get(path).json(), json!([]), "{path}");
    }
    // Names are compared without case, ids are not.
    assert_eq!(instances(consul, "/v1/health/service/APP"), ["app"]);
}

fn bodies_that_make_no_sense_are_refused(consul: &Consul) {
    for (body, text) in [
        ("", "Request decode failed: EOF"),
        ("{", "Request decode failed: unexpected EOF"),
        ("{}", "Missing service name"),
        (r#"{ "Name": "" }"#, "Missing service name"),
        (
            r#"{ "Name": "a", "Bogus": 1 }"#,
            "Request decode failed: json: unknown field \"Bogus\"",
        ),
        (
            r#"{ "Name": "a", "Port": "1" }"#,
            "Request decode failed: json: cannot unmarshal string into Go struct field .Port of type int",
        ),
        (
            r#"{ "Name": "a", "Check": { "TTL": "abc" } }"#,
            "Request decode failed: time: invalid duration \"abc\"",
        ),
        (
            r#"{ "Name": "a", "Check": { "TTL": "-1s" } }"#,
            "Invalid check: TTL must be > 0 for TTL checks",
        ),
        (
            r#"{ "Name": "a", "Check": { "TTL": "1s", "Status": "x" } }"#,
            "Status for checks must 'passing', 'warning', 'critical'",
        ),
        (
            r#"{ "Name": "a", "Address": "0.0.0.0" }"#,
            "Invalid service address",
        ),
        (
            r#"{ "Name": "a", "Weights": { "Passing": 0 } }"#,
            "Invalid Weights: Passing must be greater than 0",
        ),
    ] {
        let answer = consul.put("/v1/agent/service/register", body);
        assert_eq!((answer.status, answer.body.as_str()), (400, text), "{body}");
    }
    assert_eq!(consul.get("/v1/agent/services").json(), json!({}));
}

fn instances_are_chosen_by_tags_and_health(consul: &Consul) {
    for (id, tags, status) in [
        ("one", json!(["a", "b"]), "passing"),
        ("two", json!(["a"]), "warning"),
        ("three", json!(["b", "c"]), "critical"),
    ] {
        let check = json!({ "TTL": "10m", "Status": status });
        register(
            consul,
            &json!({ "ID": id, "Name": "app", "Tags": tags, "Check": check }),
        );
    }
    let all = ["one", "three", "two"];
    wait_until(PATIENCE, "three instances with their checks", || {
        statuses(consul, "app").len() == 3
    });
    for (query, expected) in [
        ("", &all[..]),
        ("?tag=a", &["one", "two"]),
        // All tags, in any case.
        ("?tag=a&tag=b", &["one"]),
        ("?tag=A&tag=B", &["one"]),
        ("?tag=a&tag=c", &[]),
        ("?tag=none", &[]),
        ("?dc=dc1", &all),
        ("?near=_agent", &all),
        ("?stale", &all),
        ("?consistent", &all),
    ] {
        for path in ["/v1/health/service/app", "/v1/catalog/service/app"] {
            let path = format!("{path}{query}");
            assert_eq!(instances(consul, &path), expected, "{path}");
        }
    }
    for (query, expected) in [
        ("?passing", &["one"][..]),
        ("?passing=1", &["one"]),
        ("?passing=true&tag=b", &["one"]),
        ("?passing&tag=c", &[]),
        ("?passing=false", &all),
    ] {
        let path = format!("/v1/health/service/app{query}");
        assert_eq!(instances(consul, &path), expected, "{path}");
    }
    let wrong = consul.get("/v1/health/service/app?passing=x");
    assert_eq!(
        (wrong.status, wrong.body.as_str()),
        (400, "Invalid value for ?passing")
    );
    let mut tags = consul.get("/v1/catalog/services").json()["app"].clone();
    tags.as_array_mut()
        .expect("tags")
        .sort_by_key(ToString::to_string);
    assert_eq!(tags, json!(["a", "b", "c"]));
}

fn a_deregistration_takes_the_checks_along(consul: &Consul) {
    register_ttl(consul, "app", "10m");
    register_ttl(consul, "other", "10m");
    wait_statuses(consul, "app", &[("critical", "")]);
    wait_statuses(consul, "other", &[("critical", "")]);
    assert_eq!(done(consul, "/v1/agent/service/deregister/app", ""), "");
    wait_until(PATIENCE, "a service that is gone", || {
        instances(consul, "/v1/health/service/app").is_empty() && statuses(consul, "app").is_empty()
    });
    let checks = consul.get("/v1/agent/checks").json();
    assert!(checks.get("service:app").is_none(), "{checks}");
    assert_eq!(instances(consul, "/v1/health/service/other"), ["other"]);
    // One that is not there is no mistake.
    assert_eq!(done(consul, "/v1/agent/service/deregister/app", ""), "");
    assert_eq!(done(consul, "/v1/agent/service/deregister/none", ""), "");
    let beat = consul.put("/v1/agent/check/pass/service:app", "");
    assert_eq!(beat.status, 500, "{beat:?}");
}

fn maintenance_is_a_check(consul: &Consul) {
    register_ttl(consul, "app", "10m");
    pass(consul, "app");
    consul.wait_passing("app", 1);
    let maintain = "/v1/agent/service/maintenance";
    done(
        consul,
        &format!("{maintain}/app?enable=true&reason=the%20reason"),
        "",
    );
    consul.wait_passing("app", 0);
    let check = consul.get("/v1/agent/checks").json()["_service_maintenance:app"].clone();
    assert_eq!(check["Status"], "critical");
    assert_eq!(check["Notes"], "the reason");
    assert_eq!(check["Name"], "Service Maintenance Mode");
    // The heartbeat goes on and changes nothing about it.
    pass(consul, "app");
    assert_eq!(consul.passing("app"), 0);
    done(consul, &format!("{maintain}/app?enable=false"), "");
    consul.wait_passing("app", 1);

    done(consul, "/v1/agent/maintenance?enable=true", "");
    consul.wait_passing("app", 0);
    let check = consul.get("/v1/agent/checks").json()["_node_maintenance"].clone();
    assert_eq!(check["Status"], "critical");
    done(consul, "/v1/agent/maintenance?enable=false", "");
    consul.wait_passing("app", 1);

    for (path, status) in [
        (format!("{maintain}/none?enable=true"), 404),
        (format!("{maintain}/app"), 400),
        (format!("{maintain}/app?enable=x"), 400),
        (format!("{maintain}/?enable=true"), 400),
        ("/v1/agent/maintenance".to_owned(), 400),
    ] {
        assert_eq!(consul.put(&path, "").status, status, "{path}");
    }
}

fn other_nodes_are_registered_in_the_catalogue(consul: &Consul) {
    let body = json!({
        "Node": "ext", "Address": "10.1.1.1", "NodeMeta": { "m": "1" },
        "Service": { "Service": "db", "Port": 9 },
        "Check": { "Name": "c", "Status": "passing", "ServiceID": "db" },
    });
    assert_eq!(
        done(consul, "/v1/catalog/register", &body.to_string()),
        "true"
    );
    assert_eq!(consul.passing("db"), 1);
    let nodes = consul.get("/v1/catalog/nodes?node-meta=m:1").json();
    assert_eq!(nodes[0]["Node"], "ext");
    assert_eq!(nodes.as_array().map(Vec::len), Some(1));
    let node = consul.get("/v1/catalog/node/ext").json();
    assert_eq!(node["Services"]["db"]["Port"], 9);
    assert_eq!(consul.get("/v1/catalog/node/none").json(), Value::Null);
    // An agent looks after its own alone.
    let own = consul.get("/v1/agent/services").json();
    assert!(own.get("db").is_none(), "{own}");
    for body in [r#"{ "Node": "ext2" }"#, r#"{ "Address": "1.1.1.1" }"#] {
        let answer = consul.put("/v1/catalog/register", body);
        assert_eq!(answer.status, 500, "{body}: {answer:?}");
    }
    done(
        consul,
        "/v1/catalog/deregister",
        r#"{ "Node": "ext", "ServiceID": "db" }"#,
    );
    assert_eq!(consul.passing("db"), 0);
    assert_eq!(
        consul.get("/v1/catalog/node/ext").json()["Services"],
        json!({})
    );
    done(consul, "/v1/catalog/deregister", r#"{ "Node": "ext" }"#);
    assert_eq!(consul.get("/v1/catalog/node/ext").json(), Value::Null);
    done(consul, "/v1/catalog/deregister", r#"{ "Node": "ext" }"#);
}
