use switchboard::demo::{self, Stage};

use crate::world::{CUSTOMER, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_writes_and_the_answer_is_delivered_and_read() {
    let world = World::start().await;
    let stage = Stage {
        api: &world.owner,
        control: &world.control,
        number: &world.number,
        channel_id: &world.channel_id,
    };
    let steps = demo::play(&stage, CUSTOMER).await.expect("the main job");
    assert_eq!(steps.len(), 7);
    assert_eq!(world.times_sent("Yes! It arrives tomorrow."), 1);
    world.stop().await;
}
