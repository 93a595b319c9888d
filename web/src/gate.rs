//! A gate that opens once: who waits goes on when it does.

use std::cell::{Cell, RefCell};

use futures_channel::oneshot;

#[derive(Default)]
pub(crate) struct Gate {
    is_open: Cell<bool>,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
}

impl Gate {
    pub(crate) fn open(&self) {
        self.is_open.set(true);
        for waiting in self.waiting.take() {
            // Who waited may have gone.
            let _ = waiting.send(());
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open.get()
    }

    /// Until it opens; whoever waits does not hold it.
    pub(crate) fn passed(&self) -> impl Future<Output = ()> + use<> {
        let opened = (!self.is_open.get()).then(|| {
            let (sender, opened) = oneshot::channel();
            self.waiting.borrow_mut().push(sender);
            opened
        });
        async move {
            if let Some(opened) = opened {
                // A gate that is gone is open, too.
                let _ = opened.await;
            }
        }
    }
}
