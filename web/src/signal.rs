//! A value that changes too often to be part of the state: who shows it listens to it alone.

use std::cell::{Cell, RefCell};

use yew::Callback;

pub(crate) struct Signal<T> {
    value: Cell<T>,
    listener: RefCell<Option<Callback<T>>>,
}

impl<T: Copy + PartialEq + 'static> Signal<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Cell::new(value), listener: RefCell::new(None) }
    }

    pub(crate) fn get(&self) -> T {
        self.value.get()
    }

    pub(crate) fn set(&self, value: T) {
        if self.value.replace(value) != value {
            let listener = self.listener.borrow().clone();
            if let Some(listener) = listener {
                listener.emit(value);
            }
        }
    }

    /// Tells the one component that shows the value.
    pub(crate) fn listen(&self, listener: Option<Callback<T>>) {
        *self.listener.borrow_mut() = listener;
    }
}
