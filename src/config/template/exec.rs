//! Walks a parsed template and writes what it says.

use super::ast::{Branch, Node, Pipe, Span};
use super::output::Output;
use super::print::Sink;
use super::value::{Text, Value};
use super::{
    MAX_DEPTH, MAX_OUTPUT, MAX_WORK, Rendered, Template, TemplateError, Variables, WORK_PER_NODE,
};

/// Renders the text of a template without a name.
pub(super) fn render(
    template: &Template,
    dot: &Value,
    env: &Variables,
) -> Result<Rendered, TemplateError> {
    let mut exec = Exec {
        template,
        env,
        out: Output::new(&template.source, MAX_OUTPUT),
        work: MAX_WORK,
        depth: 0,
    };
    let mut frame = Frame::new(dot.clone());
    if let Some(root) = template.trees.get(&Text::from("")) {
        exec.nodes(&mut frame, dot, &root.nodes)?;
    }
    let (text, map) = exec.out.finish();
    Ok(Rendered { text, map })
}

/// The state of a rendering.
pub(super) struct Exec<'t> {
    pub(super) template: &'t Template,
    pub(super) env: &'t Variables,
    out: Output<'t>,
    /// What is left of [`MAX_WORK`].
    work: usize,
    /// How deep blocks, parentheses and calls of templates are nested; bounds the stack.
    depth: usize,
}

/// The variables of one call of a template, the newest last. The first is `$`.
pub(super) struct Frame<'t> {
    variables: Vec<(&'t str, Value)>,
}

/// How a list of nodes ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

pub(super) type Executed<T> = Result<T, TemplateError>;

impl<'t> Frame<'t> {
    fn new(dot: Value) -> Frame<'t> {
        Frame {
            variables: vec![("$", dot)],
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let mut newest = self.variables.iter().rev();
        newest
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// What it costs to look a variable up.
    pub(super) fn work(&self) -> usize {
        self.variables.len() / 8
    }

    /// Declares a variable.
    pub(super) fn push(&mut self, name: &'t str, value: Value) {
        self.variables.push((name, value));
    }

    /// Gives the newest variable of a name a value; false if there is none.
    pub(super) fn set(&mut self, name: &str, value: Value) -> bool {
        let mut newest = self.variables.iter_mut().rev();
        let found = newest.find(|(known, _)| *known == name);
        found.is_some_and(|variable| {
            variable.1 = value;
            true
        })
    }

    /// Gives the variable that is `place` from the top a value, 1 being the newest; false if there are not as many.
    fn set_top(&mut self, place: usize, value: Value) -> bool {
        let index = self.variables.len().checked_sub(place);
        index.is_some_and(|index| {
            self.variables[index].1 = value;
            true
        })
    }
}

impl<'t> Exec<'t> {
    fn nodes(&mut self, frame: &mut Frame<'t>, dot: &Value, nodes: &'t [Node]) -> Executed<Flow> {
        for node in nodes {
            let flow = self.node(frame, dot, node)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, frame: &mut Frame<'t>, dot: &Value, node: &'t Node) -> Executed<Flow> {
        match node {
            Node::Text(span) => {
                self.charge(WORK_PER_NODE, span)?;
                self.out
                    .copy(span.start, span.end)
                    .map_err(|_| self.too_long(span))?;
                Ok(Flow::Next)
            }
            Node::Action(pipe) => {
                let value = self.pipeline(frame, dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.print(&value, &pipe.span)?;
                }
                Ok(Flow::Next)
            }
            Node::If(branches, otherwise) => {
                let mark = frame.variables.len();
                let flow = self.conditional(frame, dot, branches, otherwise.as_deref());
                frame.variables.truncate(mark);
                flow
            }
            Node::With(branch, otherwise) => {
                let mark = frame.variables.len();
                let flow = self.with(frame, dot, branch, otherwise.as_deref());
                frame.variables.truncate(mark);
                flow
            }
            Node::Range(branch, otherwise) => {
                let mark = frame.variables.len();
                let flow = self.range(frame, dot, branch, otherwise.as_deref());
                frame.variables.truncate(mark);
                flow
            }
            Node::Call(span, name, pipe) => {
                self.call_template(frame, dot, span, name, pipe.as_ref())?;
                Ok(Flow::Next)
            }
            Node::Break => Ok(Flow::Break),
            Node::Continue => Ok(Flow::Continue),
        }
    }

    /// The nodes of a block, one level deeper.
    fn body(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        nodes: &'t [Node],
        span: &Span,
    ) -> Executed<Flow> {
        self.descend(span)?;
        let flow = self.nodes(frame, dot, nodes)?;
        self.depth -= 1;
        Ok(flow)
    }

    fn conditional(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        branches: &'t [Branch],
        otherwise: Option<&'t [Node]>,
    ) -> Executed<Flow> {
        for branch in branches {
            if self.pipeline(frame, dot, &branch.pipe)?.is_true() {
                return self.body(frame, dot, &branch.body, &branch.pipe.span);
            }
        }
        match otherwise {
            Some(nodes) => self.body(frame, dot, nodes, &branches[0].pipe.span),
            None => Ok(Flow::Next),
        }
    }

    fn with(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        branch: &'t Branch,
        otherwise: Option<&'t [Node]>,
    ) -> Executed<Flow> {
        let value = self.pipeline(frame, dot, &branch.pipe)?;
        if value.is_true() {
            return self.body(frame, &value, &branch.body, &branch.pipe.span);
        }
        match otherwise {
            Some(nodes) => self.body(frame, dot, nodes, &branch.pipe.span),
            None => Ok(Flow::Next),
        }
    }

    fn range(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        branch: &'t Branch,
        otherwise: Option<&'t [Node]>,
    ) -> Executed<Flow> {
        let span = &branch.pipe.span;
        match self.pipeline(frame, dot, &branch.pipe)? {
            Value::List(list) if !list.is_empty() => {
                for (index, item) in (0i64..).zip(list.as_slice()) {
                    if self.turn(frame, branch, Value::Int(index), item)? == Flow::Break {
                        break;
                    }
                }
                return Ok(Flow::Next);
            }
            Value::Map(map) if map.len() > 0 => {
                for (key, item) in map.iter() {
                    if self.turn(frame, branch, Value::Text(key.clone()), item)? == Flow::Break {
                        break;
                    }
                }
                return Ok(Flow::Next);
            }
            Value::List(_) | Value::Map(_) | Value::Nil => {}
            other => {
                let mut shown = Sink::new(80);
                shown.value(&other);
                let shown = String::from_utf8_lossy(&shown.into_bytes()).into_owned();
                return Err(self.failed(span, format!("range can't iterate over {shown}")));
            }
        }
        let Some(nodes) = otherwise else {
            return Ok(Flow::Next);
        };
        // A `break` here belongs to the `range` around, but Go 1.19 ends only this list with it. `continue` goes out.
        match self.body(frame, dot, nodes, span)? {
            Flow::Break => Ok(Flow::Next),
            flow => Ok(flow),
        }
    }

    /// One turn of a `range`. The newest variables get item and index whatever their names are: with `=` instead of
    /// `:=` that is a fault of Go 1.19, and kept.
    fn turn(
        &mut self,
        frame: &mut Frame<'t>,
        branch: &'t Branch,
        index: Value,
        item: &Value,
    ) -> Executed<Flow> {
        let mark = frame.variables.len();
        let count = branch.pipe.variables.len();
        let mut good = true;
        if count > 0 {
            good &= frame.set_top(1, item.clone());
        }
        if count > 1 {
            good &= frame.set_top(2, index);
        }
        if !good {
            return Err(self.failed(&branch.pipe.span, "too few variables to set"));
        }
        self.charge(WORK_PER_NODE, &branch.pipe.span)?;
        let flow = self.body(frame, item, &branch.body, &branch.pipe.span)?;
        frame.variables.truncate(mark);
        Ok(flow)
    }

    fn call_template(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Value,
        span: &'t Span,
        name: &Text,
        pipe: Option<&'t Pipe>,
    ) -> Executed<()> {
        let Some(tree) = self.template.trees.get(name) else {
            return Err(self.failed(span, format!("template {name:?} not defined")));
        };
        let inner = match pipe {
            Some(pipe) => self.pipeline(frame, dot, pipe)?,
            None => Value::Nil,
        };
        self.charge(WORK_PER_NODE, span)?;
        let mut inner_frame = Frame::new(inner.clone());
        self.body(&mut inner_frame, &inner, &tree.nodes, span)?;
        Ok(())
    }

    fn print(&mut self, value: &Value, span: &Span) -> Executed<()> {
        let mut sink = Sink::new(MAX_OUTPUT);
        match value {
            Value::Nil | Value::Null => sink.push(b"<no value>"),
            other => sink.value(other),
        }
        let full = sink.is_full();
        let printed = self.out.print(&sink.into_bytes(), span.start);
        if full || printed.is_err() {
            return Err(self.too_long(span));
        }
        Ok(())
    }

    fn too_long(&self, span: &Span) -> TemplateError {
        let cause = format!("the rendered text exceeds the limit of {MAX_OUTPUT} bytes");
        TemplateError::at(&self.template.source, span.start, cause)
    }

    /// Goes one level deeper. After an error nothing is rendered any more, so only the good way comes back up.
    pub(super) fn descend(&mut self, span: &Span) -> Executed<()> {
        if self.depth >= MAX_DEPTH {
            let cause = format!("exceeded maximum template depth ({MAX_DEPTH})");
            return Err(self.failed(span, cause));
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn ascend(&mut self) {
        self.depth -= 1;
    }

    /// Takes `units` off the work that a rendering may do.
    pub(super) fn charge(&mut self, units: usize, span: &Span) -> Executed<()> {
        let Some(left) = self.work.checked_sub(units) else {
            let cause = "the template does more work than the limit allows";
            return Err(self.failed(span, cause));
        };
        self.work = left;
        Ok(())
    }

    /// How long a text may be that a function makes.
    pub(super) fn text_limit(&self) -> usize {
        self.work.min(MAX_OUTPUT)
    }

    /// An error in the rendering of what stands at `span`.
    pub(super) fn failed(&self, span: &Span, cause: impl AsRef<str>) -> TemplateError {
        let source = &self.template.source;
        let shown = self.shown(span);
        let message = format!("cannot render `{shown}`: {}", cause.as_ref());
        TemplateError::at(source, span.start, message)
    }

    /// A part of the source as messages show it: one line, not too long.
    pub(super) fn shown(&self, span: &Span) -> String {
        let text = self.template.source[span.clone()].trim();
        let line = text.lines().next().unwrap_or_default();
        let shown: String = line.chars().take(60).collect();
        if shown.len() == text.len() {
            return shown;
        }
        shown + "…"
    }
}
