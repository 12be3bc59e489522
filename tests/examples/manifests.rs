//! Manifests for Docker Swarm, Kubernetes and Nomad: they name images, ports and probes that there are, wait for a stop for
//! as long as it may take, and give the containers no more rights than they need.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize as _;
use serde_json::Value;

use super::{check, example, read, rendered, stages, yaml};

/// What an orchestrator is told of one container.
#[derive(Debug, Default)]
struct Place {
    image: String,
    /// From TERM to KILL, in whole seconds, as `check --grace` takes it.
    grace: String,
    /// The ports by their names; the name of a port that has none is its number.
    ports: BTreeMap<String, u64>,
    /// Paths of HTTP, and the names of the ports that are asked.
    probes: Vec<(String, String)>,
}

/// Everything that is true of every place.
fn check_place(place: &Place) {
    let dir = example("hello-world");
    let (name, tag) = place.image.split_once(':').expect("an image has a tag");
    assert_eq!(tag, "1", "{place:?}");
    if name == "pilothouse" {
        for (path, port) in &place.probes {
            assert_eq!(path, "/v1/status/leader", "{place:?}");
            assert_eq!(place.ports[port], 8500, "{place:?}");
        }
        return;
    }
    let stage = name.strip_prefix("hello-").expect("an image of ours");
    assert!(
        stages(&read(&dir.join("Dockerfile"))).contains(stage),
        "{place:?}"
    );
    let path = dir.join(format!("{stage}.json5"));
    check(&path, &["--grace", &place.grace]);
    let config = rendered(&path);
    let served = config["jobs"][0]["port"].as_str().expect("a port");
    let served: u64 = served.parse().expect("a number");
    let telemetry = config["telemetry"]["port"].as_u64().expect("a port");
    for port in place.ports.values() {
        assert!([served, telemetry].contains(port), "{place:?}");
    }
    for (path, port) in &place.probes {
        assert!(["/healthz", "/readyz"].contains(&path.as_str()), "{path}");
        assert_eq!(place.ports[port], telemetry, "{place:?}");
    }
}

fn text(value: &Value) -> String {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| panic!("no text: {value}"))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[test]
fn the_stack_fits_the_example() {
    let stack = yaml(&example("hello-world").join("stack.yaml"));
    let services = stack["services"].as_object().expect("services");
    assert_eq!(services.len(), 3);
    for (name, service) in services {
        let published = list(&service["ports"]).map(|port| {
            let inside = text(port).rsplit(':').next().map(str::to_owned);
            let inside = inside.expect("the last part is the port inside");
            (inside.clone(), inside.parse().expect("a number"))
        });
        check_place(&Place {
            image: text(&service["image"]),
            grace: text(&service["stop_grace_period"]),
            ports: published.collect(),
            probes: Vec::new(),
        });
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert_eq!(service["volumes"][0]["target"], "/run", "{name}");
        for network in list(&service["networks"]) {
            assert!(stack["networks"].get(text(network)).is_some(), "{name}");
        }
    }
    // A container there has several networks: the address that is announced is one of the network that all are in.
    let subnet = &stack["networks"]["hello"]["ipam"]["config"][0]["subnet"];
    for name in ["front", "backend"] {
        assert_eq!(&services[name]["environment"]["INTERFACES"], subnet);
        let job = &rendered_with(name, "INTERFACES", &text(subnet))["jobs"][0];
        assert_eq!(&job["interfaces"], subnet, "{name}");
    }
}

fn rendered_with(name: &str, variable: &str, value: &str) -> Value {
    let path = example("hello-world").join(format!("{name}.json5"));
    super::rendered_in(&path, &[(variable, value)])
}

/// Every document of a file for `kubectl apply`.
fn documents() -> Vec<Value> {
    let text = read(&example("hello-world").join("kubernetes.yaml"));
    let documents = serde_yaml_ng::Deserializer::from_str(&text);
    documents
        .map(|document| Value::deserialize(document).expect("YAML"))
        .collect()
}

fn kubernetes_place(pod: &Value, container: &Value) -> Place {
    let ports = list(&container["ports"]).map(|port| {
        let number = port["containerPort"].as_u64().expect("a number");
        (text(&port["name"]), number)
    });
    let probes = ["livenessProbe", "readinessProbe", "startupProbe"];
    let asked = probes.iter().map(|probe| &container[*probe]["httpGet"]);
    let asked = asked.filter(|request| !request.is_null());
    Place {
        image: text(&container["image"]),
        grace: format!("{}s", pod["terminationGracePeriodSeconds"]),
        ports: ports.collect(),
        probes: asked
            .map(|request| (text(&request["path"]), text(&request["port"])))
            .collect(),
    }
}

#[test]
fn the_deployments_fit_the_example() {
    let documents = documents();
    let of_kind = |kind: &'static str| documents.iter().filter(move |one| one["kind"] == kind);
    assert_eq!(of_kind("Deployment").count(), 3);
    let mut ports = BTreeMap::new();
    for deployment in of_kind("Deployment") {
        let name = text(&deployment["metadata"]["name"]);
        let template = &deployment["spec"]["template"];
        assert_eq!(
            deployment["spec"]["selector"]["matchLabels"],
            template["metadata"]["labels"]
        );
        let pod = &template["spec"];
        let container = &pod["containers"][0];
        let place = kubernetes_place(pod, container);
        check_place(&place);
        let asks = place.probes.iter().map(|(path, _)| path.as_str());
        let asks: BTreeSet<&str> = asks.collect();
        if place.image.starts_with("hello-") {
            assert_eq!(asks, BTreeSet::from(["/healthz", "/readyz"]), "{name}");
        }
        ports.insert(name.clone(), place.ports);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        assert!(
            pod["securityContext"]["runAsUser"].as_u64() > Some(0),
            "{name}"
        );
        let context = &container["securityContext"];
        assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
        assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(context["capabilities"]["drop"][0], "ALL", "{name}");
        let volumes: BTreeSet<_> = list(&pod["volumes"])
            .map(|one| text(&one["name"]))
            .collect();
        for mount in list(&container["volumeMounts"]) {
            assert!(volumes.contains(&text(&mount["name"])), "{name}");
        }
    }
    for service in of_kind("Service") {
        let selected = text(&service["spec"]["selector"]["app"]);
        for port in list(&service["spec"]["ports"]) {
            let target = text(&port["targetPort"]);
            assert!(ports[&selected].contains_key(&target), "{service}");
        }
    }
    // What the configurations ask for by default, here as a Service of that name.
    let catalogue = of_kind("Service").find(|one| one["metadata"]["name"] == "catalogue");
    let port = catalogue.expect("a Service")["spec"]["ports"][0]["port"].clone();
    let asked = rendered(&example("hello-world").join("front.json5"));
    assert_eq!(asked["consul"], format!("catalogue:{port}"));
}

#[test]
fn the_job_for_nomad_fits_the_example() {
    let text_of_job = read(&example("hello-world").join("nomad.hcl"));
    let body: hcl::Body = hcl::from_str(&text_of_job).expect("HCL");
    let value: Value = hcl::from_body(body).expect("a value");
    let groups = value["job"]["hello"]["group"].as_object().expect("groups");
    assert_eq!(groups.len(), 2);
    for (name, group) in groups {
        let ports = group["network"]["port"].as_object().expect("ports");
        let ports = ports
            .iter()
            .map(|(port, spec)| (port.clone(), spec["to"].as_u64().expect("a number")));
        let service = &group["service"];
        let task = &group["task"][name];
        let place = Place {
            image: text(&task["config"]["image"]),
            grace: text(&task["kill_timeout"]),
            ports: ports.collect(),
            probes: vec![(text(&service["check"]["path"]), text(&service["port"]))],
        };
        check_place(&place);
        for port in list(&task["config"]["ports"]) {
            assert!(place.ports.contains_key(&text(port)), "{name}");
        }
        assert_eq!(task["kill_signal"], "SIGTERM", "{name}");
        assert_eq!(task["config"]["readonly_rootfs"], true, "{name}");
        assert_eq!(task["config"]["cap_drop"][0], "all", "{name}");
        assert_eq!(task["config"]["mount"]["target"], "/run", "{name}");
        let host = ["PORT", "INTERFACES"].map(|variable| text(&task["env"][variable]));
        assert_eq!(
            host,
            ["${NOMAD_HOST_PORT_http}", "static:${NOMAD_HOST_IP_http}"]
        );
    }
    // The host's address and port are what is announced; the check asks the port inside.
    let job = &rendered_with("backend", "PORT", "23456")["jobs"][0];
    assert_eq!(job["port"], "23456");
    assert_eq!(job["health"]["http"], "http://localhost:8080/");
}
