use super::{Candidate, Node};

/// More are never learned, whatever a broker says.
const MAX_LEARNED: usize = 16;

/// The endpoints a client may connect to: those it was configured with, for good, and those that the nodes of a cluster have named,
/// which change with it. Each has a number for as long as it is known or in use. Driven by vectors/connection.json.
#[derive(Debug)]
pub(crate) struct KnownEndpoints {
    /// By number; those that are not known any more are there until their place is taken.
    pub candidates: Vec<Candidate>,
    /// The configured ones in their order, then the learned ones.
    known: Vec<usize>,
    configured: usize,
}

/// A broker that is alone names only itself, perhaps by an address that is of no use behind a proxy: nothing is learned from that.
pub(super) fn is_cluster<T>(nodes: &[T]) -> bool {
    nodes.len() > 1
}

impl KnownEndpoints {
    pub fn new(configured: Vec<Candidate>) -> Self {
        Self {
            known: (0..configured.len()).collect(),
            configured: configured.len(),
            candidates: configured,
        }
    }

    /// The numbers of all that may be tried.
    pub fn all(&self) -> &[usize] {
        &self.known
    }

    pub fn is_all(&self, holds: impl Fn(&Candidate) -> bool) -> bool {
        self.known
            .iter()
            .all(|number| holds(&self.candidates[*number]))
    }

    /// What a cluster names takes the place of what was learned before; the numbers in use stay as they are.
    pub fn replace_learned(&mut self, nodes: &[Node], in_use: &[usize]) {
        let before = self.known.clone();
        let kept = |number: &usize| {
            let endpoint = &self.candidates[*number].endpoint;
            nodes.iter().any(|node| node.endpoint == *endpoint)
        };
        let mut kept: Vec<usize> = before[self.configured..]
            .iter()
            .copied()
            .filter(kept)
            .collect();
        self.known.truncate(self.configured);
        for node in nodes.iter().map(|node| &node.endpoint) {
            let is_node = |number: &usize| self.candidates[*number].endpoint == *node;
            if self.known.iter().any(is_node) || self.known.len() >= self.configured + MAX_LEARNED {
                continue;
            }
            let number = match kept.iter().position(is_node) {
                Some(place) => kept.swap_remove(place),
                None => self.place(node, &[in_use, &kept].concat()),
            };
            self.known.push(number);
        }
    }

    /// Takes up where they are, and that the first one leads.
    pub fn locate(&mut self, nodes: &[Node]) {
        for number in self.known.clone() {
            let candidate = &mut self.candidates[number];
            let place = nodes
                .iter()
                .position(|node| node.endpoint == candidate.endpoint);
            candidate.leads = place == Some(0);
            if let Some(node) = place.map(|place| &nodes[place]) {
                if !node.zone.is_empty() {
                    node.zone.clone_into(&mut candidate.zone);
                }
            }
        }
    }

    /// One more; at the bound the one that was learned first gives way.
    pub fn learn(&mut self, endpoint: &str, in_use: &[usize]) -> usize {
        let is_it = |number: &usize| self.candidates[*number].endpoint == endpoint;
        if let Some(known) = self.known.iter().copied().find(is_it) {
            return known;
        }
        if self.known.len() >= self.configured + MAX_LEARNED {
            self.known.remove(self.configured);
        }
        let number = self.place(endpoint, in_use);
        self.known.push(number);
        number
    }

    /// A candidate in a free place.
    fn place(&mut self, endpoint: &str, in_use: &[usize]) -> usize {
        let made = Candidate::new(endpoint);
        let free = |number: &usize| !self.known.contains(number) && !in_use.contains(number);
        if let Some(number) = (0..self.candidates.len()).find(free) {
            self.candidates[number] = made;
            return number;
        }
        self.candidates.push(made);
        self.candidates.len() - 1
    }
}
