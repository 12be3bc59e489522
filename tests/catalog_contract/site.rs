//! Who answers, and what is the same for all endpoints.

use super::*;

contracts!(the_server_tells_about_itself, methods_and_paths_are_checked);

fn the_server_tells_about_itself(consul: &Consul) {
    let leader = consul.get("/v1/status/leader").json();
    let leader = leader.as_str().expect("an address");
    assert!(leader.starts_with("127.0.0.1:"), "{leader}");
    assert_eq!(consul.get("/v1/status/peers").json(), json!([leader]));
    assert_eq!(consul.get("/v1/catalog/datacenters").json(), json!(["dc1"]));
    let about = consul.get("/v1/agent/self").json();
    let config = &about["Config"];
    assert_eq!(
        (&config["Datacenter"], &config["NodeName"]),
        (&json!("dc1"), &json!(NODE))
    );
    assert_eq!(
        (&config["Server"], &config["Version"]),
        (&json!(true), &json!("1.8.7"))
    );
    assert!(config["NodeID"].as_str().is_some_and(is_uuid), "{config}");
    assert_eq!(about["Member"]["Name"], NODE);
    let members = consul.get("/v1/agent/members").json();
    assert_eq!(members[0]["Status"], 1);
    let nodes = consul.get("/v1/catalog/nodes").json();
    assert_eq!(nodes[0]["ID"], config["NodeID"]);
    assert_eq!(nodes.as_array().map(Vec::len), Some(1));
    for (query, mode) in [
        ("", "leader"),
        ("?stale", "stale"),
        ("?consistent", "consistent"),
    ] {
        let answer = consul.get(&format!("/v1/catalog/services{query}"));
        assert_eq!(
            answer.header("x-consul-effective-consistency"),
            Some(mode),
            "{query}"
        );
        assert_eq!(answer.header("x-consul-knownleader"), Some("true"));
    }
    let pretty = consul.get("/v1/catalog/datacenters?pretty").body;
    assert_eq!(pretty, "[\n    \"dc1\"\n]\n");
}

fn methods_and_paths_are_checked(consul: &Consul) {
    for (method, path, allow) in [
        ("POST", "/v1/agent/service/register", "OPTIONS,PUT"),
        ("GET", "/v1/agent/service/register", "OPTIONS,PUT"),
        ("DELETE", "/v1/health/service/a", "OPTIONS,GET"),
        ("POST", "/v1/kv/a", "OPTIONS,GET,PUT,DELETE"),
        ("PUT", "/v1/status/leader", "OPTIONS,GET"),
    ] {
        let answer = consul.request(method, path, &[], "");
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        assert_eq!(answer.body, format!("method {method} not allowed"));
        let options = consul.request("OPTIONS", path, &[], "");
        assert_eq!(
            (options.status, options.header("allow")),
            (200, Some(allow)),
            "{path}"
        );
    }
    for path in ["/v1/bogus", "/v2/kv/a", "/v1/agent/bogus"] {
        assert_eq!(consul.get(path).status, 404, "{path}");
    }
    for path in [
        "/v1/health/service/",
        "/v1/health/checks/",
        "/v1/health/node/",
        "/v1/catalog/service/",
    ] {
        assert_eq!(consul.get(path).status, 400, "{path}");
    }
    let namespaced = consul.get("/v1/agent/services?ns=a");
    assert_eq!(namespaced.status, 400);
    // A token that nobody asks for is no mistake.
    let token = [("X-Consul-Token", "00000000-0000-0000-0000-000000000002")];
    assert_eq!(
        consul.request("GET", "/v1/kv/?keys", &token, "").status,
        200
    );
}
