//! `EqualNodes`: finds the node of a graph that does the same as another one, without touching much memory.
//!
//! A node that equals another one uses the same values, so it is among the users of its latest input. Those are few and
//! lie close together in nearly all programs, whereas every look into a hash table of a million nodes misses the cache.
//! So each value has a list of the first few nodes of which it is the latest input. What has no inputs, and what comes
//! after the list of a value is full, is in a hash table. Equality is always that of ops and inputs, never of hashes
//! alone.

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::node::{Node, ValueId};
use super::op::Op;

/// How many users of a value are in its list.
const LISTED: usize = 8;

/// No value.
const NONE: ValueId = ValueId(u32::MAX);

/// The nodes of a graph by what they do.
#[derive(Clone, Default)]
pub(super) struct EqualNodes {
    links: Vec<Links>,
    table: HashTable<ValueId>,
}

/// The place of a node in the lists.
#[derive(Clone, Copy)]
struct Links {
    /// The last node that was added to its own list.
    last_user: ValueId,
    /// The one before it in the list that it is in.
    before: ValueId,
}

/// Where a node that is not there yet belongs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Vacancy {
    /// In the list of this value.
    List(ValueId),
    /// In the table, under this hash.
    Table(u64),
}

fn hash_node(op: &Op, inputs: &[ValueId]) -> u64 {
    let mut hasher = FxHasher::default();
    op.hash(&mut hasher);
    for input in inputs {
        hasher.write_u32(input.0);
    }
    // The hash of many literals differs in its upper bits alone, and the table looks at both ends.
    let hash = hasher.finish();
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

impl EqualNodes {
    /// With room for as many nodes.
    pub(super) fn with_capacity(nodes: usize) -> Self {
        Self {
            links: Vec::with_capacity(nodes),
            table: HashTable::new(),
        }
    }

    /// Of nodes that are there already, with room for so many. Of equal ones the first is found.
    pub(super) fn of(nodes: &[Node], room: usize) -> Self {
        let mut equal = Self::with_capacity(room);
        for (index, node) in nodes.iter().enumerate() {
            equal.add_any(&nodes[..index], node);
        }
        equal
    }

    /// The node equal to one with this op and these inputs, or where that belongs. `nodes` are those that were added.
    #[inline]
    pub(super) fn find(
        &self,
        nodes: &[Node],
        op: &Op,
        inputs: &[ValueId],
    ) -> Result<ValueId, Vacancy> {
        let is_equal = |value: ValueId| {
            let node = &nodes[value.index()];
            node.inputs.as_slice() == inputs && node.op == *op
        };
        if let Some(&latest) = inputs.iter().max() {
            let mut user = self.links[latest.index()].last_user;
            let mut listed = 0;
            while user != NONE {
                if is_equal(user) {
                    return Ok(user);
                }
                user = self.links[user.index()].before;
                listed += 1;
            }
            if listed < LISTED {
                return Err(Vacancy::List(latest));
            }
        }
        let hash = hash_node(op, inputs);
        match self.table.find(hash, |&value| is_equal(value)) {
            Some(&found) => Ok(found),
            None => Err(Vacancy::Table(hash)),
        }
    }

    /// Adds the next node, which [`EqualNodes::find`] said is not there, before it is pushed to `nodes`.
    #[inline]
    pub(super) fn add(&mut self, nodes: &[Node], vacancy: Vacancy) {
        let value = ValueId(nodes.len() as u32);
        let before = match vacancy {
            Vacancy::List(latest) => {
                std::mem::replace(&mut self.links[latest.index()].last_user, value)
            }
            Vacancy::Table(hash) => {
                self.table.insert_unique(hash, value, |&v| {
                    let Node { op, inputs, .. } = &nodes[v.index()];
                    hash_node(op, inputs)
                });
                NONE
            }
        };
        self.link(before);
    }

    fn link(&mut self, before: ValueId) {
        let last_user = NONE;
        self.links.push(Links { last_user, before });
    }

    /// Adds the next node, whether an equal one is there or not.
    pub(super) fn add_any(&mut self, nodes: &[Node], node: &Node) {
        match self.find(nodes, &node.op, &node.inputs) {
            Err(vacancy) => self.add(nodes, vacancy),
            Ok(_) => self.add_apart(),
        }
    }

    /// Adds the next node, which is never to be found.
    pub(super) fn add_apart(&mut self) {
        self.link(NONE);
    }
}
