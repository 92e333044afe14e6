//! Reverse-mode differentiation over `f64` scalars: slow, obvious, and independent of the kernels.

use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Sub};

thread_local! {
    static TAPE: RefCell<Vec<[(usize, f64); 2]>> = const { RefCell::new(Vec::new()) };
}

#[derive(Clone, Copy)]
pub struct Var {
    index: usize,
    pub value: f64,
}

impl Var {
    pub fn new(value: f64) -> Self {
        Self::push(value, [(0, 0.0); 2])
    }

    fn push(value: f64, parents: [(usize, f64); 2]) -> Self {
        TAPE.with_borrow_mut(|tape| {
            tape.push(parents);
            Self { index: tape.len() - 1, value }
        })
    }

    fn map(self, value: f64, slope: f64) -> Self {
        Self::push(value, [(self.index, slope), (0, 0.0)])
    }

    pub fn exp(self) -> Self {
        self.map(self.value.exp(), self.value.exp())
    }

    pub fn ln(self) -> Self {
        self.map(self.value.ln(), 1.0 / self.value)
    }

    pub fn sqrt(self) -> Self {
        self.map(self.value.sqrt(), 0.5 / self.value.sqrt())
    }

    pub fn erf(self) -> Self {
        let slope = 2.0 / std::f64::consts::PI.sqrt() * (-self.value * self.value).exp();
        self.map(libm::erf(self.value), slope)
    }

    pub fn times(self, factor: f64) -> Self {
        self.map(self.value * factor, factor)
    }

    /// Derivative of `self` with respect to every variable made since [`clear`].
    pub fn backward(self) -> Adjoints {
        TAPE.with_borrow(|tape| {
            let mut adjoints = vec![0.0; tape.len()];
            adjoints[self.index] = 1.0;
            for index in (0..tape.len()).rev() {
                let adjoint = adjoints[index];
                for (parent, slope) in tape[index] {
                    if slope != 0.0 {
                        adjoints[parent] += adjoint * slope;
                    }
                }
            }
            Adjoints(adjoints)
        })
    }
}

pub struct Adjoints(Vec<f64>);

impl Adjoints {
    pub fn of(&self, variables: &[Var]) -> Vec<f64> {
        variables.iter().map(|variable| self.0[variable.index]).collect()
    }
}

pub fn clear() {
    TAPE.with_borrow_mut(Vec::clear);
}

impl Add for Var {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::push(self.value + other.value, [(self.index, 1.0), (other.index, 1.0)])
    }
}

impl Sub for Var {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::push(self.value - other.value, [(self.index, 1.0), (other.index, -1.0)])
    }
}

impl Mul for Var {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::push(self.value * other.value, [(self.index, other.value), (other.index, self.value)])
    }
}

impl Div for Var {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self::push(value, [(self.index, 1.0 / other.value), (other.index, -value / other.value)])
    }
}
