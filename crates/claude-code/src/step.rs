//! The moments between two changes on disk. Tests kill the program or change the file there.

/// What has just been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Seen,
    RecordWritten,
    FolderMade,
    ScratchWritten,
    Compared,
    Replaced,
    RecordSettled,
}

#[cfg(not(test))]
pub(crate) fn reached(_: Step) {}

#[cfg(test)]
pub(crate) fn reached(step: Step) {
    // Taken out while it runs, because it may call this function.
    let hook = HOOK.with_borrow_mut(Option::take);
    if let Some(mut hook) = hook {
        hook(step);
        HOOK.with_borrow_mut(|there| {
            there.get_or_insert(hook);
        });
    }
}

#[cfg(test)]
pub(crate) fn on_each(hook: impl FnMut(Step) + 'static) {
    HOOK.set(Some(Box::new(hook)));
}

#[cfg(test)]
pub(crate) fn on_none() {
    HOOK.set(None);
}

#[cfg(test)]
type Hook = Box<dyn FnMut(Step)>;

#[cfg(test)]
thread_local! {
    static HOOK: std::cell::RefCell<Option<Hook>> = const { std::cell::RefCell::new(None) };
}
