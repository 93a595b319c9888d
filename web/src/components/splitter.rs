//! The edge between two panes: dragged by a pointer, moved by arrow keys.

use web_sys::{Element, KeyboardEvent, PointerEvent};
use yew::prelude::*;

/// How far one key moves an edge, in CSS pixels.
const STEP: i32 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    /// It stands upright; the pane before it gets the size.
    Vertical,
    /// It lies; the pane after it gets the size.
    Horizontal,
}

#[derive(Properties, PartialEq)]
pub(crate) struct SplitterProps {
    pub(crate) axis: Axis,
    pub(crate) label: AttrValue,
    /// The pane's size in CSS pixels.
    pub(crate) value: i32,
    /// Least, first and most.
    pub(crate) range: (i32, i32, i32),
    pub(crate) resize: Callback<i32>,
}

#[component]
pub(crate) fn Splitter(props: &SplitterProps) -> Html {
    let SplitterProps { axis, label, value, range, resize } = props;
    let (axis, value) = (*axis, *value);
    // Where the pointer went down, and the size then.
    let grip = use_mut_ref(|| None::<(i32, i32)>);
    let along = move |event: &PointerEvent| match axis {
        Axis::Vertical => event.client_x(),
        Axis::Horizontal => -event.client_y(),
    };
    let down = {
        let grip = grip.clone();
        Callback::from(move |event: PointerEvent| {
            if let Some(edge) = event.target_dyn_into::<Element>() {
                // Without it the drag ends at the edge, and nothing is lost.
                let _ = edge.set_pointer_capture(event.pointer_id());
            }
            event.prevent_default();
            *grip.borrow_mut() = Some((along(&event), value));
        })
    };
    let moved = {
        let (grip, resize) = (grip.clone(), resize.clone());
        Callback::from(move |event: PointerEvent| {
            let from = *grip.borrow();
            if let Some((at, size)) = from {
                resize.emit(size + along(&event) - at);
            }
        })
    };
    let up = Callback::from(move |_: PointerEvent| *grip.borrow_mut() = None);
    let key = {
        let (resize, (least, first, most)) = (resize.clone(), *range);
        Callback::from(move |event: KeyboardEvent| {
            let size = match (axis, event.key().as_str()) {
                (Axis::Vertical, "ArrowLeft") | (Axis::Horizontal, "ArrowDown") => value - STEP,
                (Axis::Vertical, "ArrowRight") | (Axis::Horizontal, "ArrowUp") => value + STEP,
                (_, "Home") => least,
                (_, "End") => most,
                (_, "Enter") => first,
                _ => return,
            };
            event.prevent_default();
            resize.emit(size);
        })
    };
    let reset = {
        let (resize, first) = (resize.clone(), range.1);
        Callback::from(move |_: MouseEvent| resize.emit(first))
    };
    let (class, orientation) = match axis {
        Axis::Vertical => ("split vertical", "vertical"),
        Axis::Horizontal => ("split horizontal", "horizontal"),
    };
    html! {
        <div
            {class}
            role="separator"
            tabindex="0"
            aria-label={label}
            aria-orientation={orientation}
            aria-valuenow={value.to_string()}
            aria-valuemin={range.0.to_string()}
            aria-valuemax={range.2.to_string()}
            onpointerdown={down}
            onpointermove={moved}
            onpointerup={up.clone()}
            onpointercancel={up}
            onkeydown={key}
            ondblclick={reset}
        ></div>
    }
}
