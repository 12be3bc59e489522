//! The values that a template computes with: the few of Go's types that a configuration can reach.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Variables;

/// A value of a template. A copy is cheap: text, lists and maps are shared.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value at all: what a template that is called without an argument sees. Prints as `<no value>`.
    Nil,
    /// An empty place in a list or map of mixed values. A field of it is an error, one of [`Value::Nil`] is not.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Go's `int`.
    Int(i64),
    /// Go's `uint8`: what `index` takes out of a string.
    Byte(u8),
    /// Go's `float64`.
    Float(f64),
    /// A string.
    Text(Text),
    /// A list.
    List(List),
    /// A map with strings as keys.
    Map(Map),
}

/// A string as Go has it: bytes that are UTF-8 by custom only, because `slice` and `"\xff"` may cut or break characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<[u8]>);

/// What a list or map holds; decides the zero value of a missing key and the name of the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Items {
    /// Anything (`interface {}`).
    Any,
    /// Strings only.
    Text,
    /// Integers only.
    Int,
}

/// A list, or a part of one: a view on shared items, as a Go slice is.
#[derive(Clone)]
pub struct List {
    pub(super) items: Items,
    shared: Arc<[Value]>,
    start: usize,
    length: usize,
    capacity: usize,
}

/// A map with strings as keys, in the order of their bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub(super) items: Items,
    entries: Arc<BTreeMap<Text, Value>>,
}

impl Value {
    /// A list of mixed values, for example the instances of a service.
    #[must_use]
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(List::new(Items::Any, items))
    }

    /// A map of mixed values. A key that is not there gives [`Value::Null`].
    #[must_use]
    pub fn map(entries: BTreeMap<String, Value>) -> Value {
        let entries = entries
            .into_iter()
            .map(|(key, value)| (Text::from(key), value));
        Value::Map(Map {
            items: Items::Any,
            entries: Arc::new(entries.collect()),
        })
    }

    /// The environment as the dot of a configuration. A key that is not there gives the empty string.
    #[must_use]
    pub fn variables(variables: &Variables) -> Value {
        let entries = variables
            .iter()
            .map(|(key, value)| (Text::from(key.as_str()), Value::from(value.as_str())));
        Value::Map(Map {
            items: Items::Text,
            entries: Arc::new(entries.collect()),
        })
    }

    /// The name of the value's type in Go.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "<nil>",
            Value::Null => "interface {}",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Byte(_) => "uint8",
            Value::Float(_) => "float64",
            Value::Text(_) => "string",
            Value::List(list) => match list.items {
                Items::Any => "[]interface {}",
                Items::Text => "[]string",
                Items::Int => "[]int",
            },
            Value::Map(map) => match map.items {
                Items::Any => "map[string]interface {}",
                Items::Text => "map[string]string",
                Items::Int => "map[string]int",
            },
        }
    }

    /// Whether `if` and its kin take the value for true: it is not the zero or the empty value of its type.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Nil | Value::Null => false,
            Value::Bool(truth) => *truth,
            Value::Int(number) => *number != 0,
            Value::Byte(byte) => *byte != 0,
            Value::Float(number) => *number != 0.0,
            Value::Text(text) => !text.as_bytes().is_empty(),
            Value::List(list) => !list.is_empty(),
            Value::Map(map) => !map.entries.is_empty(),
        }
    }

    /// How long a string is; nothing else has a length that matters for the work of a function.
    pub(super) fn text_length(&self) -> usize {
        match self {
            Value::Text(text) => text.as_bytes().len(),
            _ => 0,
        }
    }

    /// The value at the end of a pipeline: an empty place is no value there.
    pub(super) fn settled(self) -> Value {
        match self {
            Value::Null => Value::Nil,
            other => other,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(Text::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(Text::from(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl Text {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(text.as_bytes().into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text(text.into_bytes().into())
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Text {
        Text(bytes.into())
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Text {
        Text(bytes.into())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), out)
    }
}

impl List {
    pub(super) fn new(items: Items, values: Vec<Value>) -> List {
        List {
            items,
            start: 0,
            length: values.len(),
            capacity: values.len(),
            shared: values.into(),
        }
    }

    /// The items of this view.
    #[must_use]
    pub fn as_slice(&self) -> &[Value] {
        &self.shared[self.start..self.start + self.length]
    }

    /// Whether nothing is in the list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How far `slice` may reach: Go lets a slice grow again over the items behind it.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Go's `list[from:to:limit]`. The caller has checked `from <= to <= limit <= capacity`.
    pub(super) fn part(&self, from: usize, to: usize, limit: usize) -> List {
        List {
            items: self.items,
            shared: Arc::clone(&self.shared),
            start: self.start + from,
            length: to - from,
            capacity: limit - from,
        }
    }
}

impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        self.items == other.items && self.as_slice() == other.as_slice()
    }
}

impl fmt::Debug for List {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.as_slice()).finish()
    }
}

impl Map {
    /// The value of a key; for one that is not there the zero value of what the map holds (`missingkey=zero`).
    pub(super) fn get(&self, key: &Text) -> Value {
        if let Some(value) = self.entries.get(key) {
            return value.clone();
        }
        match self.items {
            Items::Any => Value::Null,
            Items::Text => Value::from(""),
            Items::Int => Value::Int(0),
        }
    }

    /// Keys and values in the order of the keys' bytes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Text, &Value)> {
        self.entries.iter()
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
