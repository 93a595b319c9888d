//! Being here with others: where this page is, going to somebody, following somebody.

use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::Person;
use embedenv_shared::id::MemberId;
use gloo_events::{EventListener, EventListenerOptions};
use gloo_timers::callback::Timeout;

use super::Workbench;
use crate::interop::page;
use crate::state::Action;
use crate::words;

/// Who has done nothing for this long is not at the page, in milliseconds.
const IDLE: u32 = 120_000;

impl Workbench {
    /// Tells the others which file is shown here, and whether anybody is here.
    pub(super) fn tell_place(&self) {
        let (project, path) = {
            let state = self.state();
            (state.me.as_ref().map(|me| me.project.clone()), state.files.active().map(|file| file.path.clone()))
        };
        self.connection.tell(&FullRequest::Here { project, path, idle: self.is_idle.get() });
    }

    /// Shows the file that somebody has in front, and where in it they are.
    pub(crate) fn go_to(&self, member: MemberId) {
        if let Some(id) = self.show_place_of(member) {
            self.documents.seek(id, member);
        }
    }

    /// Keeps to where somebody is, until told otherwise or until who is here goes a way of their own.
    pub(crate) fn follow(&self, member: Option<MemberId>) {
        self.dispatch(Action::Follow(member));
        self.documents.follow(member);
        if let Some(member) = member {
            self.show_place_of(member);
        }
    }

    /// The people changed: whoever is followed may be in another file now, or gone.
    pub(super) fn people_are(&self, people: Vec<Person>) {
        let followed = self.state().following;
        let place = |people: &[Person]| {
            let person = people.iter().find(|person| Some(person.member) == followed)?;
            Some((person.project.clone(), person.path.clone()))
        };
        let (before, after) = (place(&self.state().people), place(&people));
        self.dispatch(Action::People(people));
        if self.state().is_framed {
            self.tell_people();
        }
        let Some(member) = followed else { return };
        if after.is_none() {
            self.follow(None);
        } else if before != after {
            self.show_place_of(member);
        }
    }

    /// The person at this page does something of their own.
    pub(crate) fn wander(&self) {
        if self.state().following.is_some() {
            self.follow(None);
        }
    }

    fn show_place_of(&self, member: MemberId) -> Option<crate::state::files::FileId> {
        let (person, project) = {
            let state = self.state();
            let person = state.people.iter().find(|person| person.member == member)?.clone();
            (person, state.me.as_ref()?.project.clone())
        };
        match (person.project, person.path) {
            (Some(theirs), _) if theirs != project => {
                self.alert(words::elsewhere(&person.user, &theirs));
                None
            }
            (_, Some(path)) => {
                self.show_file(path, false);
                self.state().files.active
            }
            (_, None) => {
                self.alert(words::nowhere(&person.user));
                None
            }
        }
    }

    /// Listens to whether anybody is here.
    pub(super) fn watch_idleness(&self) -> Vec<EventListener> {
        let signs = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];
        let options = EventListenerOptions::run_in_capture_phase();
        let mut listeners: Vec<EventListener> = signs
            .into_iter()
            .map(|sign| {
                let workbench = self.clone();
                EventListener::new_with_options(&page::window(), sign, options, move |_| workbench.is_here(true))
            })
            .collect();
        let workbench = self.clone();
        listeners.push(EventListener::new(&page::document(), "visibilitychange", move |_| {
            workbench.is_here(page::is_visible());
        }));
        self.is_here(page::is_visible());
        listeners
    }

    fn is_here(&self, here: bool) {
        self.last_sign.set(page::now());
        if self.is_idle.replace(!here) == here {
            self.tell_place();
        }
        if here && self.idle_timer.borrow().is_none() {
            self.wait_for_idleness(IDLE);
        }
    }

    fn wait_for_idleness(&self, wait: u32) {
        let workbench = self.clone();
        *self.idle_timer.borrow_mut() = Some(Timeout::new(wait, move || {
            let timer = workbench.idle_timer.borrow_mut().take();
            let quiet = (page::now() - workbench.last_sign.get()) as u32;
            if quiet < IDLE {
                workbench.wait_for_idleness(IDLE - quiet);
            } else if !workbench.is_idle.replace(true) {
                workbench.tell_place();
            }
            drop(timer);
        }));
    }
}
