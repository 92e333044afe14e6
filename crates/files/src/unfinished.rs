use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::folder::{sync_all, sync_entries};
use crate::lock::{self, Lock};
use crate::{create_below, is_folder, write};

const LOCK: &str = "lock";
const DONE: &str = "done";
/// Written when `done` is whole: whose it is.
const OF: &str = "of";

/// A folder in the making: complete or absent in its place, and until it is finished in `NAME.partial` beside that, where
/// one process at a time may keep what it needs to go on.
#[derive(Debug)]
pub struct Unfinished {
    target: PathBuf,
    work: PathBuf,
    of: String,
    is_published: bool,
    _lock: Lock,
}

impl Unfinished {
    /// Begins a folder, or takes up what was begun; `None` if another process is at it. `of` says whose it is: only the same
    /// may go on after the folder has got its place.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] if the folder is there, or something else is in the way; the system's.
    pub fn claim(target: &Path, of: &str) -> io::Result<Option<Self>> {
        let occupied = |path: &Path, what: &str| {
            Err(io::Error::new(ErrorKind::AlreadyExists, format!("`{}` {what}", path.display())))
        };
        let work = Self::work_folder(target);
        if is_folder(&work)? {
            if !work.join(LOCK).is_file() && fs::read_dir(&work)?.next().is_some() {
                return occupied(&work, "is in the way, and not of this version's making; move it away");
            }
        } else if exists(target) {
            return occupied(target, "exists already; name a new folder");
        } else {
            let parent = work.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
            create_below(parent, &parent.join(work.file_name().unwrap_or_default()))?;
        }
        let Some(lock) = lock::try_lock(&work.join(LOCK))? else { return Ok(None) };
        let is_published = exists(target);
        if is_published && fs::read(work.join(OF)).ok().as_deref() != Some(of.as_bytes()) {
            return occupied(target, "exists already; name a new folder");
        }
        Ok(Some(Self { target: target.to_owned(), work, of: of.to_owned(), is_published, _lock: lock }))
    }

    /// Where a folder is before it has its place.
    pub fn work_folder(target: &Path) -> PathBuf {
        let mut name = target.file_name().unwrap_or(OsStr::new("folder")).to_owned();
        name.push(".partial");
        target.with_file_name(name)
    }

    /// What is kept to go on.
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// Whether the folder has its place already: an earlier process was killed before it could finish.
    pub fn is_published(&self) -> bool {
        self.is_published
    }

    /// Gives the folder its place once `fill` has filled it and it is on the disk. What is kept to go on stays.
    ///
    /// # Errors
    /// The function's, and the system's as `failed` makes them; nothing is in the folder's place then.
    pub fn publish<E>(
        &self,
        failed: impl Fn(io::Error) -> E,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_published {
            return Ok(());
        }
        let (done, of) = (self.work.join(DONE), self.work.join(OF));
        let attempt = || {
            absent(fs::remove_file(&of)).map_err(&failed)?;
            absent(fs::remove_dir_all(&done)).and_then(|()| fs::create_dir(&done)).map_err(&failed)?;
            fill(&done)?;
            sync_all(&done).and_then(|()| write(&of, self.of.as_bytes())).map_err(&failed)?;
            if exists(&self.target) {
                let message = format!("`{}` exists by now; move it away", self.target.display());
                return Err(failed(io::Error::new(ErrorKind::AlreadyExists, message)));
            }
            fs::rename(&done, &self.target).map_err(&failed)
        };
        attempt().inspect_err(|_| {
            // Its space may be what the next attempt lacks.
            let _ = fs::remove_dir_all(&done);
        })?;
        sync_entries(self.work.parent().unwrap_or(&self.work));
        Ok(())
    }

    /// Removes what was kept to go on.
    ///
    /// # Errors
    /// The system's.
    pub fn finish(self) -> io::Result<()> {
        // Last what tells that the rest is ours.
        let last = [LOCK, OF];
        for entry in fs::read_dir(&self.work)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path())?,
                false if last.iter().any(|name| entry.file_name() == *name) => {}
                false => fs::remove_file(entry.path())?,
            }
        }
        absent(fs::remove_file(self.work.join(OF)))?;
        fs::remove_dir_all(&self.work)
    }
}

/// Also a link that leads nowhere.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Success for what is not there to be removed.
fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(target: &Path) -> Unfinished {
        Unfinished::claim(target, "mine").unwrap().expect("nobody else is at it")
    }

    fn fill(content: &str) -> impl FnOnce(&Path) -> io::Result<()> {
        move |folder| {
            fs::create_dir(folder.join("inner"))?;
            fs::write(folder.join("inner/file"), content)
        }
    }

    #[test]
    fn it_is_whole_or_absent_and_an_attempt_may_be_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("new/model");
        let one = claim(&target);
        assert!(Unfinished::claim(&target, "mine").unwrap().is_none(), "one at a time");
        let half = |folder: &Path| {
            fs::write(folder.join("half"), "")?;
            Err(io::Error::other("full"))
        };
        assert_eq!(one.publish(|error| error, half).unwrap_err().to_string(), "full");
        assert!(!exists(&target));
        drop(one);
        // As a killed process leaves it.
        let begun = claim(&target);
        fs::create_dir(begun.work().join(DONE)).unwrap();
        fs::write(begun.work().join(DONE).join("half"), "").unwrap();
        drop(begun);
        let again = claim(&target);
        again.publish(|error| error, fill("whole")).unwrap();
        drop(again);
        let last = claim(&target);
        assert!(last.is_published());
        last.publish(|error| error, |_| panic!("it is there")).unwrap();
        drop(last);
        let other = Unfinished::claim(&target, "another's").unwrap_err().to_string();
        assert!(other.contains("model` exists already"), "{other}");
        claim(&target).finish().unwrap();
        assert_eq!(crate::walk(folder.path()).unwrap().into_keys().collect::<Vec<_>>(), ["new/model/inner/file"]);
        let taken = Unfinished::claim(&target, "mine").unwrap_err().to_string();
        assert!(taken.contains("exists already; name a new folder"), "{taken}");
    }

    #[test]
    fn what_others_put_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (target, work) = (folder.path().join("model"), folder.path().join("model.partial"));
        fs::create_dir(&work).unwrap();
        fs::write(work.join("thesis"), "").unwrap();
        let refused = Unfinished::claim(&target, "mine").unwrap_err().to_string();
        assert!(refused.contains("model.partial` is in the way"), "{refused}");
        fs::remove_file(work.join("thesis")).unwrap();
        let begun = claim(&target);
        fs::create_dir(&target).unwrap();
        let refused = begun.publish(|error| error, fill("whole")).unwrap_err().to_string();
        assert!(refused.contains("model` exists by now"), "{refused}");
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
        drop(begun);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_its_work_is_refused() {
        let (folder, victim) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(victim.path(), folder.path().join("model.partial")).unwrap();
        let refused = Unfinished::claim(&folder.path().join("model"), "mine").unwrap_err().to_string();
        assert!(refused.contains("model.partial` is a link"), "{refused}");
        assert_eq!(fs::read_dir(victim.path()).unwrap().count(), 0);
    }
}
