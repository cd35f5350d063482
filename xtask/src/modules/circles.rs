//! Finds circles in a graph. They are as short as possible, and every arrow that is in a circle is in one of
//! them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The circles, shortest first. Each is a list of nodes and begins with its smallest node.
///
/// `arrows` has the targets of each node. Every arrow that is in a circle is in one of the circles returned.
pub(crate) fn circles(arrows: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let mut found: BTreeSet<(usize, Vec<usize>)> = BTreeSet::new();
    for (from, ends) in arrows.iter().enumerate() {
        for to in ends {
            if let Some(mut circle) = way(arrows, *to, from) {
                let least = circle.iter().min().copied();
                let start = circle.iter().position(|node| Some(*node) == least);
                circle.rotate_left(start.unwrap_or(0));
                found.insert((circle.len(), circle));
            }
        }
    }
    let mut told = BTreeSet::new();
    found
        .into_iter()
        .map(|(_, circle)| circle)
        .filter(|circle| {
            let before = told.len();
            told.extend(steps(circle));
            told.len() > before
        })
        .collect()
}

/// The arrows of a circle, including the one that closes it.
pub(crate) fn steps(circle: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    let next = circle.iter().cycle().skip(1);
    circle.iter().copied().zip(next.copied())
}

/// The shortest path, with both ends.
fn way(arrows: &[BTreeSet<usize>], from: usize, to: usize) -> Option<Vec<usize>> {
    let mut came_from = BTreeMap::from([(from, from)]);
    let mut open = VecDeque::from([from]);
    while let Some(node) = open.pop_front() {
        if node == to {
            let mut way = vec![to];
            while way.last() != Some(&from) {
                way.push(came_from[&way[way.len() - 1]]);
            }
            way.reverse();
            return Some(way);
        }
        for next in &arrows[node] {
            if !came_from.contains_key(next) {
                came_from.insert(*next, node);
                open.push_back(*next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(nodes: usize, arrows: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let mut ends = vec![BTreeSet::new(); nodes];
        for (from, to) in arrows {
            ends[*from].insert(*to);
        }
        circles(&ends)
    }

    #[test]
    fn what_leads_one_way_has_no_circle() {
        assert!(found(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]).is_empty());
    }

    #[test]
    fn a_circle_is_told_once_from_its_least_node_on() {
        assert_eq!(found(4, &[(3, 1), (1, 2), (2, 3), (0, 1)]), [[1, 2, 3]]);
    }

    #[test]
    fn two_circles_through_one_node_are_both_told() {
        let circles = found(4, &[(0, 1), (1, 0), (1, 2), (2, 3), (3, 1)]);

        assert_eq!(circles, [vec![0, 1], vec![1, 2, 3]]);
    }

    #[test]
    fn every_arrow_of_a_tangle_is_told() {
        let arrows = [(0, 1), (1, 2), (2, 0), (0, 2), (2, 1), (1, 0)];

        let circles = found(3, &arrows);

        let told: BTreeSet<_> = circles.iter().flat_map(|circle| steps(circle)).collect();
        assert_eq!(told, BTreeSet::from(arrows));
    }
}
