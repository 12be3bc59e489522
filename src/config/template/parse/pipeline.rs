//! Pipelines: variables, commands, operands and the terms that they are made of.

use super::super::ast::{Command, Number, Operand, OperandKind, Pipe};
use super::super::functions::Function;
use super::super::lex::{Keyword, Token, TokenKind};
use super::super::value::Text;
use super::super::{MAX_VARIABLES, literal};
use super::{Parsed, Parser};

impl Parser<'_> {
    /// Variables that are declared or set, then commands, up to `end`.
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Parsed<Pipe> {
        let start = self.tokens.peek_non_space().span.start;
        let mut pipe = Pipe {
            span: start..start,
            variables: Vec::new(),
            assigns: false,
            commands: Vec::new(),
        };
        while self.declaration(&mut pipe, context)? {}
        loop {
            let token = self.tokens.next_non_space();
            if token.kind == end {
                pipe.span.end = token.span.start;
                self.check_pipeline(&pipe, context)?;
                return Ok(pipe);
            }
            if !begins_command(token.kind) {
                return Err(self.unexpected(&token, context));
            }
            self.tokens.put_back(token);
            pipe.commands.push(self.command()?);
        }
    }

    /// Reads `$x :=`, `$x =` or `$x,`, if that is what comes; true if a second variable may follow.
    fn declaration(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<bool> {
        if self.tokens.peek_non_space().kind != TokenKind::Variable {
            return Ok(false);
        }
        let variable = self.tokens.next();
        let after = self.tokens.peek();
        let next = self.tokens.next_non_space();
        let comma = next.kind == TokenKind::Char && &self.source[next.span.clone()] == ",";
        match next.kind {
            TokenKind::Assign | TokenKind::Declare => {
                pipe.assigns = next.kind == TokenKind::Assign;
                self.declare(pipe, &variable)?;
                Ok(false)
            }
            _ if comma => {
                self.declare(pipe, &variable)?;
                if context != "range" || pipe.variables.len() >= 2 {
                    return Err(self.error(format!("too many declarations in {context}")));
                }
                match self.tokens.peek_non_space().kind {
                    TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen => Ok(true),
                    _ => Err(self.error("range can only initialize variables")),
                }
            }
            _ => {
                self.tokens.put_back(next);
                if after.kind == TokenKind::Space {
                    self.tokens.put_back(after);
                }
                self.tokens.put_back(variable);
                Ok(false)
            }
        }
    }

    fn declare(&mut self, pipe: &mut Pipe, variable: &Token) -> Parsed<()> {
        if self.variables.len() >= MAX_VARIABLES {
            let cause = format!("more variables than the limit of {MAX_VARIABLES}");
            return Err(self.error_at(variable.span.start, cause));
        }
        let name = self.source[variable.span.clone()].to_owned();
        pipe.variables.push(name.clone());
        self.variables.push(name);
        Ok(())
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            if command.operands[0].kind.is_plain() {
                let message = format!("non executable command in pipeline stage {}", index + 1);
                return Err(self.error_at(command.operands[0].span.start, message));
            }
        }
        Ok(())
    }

    /// Operands up to a `|`, which is read, or the end of the pipeline, which is not.
    fn command(&mut self) -> Parsed<Command> {
        let mut operands = Vec::new();
        loop {
            self.tokens.peek_non_space();
            if let Some(operand) = self.operand()? {
                operands.push(operand);
            }
            let token = self.tokens.next();
            match token.kind {
                TokenKind::Space => {}
                TokenKind::RightDelim | TokenKind::RightParen => {
                    self.tokens.put_back(token);
                    break;
                }
                TokenKind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        if operands.is_empty() {
            return Err(self.error("empty command"));
        }
        Ok(Command { operands })
    }

    /// A term and the fields behind it.
    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(mut operand) = self.term()? else {
            return Ok(None);
        };
        let mut fields = Vec::new();
        let mut end = operand.span.end;
        while self.tokens.peek().kind == TokenKind::Field {
            let field = self.tokens.next();
            end = field.span.end;
            fields.push(self.field_name(&field));
        }
        if fields.is_empty() {
            return Ok(Some(operand));
        }
        let span = operand.span.start..end;
        match &mut operand.kind {
            OperandKind::Field(names) | OperandKind::Variable(_, names) => {
                names.append(&mut fields);
                operand.span = span;
                Ok(Some(operand))
            }
            kind if kind.is_plain() => {
                let term = &self.source[operand.span.clone()];
                Err(self.error(format!("unexpected . after term {term:?}")))
            }
            _ => Ok(Some(Operand {
                span,
                kind: OperandKind::Chain(Box::new(operand), fields),
            })),
        }
    }

    fn field_name(&self, field: &Token) -> Text {
        Text::from(&self.source[field.span.start + 1..field.span.end])
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let token = self.tokens.next_non_space();
        let text = &self.source[token.span.clone()];
        let place = token.span.start;
        let kind = match token.kind {
            TokenKind::Identifier => self.function(text, place),
            TokenKind::Dot => Ok(OperandKind::Dot),
            TokenKind::Keyword(Keyword::Nil) => Ok(OperandKind::Nil),
            TokenKind::Variable => self.variable(text, place),
            TokenKind::Field => Ok(OperandKind::Field(vec![self.field_name(&token)])),
            TokenKind::Bool => Ok(OperandKind::Bool(text == "true")),
            TokenKind::CharConstant => self.number(literal::character(text), place),
            TokenKind::Number | TokenKind::Complex => self.number(literal::number(text), place),
            TokenKind::Quoted | TokenKind::RawQuoted => {
                self.unquoted(&token.span).map(OperandKind::Text)
            }
            TokenKind::LeftParen => return self.parenthesized(token.span.start).map(Some),
            _ => {
                self.tokens.put_back(token);
                return Ok(None);
            }
        }?;
        Ok(Some(Operand {
            span: token.span,
            kind,
        }))
    }

    fn number(&self, parsed: Result<Number, String>, place: usize) -> Parsed<OperandKind> {
        match parsed {
            Ok(number) => Ok(OperandKind::Number(number)),
            Err(cause) => Err(self.error_at(place, cause)),
        }
    }

    fn parenthesized(&mut self, start: usize) -> Parsed<Operand> {
        self.enter("(", start)?;
        let pipe = self.pipeline("parenthesized pipeline", TokenKind::RightParen)?;
        self.open.pop();
        Ok(Operand {
            span: start..pipe.span.end + 1,
            kind: OperandKind::Pipe(Box::new(pipe)),
        })
    }

    fn function(&self, name: &str, place: usize) -> Parsed<OperandKind> {
        if let Some(function) = Function::from_name(name) {
            return Ok(OperandKind::Function(function));
        }
        let error = self.error_at(place, format!("function {name:?} not defined"));
        Err(match Function::similar(name) {
            Some(similar) => error.with_help(format!("did you mean `{similar}`?")),
            None => error.with_help(format!("for a variable of that name write `.{name}`")),
        })
    }

    fn variable(&self, name: &str, place: usize) -> Parsed<OperandKind> {
        if self.variables.iter().any(|known| known == name) {
            return Ok(OperandKind::Variable(name.to_owned(), Vec::new()));
        }
        Err(self.error_at(place, format!("undefined variable {name:?}")))
    }
}

fn begins_command(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Bool
            | TokenKind::CharConstant
            | TokenKind::Complex
            | TokenKind::Dot
            | TokenKind::Field
            | TokenKind::Identifier
            | TokenKind::Number
            | TokenKind::Keyword(Keyword::Nil)
            | TokenKind::RawQuoted
            | TokenKind::Quoted
            | TokenKind::Variable
            | TokenKind::LeftParen
    )
}

impl OperandKind {
    /// Whether it is a value that can neither be called nor have fields.
    fn is_plain(&self) -> bool {
        matches!(
            self,
            OperandKind::Bool(_)
                | OperandKind::Dot
                | OperandKind::Nil
                | OperandKind::Number(_)
                | OperandKind::Text(_)
        )
    }
}
