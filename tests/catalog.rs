//! `pilothouse catalog` as a program: how it starts, what it says, how it ends.

use std::net::TcpListener;

use crate::support::{PATIENCE, Pilot, Running, Signal, ask, http_get};

fn start(bind: &str) -> Running {
    Pilot::command(&["catalog", "--bind", bind]).start()
}

#[test]
fn it_says_its_port_serves_and_ends_with_0() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut catalog = start("127.0.0.1:0");
        let line = catalog.wait_for_line("serving Consul's HTTP API", PATIENCE);
        let (_, rest) = line.split_once("http://").expect("an address");
        let (address, _) = rest.split_once(',').expect("the end of the address");
        let stream = std::net::TcpStream::connect(address).expect("it listens before it says so");
        for ignored in [Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGHUP] {
            catalog.signal(ignored);
        }
        // A client that says nothing holds nobody up.
        catalog.signal(signal);
        assert_eq!(catalog.wait_exit(PATIENCE).code(), Some(0), "{signal}");
        drop(stream);
        assert_eq!(catalog.stderr(), "");
    }
}

#[test]
fn a_port_in_use_is_a_failure_that_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let answer = ask(&["catalog", "--bind", &address], &[]);
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(1), ""));
    let expected = format!("cannot listen at `{address}`: it is in use");
    assert!(answer.stderr.contains(&expected), "{answer:?}");
}

#[test]
fn what_it_is_called_is_what_it_answers() {
    let flags = ["--node", "here", "--datacenter", "east"];
    let mut catalog =
        Pilot::command(&[&["catalog", "--bind", "127.0.0.1:0"], &flags[..]].concat()).start();
    let line = catalog.wait_for_line("serving Consul's HTTP API", PATIENCE);
    let (_, rest) = line.split_once("http://").expect("an address");
    let (address, _) = rest.split_once(',').expect("the end of the address");
    let about = http_get(address, "/v1/catalog/nodes").json();
    assert_eq!(about[0]["Node"], "here");
    assert_eq!(about[0]["Datacenter"], "east");
    catalog.signal(Signal::SIGTERM);
    assert_eq!(catalog.wait_exit(PATIENCE).code(), Some(0));

    for (flag, what) in [("--node", "node"), ("--datacenter", "datacenter")] {
        let answer = ask(&["catalog", "--bind", "127.0.0.1:0", flag, "a/b"], &[]);
        assert_eq!(answer.code, Some(1), "{answer:?}");
        let expected = format!("cannot use `a/b` as the name of the {what}");
        assert!(answer.stderr.contains(&expected), "{answer:?}");
    }
    assert_eq!(ask(&["catalog", "--bind", "nowhere"], &[]).code, Some(2));
}

#[test]
fn an_open_address_is_served_with_a_warning() {
    let mut catalog = start("0.0.0.0:0");
    catalog.wait_for_line("serving Consul's HTTP API", PATIENCE);
    catalog.wait_for_line("not a loopback address", PATIENCE);
    catalog.signal(Signal::SIGTERM);
    assert_eq!(catalog.wait_exit(PATIENCE).code(), Some(0));
}
