use super::*;

fn app(stop: &str, hook: &str, top: &str) -> String {
    format!(
        "{{ {top} jobs: [ {{ name: 'app', exec: 'a', {stop} }},
            {{ name: 'hook', exec: 'b', {hook} when: {{ source: 'app', once: 'stopping' }} }} ] }}"
    )
}

#[test]
fn the_limits_of_a_stop() {
    let stop = |text: &str| clean(text).stop;
    assert_eq!(stop("{ stopTimeout: 3 }").stop_timeout, secs(3));
    assert_eq!(
        stop("{ stopTimeout: '2500ms' }").stop_timeout,
        Duration::from_millis(2500)
    );
    assert_eq!(stop("{ stopTimeout: -1 }").stop_timeout, Duration::ZERO);
    assert_eq!(stop("{ shutdownTimeout: '1m' }").shutdown_timeout, secs(60));
    assert_eq!(
        warned("{ stopTimeout: 0 }", "0 means the default of 5 seconds")
            .stop
            .stop_timeout,
        secs(5)
    );
    refused(
        "{ stopTimeout: 'x' }",
        "stopTimeout: cannot use `x`: invalid duration",
    );
    refused("{ shutdownTimeout: 0 }", "must be more than nothing");
    warned("{ shutdownTimeout: 2 }", "less than `stopTimeout` allows");
}

#[test]
fn the_longest_hook_counts() {
    let hook = |name: &str, timeout: u32| {
        format!(
            "{{ name: '{name}', exec: 'b', timeout: {timeout}, when: {{ source: 'app', once: 'stopping' }} }}"
        )
    };
    for (first, second) in [(7, 1), (1, 7)] {
        let text = format!(
            "{{ jobs: [ {{ name: 'app', exec: 'a' }}, {}, {} ] }}",
            hook("x", first),
            hook("y", second)
        );
        warned(&text, "may take 12s");
    }
}

/// Decision 8: what is stated and adds up to more than a runtime waits.
#[test]
fn times_that_add_up_are_a_warning() {
    let long = "container runtimes usually kill everything after 10s";
    let table = [
        (app("", "", "stopTimeout: 30,"), "may take 30s"),
        (app("stopTimeout: 11,", "", ""), "may take 22s"),
        (app("stopTimeout: 6,", "timeout: 1,", ""), "may take 12s"),
        (app("", "timeout: 6,", ""), "may take 11s"),
        (app("", "", "shutdownTimeout: 20,"), "may take 20s"),
        (
            "{ stopTimeout: 11, jobs: [ { name: 'app' } ] }".to_owned(),
            "may take 11s",
        ),
    ];
    for (text, expected) in table {
        warned(&text, long);
        warned(&text, expected);
    }
}

#[test]
fn defaults_and_short_times_are_no_warning() {
    for text in [
        app("", "", ""),
        app("stopTimeout: 5,", "", ""),
        app("", "timeout: 5,", ""),
        app("", "", "stopTimeout: 10, shutdownTimeout: 10,"),
    ] {
        clean(&text);
    }
}

#[test]
fn a_known_grace_period_replaces_the_usual_one() {
    let said = |text: &str, grace: Option<u64>| {
        let around = Around {
            grace: grace.map(secs),
            ..Around::default()
        };
        let input = Input {
            file: "app.json5",
            text,
            variables: &Variables::new(),
            addresses: Addresses::NotLookedUp,
            zones: Zones::NotLookedUp,
            app: None,
        };
        load_around(&input, around).unwrap().warnings.to_string()
    };
    let text = "{ stopTimeout: 20, jobs: [{ name: 'app', exec: 'app' }] }";
    assert!(said(text, None).contains("usually kill everything after 10s"));
    assert_eq!(said(text, Some(20)), "");
    let short = said(text, Some(15));
    assert!(
        short.contains(
            "a stop may take 20s, and the container's runtime kills everything after 15s"
        ),
        "{short}"
    );
    // The default of 5 s counts as well once it is known what there is.
    let text = "{ jobs: [{ name: 'app', exec: 'app' }] }";
    assert_eq!(said(text, None), "");
    assert_eq!(said(text, Some(5)), "");
    assert!(said(text, Some(4)).contains("warning: jobs[0]: a stop may take 5s"));
}
