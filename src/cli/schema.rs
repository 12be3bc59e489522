//! `pilothouse schema`: the JSON Schema that editors use, from the table of keys that the readers use.
//!
//! It is as weak as the readers are: what the program accepts is valid. What depends on several keys it does not say;
//! `pilothouse check` does. A key in another case, which the program takes with a warning, is not valid here.

use serde_json::{Map, Value, json};

use crate::config::{Key, Kind, Shape, TOP};

/// The schema as it is printed.
pub(super) fn text() -> String {
    // Nothing in it could not be written.
    let mut text = serde_json::to_string_pretty(&schema()).unwrap_or_default();
    text.push('\n');
    text
}

fn schema() -> Value {
    let mut definitions = Map::new();
    let top = object(&TOP, &mut definitions);
    let Value::Object(mut schema) = top else {
        return top;
    };
    let head = [
        (
            "$schema",
            json!("https://json-schema.org/draft/2020-12/schema"),
        ),
        ("title", json!("A configuration of pilothouse")),
        (
            "description",
            json!("What the template makes of the file, read as JSON5."),
        ),
        ("$defs", Value::Object(definitions)),
    ];
    schema.extend(head.map(|(key, value)| (key.to_owned(), value)));
    Value::Object(schema)
}

/// The schema of a shape. Those that it refers to are put among the definitions.
fn object(shape: &Shape, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for key in shape.keys {
        properties.insert(key.name.to_owned(), property(key, definitions));
    }
    for key in shape.ignored {
        let ignored = json!({ "description": "has no effect", "deprecated": true });
        properties.insert((*key).to_owned(), ignored);
    }
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { "^x-": true },
        "additionalProperties": false,
    });
    if !shape.required.is_empty() {
        schema["required"] = json!(shape.required);
    }
    schema
}

fn property(key: &Key, definitions: &mut Map<String, Value>) -> Value {
    let mut schema = or_null(of_kind(&key.kind, definitions));
    let mut about = key.about.to_owned();
    if !key.default.is_empty() {
        let between = if about.is_empty() { "" } else { "; " };
        about = format!("{about}{between}default: {}", key.default);
    }
    if !about.is_empty() {
        schema["description"] = json!(about);
    }
    schema
}

fn of_kind(kind: &Kind, definitions: &mut Map<String, Value>) -> Value {
    match kind {
        Kind::Text | Kind::Duration => json!({ "type": ["string", "number", "boolean"] }),
        // A text with a number will do, a boolean is 0 or 1, a fraction is dropped.
        Kind::Whole(least, most) => json!({
            "type": ["number", "string", "boolean"],
            "minimum": least,
            "maximum": most,
        }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Boolean => json!({ "anyOf": [
            { "type": ["boolean", "number"] },
            { "enum": ["", "0", "1", "t", "f", "T", "F", "true", "false", "True", "False", "TRUE", "FALSE"] },
        ] }),
        Kind::Words(words) => json!({ "anyOf": [{ "enum": words }] }),
        Kind::WordsInAnyCase(words) => {
            let upper = words.iter().map(|word| word.to_uppercase());
            let all: Vec<String> = words.iter().map(ToString::to_string).chain(upper).collect();
            let patterns: Vec<String> = words.iter().map(|word| in_any_case(word)).collect();
            let pattern = format!("^({})$", patterns.join("|"));
            json!({ "anyOf": [{ "enum": all }, { "type": "string", "pattern": pattern }] })
        }
        Kind::Object(shape) => {
            if !definitions.contains_key(shape.name) {
                // What refers to itself finds its name taken.
                definitions.insert(shape.name.to_owned(), Value::Null);
                let definition = object(shape, definitions);
                definitions.insert(shape.name.to_owned(), definition);
            }
            json!({ "$ref": format!("#/$defs/{}", shape.name) })
        }
        Kind::List(element) => {
            let element = or_null(of_kind(element, definitions));
            json!({ "type": "array", "items": element })
        }
        Kind::Map(value) => {
            let value = or_null(of_kind(value, definitions));
            json!({ "type": "object", "additionalProperties": value })
        }
        Kind::Either(kinds) => {
            let kinds: Vec<Value> = kinds
                .iter()
                .map(|kind| of_kind(kind, definitions))
                .collect();
            json!({ "anyOf": kinds })
        }
        Kind::Anything => json!({}),
    }
}

/// Null is as good as absent.
fn or_null(mut schema: Value) -> Value {
    let none = json!({ "type": "null" });
    if let Some(Value::Array(kinds)) = schema.get_mut("anyOf") {
        kinds.push(none);
        return schema;
    }
    if schema == json!({}) {
        return schema;
    }
    json!({ "anyOf": [schema, none] })
}

/// A pattern without flags, which JSON Schema has none of.
fn in_any_case(word: &str) -> String {
    let both = |c: char| format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase());
    word.chars().map(both).collect()
}
