//! Objects of the translation, made key by key.

use std::ops::Range;

use crate::config::tree::{Entry, Kind, Node};
use crate::config::walk::Field;

/// An object that is being made on behalf of what stands at its range.
pub(super) struct Keys {
    entries: Vec<Entry>,
    range: Range<usize>,
    path: Option<String>,
}

impl Keys {
    /// Of no value in particular.
    pub(super) fn new(range: &Range<usize>) -> Keys {
        Keys {
            entries: Vec::new(),
            range: range.clone(),
            path: None,
        }
    }

    /// Made from this value: messages name its path.
    pub(super) fn of(field: &Field<'_>) -> Keys {
        Keys {
            path: Some(field.place.path.clone()),
            ..Keys::new(&field.node.range)
        }
    }

    pub(super) fn range(&self) -> &Range<usize> {
        &self.range
    }

    pub(super) fn node(&mut self, key: &str, node: Node) {
        self.entries.push(Entry::new(key, node.range.clone(), node));
    }

    /// A value under another key; messages name it as it stands in the file.
    pub(super) fn field(&mut self, key: &str, field: &Field<'_>) {
        self.node(key, moved(field));
    }

    pub(super) fn text(&mut self, key: &str, text: impl Into<String>) {
        let node = Node::text(text, &self.range);
        self.node(key, node);
    }

    pub(super) fn boolean(&mut self, key: &str, value: bool) {
        let node = Node::new(Kind::Bool(value), self.range.clone());
        self.node(key, node);
    }

    /// The object.
    pub(super) fn object(self) -> Node {
        let node = Node::new(Kind::Object(self.entries), self.range);
        match self.path {
            Some(path) => node.with_origin(&path),
            None => node,
        }
    }
}

/// A value that goes elsewhere and is called as it was.
pub(super) fn moved(field: &Field<'_>) -> Node {
    field.node.clone().with_origin(&field.place.path)
}
