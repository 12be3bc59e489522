//! Bodies: strict JSON, read as a whole or refused as a whole.

use std::collections::BTreeMap;

use serde_json::Value;

/// Reads the body of `environ`: an object of texts, where `null` unsets (D45). A bare `null` changes nothing.
/// The error is the reason, in one line, without any value.
pub(super) fn environ(body: &[u8]) -> Result<Vec<(String, Option<String>)>, String> {
    let mut changes = Vec::new();
    for (name, value) in object(body)? {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(format!(
                "cannot set {name:?}: a name is not empty and has no `=` and no NUL"
            ));
        }
        let value = match value {
            Value::Null => None,
            Value::String(text) if text.contains('\0') => {
                return Err(format!("cannot set {name:?}: its value contains NUL"));
            }
            Value::String(text) => Some(text),
            _ => return Err(format!("cannot set {name:?}: its value is not a string")),
        };
        changes.push((name, value));
    }
    Ok(changes)
}

/// Reads the body of `metric`: an object of numbers, or of texts that are numbers, as the original's client sends them.
/// What is not a finite number would poison a counter for ever (D18).
pub(super) fn metric(body: &[u8]) -> Result<Vec<(String, f64)>, String> {
    let read = |(name, value): (String, Value)| match finite(&value) {
        Some(number) => Ok((name, number)),
        None => Err(format!(
            "cannot record {name:?}: its value is not a finite number"
        )),
    };
    object(body)?.into_iter().map(read).collect()
}

fn finite(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn object(body: &[u8]) -> Result<BTreeMap<String, Value>, String> {
    // Depth is bounded by the parser, size by the caller. Its messages quote no value beyond a wrong scalar, and here
    // every scalar is read as it is.
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members.into_iter().collect()),
        Ok(Value::Null) => Ok(BTreeMap::new()),
        Ok(_) => Err("the body is not a JSON object".to_owned()),
        Err(error) => Err(format!("the body is not JSON: {error}")),
    }
}
