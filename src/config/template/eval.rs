//! Evaluates pipelines: from what stands in an action to a value.

use super::WORK_PER_NODE;
use super::ast::{Command, Number, Operand, OperandKind, Pipe, Span};
use super::exec::{Exec, Executed, Frame};
use super::functions::{Function, Param};
use super::value::{Items, Text, Value};

impl<'t> Exec<'t> {
    /// The value of a pipeline; it is given to the variables that the pipeline names, too.
    pub(super) fn pipeline(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        pipe: &'t Pipe,
    ) -> Executed<Value> {
        self.charge(WORK_PER_NODE, &pipe.span)?;
        self.descend(&pipe.span)?;
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(frame, dot, command, value)?.settled());
        }
        self.ascend();
        let value = value.unwrap_or(Value::Nil);
        for name in &pipe.variables {
            if !pipe.assigns {
                frame.push(name, value.clone());
            } else if !frame.set(name, value.clone()) {
                return Err(self.failed(&pipe.span, format!("undefined variable: {name}")));
            }
        }
        Ok(value)
    }

    /// The value of a command; `piped` is what the command before it gave.
    fn command(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        command: &'t Command,
        piped: Option<Value>,
    ) -> Executed<Value> {
        let first = &command.operands[0];
        let has_arguments = command.operands.len() > 1 || piped.is_some();
        match &first.kind {
            OperandKind::Function(function) => {
                return self.call(frame, dot, *function, &command.operands, piped);
            }
            OperandKind::Field(names) => {
                return self.fields(dot.clone(), names, has_arguments, &first.span);
            }
            OperandKind::Chain(base, names) => {
                let base = self.argument(frame, dot, base, None)?;
                return self.fields(base, names, has_arguments, &first.span);
            }
            OperandKind::Variable(name, names) if !names.is_empty() => {
                let base = self.variable(frame, name, &first.span)?;
                return self.fields(base, names, has_arguments, &first.span);
            }
            _ => {}
        }
        if has_arguments {
            let shown = self.shown(&first.span);
            let cause = format!("can't give argument to non-function {shown}");
            return Err(self.failed(&first.span, cause));
        }
        match &first.kind {
            OperandKind::Pipe(pipe) => self.pipeline(frame, dot, pipe),
            OperandKind::Variable(name, _) => self.variable(frame, name, &first.span),
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Nil => Err(self.failed(&first.span, "nil is not a command")),
            _ => self.constant(first),
        }
    }

    fn variable(&mut self, frame: &Frame<'t>, name: &str, span: &Span) -> Executed<Value> {
        self.charge(frame.work(), span)?;
        match frame.get(name) {
            Some(value) => Ok(value.clone()),
            None => Err(self.failed(span, format!("undefined variable: {name}"))),
        }
    }

    /// The value of a literal.
    fn constant(&self, operand: &Operand) -> Executed<Value> {
        match &operand.kind {
            OperandKind::Bool(truth) => Ok(Value::Bool(*truth)),
            OperandKind::Number(Number::Int(number)) => Ok(Value::Int(*number)),
            OperandKind::Number(Number::Float(number)) => Ok(Value::Float(*number)),
            OperandKind::Text(text) => Ok(Value::Text(text.clone())),
            _ => {
                let shown = self.shown(&operand.span);
                Err(self.failed(&operand.span, format!("{shown} overflows int")))
            }
        }
    }

    /// `.A.B` of a value. Only the last name may have arguments in Go, where it may be a method; here none may.
    fn fields(
        &self,
        base: Value,
        names: &[Text],
        has_arguments: bool,
        span: &Span,
    ) -> Executed<Value> {
        let mut value = base;
        for (index, name) in names.iter().enumerate() {
            let called = has_arguments && index + 1 == names.len();
            value = field(&value, name, called).map_err(|cause| self.failed(span, cause))?;
        }
        Ok(value)
    }

    /// The value of an operand that is an argument for `param`, or the base of a chain when there is none.
    fn argument(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        operand: &'t Operand,
        param: Option<Param>,
    ) -> Executed<Value> {
        let span = &operand.span;
        let value = match &operand.kind {
            OperandKind::Dot => dot.clone(),
            OperandKind::Field(names) => self.fields(dot.clone(), names, false, span)?,
            OperandKind::Variable(name, names) => {
                let base = self.variable(frame, name, span)?;
                self.fields(base, names, false, span)?
            }
            OperandKind::Pipe(pipe) => self.pipeline(frame, dot, pipe)?,
            OperandKind::Function(function) => {
                let alone = std::slice::from_ref(operand);
                self.call(frame, dot, *function, alone, None)?
            }
            OperandKind::Chain(base, names) => {
                let base = self.argument(frame, dot, base, None)?;
                self.fields(base, names, false, span)?
            }
            OperandKind::Nil => {
                return match param {
                    Some(Param::Text) => Err(self.failed(span, "cannot assign nil to string")),
                    None => Err(self.failed(span, "indirection through explicit nil")),
                    Some(_) => Ok(Value::Nil),
                };
            }
            _ => return self.literal_argument(operand, param),
        };
        check_type(value, param).map_err(|cause| self.failed(span, cause))
    }

    fn literal_argument(&self, operand: &Operand, param: Option<Param>) -> Executed<Value> {
        let shown = || self.shown(&operand.span);
        let cause = match (param, &operand.kind) {
            (Some(Param::Text), OperandKind::Text(_)) | (None | Some(Param::Any), _) => {
                return self.constant(operand);
            }
            (Some(Param::Text), _) => format!("expected string; found {}", shown()),
            (Some(Param::Texts), _) => {
                format!("can't handle {} for arg of type []string", shown())
            }
        };
        Err(self.failed(&operand.span, cause))
    }

    /// Calls a function. The first operand is the function itself; a piped value is the last argument.
    fn call(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        function: Function,
        operands: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        let span = &operands[0].span;
        let given = &operands[1..];
        let count = given.len() + usize::from(piped.is_some());
        if let Some(cause) = function.wrong_count(count) {
            return Err(self.failed(span, cause));
        }
        if let Function::And | Function::Or = function {
            return self.short_circuit(frame, dot, function, given, piped);
        }
        let mut arguments = Vec::with_capacity(count);
        for (index, operand) in given.iter().enumerate() {
            let value = self.argument(frame, dot, operand, Some(function.param(index)))?;
            arguments.push(value.settled());
        }
        if let Some(piped) = piped {
            let param = function.param(count - 1);
            let value = check_type(piped, Some(param)).map_err(|cause| self.failed(span, cause))?;
            arguments.push(value.settled());
        }
        let texts: usize = arguments.iter().map(Value::text_length).sum();
        self.charge(WORK_PER_NODE + texts / 16, span)?;
        let whole = span.start..operands[operands.len() - 1].span.end;
        let (result, work) = function
            .call(&arguments, self.env, self.text_limit())
            .map_err(|cause| {
                let cause = format!("error calling {}: {cause}", function.name());
                self.failed(&whole, cause)
            })?;
        self.charge(work, &whole)?;
        Ok(result)
    }

    /// `and` and `or` leave the arguments alone that cannot change the answer.
    fn short_circuit(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        function: Function,
        given: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        let mut value = Value::Nil;
        for operand in given {
            value = self.argument(frame, dot, operand, Some(Param::Any))?;
            if value.is_true() == (function == Function::Or) {
                return Ok(value);
            }
        }
        Ok(piped.unwrap_or(value))
    }
}

/// A field of a value: the value of a key of a map. A field of no value is no value.
fn field(value: &Value, name: &Text, has_arguments: bool) -> Result<Value, String> {
    let shown = String::from_utf8_lossy(name.as_bytes());
    match value {
        Value::Nil => Ok(Value::Nil),
        Value::Null => Err(format!("nil pointer evaluating interface {{}}.{shown}")),
        Value::Map(_) if has_arguments => Err(format!("{shown} is not a method but has arguments")),
        Value::Map(map) => Ok(map.get(name)),
        other => Err(format!(
            "can't evaluate field {shown} in type {}",
            other.type_name()
        )),
    }
}

/// Whether a value may be an argument; nothing is converted, as in Go.
fn check_type(value: Value, param: Option<Param>) -> Result<Value, String> {
    let expected = match (param, &value) {
        (None | Some(Param::Any), _)
        | (Some(Param::Text), Value::Text(_))
        | (Some(Param::Texts), Value::Nil) => return Ok(value),
        (Some(Param::Texts), Value::List(list)) if list.items == Items::Text => return Ok(value),
        (Some(Param::Text), Value::Nil) => {
            return Err("invalid value; expected string".to_owned());
        }
        (Some(Param::Text), _) => "string",
        (Some(Param::Texts), _) => "[]string",
    };
    let got = value.type_name();
    Err(format!(
        "wrong type for value; expected {expected}; got {got}"
    ))
}
