//! GU (rev): from the bottom up, with the top unit open from the start as in the released code's list.

use model::Group;

use super::cumulative::top_first;

pub(super) fn order(units: &[Group]) -> Vec<Group> {
    top_first(units, <[Group]>::to_vec)
}
