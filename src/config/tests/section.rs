use super::*;

#[test]
fn an_empty_configuration_has_the_defaults() {
    let config = clean("{}");
    assert_eq!(config.consul, None);
    assert_eq!(config.telemetry, None);
    assert_eq!(config.control, ControlSettings::default());
    assert_eq!(config.logging, LoggingSettings::default());
    assert_eq!(
        (config.stop.stop_timeout, config.stop.shutdown_timeout),
        (secs(5), secs(300))
    );
}

#[test]
fn top_level_keys_are_exact() {
    refused("{ Jobs: [] }", "unknown key `Jobs`");
    refused("{ job: [] }", "did you mean `jobs`?");
    clean("{ 'x-anything': { goes: [] } }");
}

#[test]
fn the_catalogue_as_a_text() {
    let table = [
        ("localhost:8500", "localhost:8500", Some(Scheme::Http)),
        ("http://consul:8500", "consul:8500", Some(Scheme::Http)),
        ("https://consul:8500", "consul:8500", Some(Scheme::Https)),
        (
            "http://https://consul:8500",
            "consul:8500",
            Some(Scheme::Https),
        ),
        ("", "", Some(Scheme::Http)),
        (
            "unix:///run/consul.sock",
            "unix:///run/consul.sock",
            Some(Scheme::Http),
        ),
        (
            "http://unix:///run/consul.sock",
            "unix:///run/consul.sock",
            Some(Scheme::Http),
        ),
    ];
    for (text, address, scheme) in table {
        let consul = clean(&format!("{{ consul: '{text}' }}")).consul.unwrap();
        assert_eq!(
            (consul.address.as_str(), consul.scheme),
            (address, scheme),
            "{text}"
        );
    }
    refused("{ consul: 'ftp://consul' }", "Unknown protocol scheme: ftp");
    refused("{ consul: 8500 }", "no discovery backend defined");
    refused("{ consul: [] }", "no discovery backend defined");
    warned("{ consul: ':8500' }", "`:8500` has no host");
    assert_eq!(clean("{ consul: null }").consul, None);
}

#[test]
fn the_catalogue_as_an_object() {
    let consul = clean("{ consul: {} }").consul.unwrap();
    assert_eq!(consul, ConsulSettings::default());
    let consul = clean(
        "{ consul: { address: 'c:1', scheme: 'https', token: 't-1234', tls: { cafile: '/ca', servername: 's', verify: false } } }",
    );
    let consul = consul.consul.unwrap();
    assert_eq!(
        (consul.scheme, consul.token.as_deref()),
        (Some(Scheme::Https), Some("t-1234"))
    );
    assert_eq!(
        (consul.tls.ca_file, consul.tls.verify),
        (Some("/ca".into()), Some(false))
    );
    let consul = clean("{ consul: { address: 'https://c:1' } }")
        .consul
        .unwrap();
    assert_eq!(
        (consul.address.as_str(), consul.scheme),
        ("c:1", Some(Scheme::Https))
    );
    refused(
        "{ consul: { scheme: 'ftp' } }",
        "expected one of `http`, `https`",
    );
    refused("{ consul: { adress: 'c' } }", "did you mean `address`?");
    refused(
        "{ consul: { tls: { ca: '/x' } } }",
        "consul.tls: unknown key `ca`",
    );
    warned("{ consul: { tls: { caFile: '/x' } } }", "write `cafile`");
}

#[test]
fn logging_words_are_read_in_any_case() {
    let logging = clean(
        "{ logging: { level: 'debug', format: 'JSON', output: 'StdErr', overflow: 'drop' } }",
    )
    .logging;
    assert_eq!(
        (logging.level, logging.format, logging.output),
        (LogLevel::Debug, LogFormat::Json, LogOutput::Stderr)
    );
    assert_eq!(logging.overflow, Overflow::Drop);
    let levels = [
        ("PANIC", LogLevel::Panic),
        ("fatal", LogLevel::Fatal),
        ("Warning", LogLevel::Warn),
        ("WARN", LogLevel::Warn),
    ];
    for (level, expected) in levels {
        assert_eq!(
            clean(&format!("{{ logging: {{ level: '{level}' }} }}"))
                .logging
                .level,
            expected
        );
    }
    let logging = clean("{ logging: { output: '/var/log/App.log' } }").logging;
    assert_eq!(logging.output, LogOutput::File("/var/log/App.log".into()));
    refused("{ logging: { level: 'loud' } }", "Unknown log level 'loud'");
    refused("{ logging: { level: '' } }", "Unknown log level ''");
    refused("{ logging: { format: 'xml' } }", "Unknown log format 'xml'");
    refused("{ logging: { output: '' } }", "expected a destination");
    refused(
        "{ logging: 'debug' }",
        "logging: cannot use `debug`: expected an object",
    );
}

#[test]
fn the_control_socket() {
    let control = clean(
        "{ control: { socket: '/run/c.sock', mode: '0660', owner: 'app:1000', required: true } }",
    )
    .control;
    assert_eq!(
        (control.mode, control.owner.as_deref(), control.required),
        (0o660, Some("app:1000"), true)
    );
    let lists = clean("{ control: { readers: ['app', ':1000', 'a:b'], writers: [] } }").control;
    let readers = ["app", ":1000", "a:b"].map(str::to_owned).to_vec();
    assert_eq!(
        (lists.readers, lists.writers),
        (Some(readers), Some(Vec::new()))
    );
    assert_eq!((control.readers, control.writers), (None, None));
    refused(
        "{ control: { writers: ['a', 'b c'] } }",
        "control.writers[1]: cannot use `b c`: expected a user and a group",
    );
    assert_eq!(clean("{ control: { mode: '600' } }").control.mode, 0o600);
    let long = format!("{{ control: {{ socket: '/{}' }} }}", "x".repeat(107));
    refused(&long, "at most 107 bytes");
    refused(
        "{ control: { socket: '' } }",
        "control server not loading due to missing config",
    );
    for mode in ["660", "'0999'", "'1777'", "''", "'rw'", "true"] {
        refused(
            &format!("{{ control: {{ mode: {mode} }} }}"),
            "expected permissions as octal digits",
        );
    }
    for owner in ["''", "':'", "'a:b:c'", "'a b'"] {
        refused(
            &format!("{{ control: {{ owner: {owner} }} }}"),
            "expected a user and a group",
        );
    }
}

/// Spec: weak decoding.
#[test]
fn types_are_as_weak_as_in_the_original() {
    let integers = [
        ("'0x1f'", 31),
        ("'010'", 8),
        ("true", 1),
        ("'+7'", 7),
        ("0x10", 16),
        ("' 7'", 0),
        ("'09'", 0),
        ("'--7'", 0),
        ("{}", 0),
        ("Infinity", 0),
    ];
    for (value, expected) in integers {
        let text = format!("{{ telemetry: {{ port: {value} }} }}");
        match expected {
            0 => _ = refused(&text, "expected a whole number"),
            port => assert_eq!(clean(&text).telemetry.unwrap().port, port, "{value}"),
        }
    }
    let text = "{ telemetry: { port: 81.9 } }";
    assert_eq!(
        warned(text, "the fraction of `81.9` is dropped: 81 is used")
            .telemetry
            .unwrap()
            .port,
        81
    );
    let booleans = [
        ("true", true),
        ("1", true),
        ("0", false),
        ("'T'", true),
        ("'False'", false),
        ("''", false),
    ];
    for (value, expected) in booleans {
        assert_eq!(
            clean(&format!("{{ control: {{ required: {value} }} }}"))
                .control
                .required,
            expected,
            "{value}"
        );
    }
    refused("{ control: { required: 'yes' } }", "expected true or false");
    let texts = [
        ("1", "1"),
        ("1.50", "1.5"),
        ("true", "1"),
        ("1e21", "1000000000000000000000"),
    ];
    for (value, expected) in texts {
        assert_eq!(
            clean(&format!("{{ jobs: [ {{ name: {value} }} ] }}")).jobs[0].name,
            expected
        );
    }
    refused(
        "{ jobs: [ { name: [] } ] }",
        "cannot use an array: expected a string",
    );
}

#[test]
fn a_client_finds_the_socket_in_a_broken_configuration() {
    let socket = |text: &str| control_socket(text, &Variables::new());
    assert_eq!(
        socket("{ control: { socket: '/run/c' }, jobs: 3, nonsense: 1 }"),
        Some("/run/c".into())
    );
    assert_eq!(
        socket("{ control: { Socket: '/run/c' } }"),
        Some("/run/c".into())
    );
    for text in [
        "",
        "{",
        "[]",
        "{}",
        "{ control: 3 }",
        "{ control: {} }",
        "{ control: { socket: '' } }",
    ] {
        assert_eq!(socket(text), None, "{text}");
    }
}

#[test]
fn a_summary_has_durations_as_people_write_them() {
    let text = "{ consul: { address: 'user:pass@consul:8500', token: 'very-secret' },
                 jobs: [ { name: 'app', exec: ['/bin/app', '--password=hush'], timeout: '90s', port: 80, health: { exec: 'check hush', interval: 10, ttl: 25 } },
                         { name: 'after', when: { source: 'app', once: 'healthy' } } ] }";
    let summary = serde_json::to_string(&clean(text).summary()).unwrap();
    for part in [
        "\"timeout\":\"1m 30s\"",
        "\"program\":\"/bin/app\"",
        "\"start\":\"once healthy of app\"",
        "\"stopTimeout\":\"5s\"",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    for secret in ["hush", "very-secret", "pass@"] {
        assert!(!summary.contains(secret), "{secret}: {summary}");
    }
}

#[test]
fn the_catalogue_has_keys_the_original_had_not() {
    let config = clean(
        "{ consul: { tokenFile: '/run/token', datacenter: 'east', namespace: 'team', partition: 'part', maxConnections: 20 } }",
    );
    let consul = config.consul.unwrap();
    let expected = ConsulSettings {
        token_file: Some("/run/token".into()),
        datacenter: Some("east".to_owned()),
        namespace: Some("team".to_owned()),
        partition: Some("part".to_owned()),
        max_connections: 20,
        ..ConsulSettings::default()
    };
    assert_eq!(consul, expected);
    let consul = clean("{ consul: { tokenFile: '', datacenter: '', namespace: '' } }").consul;
    assert_eq!(consul, Some(ConsulSettings::default()));
    assert_eq!(ConsulSettings::default().max_connections, 100);
    for number in ["0", "-1", "10001", "65537"] {
        let text = format!("{{ consul: {{ maxConnections: {number} }} }}");
        refused(
            &text,
            &format!("consul.maxConnections: cannot use `{number}`: must be 1 to 10000"),
        );
    }
    refused(
        "{ consul: { maxConnections: 'many' } }",
        "expected a whole number",
    );
    refused("{ consul: { tokenFile: [] } }", "expected a string");
    warned(
        "{ consul: { token: 's3cr3t', tokenFile: '/run/token' } }",
        "the file is preferred to `token`",
    );
}

#[test]
fn the_embedded_catalogue_has_an_address_alone() {
    let consul = clean("{ consul: { embedded: true, address: '0.0.0.0:8500' } }");
    let consul = consul.consul.unwrap();
    assert_eq!(
        (consul.embedded, consul.address.as_str()),
        (true, "0.0.0.0:8500")
    );
    assert!(
        !clean("{ consul: { embedded: false, token: 't-1234' } }")
            .consul
            .unwrap()
            .embedded
    );
    for (rest, says) in [
        (
            "address: 'https://127.0.0.1:1'",
            "consul.address: cannot use `https://127.0.0.1:1` with `embedded`",
        ),
        (
            "address: '127.0.0.1:1', scheme: 'https'",
            "consul.scheme: cannot use `https` with `embedded`",
        ),
        (
            "address: 'unix:///s'",
            "consul.address: cannot use `unix:///s` with `embedded`",
        ),
        ("tls: {}", "consul.tls: cannot use `tls` with `embedded`"),
        (
            "token: 't-1234'",
            "consul.token: cannot use `token` with `embedded`",
        ),
        (
            "tokenFile: '/t'",
            "consul.tokenFile: cannot use `tokenFile` with `embedded`",
        ),
    ] {
        refused(&format!("{{ consul: {{ embedded: true, {rest} }} }}"), says);
    }
    for (address, at) in [
        ("", "127.0.0.1:8500"),
        ("localhost", "127.0.0.1:8500"),
        ("localhost:1", "127.0.0.1:1"),
        ("0.0.0.0:1", "0.0.0.0:1"),
        ("[::1]:1", "[::1]:1"),
    ] {
        let text = format!("{{ consul: {{ embedded: true, address: '{address}' }} }}");
        let found = clean(&text).consul.unwrap().embedded_at();
        assert_eq!(found, at.parse().ok(), "{address}");
    }
    for address in ["127.0.0.1:0", "consul:99999", "http://consul:65536/x"] {
        refused(&format!("{{ consul: '{address}' }}"), "a port is a number");
    }
    for address in ["consul", "consul:", "::1", "[::1]:8500", "unix:///a:99999"] {
        clean_or_warned(&format!("{{ consul: '{address}' }}"));
    }
    refused("{ consul: { datacenter: 'a b' } }", "not a datacenter");
    refused("{ consul: { token: 'a\\nb' } }", "has a line break");
    for address in ["consul:8500", "127.0.0.1:x", "[::1"] {
        let text = format!("{{ consul: {{ embedded: true, address: '{address}' }} }}");
        refused(&text, "not an address and a port");
    }
}

#[test]
fn l12_the_token_hides_in_debug_and_summary() {
    let config =
        clean("{ consul: { address: 'user:s3cr3t@c:1', token: 's3cr3t', namespace: 'team' } }");
    let shown = format!(
        "{:?} {}",
        config.consul,
        serde_json::to_string(&config.summary()).unwrap()
    );
    assert!(!shown.contains("s3cr3t"), "{shown}");
    assert!(shown.contains(r#""namespace":"team""#), "{shown}");
}

/// That a configuration is accepted, whatever is odd about it.
fn clean_or_warned(text: &str) {
    let variables = crate::config::Variables::new();
    let input = crate::config::Input {
        file: "app.json5",
        text,
        app: None,
        variables: &variables,
        addresses: crate::config::Addresses::NotLookedUp,
        zones: crate::config::Zones::NotLookedUp,
    };
    let loaded = crate::config::load(&input);
    assert!(loaded.is_ok(), "{text}: {}", loaded.unwrap_err());
}
