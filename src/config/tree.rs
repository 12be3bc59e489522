//! The tree of a configuration: what the parser makes, what translations make of it, and what the readers walk over.

use std::ops::Range;

/// A value and its place in the text.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
    /// The path that messages use instead of the one that the value has here: where the value stood in the file before a
    /// translation moved it.
    pub(super) origin: Option<Box<str>>,
    /// What a translation has to say to people about this value: a comment above it when it is printed.
    pub(super) note: Option<Box<str>>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    /// As in the original every number is a 64-bit float.
    Number(f64),
    String(String),
    Array(Vec<Node>),
    /// Without duplicates: of two equal keys only the last is here.
    Object(Vec<Entry>),
}

/// One key of an object with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_range: Range<usize>,
    pub(super) value: Node,
}

impl Node {
    pub(super) fn new(kind: Kind, range: Range<usize>) -> Node {
        Node {
            kind,
            range,
            origin: None,
            note: None,
        }
    }

    /// A value that a translation made on behalf of what stands at `range`.
    pub(super) fn text(text: impl Into<String>, range: &Range<usize>) -> Node {
        Node::new(Kind::String(text.into()), range.clone())
    }

    /// As [`Node::text`].
    pub(super) fn array(elements: Vec<Node>, range: &Range<usize>) -> Node {
        Node::new(Kind::Array(elements), range.clone())
    }

    /// As [`Node::text`]; the keys are in the order given.
    pub(super) fn object<'k>(
        pairs: impl IntoIterator<Item = (&'k str, Node)>,
        range: &Range<usize>,
    ) -> Node {
        let entries = pairs.into_iter();
        let entries = entries.map(|(key, value)| Entry::new(key, range.clone(), value));
        Node::new(Kind::Object(entries.collect()), range.clone())
    }

    /// The same value; messages name this path.
    pub(super) fn with_origin(self, path: &str) -> Node {
        Node {
            origin: Some(path.into()),
            ..self
        }
    }

    /// The same value with something to say about it.
    pub(super) fn noted(self, note: &str) -> Node {
        Node {
            note: Some(note.into()),
            ..self
        }
    }

    /// The entries of an object; nothing of anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Object(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of an array; nothing of anything else.
    pub(super) fn elements(&self) -> &[Node] {
        match &self.kind {
            Kind::Array(elements) => elements,
            _ => &[],
        }
    }

    /// What the value is called in a message.
    pub(super) fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::String(_) => "a string",
            Kind::Array(_) => "an array",
            Kind::Object(_) => "an object",
        }
    }

    /// The value of a key of an object, in any case.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let Kind::Object(entries) = &self.kind else {
            return None;
        };
        let exact = entries.iter().find(|entry| entry.key == key);
        let near = || {
            entries
                .iter()
                .find(|entry| entry.key.eq_ignore_ascii_case(key))
        };
        exact.or_else(near).map(|entry| &entry.value)
    }
}

impl Entry {
    pub(super) fn new(key: impl Into<String>, key_range: Range<usize>, value: Node) -> Entry {
        Entry {
            key: key.into(),
            key_range,
            value,
        }
    }
}
