//! JSON5 as a value that can be changed.

use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value;

/// Reads a text that the program has printed or accepted.
pub(super) fn parse(text: &str) -> Value {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    let parsed = parsed.unwrap_or_else(|error| panic!("cannot read JSON5: {error}\n{text}"));
    parsed.value.map_or(Value::Null, Value::from)
}

/// The elements under a key; none where there is no array.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The same, to change them.
pub(super) fn list_mut<'v>(value: &'v mut Value, key: &str) -> &'v mut [Value] {
    let found = value.get_mut(key).and_then(Value::as_array_mut);
    found.map_or(&mut [], Vec::as_mut_slice)
}

/// The text under a key.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value[key].as_str()
}
