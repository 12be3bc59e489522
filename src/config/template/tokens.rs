//! The tokens of a template, some of which can be looked at and put back.

use super::TemplateError;
use super::lex::{Lexer, Token, TokenKind};

/// What the parser reads from.
#[derive(Debug)]
pub(super) struct Tokens<'s> {
    source: &'s str,
    lexer: Lexer<'s>,
    /// What the lexer could not read. It is reported when the parser takes the token, not when it looks ahead.
    error: Option<TemplateError>,
    /// What was put back, the next one last; at most three.
    pending: Vec<Token>,
    latest: usize,
}

impl<'s> Tokens<'s> {
    pub(super) fn new(source: &'s str) -> Tokens<'s> {
        Tokens {
            source,
            lexer: Lexer::new(source),
            error: None,
            pending: Vec::new(),
            latest: 0,
        }
    }

    /// The next token; [`TokenKind::Bad`] for ever where the source cannot be read.
    pub(super) fn next(&mut self) -> Token {
        if let Some(token) = self.pending.pop() {
            return token;
        }
        if self.error.is_none() {
            match self.lexer.token() {
                Ok(token) => {
                    self.latest = token.span.start;
                    return token;
                }
                Err(error) => self.error = Some(error),
            }
        }
        Token {
            kind: TokenKind::Bad,
            span: self.source.len()..self.source.len(),
        }
    }

    pub(super) fn put_back(&mut self, token: Token) {
        self.pending.push(token);
    }

    pub(super) fn peek(&mut self) -> Token {
        let token = self.next();
        self.put_back(token.clone());
        token
    }

    /// The next token that is no white space of an action.
    pub(super) fn next_non_space(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    /// As [`Tokens::peek`]; white space in front is dropped.
    pub(super) fn peek_non_space(&mut self) -> Token {
        let token = self.next_non_space();
        self.put_back(token.clone());
        token
    }

    /// Where the token begins that was read last, put back or not: the place of most errors, as in Go.
    pub(super) fn latest(&self) -> usize {
        self.latest
    }

    /// Why `token` could not be read; none if it could.
    pub(super) fn error(&self, token: &Token) -> Option<TemplateError> {
        self.error.clone().filter(|_| token.kind == TokenKind::Bad)
    }
}
