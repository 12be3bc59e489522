//! `eq`, `lt` and their kin: values of one kind compare, others are an error and not just unequal.

use super::value::Value;

/// Whether two values can be compared with each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    /// `int` and `uint8`, which compare with each other.
    Int(i64),
    Float,
    Text,
    Other,
}

const INCOMPATIBLE: &str = "incompatible types for comparison";
const INVALID: &str = "invalid type for comparison";

fn kind(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Int(number) => Kind::Int(*number),
        Value::Byte(byte) => Kind::Int(i64::from(*byte)),
        Value::Float(_) => Kind::Float,
        Value::Text(_) => Kind::Text,
        Value::Nil | Value::Null | Value::List(_) | Value::Map(_) => Kind::Other,
    }
}

fn is_nil(value: &Value) -> bool {
    matches!(value, Value::Nil | Value::Null)
}

/// Whether `first` equals any of `others`. Those behind the first match are not looked at, not even for their types.
pub(super) fn equal_any(first: &Value, others: &[Value]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(first: &Value, second: &Value) -> Result<bool, String> {
    match (first, second) {
        _ if is_nil(first) || is_nil(second) => Ok(is_nil(first) && is_nil(second)),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        #[allow(clippy::float_cmp, reason = "Go compares floats alike")]
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        (Value::Text(a), Value::Text(b)) => Ok(a == b),
        _ => match (kind(first), kind(second)) {
            (Kind::Int(a), Kind::Int(b)) => Ok(a == b),
            (Kind::Other, Kind::Other) => {
                Err(format!("non-comparable type {}", second.type_name()))
            }
            _ => Err(INCOMPATIBLE.to_owned()),
        },
    }
}

pub(super) fn less(first: &Value, second: &Value) -> Result<bool, String> {
    match (first, second) {
        (Value::Float(a), Value::Float(b)) => Ok(a < b),
        (Value::Text(a), Value::Text(b)) => Ok(a < b),
        _ => match (kind(first), kind(second)) {
            (Kind::Int(a), Kind::Int(b)) => Ok(a < b),
            (Kind::Other, _) | (_, Kind::Other) | (Kind::Bool, Kind::Bool) => {
                Err(INVALID.to_owned())
            }
            _ => Err(INCOMPATIBLE.to_owned()),
        },
    }
}

pub(super) fn less_or_equal(first: &Value, second: &Value) -> Result<bool, String> {
    Ok(less(first, second)? || equal(first, second)?)
}
