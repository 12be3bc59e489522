//! From tokens to the tree of a template, by the grammar of Go's `text/template`.
//!
//! Here: blocks, definitions, calls, and what is open; `pipeline.rs` has what stands in an action.

mod pipeline;

use std::collections::BTreeMap;

use super::ast::{Branch, Node, Span, Tree};
use super::lex::{Keyword, Token, TokenKind};
use super::tokens::Tokens;
use super::value::Text;
use super::{MAX_NESTING, TemplateError, literal};

/// Every template of a text by its name; the text itself is the one without a name.
pub(super) type Trees = BTreeMap<Text, Tree>;

/// Parses a whole text.
pub(super) fn parse(source: &str) -> Result<Trees, TemplateError> {
    let mut parser = Parser {
        source,
        tokens: Tokens::new(source),
        action: None,
        variables: vec!["$".to_owned()],
        range_depth: 0,
        open: Vec::new(),
        trees: Trees::new(),
    };
    parser.whole_text()?;
    Ok(parser.trees)
}

struct Parser<'s> {
    source: &'s str,
    tokens: Tokens<'s>,
    /// Where the action in work begins.
    action: Option<usize>,
    /// The variables in scope.
    variables: Vec<String>,
    /// How many `range` of the same template are open.
    range_depth: usize,
    /// The words and places of what waits for its `end` or its `)`.
    open: Vec<(&'static str, usize)>,
    trees: Trees,
}

/// Why a list of nodes ended, and where.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    End(usize),
    /// `else`; an `if` right behind it is left for the caller.
    Else(usize),
}

/// What stands in a list of nodes.
enum Item {
    Node(Node),
    Stop(Stop),
}

type Parsed<T> = Result<T, TemplateError>;

impl Parser<'_> {
    /// Parses all templates. Only here may a `define` stand.
    fn whole_text(&mut self) -> Parsed<()> {
        let mut root = Vec::new();
        while self.tokens.peek().kind != TokenKind::End {
            if self.tokens.peek().kind == TokenKind::LeftDelim {
                let delim = self.tokens.next();
                let after = self.tokens.next_non_space();
                if after.kind == TokenKind::Keyword(Keyword::Define) {
                    self.definition(delim.span.start)?;
                    continue;
                }
                self.tokens.put_back(after);
                self.tokens.put_back(delim);
            }
            match self.text_or_action()? {
                Item::Node(node) => root.push(node),
                Item::Stop(stop) => return Err(self.stray(stop)),
            }
        }
        self.add(Text::from(""), root)
    }

    fn stray(&self, stop: Stop) -> TemplateError {
        let (word, place) = match stop {
            Stop::End(place) => ("end", place),
            Stop::Else(place) => ("else", place),
        };
        self.error_at(place, format!("unexpected {{{{{word}}}}}"))
            .with_help("nothing is open here that it could belong to")
    }

    /// `{{define "name"}} … {{end}}`; the keyword is read.
    fn definition(&mut self, start: usize) -> Parsed<()> {
        let context = "define clause";
        let token = self.tokens.next_non_space();
        let name = self.template_name(&token, context)?;
        let delim = self.tokens.next_non_space();
        if delim.kind != TokenKind::RightDelim {
            return Err(self.unexpected(&delim, context));
        }
        self.template_body(name, "define", start)
    }

    /// The body of a `define` or `block`: a template of its own that sees no variable of the others.
    fn template_body(&mut self, name: Text, word: &'static str, start: usize) -> Parsed<()> {
        let outer_variables = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let outer_depth = std::mem::take(&mut self.range_depth);
        self.enter(word, start)?;
        let (body, stop) = self.nodes()?;
        if let Stop::Else(place) = stop {
            return Err(self.error_at(place, format!("unexpected {{{{else}}}} in {word} clause")));
        }
        self.open.pop();
        self.variables = outer_variables;
        self.range_depth = outer_depth;
        self.add(name, body)
    }

    /// Adds a template. An empty one gives way to another of its name, two others are an error.
    fn add(&mut self, name: Text, nodes: Vec<Node>) -> Parsed<()> {
        let tree = Tree::new(nodes, self.source);
        match self.trees.get(&name) {
            Some(known) if !known.is_blank => {
                if !tree.is_blank {
                    let message = format!("multiple definition of template {name:?}");
                    return Err(self.error(message));
                }
            }
            _ => {
                self.trees.insert(name, tree);
            }
        }
        Ok(())
    }

    /// Nodes up to an `end` or `else`.
    fn nodes(&mut self) -> Parsed<(Vec<Node>, Stop)> {
        let mut nodes = Vec::new();
        while self.tokens.peek_non_space().kind != TokenKind::End {
            match self.text_or_action()? {
                Item::Node(node) => nodes.push(node),
                Item::Stop(stop) => return Ok((nodes, stop)),
            }
        }
        let mut error = self.error("unexpected EOF");
        if let Some((word, place)) = self.open.last() {
            let line = self.error_at(*place, "").line;
            error = error.with_help(format!("the `{word}` of line {line} has no {{{{end}}}}"));
        }
        Err(error)
    }

    fn text_or_action(&mut self) -> Parsed<Item> {
        let token = self.tokens.next_non_space();
        match token.kind {
            TokenKind::Text => Ok(Item::Node(Node::Text(token.span))),
            TokenKind::LeftDelim => {
                self.action = Some(token.span.start);
                let item = self.action(token.span.start)?;
                self.action = None;
                Ok(item)
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    /// What stands behind a left delimiter.
    fn action(&mut self, start: usize) -> Parsed<Item> {
        let token = self.tokens.next_non_space();
        let node = match token.kind {
            TokenKind::Keyword(Keyword::Block) => self.block(&token)?,
            TokenKind::Keyword(Keyword::Break) => self.jump(Node::Break, "{{break}}")?,
            TokenKind::Keyword(Keyword::Continue) => self.jump(Node::Continue, "{{continue}}")?,
            TokenKind::Keyword(Keyword::Else) => {
                if self.tokens.peek_non_space().kind != TokenKind::Keyword(Keyword::If) {
                    self.right_delim("else")?;
                }
                return Ok(Item::Stop(Stop::Else(start)));
            }
            TokenKind::Keyword(Keyword::End) => {
                self.right_delim("end")?;
                return Ok(Item::Stop(Stop::End(start)));
            }
            TokenKind::Keyword(Keyword::If) => self.control("if", start)?,
            TokenKind::Keyword(Keyword::Range) => self.control("range", start)?,
            TokenKind::Keyword(Keyword::With) => self.control("with", start)?,
            TokenKind::Keyword(Keyword::Template) => self.call()?,
            _ => {
                self.tokens.put_back(token);
                // Variables stay in scope until the `end` of what is around.
                Node::Action(self.pipeline("command", TokenKind::RightDelim)?)
            }
        };
        Ok(Item::Node(node))
    }

    fn right_delim(&mut self, context: &str) -> Parsed<()> {
        let token = self.tokens.next_non_space();
        if token.kind == TokenKind::RightDelim {
            return Ok(());
        }
        Err(self.unexpected(&token, context))
    }

    fn jump(&mut self, node: Node, word: &str) -> Parsed<Node> {
        self.right_delim(word)?;
        if self.range_depth == 0 {
            return Err(self.error(format!("{word} outside {{{{range}}}}")));
        }
        Ok(node)
    }

    /// `if`, `with` and `range`; the keyword is read.
    fn control(&mut self, word: &'static str, start: usize) -> Parsed<Node> {
        let mark = self.variables.len();
        self.enter(word, start)?;
        let (first, mut stop) = self.branch(word)?;
        let mut others = Vec::new();
        let mut otherwise = None;
        while let Stop::Else(_) = stop {
            if word == "if" && self.tokens.peek().kind == TokenKind::Keyword(Keyword::If) {
                self.tokens.next();
                let (branch, next) = self.branch(word)?;
                others.push(branch);
                stop = next;
                continue;
            }
            let (nodes, next) = self.nodes()?;
            if let Stop::Else(place) = next {
                return Err(self.error_at(place, "expected end; found {{else}}"));
            }
            otherwise = Some(nodes);
            stop = next;
        }
        self.open.pop();
        // What a branch declares is in scope in the ones behind it, where it has no value; so it is in Go.
        self.variables.truncate(mark);
        Ok(match word {
            "with" => Node::With(first, otherwise),
            "range" => Node::Range(first, otherwise),
            _ => {
                others.insert(0, first);
                Node::If(others, otherwise)
            }
        })
    }

    fn branch(&mut self, word: &str) -> Parsed<(Branch, Stop)> {
        let pipe = self.pipeline(word, TokenKind::RightDelim)?;
        let ranges = usize::from(word == "range");
        self.range_depth += ranges;
        let (body, stop) = self.nodes()?;
        self.range_depth -= ranges;
        Ok((Branch { pipe, body }, stop))
    }

    /// `{{block "name" pipeline}} … {{end}}`: a definition, and a call of it; the keyword is read.
    fn block(&mut self, keyword: &Token) -> Parsed<Node> {
        let context = "block clause";
        let token = self.tokens.next_non_space();
        let name = self.template_name(&token, context)?;
        let pipe = self.pipeline(context, TokenKind::RightDelim)?;
        self.template_body(name.clone(), "block", keyword.span.start)?;
        Ok(Node::Call(token.span, name, Some(pipe)))
    }

    /// `{{template "name" pipeline}}`; the keyword is read.
    fn call(&mut self) -> Parsed<Node> {
        let context = "template clause";
        let token = self.tokens.next_non_space();
        let name = self.template_name(&token, context)?;
        let after = self.tokens.next_non_space();
        let mut pipe = None;
        if after.kind != TokenKind::RightDelim {
            self.tokens.put_back(after);
            pipe = Some(self.pipeline(context, TokenKind::RightDelim)?);
        }
        Ok(Node::Call(token.span, name, pipe))
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Parsed<Text> {
        match token.kind {
            TokenKind::Quoted | TokenKind::RawQuoted => self.unquoted(&token.span),
            _ => Err(self.unexpected(token, context)),
        }
    }

    fn unquoted(&self, span: &Span) -> Parsed<Text> {
        literal::unquote(&self.source[span.clone()])
            .map_err(|cause| self.error_at(span.start, cause))
    }

    /// Remembers what waits for its end; bounds the depth of the tree and so of every recursion over it.
    fn enter(&mut self, word: &'static str, place: usize) -> Parsed<()> {
        if self.open.len() >= MAX_NESTING {
            return Err(self.error_at(
                place,
                format!("nested deeper than the limit of {MAX_NESTING} levels"),
            ));
        }
        self.open.push((word, place));
        Ok(())
    }

    fn unexpected(&mut self, token: &Token, context: &str) -> TemplateError {
        let Some(error) = self.tokens.error(token) else {
            let shown = match token.kind {
                TokenKind::End => "EOF".to_owned(),
                TokenKind::Keyword(_) => format!("<{}>", &self.source[token.span.clone()]),
                _ => format!("{:?}", &self.source[token.span.clone()]),
            };
            return self.error(format!("unexpected {shown} in {context}"));
        };
        match self.action.map(|start| self.error_at(start, "").line) {
            Some(line) if line != error.line => {
                error.with_help(format!("the action began at line {line}"))
            }
            _ => error,
        }
    }

    fn error(&self, message: impl Into<String>) -> TemplateError {
        self.error_at(self.tokens.latest(), message)
    }

    fn error_at(&self, offset: usize, message: impl Into<String>) -> TemplateError {
        TemplateError::at(self.source, offset, message)
    }
}
