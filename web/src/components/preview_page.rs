//! A page that a program serves, in a frame of its own origin: where it is, how to go elsewhere, at which size it is shown
//! and what its console says.

use std::rc::Rc;

use embedenv_shared::frame::Listener;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, HtmlIFrameElement, HtmlInputElement, HtmlSelectElement, SubmitEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::framed::{Framed, Said};
use crate::interop::page;
use crate::state::preview::{Address, Device, Line, Lines, Wish};
use crate::state::{Action, Dialog};
use crate::words::catalogue::{count, say};
use crate::workbench::Workbench;
use crate::workbench::preview::Entrance;

#[derive(Properties, PartialEq)]
pub(crate) struct PreviewPageProps {
    pub(crate) workbench: Workbench,
    pub(crate) listeners: Rc<Vec<Listener>>,
    pub(crate) port: u16,
    /// Where it was told to go.
    pub(crate) wish: Option<Rc<Wish>>,
    pub(crate) works: bool,
}

/// What a console is told.
enum Heard {
    Said(Vec<Line>),
    Cleared,
}

#[derive(Default, PartialEq)]
struct Console(Lines);

impl Reducible for Console {
    type Action = Heard;

    fn reduce(self: Rc<Self>, heard: Heard) -> Rc<Self> {
        let mut lines = self.0.clone();
        match heard {
            Heard::Said(said) => said.into_iter().for_each(|line| lines.push(line)),
            Heard::Cleared => lines = Lines::default(),
        }
        Rc::new(Self(lines))
    }
}

/// What stands where the page will be.
#[derive(Clone, PartialEq)]
enum Shown {
    /// Nothing listens, and nothing was asked for.
    Nothing,
    Coming,
    Page(Rc<Entrance>),
    Failed(String),
}

#[component]
pub(crate) fn PreviewPage(props: &PreviewPageProps) -> Html {
    let PreviewPageProps { workbench, listeners, port, wish, works } = props;
    let (frame, stage, bar) = (use_node_ref(), use_node_ref(), use_node_ref());
    let address = use_state_eq(|| Address { port: *port, path: "/".to_owned() });
    // What is being typed; `None` while the bar shows where the page is.
    let typed = use_state_eq(|| None::<String>);
    let shown = use_state_eq(|| Shown::Nothing);
    let device = use_state_eq(Device::default);
    let console = use_reducer_eq(Console::default);
    let console_open = use_state_eq(|| false);
    let framed = use_mut_ref(|| None::<Framed>);
    let is_there = listeners.iter().any(|listener| listener.port == *port);
    let load = {
        let (workbench, shown, address) = (workbench.clone(), shown.setter(), address.setter());
        Callback::from(move |to: Address| {
            address.set(to.clone());
            let (workbench, shown) = (workbench.clone(), shown.clone());
            spawn_local(async move {
                shown.set(match workbench.enter_preview(&to).await {
                    Ok(entrance) => Shown::Page(Rc::new(entrance)),
                    Err(why) => Shown::Failed(why),
                });
            });
        })
    };
    // A port that was opened, and the first that listens, is shown by itself; what was wished for, once for each wish.
    let granted = use_mut_ref(|| 0);
    use_effect_with((*port, is_there, wish.clone()), {
        let (load, shown, address) = (load.clone(), shown.clone(), address.clone());
        move |(port, is_there, wish)| {
            let is_shown = matches!(*shown, Shown::Page(_)) && address.port == *port;
            let wish = wish.as_ref().filter(|wish| wish.to.port == *port && wish.number > *granted.borrow());
            if *is_there && (!is_shown || wish.is_some()) {
                let path = wish.map_or_else(|| "/".to_owned(), |wish| wish.to.path.clone());
                if let Some(wish) = wish {
                    *granted.borrow_mut() = wish.number;
                }
                shown.set(Shown::Coming);
                load.emit(Address { port: *port, path });
            }
        }
    });
    use_effect_with((workbench.clone(), (*address).clone()), |(workbench, address)| {
        *workbench.previewed.borrow_mut() = Some(address.clone());
    });
    let entrance = if let Shown::Page(entrance) = &*shown { Some(entrance.clone()) } else { None };
    use_effect_with((entrance, frame.clone()), {
        let (framed, address, typed, console) =
            (framed.clone(), address.setter(), typed.setter(), console.dispatcher());
        move |(entrance, frame)| {
            let heard = entrance.clone().zip(frame.cast::<HtmlIFrameElement>()).map(|(entrance, frame)| {
                let (base, port) = (entrance.base.clone(), entrance.port);
                let at = base.clone();
                let said = move |said| match said {
                    Said::Place { url } => {
                        if let Some(at) = Address::of(&url, &at, port) {
                            address.set(at);
                            typed.set(None);
                        }
                    }
                    Said::Console(lines) => console.dispatch(Heard::Said(lines)),
                };
                Framed::listen(frame, &base, Rc::new(said))
            });
            *framed.borrow_mut() = heard;
        }
    });
    use_effect_with((*device, stage.clone()), |(device, stage)| {
        let Some(stage) = stage.cast::<HtmlElement>() else { return };
        let (width, height) = device.size().map_or(("100%".to_owned(), "100%".to_owned()), |(width, height)| {
            (format!("{width}px"), format!("{height}px"))
        });
        page::set_style(&stage, "--device-width", &width);
        page::set_style(&stage, "--device-height", &height);
    });
    let go = |where_to: &'static str| {
        let (framed, load, address) = (framed.clone(), load.clone(), address.clone());
        Callback::from(move |_: MouseEvent| {
            let is_told = framed.borrow().as_ref().is_some_and(|framed| framed.go(where_to));
            // A page that says nothing of itself is loaded anew.
            if !is_told && where_to == "reload" {
                load.emit((*address).clone());
            }
        })
    };
    let bad = typed.as_ref().is_some_and(|text| Address::parse(text, address.port).is_none());
    let onsubmit = {
        let (typed, load, address, bar) = (typed.clone(), load.clone(), address.clone(), bar.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            // What stands there, whether or not it was drawn yet.
            let text = bar.cast::<HtmlInputElement>().map_or_else(|| address.shown(), |bar| bar.value());
            if let Some(to) = Address::parse(&text, address.port) {
                typed.set(None);
                load.emit(to);
            }
        })
    };
    let oninput = {
        let typed = typed.setter();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                typed.set(Some(input.value()));
            }
        })
    };
    let choose_device = {
        let device = device.setter();
        Callback::from(move |event: Event| {
            let Some(select) = event.target_dyn_into::<HtmlSelectElement>() else { return };
            let chosen = Device::ALL.into_iter().find(|device| device.id() == select.value());
            device.set(chosen.unwrap_or_default());
        })
    };
    let open_tab = {
        let (workbench, address) = (workbench.clone(), address.clone());
        Callback::from(move |_: MouseEvent| {
            let (workbench, address) = (workbench.clone(), (*address).clone());
            spawn_local(async move {
                match workbench.enter_preview(&address).await {
                    Ok(entrance) => page::open_link(&entrance.enter),
                    Err(why) => workbench.alert(why),
                }
            });
        })
    };
    let share = {
        let (workbench, address) = (workbench.clone(), address.clone());
        Callback::from(move |_: MouseEvent| workbench.dispatch(Action::Dialog(Some(Dialog::SharePort(address.port)))))
    };
    let toggle_console = {
        let console_open = console_open.clone();
        Callback::from(move |_: MouseEvent| console_open.set(!*console_open))
    };
    let clear = {
        let console = console.dispatcher();
        Callback::from(move |_: MouseEvent| console.dispatch(Heard::Cleared))
    };
    let is_page = matches!(*shown, Shown::Page(_));
    let devices = Device::ALL.map(|each| {
        html! { <option value={each.id()} selected={each == *device}>{ device_name(each) }</option> }
    });
    let errors = console.0.errors();
    let console_name =
        if errors > 0 { count!("preview.console.errors", errors) } else { say!("preview.console").to_owned() };
    html! {
        <>
            <form class="preview-bar" aria-label={say!("preview.address.bar")} {onsubmit}>
                { tool(say!("preview.back"), IconName::ArrowLeft, is_page, go("back")) }
                { tool(say!("preview.reload"), IconName::RefreshCw, is_page, go("reload")) }
                <input
                    ref={bar}
                    class="code"
                    aria-label={say!("preview.address")}
                    aria-invalid={bad.to_string()}
                    title={if bad { say!("preview.address.bad") } else { say!("preview.address") }}
                    autocomplete="off"
                    spellcheck="false"
                    inputmode="url"
                    value={(*typed).clone().unwrap_or_else(|| address.shown())}
                    {oninput}
                />
                <select aria-label={say!("preview.size")} title={say!("preview.size")} onchange={choose_device}>{ for devices }</select>
                { tool(say!("preview.open"), IconName::ExternalLink, true, open_tab) }
                if *works {
                    { tool(say!("preview.share"), IconName::Share, true, share) }
                }
            </form>
            <div class="preview-stage" data-device={device.id()} ref={stage}>
                { stand(&shown, &frame, address.port) }
            </div>
            <div class="preview-console" data-open={console_open.to_string()}>
                <div class="preview-console-head">
                    <button class="plain" aria-expanded={console_open.to_string()} data-errors={(errors > 0).then_some("true")} onclick={toggle_console}>{ console_name }</button>
                    if *console_open && !console.0.is_empty() {
                        <button class="plain" onclick={clear}>{ say!("preview.console.clear") }</button>
                    }
                </div>
                if *console_open {
                    <ol class="code" role="log" aria-label={say!("preview.console")} tabindex="0">
                        if console.0.is_empty() {
                            <li class="hint">{ say!("preview.console.empty") }</li>
                        }
                        { for console.0.all().map(line) }
                    </ol>
                }
            </div>
        </>
    }
}

fn tool(name: &'static str, icon: IconName, enabled: bool, onclick: Callback<MouseEvent>) -> Html {
    html! { <button type="button" class="icon-button" aria-label={name} title={name} disabled={!enabled} {onclick}><Icon name={icon} /></button> }
}

/// The frame, or what stands in for it. It can do what pages do, but not move the page around it.
fn stand(shown: &Shown, frame: &NodeRef, port: u16) -> Html {
    match shown {
        Shown::Nothing => html! {
            <p class="pane-empty">{ say!("ports.none") }{ " " }<code>{ say!("ports.example") }</code></p>
        },
        Shown::Coming => html! { <p class="pane-empty" role="status">{ say!("preview.coming", port = port) }</p> },
        Shown::Failed(why) => html! { <p class="pane-empty" role="alert">{ why }</p> },
        Shown::Page(entrance) => html! {
            <iframe
                ref={frame}
                title={say!("preview.frame", port = port)}
                src={entrance.enter.clone()}
                sandbox="allow-scripts allow-same-origin allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox allow-downloads"
                allow="clipboard-write; fullscreen"
                referrerpolicy="no-referrer"
            ></iframe>
        },
    }
}

fn line(line: &Line) -> Html {
    html! {
        <li data-level={line.level.id()}>
            if line.count > 1 {
                <span class="times">{ line.count }</span>
            }
            <span>{ &line.text }</span>
            if let Some(place) = &line.place {
                <span class="hint">{ place }</span>
            }
        </li>
    }
}

fn device_name(device: Device) -> String {
    let name = match device {
        Device::Fit => say!("preview.size.fit"),
        Device::Phone => say!("preview.size.phone"),
        Device::Tablet => say!("preview.size.tablet"),
        Device::Laptop => say!("preview.size.laptop"),
    };
    match device.size() {
        Some((width, height)) => format!("{name} {width} × {height}"),
        None => name.to_owned(),
    }
}
