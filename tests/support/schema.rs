//! A validator for the part of JSON Schema that our schema uses; any other keyword fails the test that meets it.

use serde_json::Value;

/// What is wrong with a value, each with its place; nothing if it is valid.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    Validator { root: schema }.validate(schema, value, "", &mut faults);
    faults
}

struct Validator<'s> {
    root: &'s Value,
}

impl Validator<'_> {
    fn validate(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let keywords = match schema {
            Value::Bool(true) => return,
            Value::Object(keywords) => keywords,
            other => panic!("{other} is no schema of ours"),
        };
        for (keyword, says) in keywords {
            match keyword.as_str() {
                // The last two are looked at beside `additionalProperties`.
                "$schema" | "$defs" | "title" | "description" | "deprecated" | "properties"
                | "patternProperties" => {}
                "$ref" => self.validate(self.definition(says), value, at, faults),
                "type" => {
                    let types = says
                        .as_array()
                        .cloned()
                        .unwrap_or_else(|| vec![says.clone()]);
                    if !types.iter().any(|one| one.as_str() == Some(type_of(value))) {
                        faults.push(format!("{at}: {value} is none of {types:?}"));
                    }
                }
                "enum" => {
                    let words = says.as_array().expect("an enum is a list");
                    if !words.contains(value) {
                        faults.push(format!("{at}: {value} is none of {words:?}"));
                    }
                }
                "pattern" => {
                    // Patterns of ours are `^(…)$` over letters in both cases.
                    let pattern = regex_lite::Regex::new(says.as_str().expect("a text"));
                    let pattern = pattern.expect("a pattern");
                    if value.as_str().is_some_and(|text| !pattern.is_match(text)) {
                        faults.push(format!("{at}: {value} is not {pattern}"));
                    }
                }
                "minimum" | "maximum" => {
                    let limit = says.as_f64().expect("a number");
                    let fits = |number: f64| match keyword.as_str() {
                        "minimum" => number >= limit,
                        _ => number <= limit,
                    };
                    if value.as_f64().is_some_and(|number| !fits(number)) {
                        faults.push(format!("{at}: {value} is beyond the {keyword} {limit}"));
                    }
                }
                "anyOf" => {
                    let branches = says.as_array().expect("a list of schemas");
                    let tried = branches.iter().map(|branch| {
                        let mut faults = Vec::new();
                        self.validate(branch, value, at, &mut faults);
                        faults
                    });
                    let tried: Vec<Vec<String>> = tried.collect();
                    if tried.iter().all(|faults| !faults.is_empty()) {
                        faults.extend(tried.into_iter().flatten());
                    }
                }
                "items" => {
                    for (index, element) in value.as_array().into_iter().flatten().enumerate() {
                        self.validate(says, element, &format!("{at}[{index}]"), faults);
                    }
                }
                "required" => {
                    let Some(object) = value.as_object() else {
                        continue;
                    };
                    for key in says.as_array().expect("a list of keys") {
                        if !object.contains_key(key.as_str().expect("a key")) {
                            faults.push(format!("{at}: {key} is missing"));
                        }
                    }
                }
                "additionalProperties" => self.properties(schema, value, at, faults),
                other => panic!("a keyword that the validator does not know: {other}"),
            }
        }
    }

    fn properties(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        for (key, value) in value.as_object().into_iter().flatten() {
            let at = format!("{at}.{key}");
            match schema.get("properties").and_then(|known| known.get(key)) {
                Some(property) => self.validate(property, value, &at, faults),
                None if schema.get("patternProperties").is_some() && key.starts_with("x-") => {}
                None => match &schema["additionalProperties"] {
                    Value::Bool(false) => faults.push(format!("{at}: unknown")),
                    others => self.validate(others, value, &at, faults),
                },
            }
        }
    }

    fn definition(&self, reference: &Value) -> &Value {
        let name = reference
            .as_str()
            .and_then(|text| text.strip_prefix("#/$defs/"));
        let found = name.and_then(|name| self.root["$defs"].get(name));
        found.unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
