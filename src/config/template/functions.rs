//! The functions that a template can call: Go's own, and those of the original.

use super::value::{Items, List, Text, Value};
use super::{MAX_LOOP, Variables, compare, escape, print::Sink, printf, regex};

/// A function, by its name in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    And,
    Call,
    Default,
    Env,
    Eq,
    Ge,
    Gt,
    Html,
    Index,
    Join,
    Js,
    Le,
    Len,
    Loop,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
    RegexReplaceAll,
    ReplaceAll,
    Slice,
    Split,
    UrlQuery,
}

/// What an argument has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Param {
    Any,
    Text,
    /// A list of strings.
    Texts,
}

/// What a list item costs; more than a byte of text, for it takes more memory.
const WORK_PER_INT: usize = 16;
const WORK_PER_TEXT: usize = 64;

/// Every function, in the order of [`Function`]: its name, the fixed parameters, and whether more of the last may follow.
const FUNCTIONS: [(Function, &str, &[Param], bool); 26] = {
    use Function as F;
    const ANY: Param = Param::Any;
    const TEXT: Param = Param::Text;
    [
        (F::And, "and", &[ANY], true),
        (F::Call, "call", &[ANY], true),
        (F::Default, "default", &[ANY, ANY], false),
        (F::Env, "env", &[TEXT], false),
        (F::Eq, "eq", &[ANY], true),
        (F::Ge, "ge", &[ANY, ANY], false),
        (F::Gt, "gt", &[ANY, ANY], false),
        (F::Html, "html", &[], true),
        (F::Index, "index", &[ANY], true),
        (F::Join, "join", &[TEXT, Param::Texts], false),
        (F::Js, "js", &[], true),
        (F::Le, "le", &[ANY, ANY], false),
        (F::Len, "len", &[ANY], false),
        (F::Loop, "loop", &[], true),
        (F::Lt, "lt", &[ANY, ANY], false),
        (F::Ne, "ne", &[ANY, ANY], false),
        (F::Not, "not", &[ANY], false),
        (F::Or, "or", &[ANY], true),
        (F::Print, "print", &[], true),
        (F::Printf, "printf", &[TEXT], true),
        (F::Println, "println", &[], true),
        (
            F::RegexReplaceAll,
            "regexReplaceAll",
            &[TEXT, TEXT, TEXT],
            false,
        ),
        (F::ReplaceAll, "replaceAll", &[TEXT, TEXT, TEXT], false),
        (F::Slice, "slice", &[ANY], true),
        (F::Split, "split", &[TEXT, TEXT], false),
        (F::UrlQuery, "urlquery", &[], true),
    ]
};

/// A value and the work it took, in the units of `MAX_WORK`.
type Called = Result<(Value, usize), String>;

impl Function {
    /// The function of a name.
    pub(super) fn from_name(name: &str) -> Option<Function> {
        let found = FUNCTIONS.iter().find(|(_, known, ..)| *known == name);
        found.map(|(function, ..)| *function)
    }

    /// The name that a wrong one was probably meant to be.
    pub(super) fn similar(name: &str) -> Option<&'static str> {
        if name.len() > 40 {
            return None;
        }
        let name = name.to_lowercase();
        let distance = |known: &str| strsim::damerau_levenshtein(&known.to_lowercase(), &name);
        let nearest = FUNCTIONS.iter().map(|(_, known, ..)| *known);
        let nearest = nearest.min_by_key(|known| distance(known))?;
        (distance(nearest) * 3 <= name.chars().count()).then_some(nearest)
    }

    pub(super) fn name(self) -> &'static str {
        self.row().1
    }

    /// What the argument at `index`, from 0, has to be.
    pub(super) fn param(self, index: usize) -> Param {
        self.row().2.get(index).copied().unwrap_or(Param::Any)
    }

    /// What is wrong with a number of arguments, if anything.
    pub(super) fn wrong_count(self, count: usize) -> Option<String> {
        let (_, name, params, more) = self.row();
        let want = params.len();
        if *more && count < want {
            let cause = "wrong number of args for";
            return Some(format!("{cause} {name}: want at least {want} got {count}"));
        }
        if !*more && count != want {
            return Some(format!(
                "wrong number of args for {name}: want {want} got {count}"
            ));
        }
        None
    }

    fn row(self) -> &'static (Function, &'static str, &'static [Param], bool) {
        &FUNCTIONS[self as usize]
    }

    /// Calls the function. The caller has checked number and types of the arguments.
    ///
    /// No text that comes out is longer than `limit`.
    pub(super) fn call(self, arguments: &[Value], env: &Variables, limit: usize) -> Called {
        match self {
            // `and` and `or` of values that are known already; the caller evaluates only what is needed.
            Function::And | Function::Or => {
                let stop = self == Function::Or;
                let found = arguments.iter().find(|value| value.is_true() == stop);
                let value = found.or(arguments.last());
                Ok((value.cloned().unwrap_or(Value::Nil), 0))
            }
            Function::Call => Err(match &arguments[0] {
                Value::Nil | Value::Null => "call of nil".to_owned(),
                other => format!("non-function of type {}", other.type_name()),
            }),
            Function::Default => default(&arguments[0], &arguments[1], limit),
            Function::Env => {
                let name = String::from_utf8_lossy(text(&arguments[0]));
                let value = env.get(name.as_ref()).map_or("", String::as_str);
                Ok((Value::from(value), value.len()))
            }
            Function::Eq => truth(compare::equal_any(&arguments[0], &arguments[1..])),
            Function::Ne => {
                let equal = compare::equal_any(&arguments[0], &arguments[1..]);
                truth(equal.map(|equal| !equal))
            }
            Function::Lt => truth(compare::less(&arguments[0], &arguments[1])),
            Function::Le => truth(compare::less_or_equal(&arguments[0], &arguments[1])),
            Function::Gt => {
                let not = compare::less_or_equal(&arguments[0], &arguments[1]);
                truth(not.map(|not| !not))
            }
            Function::Ge => truth(compare::less(&arguments[0], &arguments[1]).map(|not| !not)),
            Function::Html => escaped(arguments, limit, escape::html),
            Function::Js => escaped(arguments, limit, escape::js),
            Function::UrlQuery => escaped(arguments, limit, escape::url_query),
            Function::Index => index(&arguments[0], &arguments[1..]).map(|value| (value, 0)),
            Function::Slice => slice(&arguments[0], &arguments[1..]),
            Function::Len => length(&arguments[0]),
            Function::Loop => number_loop(arguments, limit),
            Function::Not => Ok((Value::Bool(!arguments[0].is_true()), 0)),
            Function::Print => made(limit, |out| out.print(arguments)),
            Function::Println => made(limit, |out| out.print_line(arguments)),
            Function::Printf => made(limit, |out| {
                printf::printf(out, text(&arguments[0]), &arguments[1..]);
            }),
            Function::Split => split(text(&arguments[0]), text(&arguments[1]), limit),
            Function::Join => made(limit, |out| join(out, text(&arguments[0]), &arguments[1])),
            Function::ReplaceAll => made(limit, |out| {
                let (from, to) = (text(&arguments[0]), text(&arguments[1]));
                escape::replace_all(out, from, to, text(&arguments[2]));
            }),
            Function::RegexReplaceAll => {
                let (pattern, to) = (text(&arguments[0]), text(&arguments[1]));
                let mut out = Sink::new(limit);
                let work = regex::replace_all(&mut out, pattern, to, text(&arguments[2]), limit)?;
                finished(out, limit).map(|(value, length)| (value, length + work))
            }
        }
    }
}

/// The bytes of an argument that was checked to be a string.
fn text(value: &Value) -> &[u8] {
    match value {
        Value::Text(text) => text.as_bytes(),
        _ => &[],
    }
}

fn truth(result: Result<bool, String>) -> Called {
    result.map(|truth| (Value::Bool(truth), 0))
}

/// A text that `write` makes.
fn made(limit: usize, write: impl FnOnce(&mut Sink)) -> Called {
    let mut out = Sink::new(limit);
    write(&mut out);
    finished(out, limit)
}

fn finished(out: Sink, limit: usize) -> Called {
    if out.is_full() {
        return Err(format!("the text exceeds the limit of {limit} bytes"));
    }
    let bytes = out.into_bytes();
    let work = bytes.len();
    Ok((Value::Text(Text::from(bytes)), work))
}

/// The value if it is a string that is not empty, otherwise the default as text.
fn default(default: &Value, value: &Value, limit: usize) -> Called {
    match value {
        Value::Text(given) if !given.as_bytes().is_empty() => Ok((value.clone(), 0)),
        _ => made(limit, |out| out.value(default)),
    }
}

/// The text of all arguments, escaped. No value is spelt as it is printed.
fn escaped(arguments: &[Value], limit: usize, escape: fn(&mut Sink, &[u8])) -> Called {
    if let [Value::Text(text)] = arguments {
        return made(limit, |out| escape(out, text.as_bytes()));
    }
    let shown: Vec<Value> = arguments
        .iter()
        .map(|value| match value {
            Value::Nil | Value::Null => Value::from("<no value>"),
            other => other.clone(),
        })
        .collect();
    let mut plain = Sink::new(limit);
    plain.print(&shown);
    made(limit, |out| escape(out, &plain.into_bytes()))
}

/// `index x 1 2`: the item 2 of the item 1 of x.
fn index(item: &Value, indexes: &[Value]) -> Result<Value, String> {
    let mut item = item.clone();
    if item == Value::Nil {
        return Err("index of untyped nil".to_owned());
    }
    for index in indexes {
        item = match &item {
            Value::Text(text) => {
                let bytes = text.as_bytes();
                Value::Byte(bytes[position(index, bytes.len(), false)?])
            }
            Value::List(list) => {
                let items = list.as_slice();
                items[position(index, items.len(), false)?].clone()
            }
            Value::Map(map) => match index {
                Value::Text(key) => map.get(key),
                Value::Nil | Value::Null => {
                    return Err("value is nil; should be of type string".to_owned());
                }
                other => {
                    let name = other.type_name();
                    return Err(format!("value has type {name}; should be string"));
                }
            },
            Value::Nil | Value::Null => return Err("index of nil pointer".to_owned()),
            other => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(item)
}

/// An index into something that is `length` long; `length` itself counts only for a slice.
fn position(index: &Value, length: usize, slice: bool) -> Result<usize, String> {
    let number = match index {
        Value::Int(number) => *number,
        Value::Byte(byte) => i64::from(*byte),
        Value::Nil | Value::Null => return Err("cannot index slice/array with nil".to_owned()),
        other => {
            let name = other.type_name();
            return Err(format!("cannot index slice/array with type {name}"));
        }
    };
    let position = usize::try_from(number).ok();
    let good = position.filter(|at| *at < length || (slice && *at == length));
    good.ok_or_else(|| format!("index out of range: {number}"))
}

/// `slice x 1 2`: Go's `x[1:2]`, of the bytes of a string or of a list.
fn slice(item: &Value, indexes: &[Value]) -> Called {
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let (length, capacity) = match item {
        Value::Text(_) if indexes.len() == 3 => {
            return Err("cannot 3-index slice a string".to_owned());
        }
        Value::Text(text) => (text.as_bytes().len(), text.as_bytes().len()),
        Value::List(list) => (list.as_slice().len(), list.capacity()),
        Value::Nil | Value::Null => return Err("slice of untyped nil".to_owned()),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    let mut bounds = [0, length, capacity];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, capacity, true)?;
    }
    let [from, to, limit] = bounds;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    if to > limit {
        return Err(format!("invalid slice index: {to} > {limit}"));
    }
    match item {
        Value::List(list) => Ok((Value::List(list.part(from, to, limit)), 0)),
        other => {
            let part = &text(other)[from..to];
            Ok((Value::Text(Text::from(part)), part.len()))
        }
    }
}

fn length(item: &Value) -> Called {
    let length = match item {
        Value::Text(text) => text.as_bytes().len(),
        Value::List(list) => list.as_slice().len(),
        Value::Map(map) => map.len(),
        Value::Nil | Value::Null => return Err("len of nil pointer".to_owned()),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok((Value::Int(i64::try_from(length).unwrap_or(i64::MAX)), 0))
}

/// `loop 3` is 0 to 2, `loop -3` is 0 down to -2, `loop 2 5` is 2 to 4, `loop 5 2` is 5 down to 3.
fn number_loop(arguments: &[Value], limit: usize) -> Called {
    let (start, end) = match arguments {
        [end] => (0, loop_number(end)?),
        [start, end] => (loop_number(start)?, loop_number(end)?),
        _ => {
            let count = arguments.len();
            let cause = "loop: wrong number of arguments, expected 1 or 2, but got";
            return Err(format!("{cause} {count}"));
        }
    };
    let count = usize::try_from(start.abs_diff(end)).unwrap_or(usize::MAX);
    if count > MAX_LOOP || count.saturating_mul(WORK_PER_INT) > limit.max(MAX_LOOP) {
        return Err(format!(
            "loop: {count} numbers exceed the limit of {MAX_LOOP}"
        ));
    }
    let numbers: Vec<Value> = if start <= end {
        (start..end).map(Value::Int).collect()
    } else {
        (end + 1..=start).rev().map(Value::Int).collect()
    };
    let work = numbers.len() * WORK_PER_INT;
    Ok((Value::List(List::new(Items::Int, numbers)), work))
}

/// A bound of `loop`: an integer, or a string of digits such as a variable holds.
fn loop_number(value: &Value) -> Result<i64, String> {
    let number = match value {
        Value::Int(number) => Some(*number),
        Value::Byte(byte) => Some(i64::from(*byte)),
        Value::Text(text) => {
            let text = std::str::from_utf8(text.as_bytes()).ok();
            text.and_then(|text| text.parse().ok())
        }
        _ => None,
    };
    number.ok_or_else(|| {
        let mut shown = Sink::new(80);
        shown.value(value);
        let shown = String::from_utf8_lossy(&shown.into_bytes()).into_owned();
        let name = value.type_name();
        format!("loop: expected an integer, but got `{shown}` ({name})")
    })
}

/// The parts of a text, whose outer white space does not count; of nothing there are none.
fn split(separator: &[u8], text: &[u8], limit: usize) -> Called {
    let text = trim_space(text);
    let mut parts: Vec<Value> = Vec::new();
    let mut push = |part: &[u8]| {
        parts.push(Value::Text(Text::from(part)));
        parts.len() * WORK_PER_TEXT > limit
    };
    let mut full = false;
    let mut rest = text;
    if text.is_empty() {
        // No part at all.
    } else if separator.is_empty() {
        while !rest.is_empty() && !full {
            let (part, after) = rest.split_at(super::quote::decode(rest).1);
            full = push(part);
            rest = after;
        }
    } else {
        let finder = memchr::memmem::Finder::new(separator);
        while let Some(found) = finder.find(rest).filter(|_| !full) {
            full = push(&rest[..found]);
            rest = &rest[found + separator.len()..];
        }
        full |= push(rest);
    }
    if full {
        return Err("the list is too long".to_owned());
    }
    let work = parts.len() * WORK_PER_TEXT + text.len();
    Ok((Value::List(List::new(Items::Text, parts)), work))
}

/// Without the white space of Unicode at both ends; bytes that are no text stay.
fn trim_space(mut bytes: &[u8]) -> &[u8] {
    while let (character, length @ 1..) = super::quote::decode(bytes) {
        if !character.is_whitespace() {
            break;
        }
        bytes = &bytes[length..];
    }
    let mut end = bytes.len();
    while end > 0 {
        let mut start = end - 1;
        while start > 0 && end - start < 4 && bytes[start] & 0xC0 == 0x80 {
            start -= 1;
        }
        let last = std::str::from_utf8(&bytes[start..end]).unwrap_or("x");
        if !last.chars().all(char::is_whitespace) {
            break;
        }
        end = start;
    }
    &bytes[..end]
}

fn join(out: &mut Sink, separator: &[u8], list: &Value) {
    let items = match list {
        Value::List(list) => list.as_slice(),
        _ => &[],
    };
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(separator);
        }
        out.push(text(item));
    }
}
