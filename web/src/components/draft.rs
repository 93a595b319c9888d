//! What is being typed into a form. A page that is busy hears keys before it has drawn the ones before, so whoever changes or
//! sends a form asks for the newest of it, and never for what was drawn last.

use std::cell::RefCell;
use std::rc::Rc;

use yew::prelude::*;

#[derive(Clone)]
pub(crate) struct Draft<T> {
    newest: Rc<RefCell<T>>,
    draw: UseForceUpdateHandle,
}

impl<T: Clone> Draft<T> {
    pub(crate) fn newest(&self) -> T {
        self.newest.borrow().clone()
    }

    /// Changes it, and has the form drawn.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let changed = change(&mut self.newest.borrow_mut());
        self.draw.force_update();
        changed
    }
}

#[hook]
pub(crate) fn use_draft<T: 'static>(first: impl FnOnce() -> T) -> Draft<T> {
    let newest = use_mut_ref(first);
    Draft { newest, draw: use_force_update() }
}
