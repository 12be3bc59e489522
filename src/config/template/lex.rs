//! From text to tokens, by the rules of Go's `text/template`.

use super::TemplateError;
use super::ast::Span;
use super::quote;

/// What a token is. The text of it is the source between its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Text outside of actions.
    Text,
    LeftDelim,
    RightDelim,
    Space,
    /// A printable ASCII character that means nothing else, such as `,`.
    Char,
    Assign,
    Declare,
    Pipe,
    LeftParen,
    RightParen,
    Bool,
    CharConstant,
    Complex,
    Number,
    Quoted,
    RawQuoted,
    Dot,
    Field,
    Variable,
    Identifier,
    Keyword(Keyword),
    /// What could not be read; only the parser makes such a token.
    Bad,
    End,
}

/// A word with a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A piece of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// Reads one token after the other. After an error or [`TokenKind::End`] it must not be asked again.
#[derive(Debug)]
pub(super) struct Lexer<'s> {
    source: &'s str,
    position: usize,
    /// Where the token in work begins.
    start: usize,
    inside: bool,
    parens: usize,
}

/// The white space of Go's trim markers and actions; ASCII only, not `str::trim`'s.
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

type Lexed = Result<Token, TemplateError>;

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str) -> Lexer<'s> {
        Lexer {
            source,
            position: 0,
            start: 0,
            inside: false,
            parens: 0,
        }
    }

    /// The next token.
    pub(super) fn token(&mut self) -> Lexed {
        if self.inside {
            return self.inside_action();
        }
        self.text()
    }

    /// Text up to the next action. Comments are skipped here; they leave no token.
    fn text(&mut self) -> Lexed {
        loop {
            self.start = self.position;
            let rest = self.rest();
            let Some(found) = rest.find("{{") else {
                self.position = self.source.len();
                if rest.is_empty() {
                    return Ok(self.emit(TokenKind::End));
                }
                return Ok(self.emit(TokenKind::Text));
            };
            let mut text = &rest[..found];
            if has_left_marker(&rest[found + 2..]) {
                text = text.trim_end_matches(SPACES);
            }
            let delim = self.position + found;
            if !text.is_empty() {
                // The spaces that the marker trims are skipped by going to the delimiter on the next call.
                let token = Token {
                    kind: TokenKind::Text,
                    span: self.start..self.start + text.len(),
                };
                self.position = delim;
                return Ok(token);
            }
            self.position = delim;
            self.start = delim;
            if let Some(token) = self.left_delim()? {
                return Ok(token);
            }
        }
    }

    /// `{{`, or nothing after a whole comment.
    fn left_delim(&mut self) -> Result<Option<Token>, TemplateError> {
        let marker = has_left_marker(&self.source[self.position + 2..]);
        let after = self.position + if marker { 4 } else { 2 };
        if self.source[after..].starts_with("/*") {
            self.start = after;
            self.position = after;
            self.comment()?;
            return Ok(None);
        }
        self.position += 2;
        let token = self.emit(TokenKind::LeftDelim);
        self.position = after;
        self.start = after;
        self.inside = true;
        self.parens = 0;
        Ok(Some(token))
    }

    fn comment(&mut self) -> Result<(), TemplateError> {
        let Some(end) = self.source[self.position + 2..].find("*/") else {
            return Err(self
                .error("unclosed comment")
                .with_help("end it with `*/}}`"));
        };
        self.position += 2 + end + 2;
        let Some(trims) = self.at_right_delim() else {
            return Err(self
                .error("comment ends before closing delimiter")
                .with_help("`*/` must stand right before `}}` or ` -}}`"));
        };
        self.leave_action(trims);
        Ok(())
    }

    /// Whether `}}` comes next, and if so, whether it trims.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_marker(rest) && rest[2..].starts_with("}}") {
            return Some(true);
        }
        rest.starts_with("}}").then_some(false)
    }

    /// Goes over the right delimiter, and over the spaces behind it if it trims.
    fn leave_action(&mut self, trims: bool) {
        self.position += if trims { 4 } else { 2 };
        self.inside = false;
        if trims {
            let rest = self.rest();
            self.position += rest.len() - rest.trim_start_matches(SPACES).len();
        }
    }

    fn right_delim(&mut self, trims: bool) -> Token {
        let start = self.position + if trims { 2 } else { 0 };
        self.leave_action(trims);
        Token {
            kind: TokenKind::RightDelim,
            span: start..start + 2,
        }
    }

    fn inside_action(&mut self) -> Lexed {
        self.start = self.position;
        if let Some(trims) = self.at_right_delim() {
            if self.parens > 0 {
                return Err(self.error("unclosed left paren"));
            }
            return Ok(self.right_delim(trims));
        }
        let Some(character) = self.next() else {
            return Err(self.error("unclosed action").with_help("end it with `}}`"));
        };
        match character {
            ' ' | '\t' | '\r' | '\n' => Ok(self.space()),
            '=' => Ok(self.emit(TokenKind::Assign)),
            ':' if self.next() == Some('=') => Ok(self.emit(TokenKind::Declare)),
            ':' => Err(self.error("expected :=")),
            '|' => Ok(self.emit(TokenKind::Pipe)),
            '"' => self.quoted('"', TokenKind::Quoted, "unterminated quoted string"),
            '`' => self.raw_quoted(),
            '\'' => self.quoted(
                '\'',
                TokenKind::CharConstant,
                "unterminated character constant",
            ),
            '$' => self.name(TokenKind::Variable, TokenKind::Variable),
            '.' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => {
                self.name(TokenKind::Field, TokenKind::Dot)
            }
            '.' | '+' | '-' | '0'..='9' => self.number(),
            '(' => {
                self.parens += 1;
                Ok(self.emit(TokenKind::LeftParen))
            }
            ')' if self.parens == 0 => Err(self.error("unexpected right paren")),
            ')' => {
                self.parens -= 1;
                Ok(self.emit(TokenKind::RightParen))
            }
            _ if is_alphanumeric(character) => self.identifier(),
            _ if character.is_ascii_graphic() => Ok(self.emit(TokenKind::Char)),
            _ => Err(self.error(format!(
                "unrecognized character in action: {}",
                code_point(character)
            ))),
        }
    }

    /// White space inside an action; its last character may belong to ` -}}`.
    fn space(&mut self) -> Token {
        let rest = &self.source[self.start..];
        let length = rest.len() - rest.trim_start_matches(SPACES).len();
        let last = self.start + length - 1;
        let after = &self.source[last..];
        if has_right_marker(after) && after[2..].starts_with("}}") {
            self.position = last;
            if length == 1 {
                return self.right_delim(true);
            }
        } else {
            self.position = self.start + length;
        }
        self.emit(TokenKind::Space)
    }

    fn identifier(&mut self) -> Lexed {
        self.skip_alphanumeric();
        self.check_terminator()?;
        let kind = match &self.source[self.start..self.position] {
            "true" | "false" => TokenKind::Bool,
            word => keyword(word).map_or(TokenKind::Identifier, TokenKind::Keyword),
        };
        Ok(self.emit(kind))
    }

    /// A field or variable whose first character is read; `alone` if no name follows it.
    fn name(&mut self, kind: TokenKind, alone: TokenKind) -> Lexed {
        if self.at_terminator() {
            return Ok(self.emit(alone));
        }
        self.skip_alphanumeric();
        self.check_terminator()?;
        Ok(self.emit(kind))
    }

    fn quoted(&mut self, end: char, kind: TokenKind, unterminated: &str) -> Lexed {
        loop {
            match self.next() {
                Some('\\') if !matches!(self.next(), None | Some('\n')) => {}
                None | Some('\n' | '\\') => return Err(self.error(unterminated)),
                Some(character) if character == end => return Ok(self.emit(kind)),
                Some(_) => {}
            }
        }
    }

    fn raw_quoted(&mut self) -> Lexed {
        match self.rest().find('`') {
            Some(end) => {
                self.position += end + 1;
                Ok(self.emit(TokenKind::RawQuoted))
            }
            None => Err(self.error("unterminated raw quoted string")),
        }
    }

    fn number(&mut self) -> Lexed {
        self.position = self.start;
        let mut kind = TokenKind::Number;
        let mut good = self.scan_number();
        if good && matches!(self.peek(), Some('+' | '-')) {
            good = self.scan_number() && self.source[..self.position].ends_with('i');
            kind = TokenKind::Complex;
        }
        if !good {
            let text = &self.source[self.start..self.position];
            return Err(self.error(format!("bad number syntax: {text:?}")));
        }
        Ok(self.emit(kind))
    }

    /// Goes over what may be a number; the parser finds out whether it is one.
    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        while self.accept(digits) {}
        if self.accept(".") {
            while self.accept(digits) {}
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            while self.accept("0123456789_") {}
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }

    fn accept(&mut self, allowed: &str) -> bool {
        let accepted = self.peek().is_some_and(|next| allowed.contains(next));
        if accepted {
            // Every set is ASCII.
            self.position += 1;
        }
        accepted
    }

    fn skip_alphanumeric(&mut self) {
        let rest = self.rest();
        let end = rest
            .find(|character| !is_alphanumeric(character))
            .unwrap_or(rest.len());
        self.position += end;
    }

    fn check_terminator(&self) -> Result<(), TemplateError> {
        if self.at_terminator() {
            return Ok(());
        }
        let bad = self.peek().map_or_else(String::new, code_point);
        Err(self.error(format!("bad character {bad}")))
    }

    /// Whether a name may end here. A `-` may not follow one, so that `$x-1` cannot be taken for arithmetic.
    fn at_terminator(&self) -> bool {
        let next = self.peek();
        matches!(
            next,
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(')
        ) || self.rest().starts_with("}}")
    }

    fn rest(&self) -> &'s str {
        &self.source[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += next.len_utf8();
        Some(next)
    }

    fn emit(&mut self, kind: TokenKind) -> Token {
        let span = self.start..self.position;
        self.start = self.position;
        Token { kind, span }
    }

    fn error(&self, message: impl Into<String>) -> TemplateError {
        TemplateError::at(self.source, self.start, message)
    }
}

fn keyword(word: &str) -> Option<Keyword> {
    Some(match word {
        "block" => Keyword::Block,
        "break" => Keyword::Break,
        "continue" => Keyword::Continue,
        "define" => Keyword::Define,
        "else" => Keyword::Else,
        "end" => Keyword::End,
        "if" => Keyword::If,
        "nil" => Keyword::Nil,
        "range" => Keyword::Range,
        "template" => Keyword::Template,
        "with" => Keyword::With,
        _ => return None,
    })
}

/// Letters, digits and the underscore. Of digits outside ASCII Go knows more; no name has been seen with one.
pub(super) fn is_alphanumeric(character: char) -> bool {
    character == '_' || character.is_ascii_digit() || character.is_alphabetic()
}

/// A character as Go's `%#U` shows it: itself only if it is printable, so that an error holds no control characters.
fn code_point(character: char) -> String {
    let code = format!("U+{:04X}", u32::from(character));
    if quote::is_print(character) {
        format!("{code} '{character}'")
    } else {
        code
    }
}

fn has_left_marker(text: &str) -> bool {
    text.starts_with('-') && text[1..].starts_with(SPACES)
}

fn has_right_marker(text: &str) -> bool {
    text.starts_with(SPACES) && text[1..].starts_with('-')
}
