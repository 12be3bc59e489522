//! A private network with a real Consul, applications with addresses of their own, and one who watches them.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Container, Engine, images};

/// The network, with room for addresses that a test chooses.
pub(crate) const NETWORK: &str = "private";
const SUBNET: &str = "10.99.0.0/24";

/// An application that answers, with a check each half second that is believed for three.
pub(crate) const APP: &str = r#"{ consul: "consul:8500", jobs: [
    { name: "app", exec: ["httpd", "-f", "-p", "8080", "-h", "/etc"], port: 8080, restarts: "unlimited",
      health: { http: "http://localhost:8080/containerpilot.json5", interval: "500ms", ttl: "3s" } },
] }"#;

/// Says after each change who is there.
const WATCHER: &str = r#"{ consul: "consul:8500", jobs: [
    { name: "main", exec: "sleep 100000" },
    { name: "hook", exec: { shell: "echo [$CONTAINERPILOT_WATCH_INSTANCES]" }, when: { source: "watch.app", each: "changed" } },
  ], watches: [{ name: "app", interval: 1 }] }"#;

/// The network with Consul and the watcher.
#[derive(Debug)]
pub(crate) struct Cluster<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) consul: Container<'e>,
    pub(crate) watcher: Container<'e>,
}

impl<'e> Cluster<'e> {
    /// All of it; `None`, after saying why, on a machine without Consul.
    pub(crate) fn start(engine: &'e Engine) -> Option<Self> {
        let program = images::consul("the tests of containers with a real Consul")?;
        let subnet = format!("--subnet={SUBNET}");
        engine.docker(&["network", "create", &subnet, NETWORK]);
        let consul = consul(engine, &program);
        let watcher = engine.run_config("small", &on_network("watcher"), WATCHER);
        watcher.wait_for("control: serving", 1);
        Some(Self {
            engine,
            consul,
            watcher,
        })
    }

    /// One more application.
    pub(crate) fn app(&self, name: &str) -> Container<'e> {
        self.engine.run_config("small", &on_network(name), APP)
    }

    /// Waits until these are who the watcher was told of last, and all that Consul has, healthy or not.
    pub(crate) fn wait_for_exactly(&self, apps: &[&Container]) {
        let wanted: BTreeSet<String> = apps.iter().map(|app| place(app)).collect();
        self.wait_for_watcher(&wanted);
        self.watcher
            .wait_until(&format!("{wanted:?} in Consul"), || {
                let registered = self.registered();
                if registered == wanted {
                    Ok(())
                } else {
                    Err(format!("{registered:?}"))
                }
            });
    }

    /// Waits until these are who the watcher was told of last.
    pub(crate) fn wait_for(&self, apps: &[&Container]) {
        self.wait_for_watcher(&apps.iter().map(|app| place(app)).collect());
    }

    fn wait_for_watcher(&self, wanted: &BTreeSet<String>) {
        self.watcher.wait_until(&format!("{wanted:?}"), || {
            let told = self.told();
            let last = told.last().cloned().unwrap_or_default();
            if last == *wanted {
                Ok(())
            } else {
                Err(format!("{last:?}"))
            }
        });
    }

    /// Who was there at each change that the watcher was told.
    pub(crate) fn told(&self) -> Vec<BTreeSet<String>> {
        let logs = self.watcher.logs();
        let lists = logs
            .lines()
            .filter_map(|line| line.split_once(" [")?.1.strip_suffix(']'));
        lists
            .map(|list| list.split_whitespace().map(str::to_owned).collect())
            .collect()
    }

    /// Every instance in Consul, whatever its health.
    fn registered(&self) -> BTreeSet<String> {
        let url = "http://consul:8500/v1/catalog/service/app";
        let output = self.watcher.try_exec(&["wget", "-q", "-O", "-", url]);
        let instances: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_default();
        let instances = instances.as_array().cloned().unwrap_or_default();
        let address = |one: &serde_json::Value| one["ServiceAddress"].as_str().map(str::to_owned);
        instances
            .iter()
            .filter_map(address)
            .map(|address| format!("{address}:8080"))
            .collect()
    }
}

/// Options of a container with this name and host name on the network.
pub(crate) fn on_network(name: &str) -> [&str; 5] {
    ["--network=private", "--name", name, "--hostname", name]
}

/// A real Consul in memory, known as `consul`.
pub(crate) fn consul<'e>(engine: &'e Engine, program: &Path) -> Container<'e> {
    let mut options = images::mounted(program, "/bin/consul");
    options.extend(on_network("consul").map(str::to_owned));
    options.push("--entrypoint=/bin/consul".to_owned());
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let agent = ["agent", "-dev", "-client", "0.0.0.0", "-log-level", "warn"];
    let consul = engine.run("small", &options, &agent);
    wait_for_leader(&consul);
    consul
}

/// Waits until it serves.
pub(crate) fn wait_for_leader(consul: &Container) {
    consul.wait_until("a leader", || {
        let url = "http://127.0.0.1:8500/v1/health/service/consul?passing";
        let output = consul.try_exec(&["wget", "-q", "-O", "-", url]);
        let seen = String::from_utf8_lossy(&output.stdout).into_owned();
        if seen.contains("serfHealth") {
            Ok(())
        } else {
            Err(seen)
        }
    });
}

/// Its present address on the network.
pub(crate) fn address(container: &Container) -> String {
    container.inspect(&format!(
        "{{{{.NetworkSettings.Networks.{NETWORK}.IPAddress}}}}"
    ))
}

fn place(app: &Container) -> String {
    format!("{}:8080", address(app))
}
