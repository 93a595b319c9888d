//! The edge between two panes: dragged by a pointer, moved by arrow keys.

use web_sys::{Element, KeyboardEvent, PointerEvent};
use yew::prelude::*;

use crate::state::groups::WHOLE;

/// How far one key moves an edge, in CSS pixels or thousandths.
const STEP: i32 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    /// It stands upright.
    Vertical,
    /// It lies.
    Horizontal,
}

/// Which of the two panes has the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sized {
    Before,
    After,
}

/// What the size is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Unit {
    #[default]
    Pixels,
    /// Thousandths of the element around the edge.
    Shares,
}

#[derive(Properties, PartialEq)]
pub(crate) struct SplitterProps {
    pub(crate) axis: Axis,
    pub(crate) label: AttrValue,
    pub(crate) sized: Sized,
    #[prop_or_default]
    pub(crate) unit: Unit,
    pub(crate) value: i32,
    /// Least, first and most.
    pub(crate) range: (i32, i32, i32),
    pub(crate) resize: Callback<i32>,
}

#[component]
pub(crate) fn Splitter(props: &SplitterProps) -> Html {
    let SplitterProps { axis, label, sized, unit, value, range, resize } = props;
    let (axis, sized, unit, value) = (*axis, *sized, *unit, *value);
    // Where the pointer went down, the size then, and what a pixel is of it.
    let grip = use_mut_ref(|| None::<(i32, i32, f64)>);
    let along = move |event: &PointerEvent| match axis {
        Axis::Vertical => event.client_x(),
        Axis::Horizontal => event.client_y(),
    };
    let grows = if sized == Sized::Before { 1 } else { -1 };
    let of_a_pixel = move |edge: &Element| {
        let around =
            edge.parent_element().map(|around| around.get_bounding_client_rect()).filter(|_| unit == Unit::Shares);
        around.map_or(1.0, |around| {
            let length = if axis == Axis::Vertical { around.width() } else { around.height() };
            f64::from(WHOLE) / length.max(1.0)
        })
    };
    let down = {
        let grip = grip.clone();
        Callback::from(move |event: PointerEvent| {
            let Some(edge) = event.target_dyn_into::<Element>() else { return };
            // Without it the drag ends at the edge, and nothing is lost.
            let _ = edge.set_pointer_capture(event.pointer_id());
            event.prevent_default();
            *grip.borrow_mut() = Some((along(&event), value, of_a_pixel(&edge)));
        })
    };
    let moved = {
        let (grip, resize) = (grip.clone(), resize.clone());
        Callback::from(move |event: PointerEvent| {
            let from = *grip.borrow();
            if let Some((at, size, of_a_pixel)) = from {
                let moved = f64::from(grows * (along(&event) - at)) * of_a_pixel;
                resize.emit(size + moved.round() as i32);
            }
        })
    };
    let up = Callback::from(move |_: PointerEvent| *grip.borrow_mut() = None);
    let key = {
        let (resize, (least, first, most)) = (resize.clone(), *range);
        Callback::from(move |event: KeyboardEvent| {
            let size = match (axis, event.key().as_str()) {
                (Axis::Vertical, "ArrowLeft") | (Axis::Horizontal, "ArrowUp") => value - grows * STEP,
                (Axis::Vertical, "ArrowRight") | (Axis::Horizontal, "ArrowDown") => value + grows * STEP,
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
