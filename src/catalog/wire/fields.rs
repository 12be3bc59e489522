//! A JSON object, read name by name as Go reads it: in any case, with or without underscores, strict about the rest.

use std::collections::BTreeMap;

use serde_json::Value;

/// Why a body cannot be used; the text begins as Consul's does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Request decode failed: {0}")]
pub(in crate::catalog) struct DecodeError(pub(super) String);

/// The members of an object that nobody took yet.
#[derive(Debug)]
pub(in crate::catalog) struct Fields {
    /// By lower-case name without underscores; with the name as it was written.
    rest: BTreeMap<String, (String, Value)>,
}

impl Fields {
    /// Reads a body. `null` counts as an object without members.
    ///
    /// # Errors
    ///
    /// When it is not JSON, or something else than an object.
    pub(in crate::catalog) fn parse(body: &[u8]) -> Result<Fields, DecodeError> {
        // Depth is bounded by the parser, size by the caller.
        let value = serde_json::from_slice(body).map_err(|error| {
            let is_blank = body.iter().all(u8::is_ascii_whitespace);
            let text = match error.is_eof() {
                true if is_blank => "EOF".to_owned(),
                true => "unexpected EOF".to_owned(),
                false => error.to_string(),
            };
            DecodeError(text)
        })?;
        Fields::of(value, "")
    }

    fn of(value: Value, name: &str) -> Result<Fields, DecodeError> {
        let members = match value {
            Value::Object(members) => members,
            Value::Null => serde_json::Map::new(),
            other => return Err(wrong_type(&other, name, "object")),
        };
        let key = |name: &str| name.to_lowercase().replace('_', "");
        let rest = members
            .into_iter()
            .map(|(name, value)| (key(&name), (name, value)));
        Ok(Fields {
            rest: rest.collect(),
        })
    }

    /// Takes a member; `null` is as good as none.
    fn take(&mut self, name: &str) -> Option<Value> {
        let (_, value) = self.rest.remove(&name.to_lowercase())?;
        (!value.is_null()).then_some(value)
    }

    /// A text; empty if it is not there.
    pub(super) fn text(&mut self, name: &str) -> Result<String, DecodeError> {
        match self.take(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(wrong_type(&other, name, "string")),
        }
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, DecodeError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let number = value.as_i64();
        number.map_or_else(|| Err(wrong_type(&value, name, "int")), |it| Ok(Some(it)))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, DecodeError> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => Err(wrong_type(&other, name, "bool")),
        }
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, DecodeError> {
        let text = |value| match value {
            Value::String(text) => Ok(text),
            other => Err(wrong_type(&other, name, "string")),
        };
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(values)) => values
                .into_iter()
                .map(text)
                .collect::<Result<_, _>>()
                .map(Some),
            Some(other) => Err(wrong_type(&other, name, "[]string")),
        }
    }

    /// Names with texts.
    pub(super) fn map(&mut self, name: &str) -> Result<BTreeMap<String, String>, DecodeError> {
        let members = match self.take(name) {
            None => return Ok(BTreeMap::new()),
            Some(Value::Object(members)) => members,
            Some(other) => return Err(wrong_type(&other, name, "map[string]string")),
        };
        let text = |(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            other => Err(wrong_type(&other, name, "string")),
        };
        members.into_iter().map(text).collect()
    }

    /// A span in Go's spelling, or as a number of nanoseconds.
    pub(super) fn duration(&mut self, name: &str) -> Result<Option<i64>, DecodeError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => match super::parse_duration(&text) {
                Some(nanoseconds) => Ok(Some(nanoseconds)),
                None => Err(DecodeError(format!("time: invalid duration {text:?}"))),
            },
            Some(value) => match value.as_i64() {
                Some(nanoseconds) => Ok(Some(nanoseconds)),
                None => Err(wrong_type(&value, name, "duration")),
            },
        }
    }

    /// Whether no member that is left says anything.
    pub(super) fn is_blank(&self) -> bool {
        self.rest.values().all(|(_, value)| !says_something(value))
    }

    pub(super) fn nested(&mut self, name: &str) -> Result<Option<Fields>, DecodeError> {
        let value = self.take(name);
        value.map(|value| Fields::of(value, name)).transpose()
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Fields>, DecodeError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => {
                let fields = values.into_iter().map(|value| Fields::of(value, name));
                fields.collect()
            }
            Some(other) => Err(wrong_type(&other, name, "list")),
        }
    }

    /// An object of objects.
    pub(super) fn nested_map(&mut self, name: &str) -> Result<Vec<(String, Fields)>, DecodeError> {
        let Some(fields) = self.nested(name)? else {
            return Ok(Vec::new());
        };
        let members = fields.rest.into_values();
        let read = members.map(|(key, value)| Ok((key, Fields::of(value, name)?)));
        read.collect()
    }

    /// Leaves out what Consul knows and this server has no use for.
    pub(super) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.take(name);
        }
    }

    /// The first of these that says something.
    pub(super) fn first_of(&mut self, names: &[&'static str]) -> Option<&'static str> {
        let mut found = None;
        for name in names {
            let said = self.take(name).is_some_and(|value| says_something(&value));
            found = found.or(said.then_some(*name));
        }
        found
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<(), DecodeError> {
        match self.rest.into_values().next() {
            None => Ok(()),
            Some((name, _)) => Err(DecodeError(format!("json: unknown field {name:?}"))),
        }
    }
}

/// Whether a value is another than Go's for nothing.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_i64() != Some(0),
    }
}

fn wrong_type(value: &Value, name: &str, wanted: &str) -> DecodeError {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    DecodeError(format!(
        "json: cannot unmarshal {kind} into Go struct field .{name} of type {wanted}"
    ))
}
