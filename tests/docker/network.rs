//! Applications come, go, die, freeze and are cut off; who watches them in a real Consul sees it, and they come back by
//! themselves.

use std::collections::BTreeSet;

use super::cluster::{Cluster, NETWORK, address, wait_for_leader};
use super::{Container, Engine};

/// The process of the application, which no fault around it may touch.
fn pid(app: &Container) -> String {
    app.exec(&["pidof", "httpd"])
}

/// Does something to a network in which two applications have been seen; nothing on a machine without an engine or Consul.
fn with_two(fault: impl FnOnce(&Cluster, &Container, &Container)) {
    let Some(engine) = Engine::start() else {
        return;
    };
    let Some(cluster) = Cluster::start(&engine) else {
        return;
    };
    let [one, two] = ["one", "two"].map(|name| cluster.app(name));
    cluster.wait_for_exactly(&[&one, &two]);
    fault(&cluster, &one, &two);
}

#[test]
fn scaled_up_and_down_the_others_see_exactly_who_is_there() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let Some(cluster) = Cluster::start(&engine) else {
        return;
    };
    let first = ["a1", "a2"].map(|name| cluster.app(name));
    cluster.wait_for_exactly(&[&first[0], &first[1]]);
    let more = ["a3", "a4", "a5", "a6"].map(|name| cluster.app(name));
    let all: Vec<&Container> = first.iter().chain(&more).collect();
    cluster.wait_for_exactly(&all);
    let told = cluster.told();
    let stop = ["stop", "--time", "10"];
    let gone: Vec<&str> = all[..5].iter().map(|app| app.id()).collect();
    engine.docker(&[&stop[..], &gone].concat());
    cluster.wait_for_exactly(&[all[5]]);
    // Nobody went before somebody was stopped.
    for (before, after) in told.iter().zip(told.iter().skip(1)) {
        assert!(before.is_subset(after), "{told:?}");
    }
    for app in &all[..5] {
        assert_eq!(app.wait(), 0, "{}", app.logs());
    }
}

#[test]
fn c15_one_that_is_killed_goes_with_its_ttl_and_comes_back_without_a_ghost() {
    with_two(|cluster, one, two| {
        one.signal("KILL");
        assert_eq!(one.wait(), 137);
        cluster.wait_for(&[two]);
        // Somebody else may have got its address meanwhile.
        let third = cluster.app("third");
        cluster.wait_for(&[two, &third]);
        cluster.engine.docker(&["start", one.id()]);
        cluster.wait_for_exactly(&[one, two, &third]);
    });
}

#[test]
fn x08_one_that_is_paused_goes_and_is_back_with_the_same_process() {
    with_two(|cluster, one, two| {
        let before = pid(one);
        cluster.engine.docker(&["pause", one.id()]);
        cluster.wait_for(&[two]);
        cluster.engine.docker(&["unpause", one.id()]);
        cluster.wait_for_exactly(&[one, two]);
        assert_eq!(pid(one), before);
        assert_eq!(one.stop(10), 0, "{}", one.logs());
    });
}

#[test]
fn one_without_its_network_goes_and_comes_back_with_another_address() {
    with_two(|cluster, one, two| {
        let before = (address(one), pid(one));
        cluster
            .engine
            .docker(&["network", "disconnect", NETWORK, one.id()]);
        cluster.wait_for(&[two]);
        cluster
            .engine
            .docker(&["network", "connect", "--ip=10.99.0.200", NETWORK, one.id()]);
        cluster.wait_for_exactly(&[one, two]);
        assert_ne!(address(one), before.0);
        assert_eq!(pid(one), before.1);
        assert_eq!(one.stop(10), 0, "{}", one.logs());
        cluster.wait_for_exactly(&[two]);
    });
}

#[test]
fn c02_cut_off_from_consul_it_works_on_and_stops_in_time() {
    with_two(|cluster, one, two| {
        let before = pid(one);
        // Nothing is refused: what is sent to Consul is lost.
        let rule = |change: &str, app: &Container| {
            let consul = address(&cluster.consul);
            app.on_network_of(&[
                "iptables",
                "--wait",
                change,
                "OUTPUT",
                "--destination",
                &consul,
                "--jump",
                "DROP",
            ]);
        };
        rule("--append", one);
        cluster.wait_for(&[two]);
        // For its neighbours it is there as ever.
        let url = format!("http://{}:8080/containerpilot.json5", address(one));
        two.exec(&["wget", "-q", "-O", "/dev/null", &url]);
        one.exec(&["pilothouse", "healthy", "app"]);
        rule("--delete", one);
        cluster.wait_for_exactly(&[one, two]);
        assert_eq!(pid(one), before);

        // A stop does not wait for who does not answer.
        rule("--append", one);
        assert_eq!(one.stop(6), 0, "{}", one.logs());
        cluster.wait_for(&[two]);
    });
}

#[test]
fn c03_a_consul_that_has_forgotten_everything_is_told_again() {
    with_two(|cluster, one, two| {
        let places: BTreeSet<String> = [one, two].map(address).into();
        let before = pid(one);
        cluster
            .engine
            .docker(&["restart", "--time", "0", cluster.consul.id()]);
        wait_for_leader(&cluster.consul);
        cluster.wait_for_exactly(&[one, two]);
        assert_eq!(BTreeSet::from([one, two].map(address)), places);
        assert_eq!(pid(one), before);
        // Whoever comes afterwards is seen too: the watch follows the new Consul.
        let third = cluster.app("third");
        cluster.wait_for_exactly(&[one, two, &third]);
    });
}
