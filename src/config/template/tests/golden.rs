//! Every case of `tests/golden/template`: what real Go rendered, or where it saw an error.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::{Template, Value, Variables};

const CASES: &str = include_str!("../../../../tests/golden/template/cases.json");
const EXPECTED: &str = include_str!("../../../../tests/golden/template/expected.json");

/// What is an error here and not in Go, each with the reason.
const REFUSED: [(&str, &str); 1] = [(
    r"{{ regexReplaceAll `\pL` `x` `e` }}",
    "classes of Unicode would need its tables (decision 3)",
)];

#[derive(Deserialize)]
struct Suite {
    env: Variables,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    template: String,
    env: Option<Variables>,
    #[serde(default, deserialize_with = "present")]
    dot: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Outcome {
    name: String,
    output: Option<String>,
    error: Option<String>,
    #[serde(default)]
    line: usize,
}

/// A `null` that is there is not the same as none.
fn present<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(from).map(Some)
}

/// JSON as Go's decoder gives it: every number is a float.
fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap()),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(item).collect()),
        serde_json::Value::Object(entries) => {
            let entries = entries.iter().map(|(key, json)| (key.clone(), item(json)));
            Value::map(entries.collect::<BTreeMap<_, _>>())
        }
    }
}

fn item(json: &serde_json::Value) -> Value {
    match value(json) {
        Value::Nil => Value::Null,
        other => other,
    }
}

fn run(case: &Case, common: &Variables) -> Result<String, super::super::TemplateError> {
    let env = case.env.as_ref().unwrap_or(common);
    let dot = match &case.dot {
        Some(json) => value(json),
        None => Value::variables(env),
    };
    let rendered = Template::parse(&case.template)?.render(&dot, env)?;
    Ok(rendered.text)
}

/// What differs between Go's outcome and ours, if anything.
fn difference(case: &Case, expected: &Outcome, common: &Variables) -> Option<String> {
    let ours = run(case, common);
    let refused = REFUSED
        .iter()
        .any(|(template, _)| *template == case.template);
    let same = match (&ours, &expected.output) {
        (Ok(text), Some(output)) => text == output && !refused,
        (Err(error), None) => expected.line == 0 || error.line == expected.line,
        (Err(_), Some(_)) => refused,
        (Ok(_), None) => false,
    };
    (!same).then(|| {
        let ours = match ours {
            Ok(text) => format!("output {text:?}"),
            Err(error) => format!("error {error}"),
        };
        let go = match (&expected.output, &expected.error) {
            (Some(output), _) => format!("output {output:?}"),
            (None, error) => format!("error {}", error.as_deref().unwrap_or_default()),
        };
        format!(
            "{}: {:?}\n    Go   {go}\n    ours {ours}",
            case.name, case.template
        )
    })
}

#[test]
fn renders_as_go_does() {
    let suite: Suite = serde_json::from_str(CASES).unwrap();
    let expected: Vec<Outcome> = serde_json::from_str(EXPECTED).unwrap();
    assert!(suite.cases.len() >= 1000, "cases are missing");
    assert_eq!(
        suite.cases.len(),
        expected.len(),
        "generate the outcomes again"
    );
    let pairs = suite.cases.iter().zip(&expected);
    let differences: Vec<String> = pairs
        .inspect(|(case, outcome)| assert_eq!(case.name, outcome.name))
        .filter_map(|(case, outcome)| difference(case, outcome, &suite.env))
        .collect();
    let count = differences.len();
    assert!(
        count == 0,
        "{count} cases differ:\n{}",
        differences.join("\n")
    );
}
