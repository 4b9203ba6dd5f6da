//! Sends cancels and changes of tasks by their ids to one shard.

use crate::clients::shards::{MAX_PARTS, Shards};
use crate::problem::Problem;
use scheduler_model::epochs::{CancelledId, ChangedId, Outcome, is_sent_once};
use scheduler_model::protocol::{
    Among, AmongRequest, CancelReply, CancelRequest, Change, ChangeReply, ChangeRequest, ListItem,
    RunRequest, paths,
};
use scheduler_model::routing::ShardId;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A request to cancel or change tasks by their ids.
pub(crate) trait ByIds: Serialize + Clone {
    const PATH: &'static str;
    /// The name of the request in refusals.
    const NAME: &'static str;
    type Reply: DeserializeOwned;
    /// The outcome for one id.
    type Outcome: Outcome;

    fn ids(&mut self) -> &mut Vec<String>;

    /// Returns whether the request must not be sent again after a lost answer.
    fn is_sent_once(&self, among: Among) -> bool;

    /// Returns the outcomes of the first ids, and whether the next one is partly done.
    fn outcomes(reply: Self::Reply) -> (Vec<Self::Outcome>, bool);

    /// Takes the task from a reply about one id.
    fn take_task(reply: &mut Self::Reply) -> Option<ListItem>;
}

/// Returns each outcome, and whether an attempt of its task is in flight, which is so if `running`
/// has its index.
fn with_running<O>(outcomes: Vec<O>, running: &[u32]) -> impl Iterator<Item = (O, bool)> {
    (0..).zip(outcomes).map(|(place, outcome)| (outcome, running.contains(&place)))
}

impl ByIds for CancelRequest {
    const PATH: &'static str = paths::CANCEL;
    const NAME: &'static str = "cancel";
    type Reply = CancelReply;
    type Outcome = CancelledId;

    fn ids(&mut self) -> &mut Vec<String> {
        &mut self.ids
    }

    fn is_sent_once(&self, _among: Among) -> bool {
        false
    }

    fn outcomes(
        CancelReply { outcomes, running, in_part, .. }: CancelReply,
    ) -> (Vec<CancelledId>, bool) {
        let of_id = |(outcome, is_running)| CancelledId { outcome, is_running };
        (with_running(outcomes, &running).map(of_id).collect(), in_part)
    }

    fn take_task(reply: &mut CancelReply) -> Option<ListItem> {
        reply.task.take()
    }
}

impl ByIds for ChangeRequest {
    const PATH: &'static str = paths::CHANGE;
    const NAME: &'static str = "change";
    type Reply = ChangeReply;
    type Outcome = ChangedId;

    fn ids(&mut self) -> &mut Vec<String> {
        &mut self.ids
    }

    fn is_sent_once(&self, among: Among) -> bool {
        is_sent_once(self.change, among)
    }

    fn outcomes(
        ChangeReply { outcomes, running, in_part, .. }: ChangeReply,
    ) -> (Vec<ChangedId>, bool) {
        let of_id = |(outcome, is_running)| ChangedId { outcome, is_running };
        (with_running(outcomes, &running).map(of_id).collect(), in_part)
    }

    fn take_task(reply: &mut ChangeReply) -> Option<ListItem> {
        reply.task.take()
    }
}

impl ByIds for RunRequest {
    const PATH: &'static str = paths::RUN;
    const NAME: &'static str = "run";
    type Reply = ChangeReply;
    type Outcome = ChangedId;

    fn ids(&mut self) -> &mut Vec<String> {
        &mut self.ids
    }

    fn is_sent_once(&self, among: Among) -> bool {
        is_sent_once(Change::Run, among)
    }

    fn outcomes(reply: ChangeReply) -> (Vec<ChangedId>, bool) {
        ChangeRequest::outcomes(reply)
    }

    fn take_task(reply: &mut ChangeReply) -> Option<ListItem> {
        reply.task.take()
    }
}

/// The answer of one shard about ids.
pub(crate) struct OfShard<O> {
    /// The outcomes, in the order of the ids.
    pub(crate) outcomes: Vec<O>,
    /// Whether a request had to be sent again.
    pub(crate) is_repeat: bool,
    /// The task, if the request names one id.
    pub(crate) task: Option<ListItem>,
}

impl Shards {
    /// Sends one shard a request about ids. The shard does a part at a time, even of one task, so
    /// this repeats the request for the rest.
    pub(crate) async fn ask_by_ids<R: ByIds>(
        &self,
        shard: ShardId,
        mut asked: AmongRequest<R>,
    ) -> Result<OfShard<R::Outcome>, Problem> {
        let (mut all, mut is_repeat) = (Vec::with_capacity(asked.request.ids().len()), false);
        let (mut parts, mut task) = (0, None);
        while !asked.request.ids().is_empty() {
            let (mut reply, again): (R::Reply, bool) = if asked.request.is_sent_once(asked.among) {
                (self.ask_once(shard, R::PATH, &asked).await?, false)
            } else {
                self.ask_among(shard, R::PATH, &asked).await?
            };
            task = R::take_task(&mut reply).or(task);
            let (mut outcomes, in_part) = R::outcomes(reply);
            if outcomes.is_empty() && !in_part {
                return Err(Problem::unavailable(format!(
                    "a shard did not return the outcome of a {}",
                    R::NAME
                )));
            }
            parts += u32::from(in_part);
            if parts > MAX_PARTS {
                let detail = format!(
                    "the {} is partly done; send the request again until it is done",
                    R::NAME
                );
                return Err(Problem::unavailable(detail));
            }
            let ids = asked.request.ids();
            ids.drain(..outcomes.len().min(ids.len()));
            all.append(&mut outcomes);
            is_repeat |= again;
        }
        Ok(OfShard { outcomes: all, is_repeat, task })
    }
}
