//! The JSON Schema for editors: what the program accepts is valid, and what it does not know is not.

use std::fs;

use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::{Value, json};

use pilothouse::config::{Variables, render};

use crate::corpus;
use crate::support::Pilot;
use crate::support::schema::faults;

fn schema() -> Value {
    let mut running = Pilot::command(&["schema"]).start();
    assert!(running.wait_exit(crate::support::PATIENCE).success());
    serde_json::from_str(&running.stdout()).expect("the schema is JSON")
}

fn value(rendered: &str) -> Value {
    let parsed = parse_to_ast(
        rendered,
        &CollectOptions::default(),
        &ParseOptions::default(),
    );
    let parsed = parsed.unwrap_or_else(|error| panic!("{error}\n{rendered}"));
    parsed.value.map_or(Value::Null, Value::from)
}

/// The blocks of the reference that show a configuration, or the keys of one.
fn examples(markdown: &str) -> Vec<String> {
    let blocks = markdown.split("```json5\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let whole = |text: &str| {
        if text.trim_start().starts_with('{') {
            text.to_owned()
        } else {
            format!("{{ {text} }}")
        }
    };
    blocks.map(whole).collect()
}

#[test]
fn what_the_manual_shows_is_valid() {
    let schema = schema();
    let mut texts = examples(include_str!("../config/README.md"));
    texts.extend(examples(include_str!("../README.md")));
    assert!(texts.len() >= 4, "{texts:?}");
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/config");
    for folder in [config.to_owned(), format!("{config}/samples")] {
        let files = fs::read_dir(folder).expect("the manual");
        let files = files.map(|entry| entry.expect("a file").path());
        let of_ours = files.filter(|path| path.extension().is_some_and(|end| end == "json5"));
        texts.extend(of_ours.map(|path| fs::read_to_string(path).expect("a sample")));
    }
    let none = Variables::new();
    for text in texts {
        let rendered = render(&text, &none).expect("it can be rendered").text;
        let faults = faults(&schema, &value(&rendered));
        assert!(faults.is_empty(), "{text}\n{faults:#?}");
    }
}

#[test]
fn files_that_are_accepted_are_valid() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let schema = schema();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for (file, variables) in corpus::accepted(&folder, false) {
        let text = fs::read_to_string(folder.join(&file)).expect("a file of the corpus");
        tried += 1;
        let rendered = render(&text, &variables).expect("it was accepted").text;
        let faults = faults(&schema, &value(&rendered));
        if !faults.is_empty() {
            wrong.push(format!("{file}: {faults:#?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {tried}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(tried > 90, "{tried} files");
}

#[test]
fn what_the_program_does_not_know_is_not_valid() {
    let schema = schema();
    let job = |keys: Value| {
        let mut job = json!({ "name": "app", "exec": "app" });
        let keys = keys.as_object().cloned().expect("keys");
        job.as_object_mut().expect("a job").extend(keys);
        json!({ "jobs": [job] })
    };
    let good = [
        json!({}),
        json!({ "x-mine": [1], "stopTimeout": "10s", "logging": { "level": "Info" } }),
        job(json!({ "port": "80", "health": { "exec": ["a", 1], "interval": 1, "ttl": 3 } })),
        job(json!({ "preStart": { "exec": "a", "onFailure": "retry" }, "when": null })),
        job(json!({ "when": { "all": [{ "any": [{ "source": "a", "is": "running" }] }] } })),
        job(json!({ "limits": { "nofile": { "soft": "unlimited" } }, "env": { "A": null } })),
        job(json!({ "onChange": { "web": { "signal": "HUP" } } })),
    ];
    for value in good {
        assert_eq!(faults(&schema, &value), Vec::<String>::new(), "{value}");
    }
    let wrong = [
        json!([]),
        json!({ "stopTimeuot": 1 }),
        json!({ "jobs": {} }),
        json!({ "jobs": [{ "exec": "app" }] }),
        json!({ "logging": { "level": "loud" } }),
        job(json!({ "port": 70000 })),
        job(json!({ "nmae": 1 })),
        job(json!({ "orphans": "sell" })),
        job(json!({ "health": { "interval": 1, "http": { "prot": 80 } } })),
        job(json!({ "when": { "all": [{ "any": [{ "source": "a", "is": "sad" }] }] } })),
        job(json!({ "onChange": { "web": { "restrat": true } } })),
        job(json!({ "limits": { "files": 1 } })),
    ];
    for value in wrong {
        assert!(!faults(&schema, &value).is_empty(), "{value} is valid");
    }
}
