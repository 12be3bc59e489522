//! A parsed template.

use std::ops::Range;

use super::functions::Function;
use super::value::Text;

/// A place in the source: bytes from where to where.
pub(super) type Span = Range<usize>;

/// A template by its nodes.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// Whether there is nothing but white space. Such a definition gives way to another of its name.
    pub(super) is_blank: bool,
}

/// What stands between two actions, or an action.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Source text that is copied.
    Text(Span),
    /// A pipeline whose value is printed, unless it declares variables.
    Action(Pipe),
    /// `if`, with one branch for every `else if`.
    If(Vec<Branch>, Option<Vec<Node>>),
    /// `with`.
    With(Branch, Option<Vec<Node>>),
    /// `range`.
    Range(Branch, Option<Vec<Node>>),
    /// `template`, and what `block` leaves in its place.
    Call(Span, Text, Option<Pipe>),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
}

/// A pipeline and what depends on it.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) body: Vec<Node>,
}

/// Commands, each of which passes its value on as the last argument of the next.
#[derive(Clone, Debug)]
pub(super) struct Pipe {
    pub(super) span: Span,
    /// The variables that get the value, with their `$`; two only in a `range`.
    pub(super) variables: Vec<String>,
    /// Whether `=` gives them a new value; otherwise `:=` makes new ones.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// A function with its arguments, or a value. There is at least one operand.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) operands: Vec<Operand>,
}

/// A value in the text of a template, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) span: Span,
    pub(super) kind: OperandKind,
}

#[derive(Clone, Debug)]
pub(super) enum OperandKind {
    Nil,
    Bool(bool),
    Number(Number),
    Text(Text),
    Dot,
    /// `.A.B`: the names.
    Field(Vec<Text>),
    /// `$x.A.B`: the variable with its `$`, and the names.
    Variable(String, Vec<Text>),
    Function(Function),
    /// A pipeline in parentheses.
    Pipe(Box<Pipe>),
    /// `(…).A.B`.
    Chain(Box<Operand>, Vec<Text>),
}

/// A numeric constant. A whole number is an `int` wherever a template can use one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
    /// Fits `uint64` only; an error where it is used, not where it is read.
    TooLarge,
}

impl Tree {
    pub(super) fn new(nodes: Vec<Node>, source: &str) -> Tree {
        let is_blank = nodes.iter().all(|node| match node {
            Node::Text(span) => source[span.clone()].trim().is_empty(),
            _ => false,
        });
        Tree { nodes, is_blank }
    }
}
