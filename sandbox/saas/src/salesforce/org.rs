//! What an org holds: its objects, the records that were written, and the changes that nobody
//! has fetched yet.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::{
    city_sale::{CitySale, record_id},
    event::{self, ChangeEvent},
    grown,
    table::{Access, Cell, OBJECTS, Object},
};

/// How many changes wait for a subscriber; the oldest give way, as in Salesforce's bounded buffer.
const BUFFERED_EVENTS: usize = 20_000;
/// Numbers of written records start here, beyond every computed one.
const FIRST_WRITTEN: u64 = 1_000_000;

/// The org behind the API.
pub(super) struct Org {
    objects: Vec<Arc<Object>>,
    /// By object and id; a record that was also computed gives way to the written one.
    written: BTreeMap<String, BTreeMap<String, Vec<Cell>>>,
    records_made: u64,
    commits: u64,
    events: VecDeque<ChangeEvent>,
}

impl Default for Org {
    /// The objects of the table and the channels of their changes.
    fn default() -> Self {
        let mut org = Self {
            objects: OBJECTS.iter().cloned().map(Arc::new).collect(),
            written: BTreeMap::new(),
            records_made: 0,
            commits: 0,
            events: VecDeque::new(),
        };
        let channels = OBJECTS.iter().filter(|o| o.captured).map(event::channel);
        org.objects.extend(channels.map(Arc::new));
        org.sort();
        org
    }
}

impl Org {
    /// Every object, in the order of names.
    pub(super) fn objects(&self) -> &[Arc<Object>] {
        &self.objects
    }

    /// An object; names are compared without case.
    pub(super) fn object(&self, name: &str) -> Option<Arc<Object>> {
        self.objects
            .iter()
            .find(|o| o.name.eq_ignore_ascii_case(name))
            .cloned()
    }

    /// Adds custom objects until there are `objects` of them, the first one as wide as asked.
    pub(super) fn grow(&mut self, objects: usize, fields: usize) {
        let missing = objects.saturating_sub(self.objects.len());
        self.objects
            .extend(grown::objects(missing, fields).map(Arc::new));
        self.sort();
    }

    /// Deletes a custom field of an object and of the channel of its changes; tells whether it was
    /// there.
    pub(super) fn delete_field(&mut self, object: &str, name: &str) -> bool {
        let channel = event::channel_name(object);
        let mut deleted = false;
        let both = |o: &&mut Arc<Object>| o.name == object || o.name == channel;
        for object in self.objects.iter_mut().filter(both) {
            let Some(at) = object.position(name).filter(|_| name.ends_with("__c")) else {
                continue;
            };
            Arc::make_mut(object).fields.to_mut()[at].access = Access::Deleted;
            deleted = true;
        }
        deleted
    }

    fn sort(&mut self) {
        self.objects.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// The records of an object, one cell per field: the computed ones, overlaid by the written.
    pub(super) fn rows(&self, object: &Object, sales: &[CitySale]) -> Vec<Vec<Cell>> {
        let mut rows = object.rows(sales);
        let Some(written) = self.written.get(object.name.as_ref()) else {
            return rows;
        };
        let id = |row: &Vec<Cell>| match row.first() {
            Some(Cell::Text(id)) => id.clone(),
            _ => String::new(),
        };
        let computed: std::collections::HashSet<String> = rows.iter().map(id).collect();
        for row in &mut rows {
            if let Some(newer) = written.get(&id(row)) {
                row.clone_from(newer);
            }
        }
        let new = written.iter().filter(|(id, _)| !computed.contains(*id));
        rows.extend(new.map(|(_, row)| row.clone()));
        rows
    }

    /// The id of the next record of an object.
    pub(super) fn next_id(&mut self, object: &Object) -> String {
        self.records_made += 1;
        record_id(object.prefix, FIRST_WRITTEN + self.records_made)
    }

    /// Keeps a record.
    pub(super) fn put(&mut self, object: &Object, id: &str, row: Vec<Cell>) {
        self.written
            .entry(object.name.to_string())
            .or_default()
            .insert(id.to_owned(), row);
    }

    /// The number of the next commit, which its events carry.
    pub(super) fn next_commit(&mut self) -> u64 {
        self.commits += 1;
        self.commits
    }

    /// Adds an event for subscribers.
    pub(super) fn publish(&mut self, event: ChangeEvent) {
        if self.events.len() == BUFFERED_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// The events since the last call, oldest first.
    pub(super) fn take_events(&mut self) -> Vec<ChangeEvent> {
        self.events.drain(..).collect()
    }
}
