use super::*;

/// The list that the original's own tests use.
fn list() -> Vec<InterfaceAddress> {
    // Out of order on purpose: the rules sort.
    named(&[
        ("lo", "127.0.0.1"),
        ("eth1", "10.0.0.200"),
        ("eth0", "192.168.1.100"),
        ("eth2", "fdc6:238c:c4bc::1"),
        ("lo", "::1"),
        ("eth0", "10.2.0.1"),
        ("eth1", "10.0.0.100"),
        ("eth2", "10.1.0.200"),
    ])
}

fn on(addresses: Addresses<'_>, interfaces: &str, consul: &str) -> Result<Loaded, Report> {
    let text = format!(
        "{{ {consul} jobs: [ {{ name: 'app', port: 80, health: {{ interval: 1, ttl: 5 }}, {interfaces} }} ] }}"
    );
    load(&Input {
        file: "app.json5",
        text: &text,
        app: None,
        variables: &Variables::new(),
        addresses,
        zones: Zones::NotLookedUp,
    })
}

fn chosen(interfaces: &str) -> Option<IpAddr> {
    let loaded = on(known(list()), &format!("interfaces: {interfaces}"), "");
    let loaded = loaded.unwrap_or_else(|report| panic!("{interfaces}\n{report}"));
    loaded.config.jobs[0].service.as_ref().unwrap().address
}

#[test]
fn specifications_pick_the_originals_address() {
    let table = [
        ("'eth0'", Some("10.2.0.1")),
        ("'eth0:inet'", Some("10.2.0.1")),
        ("'eth0[1]'", Some("192.168.1.100")),
        ("'eth0[2]'", None),
        ("'eth0:inet6'", None),
        ("'10.0.0.0/16'", Some("10.0.0.100")),
        ("'10.0.0.0/8'", Some("10.2.0.1")),
        ("'inet'", Some("10.2.0.1")),
        ("'inet6'", Some("fdc6:238c:c4bc::1")),
        (
            "['eth3', 'fdc6:238c:c4bc::/48', 'inet']",
            Some("fdc6:238c:c4bc::1"),
        ),
        ("'inet:public'", None),
        ("['inet:public', 'lo']", Some("127.0.0.1")),
        ("'lo:inet6'", Some("::1")),
        ("'lo'", Some("127.0.0.1")),
        ("'lo[0]'", Some("::1")),
        ("'127.0.0.0/8'", Some("127.0.0.1")),
        ("'eth2[1]'", Some("fdc6:238c:c4bc::1")),
        ("['eth9', 'static:192.0.2.7', 'eth0']", Some("192.0.2.7")),
        ("[]", Some("10.2.0.1")),
    ];
    for (interfaces, expected) in table {
        assert_eq!(chosen(interfaces), expected.map(ip), "{interfaces}");
    }
}

#[test]
fn without_interfaces_the_default_is_used() {
    let loaded = on(known(list()), "", "").unwrap();
    let service = loaded.config.jobs[0].service.clone().unwrap();
    assert_eq!(service.address, Some(ip("10.2.0.1")));
    let only_loopback = named(&[("lo", "127.0.0.1")]);
    let loaded = on(known(only_loopback.clone()), "", "").unwrap();
    assert_eq!(loaded.warnings.len(), 1, "{}", loaded.warnings);
}

/// D53.
#[test]
fn names_may_have_dots_dashes_and_ats() {
    let odd = named(&[("br-lan.10", "10.1.1.1"), ("veth0@if3", "10.1.1.2")]);
    for (spec, expected) in [("br-lan.10", "10.1.1.1"), ("veth0@if3:inet", "10.1.1.2")] {
        let loaded = on(known(odd.clone()), &format!("interfaces: '{spec}'"), "").unwrap();
        let service = loaded.config.jobs[0].service.clone().unwrap();
        assert_eq!(service.address, Some(ip(expected)), "{spec}");
    }
}

#[test]
fn wrong_specifications_are_all_reported() {
    let wrong = [
        "''",
        "'10.0.0.1'",
        "'::1'",
        "'eth0:inet5'",
        "'eth0[-1]'",
        "'eth0[x]'",
        "'eth0[]'",
        "'eth0[1'",
        "'eth 0'",
        "'static:'",
        "'10.0.0.0/40'",
        "'eth0[99999999999999999999]'",
        "['inet', ['inet']]",
    ];
    for interfaces in wrong {
        let result = on(
            Addresses::NotLookedUp,
            &format!("interfaces: {interfaces}"),
            "",
        );
        let report = result.expect_err(interfaces);
        assert_eq!(report.errors(), 1, "{report}");
    }
    let result = on(
        Addresses::NotLookedUp,
        "interfaces: ['a b', 'inet', 'c d']",
        "",
    );
    assert_eq!(result.unwrap_err().errors(), 2);
    let result = on(Addresses::NotLookedUp, "interfaces: 3", "");
    assert_eq!(result.unwrap_err().errors(), 1);
}

#[test]
fn no_match_is_an_error_only_where_the_address_is_read() {
    let known = known(Vec::new());
    let loaded = on(known, "interfaces: 'eth7'", "").unwrap();
    assert!(
        loaded
            .warnings
            .to_string()
            .contains("none of the interface specifications were able to match")
    );
    assert_eq!(
        loaded.config.jobs[0].service.as_ref().unwrap().address,
        None
    );
    let report = on(known, "interfaces: 'eth7'", "consul: 'consul',").unwrap_err();
    assert!(report.to_string().contains("wanted `eth7`"), "{report}");
}

#[test]
fn static_text_that_is_no_address_is_kept() {
    let loaded = on(
        Addresses::NotLookedUp,
        "interfaces: 'static:db.example'",
        "",
    )
    .unwrap();
    let service = loaded.config.jobs[0].service.clone().unwrap();
    assert_eq!(
        (service.address, service.static_address.as_deref()),
        (None, Some("db.example"))
    );
}

#[test]
fn a_mere_check_looks_nothing_up() {
    let loaded = on(
        Addresses::NotLookedUp,
        "interfaces: ['eth7', 'static:10.0.0.1']",
        "consul: 'consul',",
    )
    .unwrap();
    assert!(loaded.warnings.is_empty());
    assert_eq!(
        loaded.config.jobs[0].service.as_ref().unwrap().address,
        None
    );
}

#[test]
fn a_public_address_is_outside_of_the_private_ranges() {
    let found = named(&[
        ("eth0", "10.0.0.2"),
        ("eth1", "203.0.113.7"),
        ("lo", "127.0.0.1"),
    ]);
    let loaded = on(known(found), "interfaces: 'inet:public'", "consul: 'x',").expect("is right");
    let service = loaded.config.jobs[0].service.as_ref().expect("has a port");
    assert_eq!(service.address, Some(ip("203.0.113.7")));
}

#[test]
fn a_service_may_be_called_otherwise_than_its_job() {
    let keys = "consul: { name: 'A B', plainCheckId: true }";
    let loaded = on(known(list()), keys, "").expect("is right");
    let service = loaded.config.jobs[0].service.as_ref().expect("has a port");
    let registration = crate::services::Registration::new(service, secs(5), "host");
    assert_eq!(registration.name, "A B");
    assert_eq!(registration.check_id(), "A B-host");
}
