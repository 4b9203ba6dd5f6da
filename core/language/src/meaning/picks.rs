//! The decisions about an ambiguous sentence.

use crate::{Assumption, Reason, Refusal, Span};

/// A decision that was made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) span: Span,
    pub(crate) question: &'static str,
    /// The number of options.
    pub(crate) options: usize,
    /// The chosen option, in words.
    pub(crate) means: String,
}

/// The option to choose at each decision, and the assumptions so far.
#[derive(Debug, Default)]
pub(crate) struct Picks {
    wanted: Vec<usize>,
    pub(crate) made: Vec<Made>,
    pub(crate) assumptions: Vec<Assumption>,
}

impl Picks {
    /// Chooses option `wanted[n]` at the n-th decision, and the first option at further decisions.
    pub(crate) fn new(wanted: Vec<usize>, assumptions: Vec<Assumption>) -> Self {
        Self { wanted, assumptions, ..Self::default() }
    }

    /// Chooses one of the options. A single option is not a decision.
    pub(crate) fn choose<T>(
        &mut self,
        span: Span,
        question: &'static str,
        mut options: Vec<(T, String)>,
    ) -> Result<T, Refusal> {
        let count = options.len();
        let number =
            if count > 1 { self.wanted.get(self.made.len()).copied().unwrap_or(0) } else { 0 };
        if number >= count {
            return Err(Refusal::new(Reason::NotUnderstood, span, question));
        }
        let (option, means) = options.swap_remove(number);
        if count > 1 {
            self.made.push(Made { span, question, options: count, means });
        }
        Ok(option)
    }

    /// Records a detail that the phrase leaves open.
    pub(crate) fn assume(&mut self, cost: u8, text: impl Into<String>) {
        let text = text.into();
        if !self.assumptions.iter().any(|known| known.text == text) {
            self.assumptions.push(Assumption { text, cost });
        }
    }

    /// Returns the decisions of the next combination; `None` after the last.
    pub(crate) fn next(&self) -> Option<Vec<usize>> {
        let mut wanted: Vec<usize> =
            (0..self.made.len()).map(|at| self.wanted.get(at).copied().unwrap_or(0)).collect();
        while let Some(last) = wanted.pop() {
            let options = self.made.get(wanted.len()).map_or(0, |made| made.options);
            if last + 1 < options {
                wanted.push(last + 1);
                return Some(wanted);
            }
        }
        None
    }
}
